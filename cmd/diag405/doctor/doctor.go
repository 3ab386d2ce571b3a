// Package doctor is the command that looks at an installation.
//
// It asks what there is to ask: Kong's Admin API, the sockets of the plugin server,
// and Kong itself with one request. Each check says as much as it can find out, and
// one that cannot be made is no reason to leave out the others.
package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"diag405/cmd/diag405/cli"
	"diag405/cmd/diag405/source"
	"diag405/kong/adminapi"
)

const usage = `Usage: diag405 doctor [flags]

Looks at an installation and says what is right and what is not, each with what to
do. It asks only what is named; without -admin, -socket and -request it asks the
Admin API at its usual place.

  -admin ADDRESS          Kong's Admin API, such as localhost:8001; only read
  -admin-header 'N: V'    a header for it, such as a token (repeatable)
  -socket PATH            the plugin server's socket, or the folder with both
  -request 'METHOD PATH'  a request that gets a 405: it is sent once, without a body,
                          to see that the answer is explained
  -proxy ADDRESS          where Kong takes it (default http://localhost:8000)
  -H 'Name: value'        a header of that request (repeatable)
  -o text|json            how to print it (default text)

Exit code: 0 nothing is wrong, 1 something is, 2 it cannot run.

Examples:
  diag405 doctor -admin localhost:8001 -socket /run/diag405
  diag405 doctor -request 'POST /api/sendWeather'
`

const (
	defaultAdmin = "http://localhost:8001"
	defaultProxy = "http://localhost:8000"
	// timeout bounds the whole visit.
	timeout = time.Minute
)

// finding is one thing that was looked at.
type finding struct {
	Check  string `json:"check"` // stable, for scripts
	Status status `json:"status"`
	Says   string `json:"says"`
	Fix    string `json:"fix,omitempty"`
}

// status is how a thing is.
type status string

const (
	right status = "ok"
	look  status = "look" // works, and has a price or a limit that one should know
	wrong status = "wrong"
)

// options are the flags.
type options struct {
	admin, socket, proxy, request, form string
	adminHeaders, headers               cli.Texts

	client *adminapi.Client // nil: not asked for
	asked  *http.Request    // nil: not asked for
}

// Run looks at an installation, and returns the exit code.
func Run(args []string, std cli.Streams) int {
	o, err := parse(args)
	if err != nil {
		return std.BadArguments("doctor", usage, err)
	}
	ctx, stop := cli.Interruptible()
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	findings := o.visit(ctx)
	if err := o.print(findings, std); err != nil {
		return std.Cannot("doctor: printing: %v", err)
	}
	if count(findings, wrong) > 0 {
		return cli.Failed
	}
	return cli.OK
}

// visit makes the checks. What the configuration says of headers is known before the
// request is sent.
func (o *options) visit(ctx context.Context) []finding {
	var out []finding
	k := &installation{prefixes: []string{"X-Diag"}}
	if o.client != nil {
		out = append(out, k.askAdmin(ctx, o.client)...)
	}
	if o.socket != "" {
		out = append(out, lookAtSockets(ctx, o.socket)...)
	}
	if o.asked != nil {
		out = append(out, k.send(o.asked.WithContext(ctx)))
	}
	return out
}

func parse(args []string) (*options, error) {
	o := &options{}
	flags := cli.NewFlags("doctor")
	flags.StringVar(&o.admin, "admin", "", "")
	flags.Var(&o.adminHeaders, "admin-header", "")
	flags.StringVar(&o.socket, "socket", "", "")
	flags.StringVar(&o.request, "request", "", "")
	flags.StringVar(&o.proxy, "proxy", "", "")
	flags.Var(&o.headers, "H", "")
	flags.StringVar(&o.form, "o", "text", "")
	if err := cli.ParseFlags(flags, args); err != nil {
		return nil, err
	}
	return o, errors.Join(cli.TextOrJSON(o.form), o.readAdmin(), o.readRequest())
}

func (o *options) readAdmin() error {
	if o.admin == "" && (o.socket != "" || o.request != "") {
		if len(o.adminHeaders) > 0 {
			return errors.New("-admin-header is for -admin")
		}
		return nil
	}
	header, err := source.Headers("-admin-header", o.adminHeaders)
	if err != nil {
		return err
	}
	if o.client, err = adminapi.New(cmp.Or(o.admin, defaultAdmin), header); err != nil {
		return fmt.Errorf("-admin %w", err)
	}
	return nil
}

func (o *options) readRequest() error {
	if o.request == "" {
		if o.proxy != "" || len(o.headers) > 0 {
			return errors.New("-proxy and -H are for -request, a request that gets a 405")
		}
		return nil
	}
	method, path, ok := strings.Cut(o.request, " ")
	if !ok || method == "" || !strings.HasPrefix(path, "/") || strings.ContainsAny(path, " \t\r\n") {
		return fmt.Errorf("-request %q is not METHOD PATH, such as 'POST /orders'", o.request)
	}
	u, err := url.Parse(cmp.Or(o.proxy, defaultProxy))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" {
		return fmt.Errorf("-proxy %q is not an address such as %s", o.proxy, defaultProxy)
	}
	req, err := http.NewRequest(method, u.Scheme+"://"+u.Host+path, nil)
	if err != nil {
		return fmt.Errorf("-request %q: %w", o.request, err)
	}
	if req.Header, err = source.Headers("-H", o.headers); err != nil {
		return err
	}
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
	}
	o.asked = req
	return nil
}

func count(findings []finding, s status) (n int) {
	for _, f := range findings {
		if f.Status == s {
			n++
		}
	}
	return n
}

// print prints the findings in the order in which they were made.
func (o *options) print(findings []finding, std cli.Streams) error {
	if o.form == "json" {
		return cli.PrintJSON(std.Out, map[string]any{"healthy": count(findings, wrong) == 0, "findings": findings})
	}
	screen := cli.NewScreen(std.Out)
	styles := map[status]cli.Style{right: cli.Green, look: cli.Yellow, wrong: cli.Red}
	for _, f := range findings {
		screen.Println(screen.Paint(styles[f.Status], fmt.Sprintf("%-6s", f.Status)) + cli.Printable(f.Says))
		if f.Fix != "" {
			screen.Println("      " + screen.Paint(cli.Faint, "do: ") + cli.Printable(f.Fix))
		}
	}
	_, err := fmt.Fprintf(std.Out, "\n%d ok, %d to look at, %d wrong\n", count(findings, right), count(findings, look), count(findings, wrong))
	return err
}
