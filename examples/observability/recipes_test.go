package observability

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	lua "github.com/yuin/gopher-lua"

	"diag405/kong/config"
	"diag405/plugin/logread"
)

// kongFiles are the examples for Kong.
var kongFiles = []string{"kong-http-log.yml", "kong-datadog.yml", "kong-splunk.yml", "kong-opentelemetry.yml"}

// settings are those of Kong 3.9.1's plugins (schema.lua of each), with a * for those whose
// keys are free.
var settings = map[string][]string{
	"http-log": {"http_endpoint", "method", "content_type", "timeout", "keepalive", "headers.*", "custom_fields_by_lua.*",
		"queue.max_batch_size", "queue.max_coalescing_delay", "queue.max_entries", "queue.max_bytes", "queue.max_retry_time"},
	"opentelemetry": {"traces_endpoint", "logs_endpoint", "headers.*", "resource_attributes.*", "connect_timeout", "send_timeout", "read_timeout",
		"sampling_rate", "queue.max_batch_size", "queue.max_coalescing_delay"},
	"diag405": {"log_requests"},
}

// keys are those of a plugin's settings, in the form of settings.
func keys(plugin string, in map[string]any) []string {
	var out []string
	for key, value := range in {
		nested, ok := value.(map[string]any)
		if !ok {
			out = append(out, key)
			continue
		}
		for inner := range nested {
			if known := settings[plugin]; !contains(known, key+"."+inner) && contains(known, key+".*") {
				inner = "*"
			}
			out = append(out, key+"."+inner)
		}
	}
	return out
}

func contains(all []string, one string) bool {
	return strings.Contains(" "+strings.Join(all, " ")+" ", " "+one+" ")
}

// Each example is a configuration with diag405 in it, whose plugins have the settings that
// it gives them.
func TestKongTakesTheExamples(t *testing.T) {
	for _, file := range kongFiles {
		c, err := config.Parse([]byte(read(t, file)))
		require.NoError(t, err, file)
		names := map[string]bool{}
		for _, p := range c.Plugins {
			names[p.Name] = true
			require.Contains(t, settings, p.Name, file)
			for _, key := range keys(p.Name, p.Config) {
				assert.Contains(t, settings[p.Name], key, "%s: %s", file, p.Name)
			}
		}
		assert.True(t, names["diag405"], file)
	}
}

// http-log sends nothing of its endpoint behind the path, and refuses headers that it
// sets itself (kong/plugins/http-log in Kong 3.9.1). An endpoint for one record is sent no
// array of them.
func TestHTTPLogSendsWhatTheOtherEndTakes(t *testing.T) {
	for _, file := range []string{"kong-http-log.yml", "kong-datadog.yml", "kong-splunk.yml"} {
		c := plugin(t, file, "http-log").Config
		endpoint, err := url.Parse(c["http_endpoint"].(string))
		require.NoError(t, err)
		assert.Empty(t, endpoint.RawQuery, file)
		for name := range c["headers"].(map[string]any) {
			assert.NotContains(t, []string{"host", "content-length", "content-type"}, strings.ToLower(name), file)
		}
		if batch := c["queue"].(map[string]any)["max_batch_size"]; !strings.HasSuffix(endpoint.Path, "/api/v2/logs") {
			assert.EqualValues(t, 1, batch, file)
		}
	}
}

// The fields in Lua are what the comments say, with a diagnosis in the record and without.
func TestCustomFields(t *testing.T) {
	tests := []struct {
		file, field, record string
		want                lua.LValue
	}{
		{"kong-datadog.yml", "ddsource", "{}", lua.LString("kong")},
		{"kong-datadog.yml", "service", "{}", lua.LString("kong")},
		{"kong-datadog.yml", "message", `{diag405 = {reason = "why"}}`, lua.LString("why")},
		{"kong-datadog.yml", "message", "{}", lua.LNil},
		{"kong-datadog.yml", "status", `{diag405 = {reason = "why"}}`, lua.LString("warn")},
		{"kong-datadog.yml", "status", "{}", lua.LString("info")},
		{"kong-datadog.yml", "request.headers", "{}", lua.LNil},
		{"kong-splunk.yml", "request.headers", "{}", lua.LNil},
	}
	tested := map[string]bool{}
	for _, tt := range tests {
		fields := plugin(t, tt.file, "http-log").Config["custom_fields_by_lua"].(map[string]any)
		require.Contains(t, fields, tt.field, tt.file)
		tested[tt.file+tt.field] = true
		l := lua.NewState()
		require.NoError(t, l.DoString("kong = {log = {serialize = function() return "+tt.record+" end}}"))
		code, err := l.LoadString(fields[tt.field].(string))
		require.NoError(t, err, "%s: %s", tt.file, tt.field)
		l.Push(code)
		require.NoError(t, l.PCall(0, 1, nil))
		assert.Equal(t, tt.want, l.Get(-1), "%s: %s with %s", tt.file, tt.field, tt.record)
		l.Close()
	}
	for _, file := range []string{"kong-datadog.yml", "kong-splunk.yml"} {
		for field := range plugin(t, file, "http-log").Config["custom_fields_by_lua"].(map[string]any) {
			assert.True(t, tested[file+field], "%s: %s", file, field)
		}
	}
}

// What the collectors take for a line of ours is what report takes for one: of each kind
// of line, and of one in which a client pretends.
func TestCollectorsKnowOurLines(t *testing.T) {
	var vector struct {
		Sources    map[string]any
		Transforms map[string]struct {
			Inputs            []string
			Condition, Source string
		}
		Sinks map[string]struct{ Inputs []string }
	}
	readYAML(t, "vector.yaml", &vector)
	var collector struct {
		Receivers map[string]struct {
			Operators []struct{ Type, Expr, Regex string }
		}
		Exporters map[string]any
		Service   struct {
			Pipelines map[string]struct{ Receivers, Exporters []string }
		}
	}
	readYAML(t, "otelcol.yml", &collector)

	condition := regexp.MustCompile(`^match\(string!\(\.message\), r'(.*)'\)$`).FindStringSubmatch(vector.Transforms["diagnosis"].Condition)
	require.NotNil(t, condition)
	expr := regexp.MustCompile(`^body not matches "(.*)"$`).FindStringSubmatch(collector.Receivers["filelog"].Operators[0].Expr)
	require.NotNil(t, expr)
	unquoted := strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(expr[1])
	logql := regexp.MustCompile("\\|~ `(.*)`").FindStringSubmatch(read(t, "report.logql"))
	require.NotNil(t, logql)
	judge, err := logread.NewJudge(logread.Options{})
	require.NoError(t, err)
	scanner := logread.NewScanner(judge)
	for name, pattern := range map[string]string{"vector.yaml": condition[1], "otelcol.yml": unquoted, "report.logql": logql[1]} {
		isOurs, err := regexp.Compile(pattern)
		require.NoError(t, err, name)
		ours := 0
		for line := range strings.Lines(read(t, "../../cmd/diag405/report/testdata/cases.log")) {
			want := len(scanner.Scan([]byte(line)).Failures) > 0
			assert.Equal(t, want, isOurs.MatchString(line), "%s: %s", name, line)
			if want {
				ours++
			}
		}
		assert.Equal(t, 43, ours)
	}

	known := map[string]bool{}
	for name := range vector.Sources {
		known[name] = true
	}
	for name := range vector.Transforms {
		known[name] = true
	}
	for name, transform := range vector.Transforms {
		for _, input := range transform.Inputs {
			assert.True(t, known[input], "%s: %s", name, input)
		}
	}
	for name, sink := range vector.Sinks {
		for _, input := range sink.Inputs {
			assert.True(t, known[input], "%s: %s", name, input)
		}
	}
	for name, p := range collector.Service.Pipelines {
		for _, r := range p.Receivers {
			assert.Contains(t, collector.Receivers, r, name)
		}
		for _, e := range p.Exporters {
			assert.Contains(t, collector.Exporters, e, name)
		}
	}
}
