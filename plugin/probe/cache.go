package probe

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// place is one request to one upstream.
type place struct {
	Upstream
	asked
}

// inquiry is a path that is being asked or has been.
type inquiry struct {
	done chan struct{} // closed when the rest is set
	// reply is nil when there was no answer.
	reply   *reply
	expires time.Time
}

func (q *inquiry) finished() bool {
	select {
	case <-q.done:
		return true
	default:
		return false
	}
}

func (q *inquiry) failed() bool { return q.finished() && q.reply == nil }

func (q *inquiry) expired(now time.Time) bool { return q.finished() && !now.Before(q.expires) }

// wait returns the reply, nil when there was none or ctx ends before it comes.
func (q *inquiry) wait(ctx context.Context) *reply {
	if q.finished() { // an ended ctx takes nothing from what is known
		return q.reply
	}
	select {
	case <-q.done:
		return q.reply
	case <-ctx.Done():
		return nil
	}
}

// cache keeps inquiries, under way and finished, and the rate at which new ones
// may start. The one that was not asked for longest goes first. That is seldom one
// under way, since the rate and the timeout bound those; it would be asked once more.
type cache struct {
	mu        sync.Mutex
	inquiries *simplelru.LRU[place, *inquiry]
	rate      rate
}

func newCache(size, perSecond int) *cache {
	inquiries, err := simplelru.NewLRU[place, *inquiry](max(size, 1), nil)
	if err != nil {
		panic("bug: " + err.Error()) // a size that is not positive
	}
	return &cache{inquiries: inquiries, rate: rate{sent: make([]time.Time, max(perSecond, 1))}}
}

// inquiry returns the one that is known for a place, or a new one that the caller
// has to run; nil when the rate allows none.
func (c *cache) inquiry(at place, now time.Time) (q *inquiry, isNew bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if q, ok := c.inquiries.Get(at); ok && !q.expired(now) {
		return q, false
	}
	if !c.rate.take(now) {
		return nil, false
	}
	q = &inquiry{done: make(chan struct{})}
	c.inquiries.Add(at, q)
	return q, true
}

func (c *cache) finish(q *inquiry, r *reply, expires time.Time) {
	q.reply, q.expires = r, expires
	close(q.done)
}

// rate remembers when the last requests went out, a ring of as many as may go out
// in a second. Unlike with a bucket that fills, no second ever sees more.
type rate struct {
	sent   []time.Time
	oldest int
}

func (r *rate) take(now time.Time) bool {
	if last := r.sent[r.oldest]; !last.IsZero() && now.Sub(last) < time.Second {
		return false
	}
	r.sent[r.oldest] = now
	r.oldest = (r.oldest + 1) % len(r.sent)
	return true
}
