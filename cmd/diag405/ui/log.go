package ui

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"diag405/cmd/diag405/cli"
	"diag405/cmd/diag405/report"
	"diag405/plugin/logread"
)

// watched are logs that are followed, counted as report counts them.
type watched struct {
	files   []string
	streams chan struct{} // a place for each page that looks

	mu      sync.Mutex
	scanner *logread.Scanner
	table   *logread.Aggregate
	problem string        // why nothing more comes
	news    chan struct{} // closed when there is something new
}

// Bounds: of the groups that are sent, the pages that look at once, how often each is
// told, and how long a page may take to be told.
const (
	maxGroups  = 100
	maxStreams = 16
	tellEvery  = 250 * time.Millisecond
	pulse      = 15 * time.Second // so that a page that went away is noticed
	tellTime   = 10 * time.Second
)

// watch gets logs ready to be followed, and returns what follows them.
func (p *page) watch(names []string, std cli.Streams) (follow func(context.Context), err error) {
	if len(names) == 0 {
		return func(context.Context) {}, nil
	}
	var known logread.Options
	if p.configuration != nil {
		known.Config = p.configuration.base.Config
	}
	judge, err := logread.NewJudge(known)
	if err != nil {
		return nil, err
	}
	w := newWatched(names, judge)
	p.log = w
	read, err := report.Watch(names, std, w.add)
	return func(ctx context.Context) {
		if err := read(ctx); err != nil {
			w.stopped(err)
		}
	}, err
}

// newWatched counts what a judge finds, too: the configuration tells of requests in an
// access log what became of them.
func newWatched(names []string, judge *logread.Judge) *watched {
	return &watched{
		files: names, streams: make(chan struct{}, maxStreams), news: make(chan struct{}),
		scanner: logread.NewScanner(judge), table: logread.NewAggregate(time.Time{}, time.Local),
	}
}

// add counts a line.
func (w *watched) add(line []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.table.Add(w.scanner.Scan(line))) > 0 {
		w.tell()
	}
}

func (w *watched) stopped(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.problem = err.Error()
	w.tell()
}

// tell wakes those who wait for news.
func (w *watched) tell() {
	close(w.news)
	w.news = make(chan struct{})
}

// counted is what the logs hold so far.
type counted struct {
	Lines     int                  `json:"lines"`
	Diagnoses int                  `json:"diagnoses"`
	Causes    []logread.CauseCount `json:"causes"`
	Groups    []group              `json:"groups"` // the most frequent, in report's order
	Total     int                  `json:"total"`  // how many groups there are
	Problem   string               `json:"problem,omitempty"`
}

// group is a group, and the change that its fix is where the page can try it.
type group struct {
	logread.Group
	// Key tells groups apart from one time to the next.
	Key string `json:"key"`
}

// now is what the logs hold, and what is closed when that is out of date.
func (w *watched) now() (counted, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.table.Summary()
	c := counted{
		Lines: s.Lines, Diagnoses: s.Failures, Causes: s.Causes,
		Groups: []group{}, Total: len(s.Groups), Problem: w.problem,
	}
	for _, g := range s.Groups[:min(len(s.Groups), maxGroups)] {
		c.Groups = append(c.Groups, group{g, g.Cause + "\n" + g.Route + "\n" + g.Upstream})
	}
	return c, w.news
}

// follow sends the page what the logs hold whenever that changes, as events (the HTML
// standard's server-sent events).
func (p *page) follow(rw http.ResponseWriter, r *http.Request) {
	if p.log == nil {
		http.Error(rw, "diag405 ui was started without a -log", http.StatusNotFound)
		return
	}
	select {
	case p.log.streams <- struct{}{}:
		defer func() { <-p.log.streams }()
	default:
		http.Error(rw, "too many pages look at the log", http.StatusServiceUnavailable)
		return
	}
	rw.Header().Set("Content-Type", "text/event-stream")
	// The time for reading a request would end this one, too.
	_ = http.NewResponseController(rw).SetReadDeadline(time.Time{})
	p.log.stream(r.Context(), rw)
}

// stream tells until the page goes away or the command ends.
func (w *watched) stream(ctx context.Context, rw http.ResponseWriter) {
	for {
		c, news := w.now()
		if err := event(rw, c); err != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(tellEvery): // what comes at once is told at once
		}
		select {
		case <-ctx.Done():
			return
		case <-news:
		case <-time.After(pulse):
		}
	}
}

// event sends one event, and gives the page some time to take it.
func event(rw http.ResponseWriter, c counted) error {
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	out := http.NewResponseController(rw)
	if err := out.SetWriteDeadline(time.Now().Add(tellTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := fmt.Fprintf(rw, "data: %s\n\n", data); err != nil {
		return err
	}
	return out.Flush()
}
