package schema

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	golua "github.com/yuin/gopher-lua"

	"diag405/cmd/diag405/cli"
	"diag405/cmd/diag405/plugins"
)

// loaded runs a Lua module as a control plane does that has nothing for it to require,
// and returns what it returns.
func loaded(t *testing.T, module string) any {
	t.Helper()
	state := golua.NewState(golua.Options{SkipOpenLibs: true})
	defer state.Close()
	require.NoError(t, state.DoString(module), module)
	require.Equal(t, 1, state.GetTop())
	return goValue(t, state.Get(1))
}

func goValue(t *testing.T, value golua.LValue) any {
	t.Helper()
	switch v := value.(type) {
	case golua.LBool:
		return bool(v)
	case golua.LNumber:
		return float64(v)
	case golua.LString:
		return string(v)
	case *golua.LTable:
		if v.Len() > 0 {
			out := list{}
			for i := 1; i <= v.Len(); i++ {
				out = append(out, goValue(t, v.RawGetInt(i)))
			}
			return out
		}
		out := table{}
		v.ForEach(func(key, value golua.LValue) { out[key.String()] = goValue(t, value) })
		return out
	}
	t.Fatalf("a schema has no %s", value.Type())
	return nil
}

func printed(t *testing.T, args ...string) string {
	t.Helper()
	var out, problems bytes.Buffer
	require.Equal(t, cli.OK, Run(args, cli.Streams{Out: &out, Err: &problems}), problems.String())
	return out.String()
}

// The Lua is what Kong is told in JSON, and Kong takes it.
func TestLuaIsTheSchema(t *testing.T) {
	for _, name := range plugins.Names {
		got := loaded(t, printed(t, "-lua", name))
		var want any
		require.NoError(t, json.Unmarshal([]byte(printed(t, name)), &want))
		assert.Equal(t, want, got, name)
		assert.Empty(t, refusals(name, got), name)
		assert.NotNil(t, fieldNamed(got.(table)["fields"], "config.log_requests"), name)
	}
}

// LuaJIT, which is Kong's Lua, reads it, too, where there is one.
func TestLuaJIT(t *testing.T) {
	luajit, err := exec.LookPath("luajit")
	if err != nil {
		t.Skip("no luajit here")
	}
	for _, name := range plugins.Names {
		cmd := exec.Command(luajit, "-e", "io.write(assert(loadstring(io.read('*a')))().name)")
		cmd.Stdin = strings.NewReader(printed(t, "-lua", name))
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		assert.Equal(t, name, string(out))
	}
}

// Each of Kong's rules refuses what breaks it.
func TestRulesRefuse(t *testing.T) {
	for _, tt := range []struct {
		field string // of the schema of diag405
		set   string
		to    any
		want  string
	}{
		{"config.expose", "type", "text", ".config.expose: type text"},
		{"config.expose", "type", nil, ".config.expose: type <nil>"},
		{"config.expose", "between", list{1.0, 2.0}, ".config.expose: between is not for string"},
		{"config.expose", "one_of", list{}, ".config.expose: one_of is []"},
		{"config.expose", "one_of", list{"none"}, ".config.expose: default full"},
		{"config.expose", "description", "Which.", ".config.expose: description is Which."},
		{"config.expose", "required", "yes", ".config.expose: required is yes"},
		{"config.expose", "values_of", "x", ".config.expose: attribute values_of"},
		{"config.probe_timeout", "between", list{10.0}, ".config.probe_timeout: between is [10]"},
		{"config.probe_timeout", "between", list{10.0, 20.0}, ".config.probe_timeout: default 300"},
		{"config.probe_timeout", "default", 1.5, ".config.probe_timeout: default 1.5"},
		{"config.probe_timeout", "match", "x", ".config.probe_timeout: match is not for integer"},
		{"config.header_prefix", "match_none", list{"x"}, ".config.header_prefix: match_none is [x]"},
		{"config.header_prefix", "len_max", 3.0, ".config.header_prefix: default X-Diag"},
		{"config.statuses", "elements", nil, ".config.statuses: array without elements"},
		{"config.statuses", "elements", table{}, ".config.statuses.elements: type <nil>"},
		{"config.statuses", "default", list{200.0}, ".config.statuses: default [200]"},
		{"config.statuses", "len_min", 2.0, ".config.statuses: default [405]"},
		{"config.log_query", "default", "no", ".config.log_query: default no"},
		{"config", "fields", nil, ".config: record without fields"},
		{"config", "fields", list{table{}}, ".config: an entry of fields is not one field"},
		{"config", "fields", list{table{"a": table{"type": "string"}}, table{"a": table{"type": "string"}}}, ".config.a: is there twice"},
		{"config", "type", "string", "there is no record called config"},
	} {
		schema := loaded(t, printed(t, "-lua")).(table)
		field := fieldNamed(schema["fields"], tt.field)
		require.NotNil(t, field, tt.field)
		field[tt.set] = tt.to
		if tt.to == nil {
			delete(field, tt.set)
		}
		assert.Contains(t, refusals("diag405", schema), tt.want, "%s.%s", tt.field, tt.set)
	}
	assert.Contains(t, refusals("other", loaded(t, printed(t, "-lua"))), "name is diag405")
}

// Strings and keys that are special in Lua come back as they were.
func TestLuaQuotes(t *testing.T) {
	want := table{"end": "a\"b\\c\nd\x00e\x7f", "a-b": "^[%w-]+$", "é": "ü", "x": list{true, 1.0, -2.5}, "empty": table{}}
	module := lua("x", table{"end": want["end"], "a-b": want["a-b"], "é": "ü", "x": list{true, json.Number("1"), json.Number("-2.5")}, "empty": table{}})
	assert.Equal(t, want, loaded(t, string(module)))
}
