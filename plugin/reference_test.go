package plugin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"diag405/kong/config"
	"diag405/kong/gateway/standin/schema"
	"diag405/plugin/report"
	"diag405/plugin/server"
)

// firstVersion is the one in which the settings came that are not in newer.
const firstVersion = "0.1.0"

// newer are the settings that came later, and with which version.
var newer = map[string]string{"token_key": "[unreleased](../CHANGELOG.md)"}

// docs/configuration.md has every setting as the table has it, with an example that
// is run, and what Kong says of a value that it refuses. -update writes it there.
func TestReferenceHasTheSettings(t *testing.T) {
	const file = "../docs/configuration.md"
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	part := regexp.MustCompile(`(?s)<!-- settings -->\n.*<!-- end of settings -->\n`)
	require.Len(t, part.FindAll(data, -1), 1)
	got := part.ReplaceAllLiteralString(string(data), "<!-- settings -->\n"+reference(t)+"<!-- end of settings -->\n")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
		return
	}
	assert.Equal(t, got, string(data), "-update writes it")
}

// What docs/overview.md and docs/configuration.md say of headers, phases and priority is
// what the plugins have.
func TestOverviewHasHeadersAndPhases(t *testing.T) {
	overview, err := os.ReadFile("../docs/overview.md")
	require.NoError(t, err)
	for _, name := range report.HeaderNames(standardPrefix) {
		assert.Contains(t, string(overview), "\n| `"+name+"` | ")
	}
	ours, logs := dumped(t, Constructor("")), dumped(t, LogConstructor())
	phases := func(d description) string { return strings.Join(d.Phases, ", ") }
	assert.Contains(t, string(overview), "\n| phases | "+phases(ours)+" | "+phases(logs)+" |\n")
	assert.Regexp(t, fmt.Sprintf(`\n\| priority \| %d\b.*\| %d \|\n`, ours.Priority, logs.Priority), string(overview))
	configuration, err := os.ReadFile("../docs/configuration.md")
	require.NoError(t, err)
	for name, d := range map[string]description{Name: ours, LogName: logs} {
		assert.Contains(t, string(configuration), fmt.Sprintf("\n| %s | %d | %s |\n", name, d.Priority, phases(d)))
	}
}

// reference is the generated part: a table of all, and a part for each.
func reference(t *testing.T) string {
	t.Helper()
	examples := settingsExamples(t)
	kong := map[plugins]schema.Schema{annotates: kongSchema(t, Constructor("")), logs: kongSchema(t, LogConstructor())}
	var overview, parts strings.Builder
	overview.WriteString("| setting | default | diag405 | diag405-log |\n| --- | --- | --- | --- |\n")
	for _, s := range settings {
		fmt.Fprintf(&overview, "| [`config.%s`](#config%[1]s) | %s | %s | %s |\n", s.name, s.defaultText(), yes(s.in&annotates), yes(s.in&logs))
		parts.WriteString(s.part(t, kong[s.in&-s.in], examples[s.name]))
	}
	return overview.String() + parts.String()
}

func yes(in plugins) string {
	if in != 0 {
		return "yes"
	}
	return "no"
}

func (s setting) defaultText() string {
	if s.standard == "" {
		return "none"
	}
	encoded, _ := json.Marshal(s.standard)
	return "`" + strings.Trim(string(encoded), `"`) + "`"
}

// part is what the reference says of one setting.
func (s setting) part(t *testing.T, kong schema.Schema, example *example) string {
	t.Helper()
	require.NotNil(t, example, "no file in examples/settings sets %s: a new setting needs an example", s.name)
	since := firstVersion
	if version, ok := newer[s.name]; ok {
		since = version
	}
	of := map[plugins]string{annotates: "diag405", logs: "diag405-log", both: "both"}[s.in]
	// What README links to lies elsewhere from here.
	meaning := strings.NewReplacer("(docs/", "(", "(#limits)", "(limits.md)").Replace(strings.TrimSpace(s.sentence + " " + s.more))
	var b strings.Builder
	fmt.Fprintf(&b, "\n### config.%s\n\n%s\n\n| | |\n| --- | --- |\n", s.name, meaning)
	for _, row := range [][2]string{
		{"type", s.typeText()},
		{"default", s.defaultText()},
		{"values", values(s.standard, s.rule.field)},
		{"plugins", of},
		{"since", since},
		{"example", fmt.Sprintf("`%s: %s` in [%s](../examples/settings/%[3]s)", s.name, example.value, example.file)},
		{"Kong refuses", s.refusals(t, kong)},
	} {
		fmt.Fprintf(&b, "| %s | %s |\n", row[0], row[1])
	}
	return b.String()
}

// typeText is the type of a setting in Kong's schema.
func (s setting) typeText() string {
	f := s.rule.field
	text := map[string]string{"string": "string", "bool": "boolean", "int": "integer", "[]int": "array of integers"}[fmt.Sprintf("%T", s.standard)]
	if f.Encrypted {
		text += ", encrypted in a database (Kong Enterprise)"
	}
	if f.Referenceable {
		text += ", may be a reference into a vault (`{vault://env/…}`)"
	}
	return text
}

// refusals are values that a setting does not take, with what Kong's schema says of each.
func (s setting) refusals(t *testing.T, kong schema.Schema) string {
	t.Helper()
	var out []string
	for _, value := range s.wrong() {
		_, err := kong.Complete(map[string]any{s.name: value})
		require.Error(t, err, "%s: %v", s.name, value)
		encoded, err2 := json.Marshal(value)
		require.NoError(t, err2)
		words := strings.TrimPrefix(err.Error(), "in 'config': ")
		words = strings.TrimPrefix(words, "in '"+s.name+"': ")
		out = append(out, fmt.Sprintf("`%s`: %s", encoded, strings.TrimPrefix(words, s.name+": ")))
	}
	return strings.Join(out, "<br>")
}

// wrong are values that a setting does not take: one of another type, and one beyond
// each bound.
func (s setting) wrong() []any {
	f := s.rule.field
	var out []any
	switch s.standard.(type) {
	case bool:
		out = append(out, "yes")
	case string:
		out = append(out, true)
	case int, []int:
		out = append(out, "many")
	}
	switch {
	case f.Elements != nil:
		out = append(out, []int{}, []int{500})
	case f.OneOf != nil:
		out = append(out, "other")
	case f.Between != nil:
		out = append(out, f.Between[0]-1)
	case f.LenMin > 0:
		out = append(out, "short")
	case f.Match != "":
		out = append(out, "Server", "X-Kong")
	}
	if s.standard == "" && f.LenMin == 0 {
		out = append(out, "")
	}
	return out
}

// description is what Kong is told of a plugin.
type description struct {
	Phases   []string
	Priority int
	Schema   json.RawMessage
}

func dumped(t *testing.T, construct func() any) description {
	t.Helper()
	var dump bytes.Buffer
	require.NoError(t, server.Plugin{New: construct, Version: Version, Priority: Priority, Name: "x"}.Dump(&dump, ""))
	var all struct{ Plugins []description }
	require.NoError(t, json.Unmarshal(dump.Bytes(), &all))
	require.Len(t, all.Plugins, 1)
	return all.Plugins[0]
}

// kongSchema is a plugin's schema as Kong gets it.
func kongSchema(t *testing.T, construct func() any) schema.Schema {
	t.Helper()
	return schema.MustParse(string(dumped(t, construct).Schema))
}

// example is where a setting is used.
type example struct{ file, value string }

// settingsExamples are, for each setting, the first of the files of examples/settings
// that sets it, and rather one to something else than the default.
func settingsExamples(t *testing.T) map[string]*example {
	t.Helper()
	files, err := filepath.Glob("../examples/settings/*.yml")
	require.NoError(t, err)
	out, isDefault := map[string]*example{}, map[string]bool{}
	for _, file := range files {
		for name, value := range settingsIn(t, file) {
			at := slices.IndexFunc(settings, func(s setting) bool { return s.name == name })
			require.GreaterOrEqual(t, at, 0, "%s sets %s, which is no setting", file, name)
			encoded, err := json.Marshal(value)
			require.NoError(t, err)
			shown := strings.Trim(string(encoded), `"`)
			standard := "`"+shown+"`" == settings[at].defaultText()
			if out[name] == nil || isDefault[name] && !standard {
				out[name], isDefault[name] = &example{filepath.Base(file), shown}, standard
			}
		}
	}
	return out
}

// settingsIn are what a file sets on both plugins.
func settingsIn(t *testing.T, file string) map[string]any {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(data, new(any)), file)
	c, err := config.Parse(data)
	require.NoError(t, err, file)
	out := map[string]any{}
	for _, p := range c.Plugins {
		if p.Name == Name || p.Name == LogName {
			for name, value := range p.Config {
				out[name] = value
			}
		}
	}
	return out
}
