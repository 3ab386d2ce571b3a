package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
)

// application is a framework with the same small API as the others, as it was
// measured: an object of answers.jsonl.
type application struct {
	App     string   `json:"app"`
	Version string   `json:"version"`
	Slash   string   `json:"slash"` // what the framework's own paths end with
	Answers []answer `json:"answers"`

	measured map[question]*answer
}

// answer is one distinct answer of an application, with the requests that got it.
type answer struct {
	Requests [][]string  `json:"requests"` // method, path and perhaps a variant
	Status   int         `json:"status"`
	Headers  http.Header `json:"headers"`
	Body     string      `json:"body"` // its first 300 bytes
}

// question is a request that was measured.
type question struct{ method, path, variant string }

// UnmarshalJSON reads an application and indexes its answers by request.
func (a *application) UnmarshalJSON(data []byte) error {
	type plain application
	if err := json.Unmarshal(data, (*plain)(a)); err != nil {
		return err
	}
	if a.App == "" {
		return errors.New("an application without a name (app)")
	}
	a.measured = map[question]*answer{}
	for i := range a.Answers {
		if s := a.Answers[i].Status; s < 200 || s > 599 {
			return fmt.Errorf("application %q: %d is no status of an answer", a.App, s)
		}
		a.Answers[i].Headers = canonical(a.Answers[i].Headers)
		for _, r := range a.Answers[i].Requests {
			if len(r) < 2 || len(r) > 3 {
				return fmt.Errorf("application %q: request %q is not method, path and perhaps a variant", a.App, r)
			}
			q := question{method: r[0], path: r[1]}
			if len(r) == 3 {
				q.variant = r[2]
			}
			a.measured[q] = &a.Answers[i]
		}
	}
	return nil
}

// canonical spells the names of headers as Go looks them up; Kong passes them on in
// its own spelling in any case.
func canonical(h http.Header) http.Header {
	out := make(http.Header, len(h))
	for name, values := range h {
		key := http.CanonicalHeaderKey(name)
		out[key] = append(out[key], values...)
	}
	return out
}

// hasAPI reports whether the application offers the API that the set-ups are made
// for. A file server or an RPC server has something else.
func (a *application) hasAPI() bool {
	r := a.measured[question{http.MethodPost, "/api/v1/orders" + a.Slash, ""}]
	return r != nil && handled(r.Status)
}

// handled reports whether a status is the answer of a handler, whatever it thinks
// of the request.
func handled(status int) bool {
	return status > 0 && status < 500 && status != http.StatusNotFound && status != http.StatusMethodNotAllowed
}

// answer is what the application says to a request, nil when nothing comparable
// was measured.
func (a *application) answer(method, target string, header http.Header) *answer {
	for _, path := range standIns(target) {
		for _, variant := range variants(method, header) {
			if r := a.measured[question{method, path, variant}]; r != nil {
				return r
			}
		}
	}
	return nil
}

// standIns are the paths whose answer stands for that of a target, the target
// itself first: another order for an order, another path below /api/v1/ for one
// that is not there, and anything else for a path that is nowhere.
func standIns(target string) []string {
	path, _, _ := strings.Cut(target, "?")
	slash := ""
	if strings.HasSuffix(path, "/") {
		slash = "/"
	}
	paths := []string{target, path}
	if rest, ok := strings.CutPrefix(strings.TrimSuffix(path, "/"), "/api/v1/"); ok {
		segments := strings.Split(rest, "/")
		switch {
		case segments[0] == "orders" && len(segments) == 2:
			paths = append(paths, "/api/v1/orders/42"+slash)
		case segments[0] == "orders" && len(segments) == 3 && segments[2] == "cancel":
			paths = append(paths, "/api/v1/orders/42/cancel"+slash)
		}
		paths = append(paths, "/api/v1/nope"+slash, "/api/v1/nope")
	}
	return append(paths, "/nope"+slash, "/nope")
}

// variants are the forms of a request that were measured apart and fit it, the
// narrowest first.
func variants(method string, header http.Header) []string {
	var list []string
	if method == http.MethodOptions && header.Get("Origin") != "" && header.Get("Access-Control-Request-Method") != "" {
		list = append(list, "preflight")
	}
	for _, name := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
		if header.Get(name) != "" {
			list = append(list, "override:"+name)
		}
	}
	if accept := header.Get("Accept"); accept != "" {
		list = append(list, "accept:"+accept)
	}
	return append(list, "")
}

// ServeHTTP answers as the application did.
func (a *application) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	got := a.answer(r.Method, r.RequestURI, r.Header)
	if got == nil {
		http.Error(w, "not measured", http.StatusNotImplemented)
		return
	}
	maps.Copy(w.Header(), got.headersFor(r.Host))
	w.Header()["Date"] = nil // it was left out of what was measured
	if _, typed := got.Headers["Content-Type"]; !typed {
		w.Header()["Content-Type"] = nil
	}
	w.WriteHeader(got.Status)
	if got.Body != "" && bodyAllowed(r.Method, got.Status) {
		_, _ = w.Write([]byte(got.Body))
	}
}

// headersFor are the answer's headers to a request for a Host. An application that
// sends an absolute Location makes it from that Host; the one on which it was measured
// is gone.
func (a *answer) headersFor(host string) http.Header {
	u, err := url.Parse(a.Headers.Get("Location"))
	if err != nil || u.Host == "" {
		return a.Headers
	}
	u.Host = host
	headers := a.Headers.Clone()
	headers.Set("Location", u.String())
	return headers
}

// bodyAllowed reports whether an answer may have a body (RFC 9110 sections 9.3.2,
// 15.3.5 and 15.4.5).
func bodyAllowed(method string, status int) bool {
	return method != http.MethodHead && status != http.StatusNoContent && status != http.StatusNotModified
}
