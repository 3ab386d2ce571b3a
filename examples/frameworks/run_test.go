package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/cmd/diag405/diag405test"
	"diag405/examples/trial"
)

// some are applications that differ in what they answer: a mux, one that knows
// nothing of 405, a mount for every path, redirects, no Allow, a file server, a single
// page, a proxy.
var some = []string{"go-servemux", "express4", "fastapi-static", "go-gin-405", "tornado", "nginx-static", "caddy-spa", "varnish", "drf", "go-gorilla-sub"}

// runCommand runs the command and returns what it printed, an object a line.
func runCommand(t *testing.T, args ...string) (lines []map[string]any, code int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = command(append(args, "-json"), &stdout, &stderr)
	require.NotEqual(t, trial.ExitCannot, code, stderr.String())
	for line := range strings.Lines(stdout.String()) {
		var object map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &object), line)
		lines = append(lines, object)
	}
	return lines, code
}

// answersOf writes a file with some of the project's applications.
func answersOf(t *testing.T, names ...string) string {
	t.Helper()
	all, err := testdata.ReadFile("testdata/answers.jsonl.gz")
	require.NoError(t, err)
	apps, err := parseLines[json.RawMessage](all)
	require.NoError(t, err)
	var text []byte
	for _, a := range apps {
		var named struct{ App string }
		require.NoError(t, json.Unmarshal(*a, &named))
		if slices.Contains(names, named.App) {
			text = append(append(text, *a...), '\n')
		}
	}
	file := filepath.Join(t.TempDir(), "answers.jsonl")
	require.NoError(t, os.WriteFile(file, text, 0o644))
	return file
}

// Through the real plugin and over sockets the command finds what is found by calls:
// the figures of the tests are those of the product.
func TestCommandFindsWhatCallsFind(t *testing.T) {
	plugin, answers := diag405test.Build(t), answersOf(t, some...)
	list, err := options{answers: answers}.pairs()
	require.NoError(t, err)
	for _, probing := range []bool{false, true} {
		args := []string{"-plugin", plugin, "-answers", answers}
		if probing {
			args = append(args, "-probe")
		}
		got, code := runCommand(t, args...)
		assert.Equal(t, trial.ExitOK, code)
		want := map[string]outcomeJSON{}
		var counts figures
		for _, e := range measureInProcess(t, list, probing, http.StatusMethodNotAllowed) {
			counts.add(e.outcome)
			want[e.app.App+" "+e.world.World] = e.json()
		}
		require.Len(t, got, len(want)+1)
		for _, object := range got[:len(want)] {
			name := object["app"].(string) + " " + object["world"].(string)
			assert.Equal(t, asObject(t, want[name]), object, name)
		}
		assert.Equal(t, asObject(t, counts), got[len(want)]["summary"])
	}
}

func asObject(t *testing.T, v any) (object map[string]any) {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &object))
	return object
}

// With -check a figure that misses its bound fails the command.
func TestCheck(t *testing.T) {
	plugin, answers := diag405test.Build(t), answersOf(t, "caddy-spa", "express4")
	var stdout, stderr bytes.Buffer
	assert.Equal(t, trial.ExitFailed, command([]string{"-plugin", plugin, "-answers", answers, "-check"}, &stdout, &stderr))
	assert.Contains(t, stderr.String(), "frameworks: found 0 of 0, 0.0 %, is less than 50 %\n")
	lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
	assert.Contains(t, lines[len(lines)-1], "frameworks: 405s ")
	assert.Equal(t, trial.ExitOK, command([]string{"-plugin", plugin, "-answers", answers}, &stdout, &stderr), "without it figures are only said")
}

// A set-up that the gateway does not take is said, counted apart and fails the run.
func TestNotRun(t *testing.T) {
	worlds := filepath.Join(t.TempDir(), "worlds.jsonl")
	require.NoError(t, os.WriteFile(worlds, []byte(
		`{"world":"odd","mistake":"none","truth": ["strip-path"],"route":{"paths":["no slash"]},"request":{"method":"GET","path":"/"}}`), 0o644))
	got, code := runCommand(t, "-plugin", diag405test.Build(t), "-answers", answersOf(t, "express4"), "-worlds", worlds)
	assert.Equal(t, trial.ExitFailed, code)
	require.Len(t, got, 2)
	assert.Contains(t, got[0]["error"], "loading the configuration: ")
	assert.EqualValues(t, 1, got[1]["summary"].(map[string]any)["not_run"])
}

func TestText(t *testing.T) {
	right := found{mistake: "gateway", cause: "strip-path", certainty: "likely", fix: 200}.outcome()
	right.diagnosis.Words = "do it"
	wrong := found{mistake: "gateway", cause: "unknown", certainty: "likely", fix: 404}.outcome()
	open := found{mistake: "none", cause: "unknown", certainty: "possible"}.outcome()
	failed := right
	failed.fail = assert.AnError
	unmade := right
	unmade.fix = fixOutcome{tried: true, fail: assert.AnError}
	passed := right
	passed.refused = false
	var out bytes.Buffer
	p := newPrinter(&out, []pair{right.pair}, false)
	for _, o := range []outcome{right, wrong, open, failed, unmade, passed, found{mistake: "none"}.outcome()} {
		require.NoError(t, p.print(o))
	}
	require.NoError(t, p.summary(figures{NotRun: 1, NotDiagnosed: 2}))
	assert.Equal(t, []string{
		"a  w  right strip-path;likely                                  fix works 200: do it",
		"a  w  wrong unknown;likely not strip-path                      fix fails 404: ",
		"a  w  open unknown;possible not strip-path                     fix -: ",
		"a  w  not run: " + assert.AnError.Error(),
		"a  w  right strip-path;likely                                  fix fails (" + assert.AnError.Error() + "): do it",
		"a  w  not diagnosed",
		"not run: 1",
		"not diagnosed: 2, left unbuffered (event streams and the like) and so without headers; diag405-log explains these",
		figures{}.percents(),
		figures{}.String(),
	}, strings.Split(strings.TrimSpace(out.String()), "\n"))
}

func TestCommandRefuses(t *testing.T) {
	for _, test := range []struct {
		args    []string
		message string
	}{
		{[]string{"a"}, "want no arguments"},
		{[]string{"-colour"}, "not defined: -colour"},
		{[]string{"-answers", "gone"}, "open gone: no such file"},
		{[]string{"-worlds", "gone"}, "open gone: no such file"},
		{[]string{"-answers", "main.go"}, `reading "main.go": line 1: `},
		{[]string{"-plugin", "/gone"}, "-plugin: "},
	} {
		var stdout, stderr bytes.Buffer
		assert.Equal(t, trial.ExitCannot, command(test.args, &stdout, &stderr), "%q", test.args)
		assert.Contains(t, stderr.String(), test.message)
	}
}

func TestFollow(t *testing.T) {
	r := request("POST", "/shop/a/b?x=1", "body")
	for _, test := range []struct {
		status         int
		location, want string
	}{
		{301, "/login/", "GET /login/"},
		{302, "http://elsewhere.test/login?y=2", "GET /login?y=2"},
		{303, "c", "GET /shop/a/c"},
		{301, "../c", "GET /shop/c"},
		{301, "", ""},
		{307, "/login/", ""},
		{200, "/login/", ""},
		{301, "http://[", ""},
	} {
		next, ok := follow(r, answered(test.status, test.location))
		got := ""
		if ok {
			got = next.Method + " " + next.Path
			assert.Empty(t, next.Body)
			assert.Equal(t, r.Headers, next.Headers)
		}
		assert.Equal(t, test.want, got, "%d %q", test.status, test.location)
	}
}

func request(method, path, body string) trial.Request {
	return trial.Request{Method: method, Path: path, Body: body, Headers: map[string]string{"Accept": "text/html"}}
}

func answered(status int, location string) trial.Answer {
	return trial.Answer{Status: status, Header: http.Header{"Location": {location}}}
}
