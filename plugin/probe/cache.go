package probe

import (
	"context"
	"sync"
	"time"
)

// place is one path of one upstream.
type place struct {
	Upstream
	path string
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
// may start.
type cache struct {
	size int

	mu        sync.Mutex
	inquiries map[place]*inquiry
	rate      rate
}

// inquiry returns the one that is known for a place, or a new one that the caller
// has to run; nil when the rate allows none.
func (c *cache) inquiry(at place, now time.Time) (q *inquiry, isNew bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if q := c.inquiries[at]; q != nil && !q.expired(now) {
		return q, false
	}
	if !c.rate.take(now) {
		return nil, false
	}
	delete(c.inquiries, at)
	c.makeRoom(now)
	if c.inquiries == nil {
		c.inquiries = map[place]*inquiry{}
	}
	q = &inquiry{done: make(chan struct{})}
	c.inquiries[at] = q
	return q, true
}

// makeRoom drops what is expired, and when that is not enough whatever comes: at
// ten new paths a second the choice is not worth bookkeeping. What is under way
// stays, else it would be asked twice; the rate and the timeout bound it.
func (c *cache) makeRoom(now time.Time) {
	if len(c.inquiries) < c.size {
		return
	}
	for at, q := range c.inquiries {
		if q.expired(now) {
			delete(c.inquiries, at)
		}
	}
	for at, q := range c.inquiries {
		if len(c.inquiries) < c.size {
			return
		}
		if q.finished() {
			delete(c.inquiries, at)
		}
	}
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
