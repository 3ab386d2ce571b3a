package probe

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// place is one request to one upstream, for those who share answers.
type place struct {
	Upstream
	asked
	scope uint64
}

// inquiry is a path that is being asked or has been.
type inquiry struct {
	done chan struct{} // closed when the rest is set
	// reply is nil when there was no answer.
	reply   *reply
	expires time.Time
	// timeout is what it had. Who has twice the time learns nothing from its failure.
	timeout time.Duration
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

// cache keeps inquiries, under way and finished, and the rates at which new ones
// may start. The one that was not asked for longest goes first. That is seldom one
// under way, since the rates and the timeout bound those; it would be asked once more.
type cache struct {
	mu        sync.Mutex
	inquiries *simplelru.LRU[place, *inquiry]
	rates     rates
	running   int
}

func newCache(o Options) *cache {
	return &cache{inquiries: newLRU[place, *inquiry](max(o.CacheSize, 1)), rates: newRates(o)}
}

func newLRU[K comparable, V any](size int) *simplelru.LRU[K, V] {
	l, err := simplelru.NewLRU[K, V](size, nil)
	if err != nil {
		panic("bug: " + err.Error()) // a size that is not positive
	}
	return l
}

// inquiry returns the one that is known for a place, or a new one that the caller
// has to run; nil when the rates allow none.
func (c *cache) inquiry(at place, timeout time.Duration, by charge, now time.Time) (q *inquiry, isNew bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if q, ok := c.inquiries.Get(at); ok && !q.expired(now) && !(q.failed() && 2*q.timeout <= timeout) {
		return q, false
	}
	if c.running >= maxRunning || !c.rates.take(at.Address, by, now) {
		return nil, false
	}
	c.running++
	q = &inquiry{done: make(chan struct{}), timeout: timeout}
	c.inquiries.Add(at, q)
	return q, true
}

func (c *cache) finish(q *inquiry, r *reply, expires time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running--
	q.reply, q.expires = r, expires
	close(q.done)
}
