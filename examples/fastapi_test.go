package examples

import (
	"bufio"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/cmd/diag405/diag405test"
)

// TestFoundingCaseOnFastAPI runs the demo against the real application. It needs
// a Python with fastapi and uvicorn: DIAG405_PYTHON, python3, or the system's.
// Without one it is skipped, unless DIAG405_FASTAPI=required.
func TestFoundingCaseOnFastAPI(t *testing.T) {
	t.Parallel()
	python, ok := pythonWithFastAPI()
	switch {
	case !ok && os.Getenv("DIAG405_FASTAPI") == "required":
		t.Fatal("no Python here can import fastapi and uvicorn, and DIAG405_FASTAPI=required")
	case !ok:
		t.Skip("no Python here can import fastapi and uvicorn")
	}
	app := startUvicorn(t, python)
	got := diag405test.Run(t, diag405test.Build(t), "demo", "-app", app)
	require.Equal(t, 0, got.Code, got.Stdout+got.Stderr)
	t.Log("\n" + got.Stdout)
	for _, want := range []string{
		"HTTP/1.1 405 Not Allowed",
		"X-Diag: strip-path;certainty=likely",
		"X-Diag-Reason: strip_path on route internal-weather-route-POST removed /api/sendWeather, so the upstream got POST /, which takes only GET",
		"X-Diag-Upstream: POST /",
		"server=uvicorn",
		"route.strip_path: false   (route internal-weather-route-POST)",
	} {
		assert.Contains(t, got.Stdout, want)
	}
	assert.Equal(t, 2, strings.Count(got.Stdout, "HTTP/1.1 200 OK"), "directly, and after the fix")
}

func pythonWithFastAPI() (path string, ok bool) {
	for _, python := range []string{os.Getenv("DIAG405_PYTHON"), "python3", "/usr/bin/python3"} {
		if python != "" && exec.Command(python, "-c", "import fastapi, uvicorn").Run() == nil {
			return python, true
		}
	}
	return "", false
}

// startUvicorn serves the application on a free loopback port until the test ends.
func startUvicorn(t *testing.T, python string) (url string) {
	t.Helper()
	cmd := exec.Command(python, "-m", "uvicorn", "app:app", "--host", "127.0.0.1", "--port", "0", "--no-use-colors")
	cmd.Dir = "fastapi"
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	running := regexp.MustCompile(`running on (http://127\.0\.0\.1:\d+)`)
	var said strings.Builder
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		if m := running.FindStringSubmatch(lines.Text()); m != nil {
			return m[1]
		}
	}
	t.Fatalf("uvicorn ended before it listened:\n%s", said.String())
	return ""
}
