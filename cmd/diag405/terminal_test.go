package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/cmd/diag405/cli"
)

// evil is what nobody wants on a terminal, in words of others: it sets the title, clears
// the screen, overwrites the line, begins commands as ISO 8859-1 has them, and has text
// read backwards. MARK tells that it was shown.
const evil = "MARK\x1b]0;x\a\x1b[2J\rY\b\x7f\u009b31m\u202edna\u2066\u2069\u200f\u061c\u2028Z"

// shy is what of it may stand in a header and in a path.
const shy = "MARK\u009b31m\u202edna\u2066\u2069\u200f\u061cZ"

// quoted is a text as JSON, of which YAML is a superset.
func quoted(t *testing.T, text string) string {
	t.Helper()
	data, err := json.Marshal(text)
	require.NoError(t, err)
	return string(data)
}

// scene is what the commands look at, everywhere with evil in it.
type scene struct{ config, refused, empty, document, log, admin, phrase, kind string }

func newScene(t *testing.T) scene {
	t.Helper()
	e, text, path := quoted(t, evil), quoted(t, "POST http://x/"+evil), quoted(t, "/"+evil)
	upstream := answering(t, "HTTP/1.1 405 "+evil+"\r\nAllow: GET, "+shy+"\r\nServer: "+shy+"\r\nContent-Length: 0\r\n\r\n")
	return scene{
		config: file(t, "kong.yml", fmt.Sprintf(`{"_format_version": "3.0", "x-%[1]s": 1, "services": [{"name": "s", "url": "http://%[2]s", "tags": [%[3]s],
			"routes": [{"name": "r", "paths": ["/a", "~/x%[1]s", "/%[1]s"], "headers": {"x": [%[3]s]},
				"plugins": [{"name": "request-termination", "config": {"status_code": 405, "message": %[3]s}}]}, {"name": "r2", "paths": ["/%[1]s", "/b/%[1]s/*"]}],
			"plugins": [{"name": "request-transformer", "config": {"add": {"headers": [%[4]s]}}}]}]}`,
			shy, upstream, e, quoted(t, "X-A:"+evil))),
		refused: file(t, "refused.yml", fmt.Sprintf(`{"_format_version": "3.0", %[1]s: %[1]s, "services": [{"name": %[1]s, "host": %[1]s, "routes": [{%[1]s: %[1]s, "paths": [%[1]s]}]}]}`, e)),
		empty:   file(t, evil+".yml", `{"_format_version": "3.0", "services": [{"name": "s", "url": "http://127.0.0.1:1"}]}`),
		document: file(t, "openapi.json", fmt.Sprintf(`{"openapi": "3.1.0", "paths": {%s: {"post": {}}, "/b": {"get": {}}, %s: {"get": {}}}}`,
			path, quoted(t, "/a/"+evil))),
		log: file(t, "error.log", fmt.Sprintf("2026/11/23 15:50:58 [warn] 1443#0: *1 [kong] pb_rpc.lua:233 [diag405] event=diagnosis cause=%[1]s certainty=likely "+
			"client=%[2]s upstream=%[2]s route=%[1]s service=%[1]s status=405 allow=%[1]s server=%[1]s reason=%[1]s fix=%[1]s while sending to client, client: 127.0.0.1\n", e, text)),
		admin: answering(t, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"+
			`{"version": %s, "edition": %[1]s, "plugins": {"available_on_server": {%[1]s: {"version": %[1]s}}}, "configuration": {"router_flavor": %[1]s, "database": %[1]s},
				"data": [{"id": "s", "name": %[1]s, "host": %[1]s, "service": {"id": "s"}, "paths": ["/a", %[2]s], "tags": [%[1]s]}], "next": null}`, e, path)),
		phrase: answering(t, "HTTP/1.1 503 "+evil+"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
		kind:   answering(t, "HTTP/1.1 200 OK\r\nContent-Type: "+shy+"\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx"),
	}
}

// Whatever word of a file, a log, an Admin API or an upstream comes to the screen, it
// moves no cursor there, and in JSON it is escaped.
func TestTerminals(t *testing.T) {
	s := newScene(t)
	explain := []string{"POST", "/a", "-status", "405", "-allow", "GET, " + shy, "-header", "Server: " + shy}
	for _, args := range [][]string{
		append([]string{"explain", "-config", s.config}, explain...),
		append([]string{"explain", "-config", s.config, "-o", "json"}, explain...),
		{"explain", "-config", s.config, "-probe", "POST", "/" + shy + "/x"},
		{"explain", "-config", s.config, "-probe", "POST", "/" + shy + "/x", "-o", "json"},
		{"explain", "-config", s.config, "-H", "x: " + shy, "-status", "405", "-allow", shy, "POST", "/" + shy},
		{"explain", "-config", s.config, "-openapi", s.document, "POST", "/a"},
		{"explain", "-config", s.config, "POST", "/" + shy},
		{"explain", "-config", s.empty, "POST", "/" + evil},
		{"explain", "-config", s.refused, "POST", "/a"},
		{"lint", s.refused},
		{"explain", "-config", s.empty + evil, "POST", "/a"},
		{"explain", "-admin", s.admin, "POST", "/a"},
		{"explain", "-admin", s.phrase, "POST", "/a"},
		{"explain", "-admin", s.kind, "POST", "/a"},
		{"explain", "-" + evil},
		{"lint", s.config},
		{"lint", s.config, "-o", "json"},
		{"lint", s.config, "-o", "sarif"},
		{"lint", s.config, "-openapi", s.document, "-service", "s"},
		{"lint", s.config, "-openapi", s.document, "-service", "s", "-o", "json"},
		{"lint", s.empty},
		{"lint", "-admin", s.admin},
		{"lint", "-admin", s.phrase},
		{"lint", "-admin", s.kind},
		{"report", s.log},
		{"report", s.log, "-o", "json"},
		{"report", s.log + evil},
		{"doctor", "-admin", s.admin, "-o", "text"},
		{"doctor", "-admin", s.phrase, "-o", "json"},
		{"doctor", "-admin", s.kind},
		{"doctor", "-socket", s.empty},
		{"serve", "-socket", s.empty},
		{"serve", "-socket", s.empty, "-name", evil},
		{"token", "-key-file", s.empty + evil},
		{"dump", evil + "/no-such-folder"},
		{"schema", evil},
		{evil},
		{"-" + evil},
	} {
		var out, problems bytes.Buffer
		code := run(args, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &problems})
		name := fmt.Sprintf("%q", args)
		screen := out.String() + problems.String()
		assert.Contains(t, screen, "MARK", "%s: it is not shown at all (exit code %d)", name, code)
		assert.False(t, slices.Contains(args, s.config) && code == cli.CannotRun, "%s: %s", name, screen)
		assert.True(t, utf8.ValidString(screen), name)
		for i, r := range screen {
			if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028') {
				assert.Fail(t, name, "%q in %q", r, screen[max(i-80, 0):min(i+20, len(screen))])
				break
			}
		}
		if strings.HasPrefix(out.String(), "{") {
			assert.True(t, json.Valid(out.Bytes()), name)
			assert.Contains(t, out.String(), `\u202edna`, "%s: escaped, so that nothing is lost", name)
		}
	}
}

// file writes a file of its own.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// answering gives the same bytes to every request, and returns its address.
func answering(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = conn.Read(make([]byte, 64<<10))
				_, _ = io.WriteString(conn, answer)
			}()
		}
	}()
	return l.Addr().String()
}
