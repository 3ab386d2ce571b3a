//go:build unix

package examples

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/cmd/diag405/curl"
	"diag405/cmd/diag405/diag405test"
	"diag405/examples/trial"
	"diag405/kong/gateway"
)

var update = flag.Bool("update", false, "write what the examples of settings answer into them and into their page")

// settingsExamples are the files of settings, in the order of their page.
var settingsExamples = []string{
	"route", "service", "global", "log-only", "errors-only", "code", "token", "token-key", "not-found", "probe", "probe-safe",
	"json", "record", "proxy-status", "header-prefix", "buffering",
}

const settingsPage = `# Settings, by example

One declarative file for each way to use diag405. What each answers is in it, at its top, and is compared with what the real plugin server says in the
stand-in for Kong 3.9.1. The applications behind it: ` + "`weather`" + ` takes POST /api/sendWeather, GET /api/getWeather/… and GET /, and PURGE /cache;
` + "`hooks`" + ` takes POST / and GET /status and does not answer OPTIONS. Below a request stand the status and the headers of its answer, without
those that every answer has, and then:

| | |
| --- | --- |
| ` + "`upstream:`" + ` | what the application got |
| ` + "`probe:`" + ` | how often the plugin server asked it, and with which method |
| ` + "`log:`" + ` | a line of Kong's error log; a long one ends in … |
| ` + "`record:`" + ` | what the record of a log plugin has |

What each setting means: [docs/configuration.md](../../docs/configuration.md).
`

// Each file does what it says at its top, and settings/README.md shows it. -update writes
// both.
func TestSettingsExamples(t *testing.T) {
	files, err := filepath.Glob("settings/*.yml")
	require.NoError(t, err)
	require.Len(t, files, len(settingsExamples), "each file has its place in the page")
	lab := startSettingsLab(t)
	page := settingsPage
	for _, name := range settingsExamples {
		file := "settings/" + name + ".yml"
		e := readSettingsExample(t, file)
		e.transcript = lab.play(t, e)
		compare(t, file, e.String())
		page += e.markdown(name)
	}
	compare(t, "settings/README.md", page)
}

// compare holds a file against what it should be, or writes it.
func compare(t *testing.T, file, want string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(want), 0o644))
	}
	got, _ := os.ReadFile(file)
	assert.Equal(t, want, string(got), "%s: -update writes it", file)
}

// settingsExample is a file: what it is for, the commands with what they answer, and the
// configuration.
type settingsExample struct {
	title, prose  string
	transcript    []string
	configuration string
}

func readSettingsExample(t *testing.T, file string) settingsExample {
	t.Helper()
	text := read(t, file)
	at := strings.Index(text, "_format_version")
	require.Positive(t, at, file)
	comment := regexp.MustCompile(`(?m)^# ?`).ReplaceAllString(text[:at], "")
	about, commands, ok := strings.Cut(comment, "\n$ ")
	require.True(t, ok, "%s shows no request", file)
	title, prose, _ := strings.Cut(about, "\n")
	return settingsExample{title, strings.TrimSpace(prose), strings.Split(strings.TrimSpace("$ "+commands), "\n"), text[at:]}
}

// String is the file.
func (e settingsExample) String() string {
	comment := e.title + "\n\n" + e.prose + "\n\n" + strings.Join(e.transcript, "\n")
	return strings.ReplaceAll(regexp.MustCompile(`(?m)^`).ReplaceAllString(comment, "# "), "# \n", "#\n") + "\n" + e.configuration
}

// markdown is the file's part of the page.
func (e settingsExample) markdown(name string) string {
	return fmt.Sprintf("\n## %s\n\n%s\n\n[%s.yml](%[3]s.yml):\n\n```yaml\n%[4]s```\n\n<!-- run by: examples/settings_test.go -->\n```\n%[5]s\n```\n",
		e.title, e.prose, name, e.configuration, strings.Join(e.transcript, "\n"))
}

// settingsLab is a gateway with both plugins, and what is behind it.
type settingsLab struct {
	gateway *trial.Gateway
	plugin  string
	dir     string
}

func startSettingsLab(t *testing.T) *settingsLab {
	t.Helper()
	plugin := diag405test.Build(t)
	second, err := trial.LogPlugin(plugin)
	require.NoError(t, err)
	gw, err := trial.Start(t.Context(), "", gateway.Options{
		Plugins: []string{plugin, second}, Hosts: map[string]string{"weather": "127.0.0.1", "hooks": "127.0.0.1"},
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, gw.Close()) })
	return &settingsLab{gw, plugin, t.TempDir()}
}

// play runs the commands of an example, each with what came of it behind it.
func (l *settingsLab) play(t *testing.T, e settingsExample) []string {
	app := startBehind(t)
	records := filepath.Join(t.TempDir(), "records")
	document, err := filepath.Abs("settings/openapi.yaml")
	require.NoError(t, err)
	doc := strings.NewReplacer(":8900", ":"+app.port(t), "/etc/kong/hooks.yaml", document, "/dev/stdout", records).Replace(e.configuration)
	var out []string
	variables := map[string]string{}
	for _, line := range e.transcript {
		command, ok := strings.CutPrefix(line, "$ ")
		if !ok {
			continue // what it answered when it was written
		}
		if len(out) > 0 && !strings.HasPrefix(out[len(out)-1], "$ ") {
			out = append(out, "")
		}
		out = append(out, line)
		if variable, _, ok := strings.Cut(command, "="); ok && !curl.IsCommand([]string{command}) {
			variables["$"+variable] = l.shell(t, e, command, variable)
			continue
		}
		for name, value := range variables {
			command = strings.ReplaceAll(command, name, value)
		}
		for _, said := range l.send(t, doc, command, records, app) {
			out = append(out, strings.ReplaceAll(said, ":"+app.port(t), ":8900"))
		}
	}
	return out
}

// shell runs a line that sets a variable, beside a file with the example's key.
func (l *settingsLab) shell(t *testing.T, e settingsExample, line, variable string) string {
	t.Helper()
	key := regexp.MustCompile(`token_key: (\S+)`).FindStringSubmatch(e.configuration)
	require.NotNil(t, key)
	require.NoError(t, os.WriteFile(filepath.Join(l.dir, "key"), []byte(key[1]), 0o600))
	cmd := exec.CommandContext(t.Context(), "sh", "-c", line+`; printf %s "$`+variable+`"`)
	cmd.Dir = l.dir
	cmd.Env = withOnPath(filepath.Dir(l.plugin))
	value, err := cmd.Output()
	require.NoError(t, err)
	require.NotEmpty(t, value)
	return string(value)
}

// send sends what a curl command says, and tells what the client, the upstream, the log
// and a log plugin's file got.
func (l *settingsLab) send(t *testing.T, doc, command, records string, app *behind) []string {
	t.Helper()
	r, err := curl.Parse([]string{command}, nil)
	require.NoError(t, err, command)
	headers := map[string]string{}
	for name := range r.Header {
		headers[name] = r.Header.Get(name)
	}
	answer, err := l.gateway.Send(t.Context(), []byte(doc), trial.Request{
		Method: r.Method, Path: r.URL.Target, Host: r.Host, Headers: headers, Body: string(r.Body),
	})
	require.NoError(t, err, command)
	out := []string{fmt.Sprint(answer.Status)}
	for _, name := range slices.Sorted(maps.Keys(answer.Header)) {
		if !usualHeaders.MatchString(name) {
			out = append(out, name+": "+answer.Header.Get(name))
		}
	}
	out = append(out, app.got()...)
	out = append(out, l.logged(t, doc, answer)...)
	if strings.Contains(doc, records) {
		out = append(out, "record: "+short(recorded(t, records)))
	}
	return out
}

// usualHeaders are on answers with diag405 and without.
var usualHeaders = regexp.MustCompile(`^(Content-.*|Date|Connection|Server|Via|X-Kong-.*|Transfer-Encoding)$`)

// logged is what the error log has from us of a request. diag405-log writes behind the
// answer; its diagnosis is the last that it writes.
func (l *settingsLab) logged(t *testing.T, doc string, answer trial.Answer) []string {
	t.Helper()
	id := answer.Header.Get("X-Kong-Request-Id")
	require.NotEmpty(t, id)
	ours := func(line string) bool { return strings.Contains(line, "[diag405] ") && strings.Contains(line, id) }
	if strings.Contains(doc, "diag405-log") && answer.Status == http.StatusMethodNotAllowed {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := l.gateway.Errors.Find(ctx, func(line string) bool {
			return ours(line) && strings.Contains(line, "event=diagnosis") && strings.Contains(line, "phase=log")
		})
		require.NoError(t, err, "the diagnosis of diag405-log")
	}
	var out []string
	for line := range strings.Lines(l.gateway.Errors.String()) {
		if !ours(line) {
			continue
		}
		level := regexp.MustCompile(`\[(\w+)\]`).FindStringSubmatch(line)[1]
		_, message, _ := strings.Cut(line, "[diag405] ")
		message, _, _ = strings.Cut(message, ", client: ")
		message = strings.ReplaceAll(strings.TrimSuffix(message, " while sending to client"), id, "…")
		out = append(out, "log: ["+level+"] "+short(message))
	}
	return out
}

// recorded is the object diag405 of the record that file-log wrote last, whose members
// docs/overview.md has.
func recorded(t *testing.T, file string) string {
	t.Helper()
	var last []byte
	require.Eventually(t, func() bool {
		data, _ := os.ReadFile(file)
		last = data[bytes.LastIndexByte(bytes.TrimSpace(data), '\n')+1:]
		return bytes.HasSuffix(data, []byte("\n"))
	}, 10*time.Second, time.Millisecond)
	var record struct {
		Diagnosis json.RawMessage `json:"diag405"`
	}
	require.NoError(t, json.Unmarshal(last, &record))
	var members map[string]any
	require.NoError(t, json.Unmarshal(record.Diagnosis, &members))
	overview := read(t, "../docs/overview.md")
	for name := range members {
		assert.Contains(t, overview, "`"+name+"`", "a member of the record")
	}
	return `"diag405": ` + string(record.Diagnosis)
}

// short is a line of the log as far as it can be read at a glance.
func short(line string) string {
	const most = 150
	if len(line) <= most {
		return line
	}
	return strings.TrimRight(line[:cmp.Or(strings.LastIndexAny(line[:most], " ,")+1, most)], " ") + " …"
}

// behind is the two applications of the examples, which know what they were asked.
type behind struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []string
	probed map[string]int
}

func startBehind(t *testing.T) *behind {
	t.Helper()
	b := &behind{probed: map[string]int{}}
	b.Server = httptest.NewServer(b)
	t.Cleanup(b.Close)
	return b
}

func (b *behind) port(t *testing.T) string {
	t.Helper()
	at, err := url.Parse(b.URL)
	require.NoError(t, err)
	return at.Port()
}

// endpoints are what the applications offer, by host.
var endpoints = map[string]map[string]string{
	"weather": {"/": "GET", "/api/sendWeather": "POST", "/api/getWeather/Oslo": "GET", "/cache": "PURGE"},
	"hooks":   {"/": "POST", "/status": "GET"},
}

func (b *behind) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.note(r)
	w.Header().Set("Server", "uvicorn")
	w.Header().Set("Content-Type", "application/json")
	host, _, _ := strings.Cut(r.Host, ":")
	if host == "127.0.0.1" {
		host = "weather" // asked by its address
	}
	method, ok := endpoints[host][r.URL.Path]
	switch {
	case host == "hooks" && r.Method == http.MethodOptions:
		w.WriteHeader(http.StatusNotImplemented)
	case !ok:
		w.WriteHeader(http.StatusNotFound)
	case r.Method != method && (r.Method != http.MethodHead || method != http.MethodGet):
		w.Header().Set("Allow", method)
		w.WriteHeader(http.StatusMethodNotAllowed)
		fmt.Fprint(w, `{"detail":"Method Not Allowed"}`)
	}
}

func (b *behind) note(r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.Header.Get("X-Diag-Probe") != "" {
		b.probed[r.Method]++
		return
	}
	line := "upstream: " + r.Method + " " + r.URL.Path
	if r.Header.Get("X-Diag-Token") != "" {
		line += ", with the token"
	}
	b.asked = append(b.asked, line)
}

// got tells what the applications were asked since it was called last.
func (b *behind) got() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.asked
	for _, method := range slices.Sorted(maps.Keys(b.probed)) {
		out = append(out, fmt.Sprintf("probe: %d %s", b.probed[method], method))
	}
	b.asked, b.probed = nil, map[string]int{}
	return out
}
