package examples

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/plugin"
)

// workflow is what is read of a workflow of the project's own.
type workflow struct {
	Permissions map[string]string
	Jobs        map[string]struct {
		Container   string
		Permissions map[string]string
		Steps       []actionStep
		Timeout     int `yaml:"timeout-minutes"`
	}
}

func workflows(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../.github/workflows/*.yml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

var (
	usesLine = regexp.MustCompile(`(?m)^\s*(?:- )?uses: (.*)$`)
	pinned   = regexp.MustCompile(`^[\w-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
)

// Workflows run what cannot change under them, may write nothing but a release, and no
// expression stands in a script.
func TestWorkflows(t *testing.T) {
	for _, file := range workflows(t) {
		for _, m := range usesLine.FindAllStringSubmatch(read(t, file), -1) {
			assert.Regexp(t, pinned, m[1], file)
		}
		var w workflow
		readYAML(t, file, &w)
		assert.Equal(t, map[string]string{"contents": "read"}, w.Permissions, file)
		for name, job := range w.Jobs {
			assert.Positive(t, job.Timeout, name)
			if name == "archives" {
				assert.Equal(t, map[string]string{"contents": "write"}, job.Permissions)
			} else {
				assert.Empty(t, job.Permissions, name)
			}
			for _, s := range job.Steps {
				assert.NotContains(t, s.Run, "${{", name)
				assert.NoError(t, exec.Command("bash", "-nc", s.Run).Run(), s.Run)
				if strings.HasPrefix(s.Uses, "actions/checkout@") {
					assert.Equal(t, "false", s.With["persist-credentials"], name)
				}
			}
		}
	}
}

// ci.yml runs .ci/run, with the Go of the images.
func TestWorkflowRunsAll(t *testing.T) {
	var w workflow
	readYAML(t, "../.github/workflows/ci.yml", &w)
	all := w.Jobs["all"]
	assert.Equal(t, ".ci/run", all.Steps[len(all.Steps)-1].Run)
	assert.Contains(t, read(t, "../Dockerfile"), " "+all.Container+" AS build\n")
	info, err := os.Stat("../.ci/run")
	require.NoError(t, err)
	assert.NotZero(t, info.Mode()&0o100, ".ci/run can be run")
}

// The notes of a release are its part of CHANGELOG.md, and a version that has none is no
// release.
func TestReleaseNotes(t *testing.T) {
	var w workflow
	readYAML(t, "../.github/workflows/release.yml", &w)
	var script string
	for _, s := range w.Jobs["archives"].Steps {
		if strings.Contains(s.Run, "CHANGELOG.md") {
			script = s.Run
		}
	}
	require.NotEmpty(t, script)
	notes := func(tag string) (string, error) {
		dir := t.TempDir()
		cmd := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script)
		cmd.Dir = ".."
		cmd.Env = append(os.Environ(), "TAG="+tag, "RUNNER_TEMP="+dir)
		err := cmd.Run()
		text, _ := os.ReadFile(filepath.Join(dir, "notes.md"))
		return string(text), err
	}
	text, err := notes("v" + plugin.Version)
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(text, "\n### Added\n"), text)
	assert.NotContains(t, text, "\n## ")
	assert.NotContains(t, text, "]: ")
	_, err = notes("v99.0.0")
	assert.Error(t, err)
}
