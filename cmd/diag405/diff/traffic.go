package diff

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"diag405/cmd/diag405/cli"
	"diag405/kong/diff"
	"diag405/kong/forecast"
	"diag405/plugin/logread"
)

// traffic are the requests of logs, each once and counted.
type traffic struct {
	host    string   // of those whose line does not say it
	headers []string // that make a difference
	seen    map[string]*diff.Logged
	order   []*diff.Logged
	strange int // lines without a request
	noHost  int // requests whose line does not say the Host
}

func newTraffic(host string, headers []string) *traffic {
	return &traffic{host: host, headers: headers, seen: map[string]*diff.Logged{}}
}

// maxLine bounds a line, in bytes; of a longer one the request at its start still counts.
const maxLine = 1 << 20

// readFile reads a log, which may be gzipped; "-" is stdin.
func (t *traffic) readFile(name string, stdin io.Reader) error {
	in := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("-traffic: %w", err)
		}
		defer f.Close()
		in = f
	}
	r, err := cli.Unzipped(in)
	if err == nil {
		err = t.read(bufio.NewReaderSize(r, 64<<10))
	}
	if err != nil {
		return fmt.Errorf("-traffic %q: %w", name, err)
	}
	return nil
}

func (t *traffic) read(r *bufio.Reader) error {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(line) < maxLine {
			line = append(line, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if text := bytes.TrimSpace(line); len(text) > 0 {
			t.readLine(text)
		}
		line = line[:0]
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// readLine reads a record of kong.log.serialize or a list of them, as http-log and
// file-log write them, a line of docker's json-file around something else, or one of an
// access log.
func (t *traffic) readLine(line []byte) {
	switch line[0] {
	case '[':
		var list []record
		if json.Unmarshal(line, &list) == nil {
			for _, r := range list {
				t.addRecord(r)
			}
			return
		}
	case '{':
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			t.strange++
		} else if inner := bytes.TrimSpace([]byte(r.Log)); len(inner) > 0 {
			t.readLine(inner)
		} else {
			t.addRecord(r)
		}
		return
	}
	request, ok := requestLine(string(line))
	if !ok {
		t.strange++
		return
	}
	t.add(request)
}

// record is what is read of a line in JSON.
type record struct {
	Log     string // of docker's json-file
	Request struct {
		Method  string
		URI     string
		URL     string
		Headers map[string]any // values are strings or lists of them
	}
}

func (t *traffic) addRecord(r record) {
	request := forecast.Request{Method: r.Request.Method, Target: r.Request.URI, Scheme: "http", Header: http.Header{}}
	if u, err := url.Parse(r.Request.URL); err == nil && u.Host != "" {
		request.Scheme, request.Host = u.Scheme, u.Hostname()
	}
	for name, value := range r.Request.Headers {
		if values := texts(value); strings.EqualFold(name, "host") && len(values) > 0 {
			request.Host = values[0]
		}
		if slices.ContainsFunc(t.headers, func(h string) bool { return strings.EqualFold(h, name) }) {
			request.Header[http.CanonicalHeaderKey(name)] = texts(value)
		}
	}
	if !isRequest(request) {
		t.strange++
		return
	}
	t.add(request)
}

func texts(value any) []string {
	list, ok := value.([]any)
	if !ok {
		return []string{fmt.Sprint(value)}
	}
	var out []string
	for _, v := range list {
		out = append(out, fmt.Sprint(v))
	}
	return out
}

// requestLine finds the request line in a line of an access log: the first quoted text
// that is one, as in the combined format and what Kong makes of it.
func requestLine(line string) (forecast.Request, bool) {
	parts := strings.Split(line, `"`) // nginx writes a quote in a request as \x22
	for i := 1; i < len(parts); i += 2 {
		words := strings.Split(parts[i], " ")
		if len(words) != 3 || !strings.HasPrefix(words[2], "HTTP/") {
			continue
		}
		r := forecast.Request{Method: words[0], Target: string(logread.Unescaped([]byte(words[1]))), Scheme: "http"}
		return r, isRequest(r)
	}
	return forecast.Request{}, false
}

// isRequest: a method is letters (the registered ones, and - in some), a target begins
// with a slash or a scheme.
func isRequest(r forecast.Request) bool {
	return r.Method != "" && strings.Trim(r.Method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_") == "" &&
		(strings.HasPrefix(r.Target, "/") || strings.Contains(r.Target, "://") || r.Target == "*")
}

func (t *traffic) add(r forecast.Request) {
	if r.Host == "" {
		t.noHost++
		r.Host = t.host
	}
	key := strings.Join([]string{r.Method, r.Target, r.Host, r.Scheme, fmt.Sprint(r.Header)}, "\x00")
	l := t.seen[key]
	if l == nil {
		l = &diff.Logged{Request: r}
		t.seen[key] = l
		t.order = append(t.order, l)
	}
	l.Count++
}

// list is each request once, what was asked for most first.
func (t *traffic) list() []diff.Logged {
	var out []diff.Logged
	for _, l := range t.order {
		out = append(out, *l)
	}
	slices.SortStableFunc(out, func(a, b diff.Logged) int { return cmp.Compare(b.Count, a.Count) })
	return out
}
