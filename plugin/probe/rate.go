package probe

import (
	"hash/maphash"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const (
	// maxEach is how many requests a question is at most: OPTIONS for each path and
	// each control, and where HEAD or GET is asked too, that for all but the refused one.
	maxEach = MaxRequests + 2*(maxPaths-1)

	// maxUpstreams bounds of how many upstreams it is remembered how much they were asked.
	maxUpstreams = 1024

	// maxRunning bounds how many requests are under way, whatever their timeout.
	maxRunning = 512
)

// charge is what a request is counted for.
type charge struct {
	share  uint64 // a hash: it may be long
	marked bool
}

func (q Question) charge() charge { return charge{maphash.String(seed, q.Share), q.Marked} }

var seed = maphash.MakeSeed()

// rates are how much may be asked in a second: of all upstreams, of each, for one share
// of each, and of all for requests that bear the mark of a probe which is not this
// process's. They are the process's: how many routes an upstream has is nothing to it.
type rates struct {
	each, share int
	all, marked *rate
	byAddress   *simplelru.LRU[string, *rate]
}

func newRates(o Options) rates {
	return rates{
		each: o.PerSecond, share: max(o.PerSecond/2, maxEach),
		all: newRate(o.InAll), marked: newRate(maxEach),
		byAddress: newLRU[string, *rate](maxUpstreams),
	}
}

// take takes one request to an address off what may be asked, if there is one left.
func (r *rates) take(address string, by charge, now time.Time) bool {
	upstream, ok := r.byAddress.Get(address)
	if !ok {
		upstream = newRate(r.each)
		r.byAddress.Add(address, upstream)
	}
	if !r.all.left(now) || !upstream.left(now) || upstream.of(by.share, now) >= r.share || by.marked && !r.marked.left(now) {
		return false
	}
	r.all.note(by.share, now)
	upstream.note(by.share, now)
	if by.marked {
		r.marked.note(by.share, now)
	}
	return true
}

// rate remembers when the last requests went out and for which share, a ring of as
// many as may go out in a second. Unlike with a bucket that fills, no second ever sees
// more.
type rate struct {
	sent   []sent
	oldest int
}

type sent struct {
	at    time.Time
	share uint64
}

func newRate(perSecond int) *rate { return &rate{sent: make([]sent, max(perSecond, 1))} }

// left reports whether one more may go out.
func (r *rate) left(now time.Time) bool { return !r.sent[r.oldest].within(now) }

// of is how many of the last second were for a share.
func (r *rate) of(share uint64, now time.Time) int {
	n := 0
	for _, s := range r.sent {
		if s.share == share && s.within(now) {
			n++
		}
	}
	return n
}

func (r *rate) note(share uint64, now time.Time) {
	r.sent[r.oldest] = sent{now, share}
	r.oldest = (r.oldest + 1) % len(r.sent)
}

func (s sent) within(now time.Time) bool { return !s.at.IsZero() && now.Sub(s.at) < time.Second }
