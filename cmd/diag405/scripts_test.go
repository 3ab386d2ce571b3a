package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"diag405/kong"
)

var update = flag.Bool("update", false, "rewrite the screens in the scripts, and the pictures of screens in docs/images")

// TestMain makes the test binary a diag405 for scripts, also under another name.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"diag405": main, "other-name": main})
}

// TestScripts runs testdata/COMMAND/*.txtar: each a script in the language of
// testscript, with the files that it needs and the screens that it wants.
//
// Every script has founding.yml, the founding configuration, and cases.log, an error
// log with many causes. Beside testscript's own commands there are:
//
//	exits CODE COMMAND...     run a command that ends with this exit code
//	refuses COMMAND...        run one that cannot run: exit code 2, and a line for each
//	                          problem
//	mask                      replace what differs from run to run in stdout
//	indent                    indent stdout, which is JSON
//	gzip FROM TO [BYTES]      compress a file, or the first so many bytes of that
//	windows FROM TO           copy a file, with a byte order mark and CR LF
//	replace FROM TO OLD NEW   copy a file and replace a text in it
//	sarif FILE                check that stdout is SARIF about this file
//	standin CONFIG PROXY ADMIN [RUN]
//	                          start a gateway with this configuration, and set variables
//	                          to its addresses. It asks the plugin servers whose files
//	                          and sockets are in the folder RUN; without one it starts
//	                          diag405 by itself
//	listens SOCKET...         wait until something listens on each of these
//	nobody NAME               set a variable to an address at which nobody answers
//	upstream NAME FILE        start an upstream ([takes] says how it answers) and set
//	                          a variable to its URL
//	answers NAME FILE         start what gives this HTTP answer to everything
//	admin NAME DIR            start an Admin API ([adminAPI]) with the objects in DIR
//	case NAME                 start the application of a case of examples/cases, and a gateway
//	                          with its configuration: APP and KONG are their addresses,
//	                          kong.json is the configuration as the case has it
//	asked NAME                print which methods such a one was asked with so far
//	logged                    have a gateway refuse the founding request: record.json is
//	                          what file-log writes, list.json the same in a list, as
//	                          http-log's queue sends it, error.log what diag405 logs
func TestScripts(t *testing.T) {
	folders, err := filepath.Glob("testdata/*")
	require.NoError(t, err)
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			testscript.Run(t, testscript.Params{
				Dir: folder, UpdateScripts: *update, RequireExplicitExec: true, RequireUniqueNames: true,
				Setup: setup, Cmds: scriptCommands,
			})
		})
	}
}

var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"exits":    exits,
	"refuses":  refuses,
	"mask":     mask,
	"indent":   indent,
	"gzip":     compress,
	"windows":  windows,
	"replace":  replace,
	"sarif":    sarif,
	"nobody":   nobody,
	"standin":  startStandIn,
	"listens":  listens,
	"upstream": startUpstream,
	"answers":  startAnswers,
	"admin":    startAdmin,
	"asked":    printAsked,
	"case":     startCase,
	"logged":   logged,
}

func setup(env *testscript.Env) error {
	env.Values[servers{}] = map[string]*asked{}
	if os.Getenv("GORACE") == "" {
		env.Setenv("GORACE", "atexit_sleep_ms=10") // with -race each command sleeps for a second else
	}
	log, err := os.ReadFile("report/testdata/cases.log")
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(env.WorkDir, "cases.log"), log, 0o644),
		os.WriteFile(filepath.Join(env.WorkDir, "founding.yml"), kong.Founding, 0o644),
	)
}

// want ends a script that gives a command the wrong arguments.
func want(ts *testscript.TestScript, neg bool, ok bool, usage string) {
	if neg || !ok {
		ts.Fatalf("usage: %s", usage)
	}
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) >= 2, "exits CODE COMMAND...")
	code, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := exitCode(ts, args[1:]); got != code {
		ts.Fatalf("exit code %d instead of %d", got, code)
	}
}

func exitCode(ts *testscript.TestScript, command []string) int {
	err := ts.Exec(command[0], command[1:]...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	ts.Check(err)
	return 0
}

func refuses(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) > 0, "refuses COMMAND...")
	if got := exitCode(ts, args); got != 2 {
		ts.Fatalf("exit code %d instead of 2", got)
	}
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("it printed %q", out)
	}
	said := strings.TrimSuffix(ts.ReadFile("stderr"), "\n")
	for line := range strings.SplitSeq(said, "\n") {
		if !strings.HasPrefix(line, "diag405: ") {
			ts.Fatalf("not a line of diag405's: %q", line)
		}
	}
}

// changing is what differs from run to run on a screen.
var changing = []struct {
	pattern *regexp.Regexp
	stable  string
}{
	{regexp.MustCompile(`(?m)^time  .*$`), "time      ..."},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "127.0.0.1:PORT"},
	{regexp.MustCompile(`\d{4}/\d\d/\d\d \d\d:\d\d:\d\d`), "TIME"},
	{regexp.MustCompile(`(\] )\d+#\d+: \*\d+`), "${1}PID#0: *N"},
	{regexp.MustCompile(`request_id: "[0-9a-f]{32}"`), `request_id: "ID"`},
	{regexp.MustCompile(`is of user \S+, S[rwx-]{9}`), "is of user NAME, MODE"},
}

func mask(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) == 0, "mask")
	screen := ts.ReadFile("stdout")
	for _, c := range changing {
		screen = c.pattern.ReplaceAllString(screen, c.stable)
	}
	_, err := ts.Stdout().Write([]byte(screen))
	ts.Check(err)
}

func indent(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) == 0, "indent")
	var value any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &value))
	pretty, err := json.MarshalIndent(value, "", "  ")
	ts.Check(err)
	_, err = ts.Stdout().Write(append(pretty, '\n'))
	ts.Check(err)
}

func compress(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) == 2 || len(args) == 3, "gzip FROM TO [BYTES]")
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(ts.ReadFile(args[0])))
	ts.Check(errors.Join(err, w.Close()))
	if len(args) == 3 {
		n, err := strconv.Atoi(args[2])
		ts.Check(err)
		b.Truncate(n)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b.Bytes(), 0o644))
}

func windows(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) == 2, "windows FROM TO")
	text := "\ufeff" + strings.ReplaceAll(ts.ReadFile(args[0]), "\n", "\r\n")
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o644))
}

func replace(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) == 4, "replace FROM TO OLD NEW")
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[2]) {
		ts.Fatalf("%s has no %q", args[0], args[2])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(strings.ReplaceAll(text, args[2], args[3])), 0o644))
}

// sarif checks what SARIF 2.1.0 requires of a log, and what must agree within it.
func sarif(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) == 1, "sarif FILE")
	var log sarifLog
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &log))
	if log.Version != "2.1.0" || len(log.Runs) != 1 || len(log.Runs[0].Results) == 0 {
		ts.Fatalf("version %q, %d runs", log.Version, len(log.Runs))
	}
	for _, r := range log.Runs[0].Results {
		rule := log.Runs[0].Tool.Driver.Rules[r.RuleIndex]
		switch {
		case r.RuleID != rule.ID, rule.HelpURI != "": // no address was stamped into this binary
			ts.Fatalf("result of rule %q leads to rule %q, %q", r.RuleID, rule.ID, rule.HelpURI)
		case r.Level != "error" && r.Level != "warning" && r.Level != "note":
			ts.Fatalf("level %q", r.Level)
		case r.Message.Text == "":
			ts.Fatalf("result of rule %q has no message", r.RuleID)
		case len(r.Locations) != 1:
			ts.Fatalf("result of rule %q has %d locations", r.RuleID, len(r.Locations))
		}
		if at := r.Locations[0].PhysicalLocation; at.ArtifactLocation.URI != args[0] || at.Region.StartLine < 1 {
			ts.Fatalf("result of rule %q is at %q, line %d", r.RuleID, at.ArtifactLocation.URI, at.Region.StartLine)
		}
	}
}

// sarifLog is what is checked of a log.
type sarifLog struct {
	Version string
	Runs    []struct {
		Tool struct {
			Driver struct {
				Rules []struct{ ID, HelpURI string }
			}
		}
		Results []struct {
			RuleID, Level string
			RuleIndex     int
			Message       struct{ Text string }
			Locations     []struct {
				PhysicalLocation struct {
					ArtifactLocation struct{ URI string }
					Region           struct{ StartLine int }
				}
			}
		}
	}
}
