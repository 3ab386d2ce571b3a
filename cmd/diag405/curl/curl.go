// Package curl reads a curl command as people paste it: what request it sends, and
// where to. It sends nothing.
//
//	curl -X POST http://localhost:8000/items -d '{}'
//	   → POST /items, Host: localhost:8000, Content-Type: application/x-www-form-urlencoded
//
// Every option of curl's has one of four fates: it is done, it only concerns what curl
// prints and is passed over, it is left out and that is noted, or the command is refused,
// where the request would be another one without it.
package curl

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"diag405/kong/forecast"
)

// Request is what a curl command sends.
type Request struct {
	Method string
	URL    URL
	Host   string // the Host header
	Header http.Header
	Body   []byte

	Insecure bool              // -k
	Connect  map[string]string // host:port to what to connect to instead: --resolve, --connect-to
	Proxy    string            // the URL of -x; "" is the environment's
	Timeout  time.Duration     // --max-time; 0 is none
	Dial     time.Duration     // --connect-timeout; 0 is none

	// Notes are what curl would do and the request does not have, a clause each.
	Notes []string
}

// Asked is the request as Kong gets it.
func (r *Request) Asked() forecast.Request {
	return forecast.Request{Method: r.Method, Target: r.URL.Target, Host: r.Host, Scheme: r.URL.Scheme, Header: r.Header.Clone(), Body: r.Body}
}

// URL is where a request goes to, taken apart without decoding anything.
type URL struct {
	Scheme  string // http or https
	Address string // host, and port where it is named
	Target  string // path and query, as they go into the request line
}

// String is the URL in one piece.
func (u URL) String() string { return u.Scheme + "://" + u.Address + u.Target }

// IsCommand reports words that are a curl command: curl and its arguments, or a whole
// command in one word.
func IsCommand(words []string) bool {
	if len(words) == 0 {
		return false
	}
	first, _, _ := strings.Cut(strings.TrimSpace(prompt.ReplaceAllString(words[0], "")), " ")
	return isCurl(first)
}

func isCurl(word string) bool {
	name := word[strings.LastIndexAny(word, `/\`)+1:]
	return name == "curl" || name == "curl.exe"
}

// Parse reads the arguments of a curl command, or with curl in front the command, or the
// command in one word, quoted as for a shell. Stdin is what - stands for in a file's
// place. An error says what is wrong, or what only curl itself can do.
func Parse(args []string, stdin io.Reader) (*Request, error) {
	if IsCommand(args) {
		if len(args) == 1 {
			words, err := split(args[0])
			if err != nil {
				return nil, fmt.Errorf("reading the curl command: %w", err)
			}
			args = words
		}
		args = args[1:]
	}
	r := &reader{stdin: stdin, header: http.Header{}, resolve: map[string]string{}}
	if err := r.read(args); err != nil {
		return nil, err
	}
	return r.request()
}

// reader is a command that is being read.
type reader struct {
	stdin            io.Reader
	urls             []string
	method           string
	head, get, raw   bool // -I, -G, --path-as-is
	insecure         bool
	header           http.Header
	removed          []string // headers that curl is told not to send
	data             []string // of -d and its like
	isData, isJSON   bool
	form             []string // of -F
	upload           []byte   // of -T
	isUpload         bool
	resolve          map[string]string
	proxy            string
	timeout, connect time.Duration
	notes            []string
}

// read goes through the arguments as curl does: short options stand together, and the
// value of the last stands behind it or comes next.
func (r *reader) read(args []string) error {
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		var err error
		switch {
		case strings.HasPrefix(word, "--") && word != "--":
			args, err = r.long(word, args)
		case strings.HasPrefix(word, "-") && word != "-" && word != "--":
			args, err = r.short(word[1:], args)
		case word != "--":
			r.urls = append(r.urls, word)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) long(word string, args []string) ([]string, error) {
	name := word[2:]
	o, known := byLong[name]
	if !known {
		if positive, isNo := strings.CutPrefix(name, "no-"); isNo && byLong[positive].do == nil && byLong[positive].long != "" {
			return args, nil // it takes back what is passed over anyway
		}
		return nil, fmt.Errorf("curl's %s is not known here; leave it out, or send the request with curl and paste the answer to diag405 explain -answer", word)
	}
	return r.option(o, word, "", args)
}

func (r *reader) short(letters string, args []string) ([]string, error) {
	for letters != "" {
		o, known := byShort[letters[0]]
		word := "-" + letters[:1]
		letters = letters[1:]
		if !known {
			return nil, fmt.Errorf("curl's %s is not known here; leave it out, or send the request with curl and paste the answer to diag405 explain -answer", word)
		}
		if o.value {
			return r.option(o, word, letters, args)
		}
		if _, err := r.option(o, word, "", nil); err != nil {
			return nil, err
		}
	}
	return args, nil
}

// option takes one option, with the value that stands behind it in the same word, or the
// next word. It returns the arguments that are left.
func (r *reader) option(o option, word, value string, args []string) ([]string, error) {
	if o.value && value == "" {
		if len(args) == 0 {
			return nil, fmt.Errorf("curl's %s needs a value", word)
		}
		value, args = args[0], args[1:]
	}
	if o.note != "" {
		r.note(word + ": " + o.note)
	}
	if o.do == nil {
		return args, nil
	}
	if err := o.do(r, value); err != nil {
		return nil, fmt.Errorf("curl's %s %q: %w", word, value, err)
	}
	return args, nil
}

func (r *reader) note(words string) {
	if !slices.Contains(r.notes, words) {
		r.notes = append(r.notes, words)
	}
}

// request is what all of it comes to.
func (r *reader) request() (*Request, error) {
	if len(r.urls) != 1 {
		return nil, fmt.Errorf("want one URL, got %q", r.urls)
	}
	u, credentials, err := parseURL(r.urls[0], r.raw)
	if err != nil {
		return nil, err
	}
	if credentials != "" && r.header.Get("Authorization") == "" {
		r.header.Set("Authorization", credentials)
	}
	body, kind, err := r.body(&u)
	if err != nil {
		return nil, err
	}
	r.byDefault("User-Agent", userAgent)
	if r.isJSON {
		r.byDefault("Accept", "application/json")
	}
	r.byDefault("Accept", "*/*")
	r.byDefault("Content-Type", kind)
	out := &Request{
		Method: cmp.Or(r.method, r.usualMethod(body != nil)), URL: u, Host: cmp.Or(r.header.Get("Host"), u.Address), Header: r.header, Body: body,
		Insecure: r.insecure, Connect: r.resolve, Proxy: r.proxy, Timeout: r.timeout, Dial: r.connect, Notes: r.notes,
	}
	out.Header.Del("Host")
	return out, out.check()
}

// check refuses what no request can carry, wherever it comes from.
func (r *Request) check() error {
	if strings.ContainsFunc(r.URL.Target, unfit) {
		return fmt.Errorf("the request's target %q has white space, which no request line can carry", r.URL.Target)
	}
	for name, values := range r.Header {
		if !isToken(name) || slices.ContainsFunc(values, func(v string) bool { return strings.ContainsAny(v, "\r\n\x00") }) {
			return fmt.Errorf("%q is no header that can be sent", name+": "+strings.Join(values, ", "))
		}
	}
	return nil
}

// unfit reports what a request line cannot carry.
func unfit(c rune) bool { return c <= ' ' || c == 0x7f }

// isToken reports what a method or a header's name can be (RFC 9110 section 5.6.2).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool { return unfit(c) || c > 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, c) })
}

// userAgent is a curl's, for what goes by that, and says who it is.
const userAgent = "curl/8 diag405"

// byDefault sets a header that curl sends by itself.
func (r *reader) byDefault(name, value string) {
	if _, isSet := r.header[name]; !isSet && value != "" && !slices.Contains(r.removed, name) {
		r.header.Set(name, value)
	}
}

func (r *reader) usualMethod(hasBody bool) string {
	switch {
	case r.head:
		return http.MethodHead
	case r.isUpload:
		return http.MethodPut
	case hasBody:
		return http.MethodPost
	}
	return http.MethodGet
}
