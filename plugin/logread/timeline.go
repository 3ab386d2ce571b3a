package logread

import "slices"

// maxPoints bounds the points of a timeline.
const maxPoints = 240

// widths are how much time a point may stand for, in seconds: a minute, five, a quarter
// of an hour, an hour, six, a day, a week, and four.
var widths = []int64{60, 300, 900, 3600, 6 * 3600, 86400, 7 * 86400, 28 * 86400}

// Point is how many requests failed within a time.
type Point struct {
	From  int64 `json:"from"` // in seconds since 1970
	Count int   `json:"count"`
}

// timeline counts failures over time, the coarser the longer the time.
type timeline struct {
	width  int64
	counts map[int64]pointCounts // by the number of the point since 1970
	first  int64                 // the numbers of the first point and the last
	last   int64
}

// pointCounts are failures that diag405 told of, those among them that have no line of
// their own, by each of its plugins, and those that other lines tell of.
type pointCounts struct {
	told, other int
	unnamed     [2]int // by diag405 and diag405-log
}

func (c pointCounts) plus(o pointCounts) pointCounts {
	return pointCounts{c.told + o.told, c.other + o.other, [2]int{c.unnamed[0] + o.unnamed[0], c.unnamed[1] + o.unnamed[1]}}
}

// sum takes what has no line of its own in one log for what has one in another: the
// access log has a line for each, and both plugins tell of the same.
func (c pointCounts) sum() int {
	return c.told - min(c.unnamed[0], c.unnamed[1]) + max(0, c.other-max(c.unnamed[0], c.unnamed[1]))
}

// add adds n failures that a line tells of, or with a negative n takes them back.
func (t *timeline) add(f Failure, n int) {
	time := f.time
	if time <= 0 {
		return
	}
	if t.counts == nil {
		t.width, t.counts = widths[0], map[int64]pointCounts{}
		t.first, t.last = time/t.width, time/t.width
	}
	point := time / t.width
	t.counts[point] = t.counts[point].plus(f.counts(n))
	for t.first, t.last = min(t.first, point), max(t.last, point); t.last-t.first >= maxPoints; {
		t.widen()
	}
}

// counts are n failures that a line tells of.
func (f Failure) counts(n int) (c pointCounts) {
	if f.from != Diagnosis {
		c.other = n
		return c
	}
	c.told = n
	plugin := 0
	if f.logged {
		plugin = 1
	}
	c.unnamed[plugin] = max(0, n-1)
	return c
}

// widen makes a point stand for more time.
func (t *timeline) widen() {
	width := 2 * t.width
	if i := slices.Index(widths, t.width); i >= 0 && i+1 < len(widths) {
		width = widths[i+1]
	}
	counts := map[int64]pointCounts{}
	for point, c := range t.counts {
		counts[point*t.width/width] = counts[point*t.width/width].plus(c)
	}
	t.first, t.last = t.first*t.width/width, t.last*t.width/width
	t.width, t.counts = width, counts
}

// points are all from the first to the last, and how many seconds each stands for.
func (t *timeline) points() (points []Point, width int64) {
	if len(t.counts) == 0 {
		return nil, 0
	}
	for p := t.first; p <= t.last; p++ {
		points = append(points, Point{p * t.width, t.counts[p].sum()})
	}
	return points, t.width
}
