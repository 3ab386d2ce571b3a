package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/examples/trial"
	"diag405/plugin/report"
)

// floors are what diag405 is known to reach on the cases of this folder, with
// what is switched on. Raise them when it gets better.
var floors = []struct {
	name           string
	probe, openAPI bool
	causes, fixes  int
}{
	{name: "exchange", causes: 36, fixes: 15},
	{name: "probe", probe: true, causes: 40, fixes: 19},
	{name: "openapi", openAPI: true, causes: 40, fixes: 20},
	{name: "both", probe: true, openAPI: true, causes: 41, fixes: 24},
}

// built is a runner with the real binary, for all tests.
var built *runner

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	var err error
	if built, err = newRunner(context.Background(), options{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer built.close()
	return m.Run()
}

func testRunner() *runner {
	r := *built
	return &r
}

func asFiles(cases []*Case) []file {
	var files []file
	for _, c := range cases {
		files = append(files, file{id: c.ID, c: c})
	}
	return files
}

// Each case gives the 405 that it tells of, and the diagnosis is no worse than it
// was. What the pages of the causes show as headers is what one of them gets.
func TestCases(t *testing.T) {
	got := map[string]bool{}
	for _, floor := range floors {
		t.Run(floor.name, func(t *testing.T) {
			r := testRunner()
			r.Probe, r.openAPI = floor.probe, floor.openAPI
			var counts tally
			for o := range r.run(t.Context(), asFiles(readAll(t))) {
				counts.add(o, r.options)
				t.Log(o.text(36))
				got[explanation(o.answer.Header)] = true
				assert.NoError(t, o.fail, o.id)
				assert.Empty(t, o.differs, o.id)
			}
			t.Log(counts)
			assert.GreaterOrEqual(t, counts.CauseRight, floor.causes, "causes that are right")
			assert.GreaterOrEqual(t, counts.FixWorks, floor.fixes, "fixes that work")
		})
	}
	checkPages(t, got)
}

// explanation is what the headers of an answer explain, and whose it is, as a page
// shows it.
func explanation(h http.Header) string {
	var lines []string
	for _, name := range append([]string{"Allow", "Server"}, report.HeaderNames("X-Diag")...) {
		if value := h.Get(name); value != "" && !strings.HasPrefix(value, "kong/") { // Kong names itself for want of another
			lines = append(lines, name+": "+value)
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

// checkPages asserts that the answers on the pages of the causes are real ones.
func checkPages(t *testing.T, got map[string]bool) {
	t.Helper()
	pages, err := filepath.Glob("../../docs/causes/*.md")
	require.NoError(t, err)
	shown := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		_, block, ok := strings.Cut(string(text), "```\nHTTP/1.1 405 Not Allowed\n")
		block, _, _ = strings.Cut(block, "```")
		if !ok || !strings.Contains(block, "X-Diag: ") {
			continue // made without the plugin, or told in the log alone
		}
		shown++
		assert.True(t, got[block], "%s shows an answer that no case gets:\n%s", page, block)
	}
	assert.Greater(t, shown, 10, "pages that show an answer")
}

// The fix that is known to help does help: applications, gateway and the way a fix
// is applied are as the cases have it.
func TestKnownFixes(t *testing.T) {
	r := testRunner()
	plan := newAddressPlan()
	for _, c := range readAll(t) {
		if c.Expect.Fix.App != "" {
			continue
		}
		hosts := plan.forHosts(c.hosts())
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			w, err := r.start(t.Context(), hosts)
			require.NoError(t, err)
			defer func() { assert.NoError(t, w.gateway.Close()) }()
			a, err := w.prepare(c)
			require.NoError(t, err)
			defer a.stage.stop()
			x, err := a.sendUntilRefused(t.Context())
			require.NoError(t, err)
			require.Equal(t, 405, x.Status)
			d, err := trial.FindDiagnosis(t.Context(), x.Answer, a.record, w.gateway.Errors)
			require.NoError(t, err)
			d.Change = c.Expect.Fix
			if to, ok := d.Change.Set["service.url"].(string); ok {
				d.Change.Set["service.url"] = moveURL(to, a.stage.moved)
			}
			got, err := a.try(t.Context(), d)
			require.NoError(t, err)
			require.NoError(t, got.fail)
			assert.Less(t, got.status, 400)
		})
	}
}

// Earlier requests get the redirects that the client got, from an application or
// from the gateway.
func TestBefore(t *testing.T) {
	r := testRunner()
	for _, id := range []string{"netbox-append-slash-redirect", "llm-client-http-base-url"} {
		c := readNamed(t, id)
		w, err := r.start(t.Context(), newAddressPlan().forHosts(c.hosts()))
		require.NoError(t, err)
		a, err := w.prepare(c)
		require.NoError(t, err)
		b := c.Before[0]
		x, err := a.send(t.Context(), a.doc, b.Request)
		require.NoError(t, err)
		assert.Equal(t, b.Answer.Status, x.Status, id)
		assert.Equal(t, b.Answer.Location, x.Header.Get("Location"), id)
		a.stage.stop()
		assert.NoError(t, w.gateway.Close())
	}
}

// Where a port is taken or privileged, the application is elsewhere, and the
// configuration follows.
func TestPortsThatAreTaken(t *testing.T) {
	r := testRunner()
	plan := newAddressPlan()
	for _, id := range []string{"fastapi-weather-strip-path", "s3-bucket-host-replaced", "two-sites-share-workers"} {
		c := readNamed(t, id)
		hosts := plan.forHosts(c.hosts())
		other, err := startApps(c, hosts)
		require.NoError(t, err)
		o := r.alone(t.Context(), c, hosts)
		other.stop()
		assert.Equal(t, "ok", o.state(), o.text(0))
		assert.Empty(t, other.journal.since(0))
	}
}

// On one gateway, as on a real Kong, cases come out as they do side by side.
func TestOneAfterTheOther(t *testing.T) {
	r := testRunner()
	cases := []*Case{
		readNamed(t, "fastapi-weather-strip-path"), readNamed(t, "s3-bucket-host-replaced"), readNamed(t, "llm-client-http-base-url"),
	}
	files := append(asFiles(cases), file{id: "broken", fail: assert.AnError})
	var states []string
	for o := range r.oneAfterTheOther(t.Context(), files) {
		states = append(states, o.id+" "+o.state())
		if o.c != nil {
			assert.True(t, o.fix.works(), o.id)
		}
	}
	assert.Equal(t, []string{
		"fastapi-weather-strip-path ok", "s3-bucket-host-replaced ok", "llm-client-http-base-url ok", "broken not run",
	}, states)
}

// A case that is wrong about its own exchange says so.
func TestDifferences(t *testing.T) {
	r := testRunner()
	allow, upstream := "PUT", "POST /elsewhere"
	wrong := readNamed(t, "nexus-resolver-wrong-prefix")
	wrong.Expect.Upstream = &upstream
	noAllow := readNamed(t, "gva-captcha-without-api-prefix")
	noAllow.Expect.Upstream = &upstream
	noAllow.Expect.Allow = &allow
	allowed := readNamed(t, "cef-pdf-preflight")
	allowed.Request.Method = "POST"
	var got []string
	for o := range r.run(t.Context(), asFiles([]*Case{wrong, noAllow, allowed})) {
		if o.fail != nil {
			got = append(got, o.fail.Error())
		} else {
			got = append(got, o.state()+": "+strings.Join(o.differs, "; "))
		}
	}
	assert.Equal(t, []string{
		"differs: upstream got POST /v1/projects/myorg/myproj, not POST /elsewhere",
		`differs: Allow none, not "PUT"; upstream got POST /base/captcha, not POST /elsewhere`,
		"answered 200, not 405: there is nothing to explain",
	}, got)
}

// What diag405 leaves unbuffered reaches the application as it was sent, and
// diag405-log explains it.
func TestUnbuffered(t *testing.T) {
	for _, test := range []struct{ method, accept string }{{"PURGE", "*/*"}, {"POST", "text/event-stream"}} {
		c := readNamed(t, "nexus-resolver-wrong-prefix")
		c.Request.Method, c.Request.Headers = test.method, map[string]string{"Accept": test.accept}
		upstream := test.method + " /v1/projects/myorg/myproj"
		c.Expect.Upstream = &upstream
		for o := range testRunner().run(t.Context(), asFiles([]*Case{c})) {
			assert.Equal(t, "ok", o.state(), o.text(0))
			assert.NotEmpty(t, o.diagnosis.Cause, "%s, %s", test.method, test.accept)
		}
	}
}

func TestTally(t *testing.T) {
	found := func(derivable, cause string, status int) outcome {
		c := &Case{Expect: Expect{Cause: "strip-path", Accept: []string{"wrong-path"}, Derivable: derivable}}
		return outcome{c: c, diagnosis: trial.Diagnosis{Cause: cause}, fix: fixOutcome{status: status}}
	}
	all := []outcome{
		found("exchange", "strip-path", 200), found("exchange", "unknown", 405), found("exchange", "", 0), found("probe", "wrong-path", 302),
		found("openapi", "strip-path", 200), found("no", "strip-path", 200), found("", "strip-path", 0), {fail: assert.AnError},
	}
	asking := trial.Flags{Probe: true}
	for _, test := range []struct {
		opt  options
		want string
	}{
		{options{}, "cases: cause 5 of 8, fix 1 of 3"},
		{options{Flags: asking}, "cases: cause 5 of 8, fix 2 of 4"},
		{options{openAPI: true}, "cases: cause 5 of 8, fix 2 of 4"},
		{options{Flags: asking, openAPI: true}, "cases: cause 5 of 8, fix 3 of 5"},
	} {
		var got tally
		for _, o := range all {
			got.add(o, test.opt)
		}
		assert.Equal(t, test.want, got.String())
		assert.Equal(t, 1, got.NotRun)
	}
}

func TestCommandRefuses(t *testing.T) {
	for _, test := range []struct {
		args    []string
		message string
	}{
		{nil, "want one folder"},
		{[]string{"a", "b"}, "want one folder"},
		{[]string{"-colour", "."}, "not defined: -colour"},
		{[]string{t.TempDir()}, "no *.json in"},
		{[]string{"gone"}, `open gone: no such file`},
		{[]string{"-kong", "/gone", "."}, "-kong: "},
	} {
		var stdout, stderr bytes.Buffer
		assert.Equal(t, trial.ExitCannot, command(test.args, &stdout, &stderr), "%q", test.args)
		assert.Contains(t, stderr.String(), test.message)
	}
}

// A reader that is gone ends the run, and the gateways with it.
func TestReaderOfTheOutcomesIsGone(t *testing.T) {
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, reader.Close())
	defer writer.Close()
	var stderr bytes.Buffer
	assert.Equal(t, trial.ExitFailed, command([]string{"-plugin", built.binaries[0], "."}, writer, &stderr))
	assert.Contains(t, stderr.String(), "writing the outcome: ")
	assert.Contains(t, stderr.String(), "broken pipe")
}

func TestJSON(t *testing.T) {
	r := testRunner()
	r.JSON = true
	files := append(asFiles([]*Case{readNamed(t, "fastapi-weather-strip-path")}), file{id: "broken", fail: assert.AnError})
	var out bytes.Buffer
	_, err := r.report(t.Context(), files, &out)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, 3)
	var first outcomeJSON
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &first))
	assert.Equal(t, "ok", first.State)
	assert.Equal(t, "strip-path", first.Cause)
	assert.Equal(t, map[string]any{"route.strip_path": false}, first.Fix.Change.Set)
	assert.True(t, first.Fix.Works)
	assert.Contains(t, lines[1], `"state":"not run"`)
	assert.JSONEq(t, `{"summary":{"cases":2,"cause_right":1,"fix_works":1,"fix_derivable":1,"not_run":1}}`, lines[2])
}
