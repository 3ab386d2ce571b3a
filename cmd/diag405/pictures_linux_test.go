package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/cmd/diag405/cli"
	"diag405/kong"
	"diag405/kong/gateway"
	"diag405/kong/gateway/standin"
)

// The pictures in docs/images show what the commands say now, each on light and on dark.
func TestPictures(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	config := func(name string) string { return filepath.Join("..", "..", "kong", name) }
	for _, p := range []struct {
		name, shown, words string
		columns            int
		args               []string
	}{
		{"demo", "diag405 demo", "The screen of diag405 demo", 100, []string{"demo"}},
		{"explain", "diag405 explain -config kong.yml POST /api/sendWeather", "The screen of diag405 explain for the founding case", 100,
			[]string{"explain", "-config", config("kong.yml"), "POST", "/api/sendWeather"}},
		{"lint", "diag405 lint kong.yml", "The screen of diag405 lint for the founding case", 100, []string{"lint", config("kong.yml")}},
	} {
		t.Run(p.name, func(t *testing.T) {
			screen := stable(onTerminal(t, p.args...))
			assert.Contains(t, screen, "\x1b[", "a terminal has colours")
			assertPicture(t, p.name, p.words, p.columns, window{"$ " + p.shown, screen})
		})
	}
}

// A 405 without the plugin, and with it.
func TestPictureOf405(t *testing.T) {
	with := foundingAt(reader(t))
	without, _, found := bytes.Cut(with, []byte("        plugins:\n"))
	require.True(t, found, "the plugin stands at the end of kong.yml")
	before, after := answerOf(t, without), answerOf(t, with)
	assert.NotContains(t, before, "X-Diag")
	assert.Contains(t, after, "X-Diag: strip-path")
	assertPicture(t, "405", "The same 405 without diag405, and with it", 58, window{"Without diag405", before}, window{"With diag405", after})
}

// What asks a gateway: compare and doctor.
func TestPicturesOfAsking(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	app := reader(t)
	doc := foundingAt(app)
	gw := gatewayWith(t, doc)
	compared := onTerminal(t, "compare", "-yes", "-config", file(t, "kong.yml", string(doc)), "-direct", app, "-X", "POST", gw.URL()+"/api/sendWeather")
	assertPicture(t, "compare", "The screen of diag405 compare for the founding case", 100,
		window{"diag405 compare", "$ diag405 compare -yes -config kong.yml -direct http://127.0.0.1:8900 -X POST http://127.0.0.1:8000/api/sendWeather\n\n" + stableWith(compared, app)})
	seen := onTerminal(t, "doctor", "-admin", gw.AdminURL(), "-proxy", gw.URL(), "-request", "POST /api/sendWeather")
	seen = strings.ReplaceAll(seen, strings.TrimPrefix(gw.AdminURL(), "http://"), "127.0.0.1:8001")
	assertPicture(t, "doctor", "The screen of diag405 doctor", 100,
		window{"diag405 doctor", "$ diag405 doctor -admin http://127.0.0.1:8001 -proxy http://127.0.0.1:8000 -request 'POST /api/sendWeather'\n\n" + seen})
}

// reader is an upstream whose / only reads, and which calls itself what examples/fastapi
// does.
func reader(t *testing.T) (url string) {
	t.Helper()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "uvicorn")
		if r.Method == http.MethodPost && r.URL.Path == "/api/sendWeather" {
			fmt.Fprint(w, `{"saved":true}`)
			return
		}
		takes{"/": "GET"}.ServeHTTP(w, r)
	}))
	t.Cleanup(app.Close)
	return app.URL
}

// foundingAt is the founding configuration with its application at a URL.
func foundingAt(url string) []byte {
	return bytes.ReplaceAll(kong.Founding, []byte("http://weather:8900"), []byte(url))
}

func gatewayWith(t *testing.T, doc []byte) gateway.Gateway {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	plugin, err := exec.LookPath("diag405")
	require.NoError(t, err)
	gw, err := standin.Start(ctx, gateway.Options{Plugins: []string{plugin}})
	require.NoError(t, err)
	t.Cleanup(func() { _ = gw.Close() })
	require.NoError(t, gw.Load(ctx, doc))
	return gw
}

// answerOf is what a client sees of the founding request at a gateway with this
// configuration. The headers that explain are yellow.
func answerOf(t *testing.T, doc []byte) string {
	t.Helper()
	gw := gatewayWith(t, doc)
	conn, err := net.Dial("tcp", strings.TrimPrefix(gw.URL(), "http://"))
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "POST /api/sendWeather HTTP/1.1\r\nHost: kong:8000\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	require.NoError(t, err)
	var screen strings.Builder
	fmt.Fprintln(&screen, "$ curl -i -X POST http://kong:8000/api/sendWeather")
	in := bufio.NewScanner(conn)
	for in.Scan() && in.Text() != "" {
		line := in.Text()
		name, _, _ := strings.Cut(line, ":")
		switch {
		case strings.HasPrefix(line, "HTTP/"):
			line = "\x1b[31m" + line + "\x1b[0m"
		case strings.HasPrefix(name, "X-Diag"):
			line = "\x1b[33m" + line + "\x1b[0m"
		case name != "Allow" && name != "Server":
			continue // times, lengths and names of this very run
		}
		fmt.Fprintln(&screen, line)
	}
	require.NoError(t, in.Err())
	return screen.String()
}

// varying is what differs from run to run on a screen, and what a picture has instead.
var varying = []struct {
	pattern *regexp.Regexp
	stable  string
}{
	{regexp.MustCompile(`\d{4}/\d\d/\d\d \d\d:\d\d:\d\d`), "2026/01/05 09:30:00"},
	{regexp.MustCompile(`(\] )\d+#\d+: \*\d+`), "${1}1443#0: *1"},
	{regexp.MustCompile(`request_id: "[0-9a-f]{32}"`), `request_id: "9f86d081884c7d659a2feaa0c55ad015"`},
	{regexp.MustCompile(`[./][\w./]*/kong\.yml`), "kong.yml"},
	{regexp.MustCompile(`(?m)^(\x1b\[2m)?time  .*\n`), ""}, // compare's, of this very run
}

var loopback = regexp.MustCompile(`127\.0\.0\.1:\d+ *`)

// stable is a screen as every run has it: the first address is the application's.
func stable(screen string) string {
	return stableWith(screen, strings.TrimRight(loopback.FindString(screen), " "))
}

// stableWith is the same where the application's address is known.
func stableWith(screen, app string) string {
	for _, v := range varying {
		screen = v.pattern.ReplaceAllString(screen, v.stable)
	}
	return loopback.ReplaceAllStringFunc(screen, func(found string) string {
		address := strings.TrimRight(found, " ")
		stable := "127.0.0.1:8000"
		if address == strings.TrimPrefix(app, "http://") {
			stable = "127.0.0.1:8900"
		}
		if found == address || strings.HasSuffix(found, address+" ") {
			return stable + found[len(address):]
		}
		return fmt.Sprintf("%-*s", len(found), stable) // what stands in the next column stays there
	})
}

// onTerminal is what a command writes to a terminal.
func onTerminal(t *testing.T, args ...string) string {
	t.Helper()
	near, far := terminal(t)
	read := make(chan string, 1)
	go func() {
		data, _ := io.ReadAll(near) // a terminal ends with an error when nobody has it open
		read <- string(data)
	}()
	var problems bytes.Buffer
	run(args, cli.Streams{In: strings.NewReader(""), Out: far, Err: &problems})
	require.NoError(t, far.Close())
	require.Empty(t, problems.String())
	return strings.ReplaceAll(<-read, "\r\n", "\n")
}

// terminal opens a pseudo-terminal: its near end, and the far end that a program has
// (pty(7), TIOCSPTLCK and TIOCGPTN of ioctl_tty(2)).
func terminal(t *testing.T) (near, far *os.File) {
	t.Helper()
	near, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	t.Cleanup(func() { near.Close() })
	var locked, number int32
	control := func(request uintptr, value *int32) {
		_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, near.Fd(), request, uintptr(unsafe.Pointer(value)))
		require.Zero(t, errno)
	}
	control(syscall.TIOCSPTLCK, &locked)
	control(syscall.TIOCGPTN, &number)
	far, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	return near, far
}

// assertPicture holds the pictures of a name against what is to be in them.
func assertPicture(t *testing.T, name, words string, columns int, windows ...window) {
	t.Helper()
	for kind, theme := range themes {
		file := filepath.Join("..", "..", "docs", "images", name+"-"+kind+".svg")
		got := terminalSVG(theme, columns, words, windows...)
		if *update {
			require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
		}
		want, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, string(want), got, "%s: go test ./cmd/diag405 -run TestPicture -update draws it anew", file)
		assert.Less(t, len(got), 30_000, file)
	}
}
