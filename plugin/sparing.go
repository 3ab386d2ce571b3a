package plugin

import (
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// Bounds of what is written about the same things.
const (
	linesEvery  = time.Second // lines about the same
	maxLines    = 100         // about different things in that time
	maxLineKeys = 1024        // that are remembered
)

// sparing lets through one line a second about the same, and counts the others for the
// next: a flood is to be seen in the log, and not to be the log. It is bounded, and its
// zero value is ready.
type sparing struct {
	now func() time.Time // nil is time.Now

	mu     sync.Mutex
	known  *simplelru.LRU[requestKey, *counted]
	begun  time.Time // of the second in which different things are counted
	things int
}

// counted is what became of the lines about one thing.
type counted struct {
	written time.Time
	left    int // since then
}

// line reports for how many lines about the same the one in question stands, itself
// included; 0 when it is not to be written. What it is about is given twice, closely and
// roughly. The rough one holds where too many different things come in a second, as
// when a client makes each of them up.
func (s *sparing) line(close, rough requestKey) (times int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = newLRU[requestKey, *counted](maxLineKeys)
	}
	now := clock(s.now)
	if now.Sub(s.begun) >= linesEvery {
		s.begun, s.things = now, 0
	}
	c, ok := s.known.Get(close)
	if ok && now.Sub(c.written) < linesEvery {
		c.left++
		return 0
	}
	if s.things++; s.things > maxLines {
		if c, ok = s.known.Get(rough); ok && now.Sub(c.written) < linesEvery {
			c.left++
			return 0
		}
		close = rough
	}
	if !ok {
		c = &counted{}
		s.known.Add(close, c)
	}
	times, c.left, c.written = c.left+1, 0, now
	return times
}

// clock is the time that a clock shows, which is the system's when there is none.
func clock(now func() time.Time) time.Time {
	if now != nil {
		return now()
	}
	return time.Now()
}
