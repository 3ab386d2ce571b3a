package plugin

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// withoutProblems makes configurations comparable.
func withoutProblems(c *Config) Config {
	out := *c
	out.prober, out.problems, out.sources, out.scope, out.closed = nil, nil, nil, nil, false
	return out
}

func TestConfigDefaults(t *testing.T) {
	want := withoutProblems(Constructor("")().(*Config))
	for _, js := range []string{
		`{}`,
		`{"__seq__": 7, "__plugin_id": "x", "__key__": "k", "route_id": "r", "service_id": "s", "plugin_instance_name": "i", "ordering": {}}`, // what Kong adds
		`{"expose": null, "statuses": null, "log_query": null, "header_prefix": null, "of_a_newer_version": null}`,                            // Kong sends unset fields as null
	} {
		c := configured(t, js)
		assert.Equal(t, want, withoutProblems(c), js)
		assert.NoError(t, c.problems.err, js)
	}
}

// A value that cannot be used costs its own field and nothing else.
func TestConfigBadValues(t *testing.T) {
	tests := []struct{ js, want string }{
		{`{"expose": "all"}`, `expose: "all" is not one of full, code, none; the default holds`},
		{`{"expose": 1}`, `expose: a number is not a string; the default holds`},
		{`{"show_upstream_address": "yes"}`, `show_upstream_address: a string is not a bool; the default holds`},
		{`{"statuses": [200]}`, `statuses: 200 is not one of 405, 404; the default holds`},
		{`{"statuses": []}`, `statuses: the list is empty; the default holds`},
		{`{"statuses": 405}`, `statuses: a number is not a []int; the default holds`},
		{`{"log_requests": ""}`, `log_requests: "" is not one of all, changed, errors, none; the default holds`},
		{`{"log_level": "loud"}`, `log_level: "loud" is not one of debug, info, notice, warn, err; the default holds`},
		{`{"log_format": "xml"}`, `log_format: "xml" is not one of text, json; the default holds`},
		{`{"log_query": 0}`, `log_query: a number is not a bool; the default holds`},
		{`{"buffering": "off"}`, `buffering: "off" is not one of auto, always; the default holds`},
		{`{"header_prefix": "X-Diag\n"}`, `header_prefix: "X-Diag\n" is not X- with letters, digits and dashes behind it, at most 64 in all; the default holds`},
		{`{"header_prefix": "Content-Length"}`, `header_prefix: "Content-Length" is not X- with letters, digits and dashes behind it, at most 64 in all; the default holds`},
		{`{"header_prefix": "x-kong-upstream"}`, `header_prefix: "x-kong-upstream" would make headers of the family X-Kong; the default holds`},
		{`{"token": ["secret"]}`, `token: a list is not a string; nobody has it, and only who has another gets all headers`},
		{`{"token_key": "a secret"}`, `token_key: it has 8 bytes, and needs 32; nobody has it, and only who has another gets all headers`},
		{`{"probe": "get"}`, `probe: "get" is not one of off, options, safe; the default holds`},
		{`{"probe_timeout": 9}`, `probe_timeout: 9 is outside 10..5000; the default holds`},
		{`{"openapi": {}}`, `openapi: an object is not a string; the default holds`},
		{`{"token_": "secret", "probes": 1}`, "probes: no such setting\ntoken_: no such setting"},
		{`{"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1, "g": 1, "h": 1, "i": 1, "j": 1, "k": 1, "l": 1}`,
			"a: no such setting\nb: no such setting\nc: no such setting\nd: no such setting\ne: no such setting\nf: no such setting\ng: no such setting\n" +
				"h: no such setting\ni: no such setting\nj: no such setting\nand 2 more that are no settings"},
		{`{"log_query": 0, "expose": 1}`, "expose: a number is not a string; the default holds\nlog_query: a number is not a bool; the default holds"},
	}
	for _, tt := range tests {
		c := configured(t, tt.js)
		assert.EqualError(t, c.problems.err, tt.want, tt.js)
		assert.Equal(t, withoutProblems(Constructor("")().(*Config)), withoutProblems(c), tt.js)
	}
	c := configured(t, `{"expose": "all", "log_level": "info"}`)
	assert.Equal(t, "info", c.LogLevel, "the good field beside a bad one is taken")
}

func TestConfigProblemsAreToldOnce(t *testing.T) {
	c := configured(t, `{"expose": "all"}`)
	f := founding().inAccess()
	c.access(f)
	c.access(f)
	require.Len(t, f.lines, 3)
	assert.Equal(t, `err: [diag405] config: expose: "all" is not one of full, code, none; the default holds`, f.lines[0])
}

// The second plugin knows its own settings and not those of the first.
func TestLogConfigBadValues(t *testing.T) {
	c := logConfigured(t, `{"expose": "none", "log_level": "info", "statuses": [200]}`)
	assert.EqualError(t, c.problems.err, "statuses: 200 is not one of 405, 404; the default holds\nexpose: no such setting")
	assert.Equal(t, []int{405}, c.Statuses)
	assert.Equal(t, "info", c.LogLevel)
}

// A configuration that no constructor made has every default once it is decoded.
func TestZeroConfig(t *testing.T) {
	c := &Config{}
	require.NoError(t, json.Unmarshal([]byte(`{"log_level": "info", "probe": "options"}`), c))
	assert.Equal(t, withoutProblems(configured(t, `{"log_level": "info", "probe": "options"}`)), withoutProblems(c))
	f := founding()
	c.response(f)
	assert.Len(t, f.headers, 5)

	l := &LogConfig{}
	require.NoError(t, json.Unmarshal([]byte(`{}`), l))
	f = logged(405, "8900")
	l.log(f)
	assert.Equal(t, "strip-path", diagnosisOf(t, f).Fields["cause"])
}

// What is no object changes nothing.
func TestConfigThatIsNone(t *testing.T) {
	c := configured(t, `{"log_level": "info"}`)
	for _, js := range []string{`[]`, `"x"`, `7`} {
		assert.ErrorContains(t, json.Unmarshal([]byte(js), c), "decoding the plugin's config: ", js)
	}
	assert.Equal(t, "info", c.LogLevel)
}
