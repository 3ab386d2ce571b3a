package ui

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"path"
	"time"
)

// page is what is shown: a configuration, logs, or both.
type page struct {
	configuration *configuration // nil without one
	log           *watched       // nil without one
}

//go:embed page
var files embed.FS

// Bounds of what the page may ask: the size of a question, in bytes, and for how long
// it is worked on.
const (
	maxQuestion = 64 << 10
	workTime    = 30 * time.Second
)

func (p *page) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", file("index.html"))
	for _, name := range []string{"ui.css", "icon.svg", "main.js", "dom.js", "request.js", "lint.js", "log.js"} {
		mux.Handle("GET /"+name, file(name))
	}
	answers := http.NewServeMux()
	answers.HandleFunc("GET /about", answering(p.about))
	answers.HandleFunc("POST /explain", answering(p.explain))
	answers.HandleFunc("POST /lint", answering(p.lint))
	answers.HandleFunc("POST /read", answering(p.readAgain))
	mux.Handle("/", http.TimeoutHandler(answers, workTime, `{"error":"it takes too long"}`))
	mux.HandleFunc("GET /log", p.follow)
	return mux
}

// types are those of the page's files, whatever the machine thinks of them.
var types = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
}

// file serves a file of the page.
func file(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", types[path.Ext(name)])
		http.ServeFileFS(w, r, files, "page/"+name)
	}
}

// answering makes a handler of a function that answers a question in JSON. What the
// function cannot answer is an error in one line, for people.
func answering[Q, A any](answer func(r *http.Request, ask Q) (A, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var ask Q
		if r.Method == http.MethodPost {
			if status, err := readQuestion(w, r, &ask); err != nil {
				write(w, status, failure{err.Error()})
				return
			}
		}
		a, err := answer(r, ask)
		if err != nil {
			write(w, http.StatusUnprocessableEntity, failure{err.Error()})
			return
		}
		write(w, http.StatusOK, a)
	}
}

// failure is an answer that says why there is none.
type failure struct {
	Error string `json:"error"`
}

// readQuestion reads JSON, and nothing that a form of another page can send.
func readQuestion(w http.ResponseWriter, r *http.Request, into any) (status int, err error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return http.StatusUnsupportedMediaType, errors.New("want application/json")
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxQuestion))
	d.DisallowUnknownFields()
	err = d.Decode(into)
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return http.StatusRequestEntityTooLarge, fmt.Errorf("a question may have %d KB", maxQuestion>>10)
	}
	if err != nil {
		return http.StatusBadRequest, fmt.Errorf("reading the question: %w", err)
	}
	return 0, nil
}

func write(w http.ResponseWriter, status int, answer any) {
	data, err := json.Marshal(answer)
	if err != nil {
		status, data = http.StatusInternalServerError, []byte(`{"error":"the answer cannot be written"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(data)
}
