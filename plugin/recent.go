package plugin

import (
	"cmp"
	"crypto/sha256"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"diag405/kong/forecast"
	"diag405/plugin/diagnose"
)

// Bounds of what an instance remembers of the last moments.
const (
	maxRecent   = 1024             // redirects, and as many requests that were taken
	redirectFor = 10 * time.Second // a client follows at once
	takenFor    = time.Minute

	// How many answers an instance looks at in a second besides those to explain.
	takenASecond     = 5
	redirectsASecond = 20
	// How many all instances look at: of thousands each would otherwise look at nearly
	// all that it gets.
	takenByAll     = 20 * takenASecond
	redirectsByAll = 20 * redirectsASecond
)

// recent is what happened a moment ago and explains what happens now: whom a redirect
// sent where, and what an upstream took. It is bounded, and holds hashes in place of
// addresses and paths, which are people's. Its zero value is empty and ready.
type recent struct {
	now func() time.Time // nil is time.Now

	looked looked
	all    *looked // by all instances; nil is no bound

	holding   atomic.Bool // whether there is anything to recall
	mu        sync.Mutex
	redirects *simplelru.LRU[requestKey, redirect] // by who is to ask for what
	taken     *simplelru.LRU[requestKey, time.Time]
}

// looked counts answers that were looked at.
type looked struct{ redirects, others budget }

// lookedByAll counts those of all instances.
var lookedByAll looked

type redirect struct {
	diagnose.Redirect
	at time.Time
}

// budget counts what is done in a second, without a lock: every answer asks for it.
type budget struct{ second, used atomic.Int64 }

// take reports whether this is one of the first few in its second.
func (b *budget) take(now time.Time, few int64) bool {
	second := now.Unix()
	if last := b.second.Load(); last != second && b.second.CompareAndSwap(last, second) {
		b.used.Store(0)
	}
	return b.used.Load() < few && b.used.Add(1) <= few
}

// worth reports whether an answer with a status is to be looked at: few in a second
// are, so that answers which are left alone cost next to nothing.
func (r *recent) worth(status int) bool {
	return (isRedirect(status) || status >= 200 && status <= 299) && r.take(status)
}

// take reports whether an answer with a status is one of the first few in its second.
func (r *recent) take(status int) bool {
	now := r.clock()
	if isRedirect(status) {
		return r.looked.redirects.take(now, redirectsASecond) && (r.all == nil || r.all.redirects.take(now, redirectsByAll))
	}
	return r.looked.others.take(now, takenASecond) && (r.all == nil || r.all.others.take(now, takenByAll))
}

// teaches reports whether a record is to be looked at, few in a second. There every
// status tells something: of the target that gave it.
func (r *recent) teaches(status int) bool { return r.take(status) }

// holds reports whether there is anything to recall.
func (r *recent) holds() bool { return r.holding.Load() }

// isRedirect reports the redirects that clients follow with GET (RFC 9110 sections
// 15.4.2 to 15.4.4).
func isRedirect(status int) bool {
	return status == http.StatusMovedPermanently || status == http.StatusFound || status == http.StatusSeeOther
}

// note remembers what became of a request that writes. The client is known by its
// address.
func (r *recent) note(address string, x diagnose.Exchange) {
	if !forecast.Writes(x.Client.Method) {
		return
	}
	status := x.Response.Status
	r.mu.Lock()
	defer r.mu.Unlock()
	r.makeReady()
	switch {
	case isRedirect(status):
		if to, ok := destination(x); ok {
			r.redirects.Add(askKey(address, to), redirect{diagnose.Redirect{Method: x.Client.Method, Status: status}, r.clock()})
		}
	case status >= 200 && status < 300 && x.Service != nil:
		r.taken.Add(takenKey(x, x.Upstream.Line()), r.clock())
	}
}

// recall adds what is known of a refused request to what its upstream is known to
// offer.
func (r *recent) recall(address string, x diagnose.Exchange, seen *diagnose.Offers) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.redirects == nil {
		return
	}
	now := r.clock()
	if to, ok := r.redirects.Get(askKey(address, place{x.Client.Host, x.Client.Path})); ok && now.Sub(to.at) < redirectFor {
		seen.Redirected = &to.Redirect
	}
	if x.Service == nil || r.taken.Len() == 0 {
		return
	}
	for _, path := range diagnose.Candidates(x) {
		line := diagnose.Line{Method: x.Upstream.Method, Path: path}
		if at, ok := r.taken.Get(takenKey(x, line)); ok && now.Sub(at) < takenFor {
			seen.Add(line)
		}
	}
}

func (r *recent) makeReady() {
	if r.redirects == nil {
		r.holding.Store(true)
		r.redirects, r.taken = newLRU[requestKey, redirect](maxRecent), newLRU[requestKey, time.Time](maxRecent)
	}
}

func (r *recent) clock() time.Time { return clock(r.now) }

// place is a URL as far as a redirect is followed by it: http and https are the
// same, with whatever port.
type place struct{ host, path string }

// destination is where an answer sends its client. ok is false for an answer that
// sends it nowhere.
func destination(x diagnose.Exchange) (to place, ok bool) {
	location := x.Response.Header.Get("Location")
	base := &url.URL{Scheme: "http", Host: x.Client.Host, Path: "/"}
	if p, err := url.Parse(x.Client.Path); err == nil {
		base = base.ResolveReference(p)
	}
	u, err := url.Parse(location)
	if location == "" || err != nil {
		return place{}, false
	}
	u = base.ResolveReference(u)
	return place{u.Host, cmp.Or(u.EscapedPath(), "/")}, true
}

// askKey stands for a client that asks for something.
func askKey(address string, at place) requestKey {
	host := strings.ToLower(at.host)
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return hashed(address, host, at.path)
}

func takenKey(x diagnose.Exchange, l diagnose.Line) requestKey {
	return hashed(x.Service.ID, l.Method, l.Path)
}

// hashed is the key of texts that are not to be kept.
func hashed(texts ...string) requestKey { return sha256.Sum256([]byte(strings.Join(texts, "\x00"))) }
