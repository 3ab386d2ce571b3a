//go:build unix

package examples

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/cmd/diag405/diag405test"
	"diag405/kong/gateway"
)

const installPage = "../docs/install.md"

// installation is the way of docs/install.md to install on a host, in a folder instead of /.
type installation struct {
	root    string
	env     []string // Kong's settings
	serving bool
}

// TestInstallAsThePage does what docs/install.md says of a host, line by line, with the
// stand-in for Kong, and then what it says of diag405-log. Nothing is wrong then.
func TestInstallAsThePage(t *testing.T) {
	page := read(t, installPage)
	i := &installation{root: shortDir(t)}
	for _, part := range [][2]string{
		{"## On a host", "## In containers"},
		{"## diag405-log", "It takes `statuses`"},
	} {
		for _, command := range commandsIn(t, page, part[0], part[1]) {
			i.do(t, command)
		}
		require.True(t, i.serving, "a line that serves")
		i.check(t)
	}
}

// commandsIn are the commands of a part of a page.
func commandsIn(t *testing.T, page, from, to string) (out []string) {
	t.Helper()
	_, part, ok := strings.Cut(page, from)
	require.True(t, ok, from)
	part, _, ok = strings.Cut(part, to)
	require.True(t, ok, to)
	for line := range strings.Lines(part) {
		if command, ok := strings.CutPrefix(line, "    "); ok {
			out = append(out, strings.TrimSpace(command))
		}
	}
	require.NotEmpty(t, out)
	return out
}

// do does what a line says, as who runs the test and below the folder.
func (i *installation) do(t *testing.T, line string) {
	t.Helper()
	line = strings.NewReplacer("sudo -u kong ", "", "sudo ", "", " -o kong", "", "/opt/", i.root+"/opt/", "/run/", i.root+"/run/",
		"-o diag405 ./", "-o "+i.root+"/diag405 ./", "-m 0755 diag405 ", "-m 0755 "+i.root+"/diag405 ").Replace(line)
	setting, isSetting := strings.CutPrefix(line, "export ")
	switch {
	case isSetting:
		i.env = append(i.env, strings.ReplaceAll(setting, `"`, ""))
	case line == "kong restart": // when all settings are read
	case strings.Contains(line, "diag405 serve "):
		i.serve(t, line)
	default:
		cmd := exec.Command("sh", "-c", line)
		cmd.Dir = ".."
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s\n%s", line, out)
	}
}

// serve runs the line that serves until the test ends.
func (i *installation) serve(t *testing.T, line string) {
	t.Helper()
	i.serving = true
	said := &gateway.Lines{}
	cmd := exec.Command("sh", "-c", "exec "+line)
	cmd.Stderr = said
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		require.NoError(t, cmd.Process.Signal(os.Interrupt))
		assert.NoError(t, cmd.Wait())
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := said.Find(ctx, func(line string) bool { return strings.Contains(line, "serving diag405-log ") })
	require.NoError(t, err, said.String())
}

// check has the doctor look at it.
func (i *installation) check(t *testing.T) {
	t.Helper()
	k := startStandIn(t, i.env, "sh", "-c", `exec "$KONG_ENTRYPOINT"`)
	got := diag405test.Run(t, filepath.Join(i.root, "opt/diag405/diag405"), "doctor", "-o", "json",
		"-admin", k.admin, "-socket", filepath.Join(i.root, "run/diag405"), "-proxy", k.url, "-request", "POST /p/a")
	assert.Equal(t, 0, got.Code, got.Stdout+got.Stderr)
	var doctor struct {
		Healthy  bool
		Findings []struct{ Check, Status, Says string }
	}
	require.NoError(t, json.Unmarshal([]byte(got.Stdout), &doctor))
	assert.True(t, doctor.Healthy)
	seen := map[string]bool{}
	for _, f := range doctor.Findings {
		assert.Equal(t, "ok", f.Status, f.Says)
		seen[f.Check] = true
	}
	for _, check := range []string{"kong", "admin-root", "plugin-loaded", "plugin-enabled", "socket", "server", "request"} {
		assert.True(t, seen[check], check)
	}
}

// The unit for systemd runs what the page runs by hand, as the same user.
func TestSystemdUnitAgreesWithThePage(t *testing.T) {
	unit := map[string]string{}
	for line := range strings.Lines(read(t, "systemd/diag405.service")) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(key, "#") {
			assert.NotContains(t, unit, key, "twice")
			unit[key] = value
		}
	}
	byHand := "sudo -u " + unit["User"] + " " + strings.TrimSuffix(unit["ExecStart"], " -prefix /usr/local/kong")
	assert.Contains(t, commandsIn(t, read(t, installPage), "## On a host", "## In containers"), byHand)
	assert.Equal(t, "always", unit["Restart"])
	assert.Contains(t, unit["ExecStart"], " -socket /run/"+unit["RuntimeDirectory"])
	assert.Equal(t, "kong.service", unit["Before"])
}
