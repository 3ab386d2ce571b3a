// Package diag405test builds the real binary for tests.
package diag405test

import (
	"bytes"
	"errors"
	"os/exec"
	"path/filepath"
	"testing"
)

// Build compiles diag405 into a folder of the test's and returns its path. The
// file is called diag405, which makes it the plugin of that name.
//
// What go run links stays in the compiler's cache, and what go build links does not: so
// this is linked once for all packages, and copied.
func Build(t testing.TB) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "diag405")
	out, err := exec.Command("go", "run", "-exec", "cp", "diag405/cmd/diag405", bin).CombinedOutput()
	if err != nil {
		t.Fatalf("building diag405: %v\n%s", err, out)
	}
	return bin
}

// Result is how a command ended.
type Result struct {
	Stdout, Stderr string
	Code           int
}

// Run runs a command to its end.
func Run(t testing.TB, bin string, args ...string) Result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(bin, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("running %s: %v", bin, err)
	}
	return Result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}
