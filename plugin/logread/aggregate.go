package logread

import (
	"bytes"
	"strings"
	"time"
)

// maxGroups bounds the groups that an [Aggregate] keeps apart.
const maxGroups = 10_000

// Other stands for the upstream's paths of all groups beyond the bound, and beyond twice
// the bound for the routes and causes as well.
const Other = "(other)"

// Aggregate counts the failures of logs in bounded memory. It is not safe for concurrent
// use.
type Aggregate struct {
	lines, access, cut, again, earlier, timeless int

	since    int64 // what failed before is left out
	zone     *time.Location
	tallies  []*tally
	byKey    map[string]*tally
	limit    int
	seen     seen
	timeline timeline
	unnamed  map[string]*[2]int // see tally.settle, by the client's request
}

// NewAggregate returns an Aggregate that has seen nothing. Since is the time before which failures are left out, its zero value for none. Times
// are printed in zone.
func NewAggregate(since time.Time, zone *time.Location) *Aggregate {
	a := &Aggregate{byKey: map[string]*tally{}, limit: maxGroups, zone: zone, unnamed: map[string]*[2]int{}}
	if !since.IsZero() {
		a.since = since.Unix()
	}
	return a
}

// tally is a group that is being counted.
type tally struct {
	number      int32
	shape       *shape
	counts      [3]int // by source
	logged      int    // those of diag405-log among its own
	twice       int    // requests that both plugins told of
	flooded     bool   // a line stands for several
	first, last int64
	example     Failure // of the source that knows most, the first
}

// Add counts what a block tells. It returns the failures that were not counted before.
func (a *Aggregate) Add(b *Block) (news []Failure) {
	a.lines += b.Lines
	a.access += b.Access
	a.cut += b.Cut
	for _, f := range b.Failures {
		if a.count(f) {
			news = append(news, f)
		}
	}
	return news
}

// count counts a failure, and reports whether its request was not counted before.
func (a *Aggregate) count(f Failure) bool {
	if a.since > 0 && f.time < a.since {
		if a.earlier++; f.time == 0 {
			a.timeless++
		}
		return false
	}
	known, again := a.before(f.id)
	if again {
		a.again++
		if !a.recount(known, &f) {
			return false
		}
	}
	t := a.tally(f.group)
	if f.id != 0 {
		a.seen.put(f.id, counted{t.number, int8(f.from.rank())})
	}
	a.timeline.add(f, f.times)
	t.add(f)
	if f.from == Diagnosis && f.times > 1 {
		a.credit(f)
	}
	return !again
}

func (a *Aggregate) before(id uint64) (counted, bool) {
	if id == 0 {
		return counted{}, false
	}
	return a.seen.find(id)
}

// recount is for a request that was counted: where this line knows more, it is counted
// here and no more there. It reports whether anything of the line is to be counted.
func (a *Aggregate) recount(known counted, f *Failure) bool {
	old := a.tallies[known.in]
	if int(known.from) < f.from.rank() {
		old.counts[known.from]--
		a.timeline.add(Failure{from: sources[known.from], time: f.time}, -1)
		return true
	}
	if f.from == Diagnosis {
		old.twice++
	}
	f.times-- // those that the line stands for besides
	return f.times > 0
}

// credit remembers how many requests have no line of diag405's own.
func (a *Aggregate) credit(f Failure) {
	c := a.unnamed[f.group.client]
	if c == nil {
		if len(a.unnamed) >= a.limit {
			return
		}
		c = new([2]int)
		a.unnamed[f.group.client] = c
	}
	if f.logged {
		c[1] += f.times - 1
	} else {
		c[0] += f.times - 1
	}
}

func (t *tally) add(f Failure) {
	t.counts[f.from.rank()] += f.times
	if f.logged {
		t.logged += f.times
	}
	t.flooded = t.flooded || f.times > 1
	isFirst := t.example.group == nil
	if f.time > 0 {
		if t.first == 0 || f.time < t.first {
			t.first = f.time
		}
		t.last = max(t.last, f.time)
	}
	known := t.example.from.rank()
	if isFirst || f.from.rank() > known || f.from.rank() == known && f.time > 0 && f.time < t.example.time {
		f.told = bytes.Clone(f.told)
		t.example = f
	}
}

// told is how many failures diag405 told of. Where both plugins did, and a line stands
// for several, which of them are the same requests is not known: those of one plugin
// are taken to be those of the other.
func (t *tally) told() int {
	n := t.counts[Diagnosis.rank()]
	if t.flooded && t.twice > 0 {
		return max(n-t.logged, t.logged+t.twice)
	}
	return n
}

// tally finds what a shape is counted in, or makes it. Beyond the bound there is one for
// each cause and route, and beyond twice the bound one for all.
func (a *Aggregate) tally(s *shape) *tally {
	if s.tally != nil {
		return s.tally
	}
	of := *s // where it is not known what the upstream got, what the client asked counts
	if of.upstream != "" {
		of.client = ""
	}
	switch t := a.byKey[keyOf(of)]; {
	case t != nil:
		s.tally = t
		return t
	case len(a.tallies) >= 2*a.limit:
		of = shape{cause: Other, route: Other, upstream: Other}
	case len(a.tallies) >= a.limit:
		of.upstream, of.client = Other, ""
	}
	t := a.byKey[keyOf(of)]
	if t == nil {
		t = &tally{number: int32(len(a.tallies)), shape: &of}
		a.tallies, a.byKey[keyOf(of)] = append(a.tallies, t), t
	}
	s.tally = t
	return t
}

func keyOf(s shape) string {
	return strings.Join([]string{s.cause, s.route, s.upstream, s.client}, "\x00")
}
