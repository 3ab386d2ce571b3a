package plugin

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/plugin/server"
)

var update = flag.Bool("update", false, "rewrite the table of README, and what docs/install.md says of diag405-log")

// Every field has a row in the table, in the plugins that have the field, and every
// row a field: one without the other would never be set, or end the plugin server.
func TestEveryFieldHasARow(t *testing.T) {
	for in, config := range map[plugins]any{annotates: Constructor("")(), logs: LogConstructor()()} {
		encoded, err := json.Marshal(config)
		require.NoError(t, err)
		var fields map[string]any
		require.NoError(t, json.Unmarshal(encoded, &fields))
		var rows []string
		for _, s := range in.settings() {
			rows = append(rows, s.name)
			encoded, err := json.Marshal(s.standard)
			require.NoError(t, err)
			var standard any
			require.NoError(t, json.Unmarshal(encoded, &standard))
			assert.Equal(t, standard, fields[s.name], s.name)
		}
		assert.ElementsMatch(t, slices.Collect(maps.Keys(fields)), rows)
	}
}

// README has the table as it is, and docs/install.md those that diag405-log takes.
// -update writes them there.
func TestPagesHaveTheSettings(t *testing.T) {
	for _, part := range []struct{ file, pattern, want string }{
		{"../README.md", `(?m)^\| config \|(.*\n\|)*.*\n`, settingsTable()},
		{"../docs/install.md", "It takes (`\\w+`(, | and |\\. ))+", logSettings()},
	} {
		data, err := os.ReadFile(part.file)
		require.NoError(t, err)
		re := regexp.MustCompile(part.pattern)
		require.Len(t, re.FindAll(data, -1), 1, part.pattern)
		want := re.ReplaceAllLiteral(data, []byte(part.want))
		if *update {
			require.NoError(t, os.WriteFile(part.file, want, 0o644))
			continue
		}
		assert.Equal(t, string(want), string(data), part.file)
	}
}

func settingsTable() string {
	var b strings.Builder
	b.WriteString("| config | default | values | meaning |\n| --- | --- | --- | --- |\n")
	for _, s := range settings {
		meaning := strings.TrimSuffix(strings.TrimSpace(s.sentence+" "+s.more), ".")
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", s.name, s.defaultText(), values(s.standard, s.rule.field), meaning)
	}
	return b.String()
}

// values are those that a setting takes, in words.
func values(standard any, f server.Field) string {
	_, isText := standard.(string)
	switch {
	case f.Elements != nil:
		return "each " + values(nil, *f.Elements)
	case f.OneOf != nil:
		return quoted(f.OneOf)
	case f.Between != nil:
		return fmt.Sprintf("%v to %v", f.Between[0], f.Between[1])
	case f.LenMax > 0:
		return fmt.Sprintf("text, at most %d bytes", f.LenMax)
	case isText && f.LenMin > 0:
		return fmt.Sprintf("text, at least %d bytes", f.LenMin)
	case isText:
		return "text"
	}
	return quoted([]any{false, true})
}

func quoted(values []any) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = fmt.Sprintf("`%v`", v)
	}
	return strings.Join(words, ", ")
}

// logSettings is the sentence about those of diag405-log.
func logSettings() string {
	var names []any
	for _, s := range logs.settings() {
		names = append(names, s.name)
	}
	last := len(names) - 1
	return "It takes " + quoted(names[:last]) + " and " + quoted(names[last:]) + ". "
}
