package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// inProject is a file or folder that a page names in code, from the project's root.
var inProject = regexp.MustCompile("`((?:cmd|docs|examples|kong|plugin)/[\\w./-]+|CHANGELOG\\.md|\\.ci/run)`")

// What CONTRIBUTING sends people to is there.
func TestContributingNamesFiles(t *testing.T) {
	text, err := os.ReadFile("CONTRIBUTING.md")
	require.NoError(t, err)
	named := 0
	for _, m := range inProject.FindAllStringSubmatch(string(text), -1) {
		if file := m[1]; file == strings.ToLower(file) || !strings.Contains(file, "/") {
			named++
			_, err := os.Stat(filepath.Join(root, file))
			assert.NoError(t, err)
		}
	}
	assert.Greater(t, named, 5)
}

// template is what is read of an issue's template.
type template struct {
	Name, Description string
	Body              []struct {
		Type, ID    string
		Attributes  struct{ Label, Value, Description string }
		Validations struct{ Required bool }
	}
}

// Issues ask for what tells what happened, in templates that GitHub takes: a name, a
// description, and an id and a label for each field.
func TestIssueTemplates(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, ".github/ISSUE_TEMPLATE/*.yml"))
	require.NoError(t, err)
	asked := map[string][]string{}
	for _, file := range files {
		if filepath.Base(file) == "config.yml" {
			continue
		}
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var form template
		require.NoError(t, yaml.Unmarshal(data, &form), file)
		assert.True(t, form.Name != "" && form.Description != "", file)
		ids := map[string]bool{}
		for _, field := range form.Body {
			if field.Type == "markdown" {
				continue
			}
			assert.True(t, field.ID != "" && field.Attributes.Label != "" && !ids[field.ID], "%s: %q", file, field.ID)
			ids[field.ID] = true
			if field.Validations.Required {
				asked[filepath.Base(file)] = append(asked[filepath.Base(file)], field.ID)
			}
		}
	}
	assert.Len(t, asked, 3)
	assert.Subset(t, asked["wrong-diagnosis.yml"], []string{"answer", "log", "explain", "doctor", "version"})
	assert.Subset(t, asked["configuration.yml"], []string{"config", "explain", "version"})
}
