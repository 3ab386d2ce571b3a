package explain

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/dunglas/httpsfv"

	"diag405/kong/forecast"
	"diag405/kong/router"
	"diag405/plugin/diagnose"
	"diag405/plugin/logread"
)

// maxBody is how much of a body is looked at, in bytes: an error page tells who made it.
const maxBody = 16 << 10

// Answer is what a client got for its request, with what diag405 says in the headers.
type Answer struct {
	diagnose.Response
	Told *Verdict // the diagnosis in the headers, nil where there is none
	// Client and Upstream are the requests that the headers name, without Host; nil where
	// they name none or cut it short.
	Client, Upstream *diagnose.Request
}

// AnswerOf reads what diag405 says in an answer's headers, under whatever prefix.
func AnswerOf(r diagnose.Response) Answer {
	a := Answer{Response: r}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		cause, certainty, ok := codeItem(r.Header.Get(name))
		if !ok || !strings.HasPrefix(name, "X-") {
			continue
		}
		a.Told = &Verdict{Cause: cause, Certainty: certainty, Reason: r.Header.Get(name + "-Reason")}
		if allow := r.Header.Values("Allow"); len(allow) > 0 {
			joined := strings.Join(allow, ", ")
			a.Told.Allow = &joined
		}
		if fix := r.Header.Get(name + "-Fix"); fix != "" {
			a.Told.Fixes = []fixData{{Words: fix}}
		}
		a.Client, a.Upstream = namedRequest(r.Header.Get(name+"-Request")), namedRequest(r.Header.Get(name+"-Upstream"))
	}
	return a
}

// Told is what the headers of an answer to a request say, where nothing else is known.
func Told(asked forecast.Request, a Answer) *Explanation {
	return &Explanation{Request: requestOf(asked), Diagnosis: a.Told, unrouted: true}
}

var certainties = []diagnose.Certainty{diagnose.Possible, diagnose.Likely, diagnose.Confirmed}

// codeItem reads a cause with its certainty, as in strip-path;certainty=likely.
func codeItem(value string) (cause, certainty string, ok bool) {
	item, err := httpsfv.UnmarshalItem([]string{value})
	if err != nil {
		return "", "", false
	}
	code, isToken := item.Value.(httpsfv.Token)
	param, _ := item.Params.Get("certainty")
	level, isLevel := param.(httpsfv.Token)
	return string(code), string(level), isToken && isLevel && slices.Contains(certainties, diagnose.Certainty(level))
}

func namedRequest(line string) *diagnose.Request {
	if r, ok := logread.ParseRequest(line); ok && !strings.HasSuffix(line, "...") {
		return &r
	}
	return nil
}

// sent is a request as curl -v prints it.
type sent struct{ method, target, host string }

// pasted is an answer as a client printed it, and the request where that is there, too.
type pasted struct {
	Answer
	sent   *sent
	inHead bool // while it is read
}

var (
	verbose     = regexp.MustCompile(`(?m)^< HTTP/`) // of curl -v
	statusLine  = regexp.MustCompile(`^HTTP/[\d.]+ (\d{3})(?: |$)`)
	requestLine = regexp.MustCompile(`^([A-Za-z-]+) (\S+) HTTP/[\d.]+$`)
	fieldLine   = regexp.MustCompile(`^([!#$%&'*+.^_|~0-9A-Za-z-]+): ?(.*)$`)
)

// readPasted reads what curl -i or curl -v printed. Of several answers the last one
// counts: those before it are interim ones, redirects, or a proxy's.
func readPasted(in io.Reader) (*pasted, error) {
	data, err := io.ReadAll(io.LimitReader(in, maxRecords))
	if err != nil {
		return nil, fmt.Errorf("reading the answer from stdin: %w", err)
	}
	p := &pasted{}
	isVerbose := verbose.Match(data)
	for line := range strings.Lines(string(data)) {
		text, mark := strings.TrimRight(line, "\r\n"), byte(0)
		if isVerbose {
			text, mark = unmarked(text)
		}
		p.read(line, text, mark)
	}
	switch {
	case p.Status == 0:
		return nil, errors.New("stdin has no status line such as HTTP/1.1 405; -answer wants what curl -i prints")
	case !diagnose.Explains(p.Status):
		return nil, fmt.Errorf("the answer's status is %d: %w", p.Status, errStatus)
	}
	p.Answer = AnswerOf(p.Response)
	return p, nil
}

// read reads one line: as it is, and its text behind the mark that curl -v puts in front.
func (p *pasted) read(line, text string, mark byte) {
	status, isStatus := statusOf(text)
	switch {
	case mark == '>':
		p.readSent(text)
	case mark == '*':
	case isStatus && (mark == '<' || p.Status < http.StatusBadRequest): // else it is one of a body
		p.Response = diagnose.Response{Status: status, Header: http.Header{}}
		p.inHead = true
	case p.inHead && text == "":
		p.inHead = false
	case p.inHead:
		if m := fieldLine.FindStringSubmatch(text); m != nil {
			p.Header.Add(m[1], strings.TrimSpace(m[2]))
		}
	case p.Status != 0 && len(p.Body) < maxBody:
		p.Body = append(p.Body, line...)
	}
}

// unmarked takes off what curl -v puts in front of a line.
func unmarked(line string) (text string, mark byte) {
	if len(line) > 0 && strings.IndexByte("<>*", line[0]) >= 0 && (len(line) == 1 || line[1] == ' ') {
		return strings.TrimPrefix(line[1:], " "), line[0]
	}
	return line, 0
}

func statusOf(line string) (int, bool) {
	m := statusLine.FindStringSubmatch(line)
	if m == nil {
		return 0, false
	}
	status, err := strconv.Atoi(m[1])
	return status, err == nil
}

func (p *pasted) readSent(line string) {
	if m := requestLine.FindStringSubmatch(line); m != nil {
		p.sent = &sent{method: m[1], target: m[2]}
	} else if m := fieldLine.FindStringSubmatch(line); m != nil && p.sent != nil && strings.EqualFold(m[1], "Host") {
		p.sent.host = strings.TrimSpace(m[2])
	}
}

// asked are METHOD, PATH and Host of the request, as far as the paste has them.
func (p *pasted) asked() (words []string, host string) {
	switch {
	case p.sent != nil:
		return []string{p.sent.method, p.sent.target}, p.sent.host
	case p.Client != nil:
		return []string{p.Client.Method, logread.Asked(*p.Client).Target}, p.Client.Host
	}
	return nil, ""
}

// failure is the answer as one that a log has: with the diagnosis in its headers. Without
// one there is nothing to say where no configuration is known.
func (p *pasted) failure(asked forecast.Request) (*failure, error) {
	if p.Told == nil || p.Upstream == nil {
		return nil, errors.New("the answer has no X-Diag headers that say it all: want a configuration, -config FILE or -admin URL")
	}
	x := diagnose.Exchange{Upstream: *p.Upstream, Response: p.Response}
	x.Client = diagnose.Request{Method: asked.Method, Host: asked.Host, Scheme: asked.Scheme, Header: asked.Header}
	x.Client.Path, x.Client.Query = router.SplitTarget(asked.Target)
	return &failure{asked: asked, exchange: x, told: p.Told, pasted: true}, nil
}
