package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"os"
	"strings"

	"diag405/plugin/report"
)

// screen is where the demo shows what happens.
type screen struct {
	out    io.Writer
	colour bool
}

// newScreen uses colour only on a terminal, and never when NO_COLOR is set.
func newScreen(out io.Writer) *screen { return &screen{out: out, colour: isTerminal(out)} }

// isTerminal reports where colour may be used.
func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	return ok && isTTY(f) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// ANSI styles.
const (
	bold   = "1"
	faint  = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

func (s *screen) paint(style, text string) string {
	if !s.colour {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

func (s *screen) println(text string) { fmt.Fprintln(s.out, text) }

func (s *screen) title(text string) { s.println(s.paint(bold, text)) }
func (s *screen) step(text string)  { s.println("\n" + s.paint(bold, text)) }
func (s *screen) note(text string)  { s.println("   " + s.paint(faint, text)) }

// logLine shows a line of the error log, with what is ours standing out.
func (s *screen) logLine(line string) {
	before, ours, _ := strings.Cut(line, report.Prefix)
	ours, after, found := strings.Cut(ours, ", client: ")
	if found {
		after = ", client: " + after
	}
	s.println("   " + s.paint(faint, before) + report.Prefix + ours + s.paint(faint, after))
}

// post sends the founding request, shows it with its answer, and fails when the
// status is another than expected.
func (s *screen) post(ctx context.Context, base string, want int) error {
	s.println("   $ curl -i -X POST " + base + demoPath + " -H 'Content-Type: application/json' -d '" + demoBody + "'")
	a, err := postWeather(ctx, base)
	if err != nil {
		return err
	}
	s.answer(a)
	if a.status != want {
		return &unexpectedError{fmt.Sprintf("POST %s%s answered %d instead of %d; is the application the one of examples/fastapi?", base, demoPath, a.status, want)}
	}
	return nil
}

// answer shows the status line, the telling headers as they were received, and
// the body.
func (s *screen) answer(a received) {
	style := green
	if a.status >= 400 {
		style = red
	}
	s.println("   " + s.paint(style, a.head[0]))
	for _, line := range a.head[1:] {
		name, _, _ := strings.Cut(line, ":")
		switch name = textproto.CanonicalMIMEHeaderKey(name); {
		case strings.HasPrefix(name, "X-Diag"):
			s.println("   " + s.paint(yellow, line))
		case name == "Allow", name == "Server":
			s.println("   " + line)
		}
	}
	s.println("   " + strings.TrimSpace(a.body))
}

// received is an answer as it came over the wire.
type received struct {
	status int
	head   []string // status line and headers, line by line
	body   string
}

// postWeather sends the founding request on a connection of its own. It reads the
// answer's head as it is on the wire, since net/http would sort and rename it.
func postWeather(ctx context.Context, base string) (received, error) {
	host := strings.TrimPrefix(base, "http://")
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", withPort(host))
	if err != nil {
		return received{}, fmt.Errorf("nothing answers at %s: %w", base, err)
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	req, err := http.NewRequest(http.MethodPost, base+demoPath, strings.NewReader(demoBody))
	if err != nil {
		return received{}, fmt.Errorf("making the request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Close = true
	if err := req.Write(conn); err != nil {
		return received{}, fmt.Errorf("sending the request to %s: %w", base, err)
	}
	var raw bytes.Buffer
	res, err := http.ReadResponse(bufio.NewReader(io.TeeReader(conn, &raw)), req)
	if err != nil {
		return received{}, fmt.Errorf("reading the answer of %s: %w", base, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return received{}, fmt.Errorf("reading the answer of %s: %w", base, err)
	}
	head, _, _ := strings.Cut(raw.String(), "\r\n\r\n")
	return received{res.StatusCode, strings.Split(head, "\r\n"), string(body)}, nil
}

func withPort(host string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	return net.JoinHostPort(host, "80")
}

// compact is a value in one line of JSON.
func compact(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}
