//go:build unix

package examples

import (
	"context"
	"net/http"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/cmd/diag405/diag405test"
	"diag405/kong/gateway"
	"diag405/kong/gateway/standin"
)

// setUp is an example of a set-up, by its page.
type setUp struct {
	page string
	// configuration is what Kong has with the example's files, in Kong's declarative form,
	// and with the application at an address.
	configuration func(t *testing.T, host, port string) []byte
	// said checks what the page's commands say, each by its line.
	said func(t *testing.T, said map[string]diag405test.Result)
	// also checks with the binary what else the page says.
	also func(t *testing.T, bin string)
}

var setUps = []setUp{
	{"deck/README.md", deckConfiguration, deckSaid, nil},
	{"terraform/README.md", terraformConfiguration, terraformSaid, nil},
	{"konnect/README.md", konnectConfiguration, konnectSaid, nil},
	{"kubernetes/README.md", kubernetesConfiguration, nil, certainWithDocument},
	{"compose/README.md", composeConfiguration, composeSaid, nil},
}

// Each set-up leads to an explained 405, with the headers that its page shows, and the
// commands that its page says are run end as it says.
func TestSetUps(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	bin := diag405test.Build(t)
	gw, err := standin.Start(ctx, gateway.Options{Plugins: []string{bin}})
	require.NoError(t, err)
	defer gw.Close()
	const host = "127.0.0.1"
	port := startBehind(t).port(t)
	for _, s := range setUps {
		t.Run(path.Dir(s.page), func(t *testing.T) {
			configuration := s.configuration(t, host, port)
			require.NoError(t, gw.Load(ctx, configuration), string(configuration))
			showsDiagnosis(t, s.page, explained405(t, gw.URL()))
			if s.said != nil {
				s.said(t, runPage(t, bin, s.page))
			}
			if s.also != nil {
				s.also(t, bin)
			}
		})
	}
}

// explained405 sends the founding POST and returns the headers that explain its 405.
func explained405(t *testing.T, url string) (diagnosis []string) {
	t.Helper()
	res, err := http.Post(url+"/api/sendWeather", "application/json", strings.NewReader(`{"location":"Oslo","temperature":25}`))
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusMethodNotAllowed, res.StatusCode)
	for _, name := range []string{"X-Diag", "X-Diag-Reason", "X-Diag-Fix", "X-Diag-Request", "X-Diag-Upstream"} {
		require.NotEmpty(t, res.Header.Get(name), name)
		diagnosis = append(diagnosis, name+": "+res.Header.Get(name))
	}
	return diagnosis
}

// pageMark is what a page says before a block of commands that a test runs.
var pageMark = regexp.MustCompile(`(?m)^<!-- run by: (\S+) -->\n\n((?:(?: {4}.*)?\n)+)`)

// pageCommands are the lines of a page that it says one of these tests runs.
func pageCommands(t *testing.T, page, test string) (out []string) {
	t.Helper()
	for _, m := range pageMark.FindAllStringSubmatch(read(t, page), -1) {
		if m[1] != "examples/"+test {
			continue
		}
		for line := range strings.Lines(m[2]) {
			if line = strings.TrimSpace(line); line != "" {
				out = append(out, line)
			}
		}
	}
	require.NotEmpty(t, out, "%s has no block that %s runs", page, test)
	return out
}

// runPage runs the commands of a page that it says this file runs.
func runPage(t *testing.T, bin, page string) map[string]diag405test.Result {
	t.Helper()
	said := map[string]diag405test.Result{}
	for _, line := range pageCommands(t, page, "walk_test.go") {
		said[line] = runCommand(t, bin, path.Dir(page), line)
	}
	return said
}

// runCommand runs a line of a page in the page's folder, with diag405 on the path, and returns
// how it ended.
func runCommand(t *testing.T, bin, folder, line string) diag405test.Result {
	t.Helper()
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir = folder
	cmd.Env = withOnPath(filepath.Dir(bin))
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run() // the exit code says it
	require.NotNil(t, cmd.ProcessState, line)
	return diag405test.Result{Stdout: stdout.String(), Stderr: stderr.String(), Code: cmd.ProcessState.ExitCode()}
}

// showsDiagnosis checks that a page shows the headers that explain its 405.
func showsDiagnosis(t *testing.T, page string, diagnosis []string) {
	t.Helper()
	var shown []string
	for line := range strings.Lines(read(t, page)) {
		if strings.HasPrefix(line, "X-Diag") {
			shown = append(shown, strings.TrimSpace(line))
		}
	}
	assert.Equal(t, diagnosis, shown, page)
}

// Every page of a set-up leads from nothing to an explained 405 and back, says what of it
// was not run, and is on the map.
func TestPagesOfSetUps(t *testing.T) {
	_, listed, ok := strings.Cut(read(t, "README.md"), "## Set-ups")
	require.True(t, ok)
	listed, _, _ = strings.Cut(listed, "\n## ")
	for _, s := range setUps {
		assert.Contains(t, listed, "]("+path.Dir(s.page)+")")
		text := read(t, s.page)
		at := 0
		for _, step := range []string{"## Install", "## Enable it", "## Send the POST", "## Remove it"} {
			next := strings.Index(text, "\n"+step)
			assert.Greater(t, next, at, "%s: %s", s.page, step)
			at = next
		}
		assert.Contains(t, text, "/api/sendWeather", s.page)
		assert.Regexp(t, `(?m)^\*\*Not run:\*\* \S`, text, s.page)
	}
}
