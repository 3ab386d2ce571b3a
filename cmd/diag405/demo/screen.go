package demo

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strings"

	"diag405/cmd/diag405/cli"
	"diag405/plugin/report"
)

// stage is where the demo shows what happens.
type stage struct{ *cli.Screen }

func (s stage) title(text string) { s.Println(s.Paint(cli.Bold, text)) }
func (s stage) step(text string)  { s.Println("\n" + s.Paint(cli.Bold, text)) }
func (s stage) note(text string)  { s.Println("   " + s.Paint(cli.Faint, text)) }

// logLine shows a line of the error log, with what is ours standing out.
func (s stage) logLine(line string) {
	before, ours, _ := strings.Cut(line, report.Prefix)
	ours, after, found := strings.Cut(ours, ", client: ")
	if found {
		after = ", client: " + after
	}
	s.Println("   " + s.Paint(cli.Faint, before) + report.Prefix + ours + s.Paint(cli.Faint, after))
}

// post sends the founding request, shows it with its answer, and fails when the
// status is another than expected.
func (s stage) post(ctx context.Context, base string, want int) error {
	s.Println("   $ curl -i -X POST " + base + weatherPath + " -H 'Content-Type: application/json' -d '" + weatherBody + "'")
	a, err := postWeather(ctx, base)
	if err != nil {
		return err
	}
	s.answer(a)
	if a.status != want {
		return &unexpectedError{fmt.Sprintf("POST %s%s answered %d instead of %d; is the application the one of examples/fastapi?", base, weatherPath, a.status, want)}
	}
	return nil
}

// answer shows the status line, the telling headers as they were received, and
// the body.
func (s stage) answer(a received) {
	style := cli.Green
	if a.status >= 400 {
		style = cli.Red
	}
	s.Println("   " + s.Paint(style, a.head[0]))
	for _, line := range a.head[1:] {
		name, _, _ := strings.Cut(line, ":")
		switch name = textproto.CanonicalMIMEHeaderKey(name); {
		case strings.HasPrefix(name, "X-Diag"):
			s.Println("   " + s.Paint(cli.Yellow, line))
		case name == "Allow", name == "Server":
			s.Println("   " + line)
		}
	}
	s.Println("   " + strings.TrimSpace(a.body))
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
	req, err := http.NewRequest(http.MethodPost, base+weatherPath, strings.NewReader(weatherBody))
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
