package probe

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"net"
	"net/http"
	"slices"
	"time"

	"diag405/plugin/diagnose"
)

const (
	// maxPaths is how many paths one Ask is about: the one that was refused and four
	// candidates.
	maxPaths = 5

	// MaxRequests is how many requests one Ask sends at most: OPTIONS for each path
	// and for one beside each that cannot exist. With Question.Safe it is eight more,
	// as the candidates are asked for the method itself, too.
	MaxRequests = 2 * maxPaths

	// GuardHeader marks a probe, with the secret of the process that sends it. A request
	// with its own secret is not answered with probes: a gateway whose upstream is the
	// same gateway would ask itself for ever.
	GuardHeader = "X-Diag-Probe"

	// failedFor is how long a path that gave no answer is left alone. An upstream
	// that drops OPTIONS delays one 405 in that time by the timeout, not each.
	failedFor = 10 * time.Second
)

// Upstream is what a service's requests go to.
type Upstream struct {
	Scheme string // http or https; anything else is never asked
	// Address is the host:port to connect to. It must be the service's own, from the
	// gateway's configuration: an address out of a request would let clients choose
	// whom the gateway talks to.
	Address string
	// Host is the Host header, and without its port the name asked for in TLS: nginx
	// sends $upstream_host as both.
	Host string
}

// Options are settings of a [Prober]. A zero field means its default.
type Options struct {
	Timeout   time.Duration // for all paths of an Ask together, default 300 ms
	PerSecond int           // requests in any second to each upstream address, default 10
	InAll     int           // requests in any second to all of them, default ten times as many
	CacheFor  time.Duration // how long an answer is used, default one minute
	CacheSize int           // answers that are kept, default 1024

	// Dial connects to an upstream, by default over TCP with the system's resolver.
	// It must return when ctx ends.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Now is the clock of the cache and of the rate, by default time.Now. Timeouts
	// run by the real one.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	o.Timeout = cmp.Or(o.Timeout, 300*time.Millisecond)
	o.PerSecond = cmp.Or(o.PerSecond, 10)
	o.InAll = cmp.Or(o.InAll, 10*o.PerSecond)
	o.CacheFor = cmp.Or(o.CacheFor, time.Minute)
	o.CacheSize = cmp.Or(o.CacheSize, 1024)
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Prober asks upstreams. It is safe for concurrent use, needs no closing, and is
// meant to be one for the process, as its limits hold for all who share it.
type Prober struct {
	options Options
	cache   *cache
	secret  string // in [GuardHeader]
}

// New returns a Prober that has asked nobody yet.
func New(o Options) *Prober {
	o = o.withDefaults()
	return &Prober{options: o, cache: newCache(o), secret: rand.Text()}
}

// Marked reports whether a request bears the mark of a probe, and whether the probe is
// this Prober's own, which no probe is to follow. What another one marked may be a
// client's invention, or come from a gateway that this one asks, so it is for
// [Question.Marked].
func (p *Prober) Marked(h http.Header) (marked, own bool) {
	values := h.Values(GuardHeader)
	for _, v := range values {
		// All are compared, each in a time that does not tell how much of it is right.
		own = subtle.ConstantTimeCompare([]byte(v), []byte(p.secret)) == 1 || own
	}
	return len(values) > 0, own
}

// Question is what one wants to know of an upstream.
type Question struct {
	// Refused is the request that the upstream just answered with Status. Its path is
	// asked too.
	Refused diagnose.Line
	Status  int // 405 or 404; 0 is 405
	// Paths as they go on the wire, without a query, the most telling first. Of more
	// than four the rest is not asked, and neither are those that cannot be sent as
	// they are, with a space or a control byte say.
	Paths []string
	// Base is the service's path. Nothing outside of it is asked.
	Base string
	// Safe allows HEAD and GET besides OPTIONS where one of them was refused: they
	// only read (RFC 9110 section 9.2.1).
	Safe bool
	// Share is what the question is charged to: of the requests that an upstream may get
	// in a second, half at most are for one share. So a client that floods one path leaves
	// something to the others.
	Share string
	// Marked is for a request that another Prober may have sent: all of those together
	// are one question a second, so that gateways which ask each other come to an end.
	Marked bool
	// Scope keeps answers apart: a question gets only those to questions of the same.
	Scope uint64
	// Sent is told of each request that was sent for the question, and whether it was
	// answered, by many at once; nil is nobody. It must not panic.
	Sent func(answered bool)
}

// asked is one request of a question.
type asked struct{ method, path string }

// Ask says what the upstream takes at the paths, of which only those are in the
// result that answered.
//
// Ask returns after Options.Timeout at the latest, or when ctx ends, with what is
// known by then; a deadline of ctx shortens the timeout. A path that somebody else
// is asking already is waited for, not asked again. What has not answered by its
// deadline is left alone for ten seconds. When the rate is used up paths remain
// unknown; nothing waits for its turn.
func (p *Prober) Ask(ctx context.Context, u Upstream, q Question) map[string]Answer {
	if !u.valid() {
		return nil
	}
	requests := q.requests()
	if len(requests) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, p.options.Timeout)
	defer cancel()
	return judge(q, collect(ctx, p.start(ctx, u, q, requests)))
}

// requests are those that a question asks, each once: behind each path the one
// beside it that tells what its answer is worth.
func (q Question) requests() []asked {
	var list []asked
	add := func(method, path string) {
		if at := (asked{method, path}); validPath(path) && !slices.Contains(list, at) {
			list = append(list, at)
		}
	}
	for _, path := range q.choose() {
		beside, ok := control(path, q.Base)
		if !ok {
			continue
		}
		for _, method := range q.methods(path) {
			add(method, beside)
			add(method, path)
		}
	}
	return list
}

// methods are those to ask a path with. What the refused path says to its own method
// is known.
func (q Question) methods(path string) []string {
	m := q.Refused.Method
	if q.Safe && path != q.Refused.Path && (m == http.MethodGet || m == http.MethodHead) {
		return []string{http.MethodOptions, m}
	}
	return []string{http.MethodOptions}
}

// choose keeps the paths that can be sent, each once, in order, the refused one
// first.
func (q Question) choose() []string {
	var chosen []string
	for _, path := range append([]string{q.Refused.Path}, q.Paths...) {
		if len(chosen) == maxPaths {
			break
		}
		if validPath(path) && below(path, q.Base) && !isControl(path) && !slices.Contains(chosen, path) {
			chosen = append(chosen, path)
		}
	}
	return chosen
}

// start sees to it that each request has been answered or is under way. Where the
// first path beside another gave no answer just now, the others would be worth
// nothing, so the upstream is left alone.
func (p *Prober) start(ctx context.Context, u Upstream, q Question, requests []asked) map[asked]*inquiry {
	started := map[asked]*inquiry{}
	for i, at := range requests {
		inquiry := p.inquire(ctx, place{u, at, q.Scope}, q)
		if i == 0 && (inquiry == nil || inquiry.failed()) {
			return nil
		}
		if inquiry != nil {
			started[at] = inquiry
		}
	}
	return started
}

// inquire returns the inquiry for a place and starts it when there is none; nil
// when that would be more than the rates allow.
func (p *Prober) inquire(ctx context.Context, at place, of Question) *inquiry {
	deadline, _ := ctx.Deadline() // Ask has set one
	q, isNew := p.cache.inquiry(at, time.Until(deadline), of.charge(), p.options.Now())
	if isNew {
		go p.answer(ctx, at, q, of.Sent)
	}
	return q
}

// answer runs an inquiry to its end. Others may have come to wait for it, so it
// has the time of the caller who began it, and goes on when that one gives up.
func (p *Prober) answer(caller context.Context, at place, q *inquiry, sent func(answered bool)) {
	deadline, _ := caller.Deadline() // Ask has set one
	ctx, cancel := context.WithDeadline(context.WithoutCancel(caller), deadline)
	defer cancel()
	var r *reply
	defer func() {
		// What an upstream sends must never end the plugin server, and a panic in a
		// goroutine would.
		if recover() != nil {
			r = nil
		}
		if sent != nil {
			sent(r != nil)
		}
		p.cache.finish(q, r, p.options.Now().Add(p.keep(r)))
	}()
	r, _ = p.exchange(ctx, at) // why there is no answer makes no difference
}

func (p *Prober) keep(r *reply) time.Duration {
	if r == nil {
		return min(failedFor, p.options.CacheFor)
	}
	return p.options.CacheFor
}

// collect waits for the answers, and leaves out those that do not come in time.
func collect(ctx context.Context, started map[asked]*inquiry) map[asked]*reply {
	replies := map[asked]*reply{}
	for at, q := range started {
		if r := q.wait(ctx); r != nil {
			replies[at] = r
		}
	}
	return replies
}
