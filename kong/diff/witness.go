package diff

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"diag405/kong/config"
	"diag405/kong/router"
)

// comparison is two configurations on their way to a report.
type comparison struct {
	before, after *side
	report        Report
	changes       map[string]*Change
	asked         map[string]bool
	sampled       map[string]bool
}

// maxAsked bounds how many requests are made from routes.
const maxAsked = 1_000_000

func newComparison(before, after *config.Config) (*comparison, error) {
	a, err := newSide(before)
	if err != nil {
		return nil, fmt.Errorf("the old configuration: %w", err)
	}
	b, err := newSide(after)
	if err != nil {
		return nil, fmt.Errorf("the new configuration: %w", err)
	}
	c := &comparison{before: a, after: b, changes: map[string]*Change{}, asked: map[string]bool{}, sampled: map[string]bool{}}
	c.report.Renamed = pair(a, b)
	c.report.Removed, c.report.Added = a.alone(), b.alone()
	return c, nil
}

// ask asks both configurations with one request.
func (c *comparison) ask(w Witness, logged int) (changes bool) {
	a, b := c.before.outcome(w), c.after.outcome(w)
	differ := kinds(a, b)
	if len(differ) == 0 {
		return false
	}
	change := &Change{Kinds: differ, Before: a, After: b, Witness: w}
	key := fmt.Sprint(differ, change.between())
	if known := c.changes[key]; known != nil {
		change = known
	} else {
		c.changes[key] = change
	}
	if better(w, change.Witness) {
		change.Before, change.After, change.Witness = a, b, w
	}
	change.Logged += logged
	if logged == 0 {
		change.Asked++
	}
	return true
}

// better: what somebody really asked for shows more than what was made up.
func better(a, b Witness) bool {
	if a.Logged != b.Logged {
		return a.Logged
	}
	return a.effort() < b.effort()
}

func (c *comparison) askTraffic(traffic []Logged) {
	if len(traffic) == 0 {
		return
	}
	t := &Traffic{Distinct: len(traffic)}
	for _, l := range traffic {
		t.Requests += l.Count
		w := Witness{Method: l.Method, Target: l.Target, Host: l.Host, Scheme: l.Scheme, SNI: l.SNI, Header: l.Header, Logged: true}
		if l.Consumer != nil {
			w.Consumer = l.Consumer.Name()
		}
		if c.ask(w, l.Count) {
			t.Changed += l.Count
		}
	}
	c.report.Traffic = t
}

// askWitnesses asks with the requests that routes suggest.
func (c *comparison) askWitnesses() {
	all := c.before.cfg.Flavor != c.after.cfg.Flavor || c.unordered()
	for _, s := range []struct{ here, there *side }{{c.before, c.after}, {c.after, c.before}} {
		n := newNeighbours(c, s.there)
		for _, r := range s.here.routes {
			switch {
			case r.concern() == rematched || all:
				c.askAround(r, s.here, n.of(r, s.here))
			case r.concern() == reworked:
				c.askAround(r, s.here, n.withExpression(r, s.here))
			}
		}
	}
	c.report.Sampled = sorted(keys(c.sampled))
}

// maxUnordered bounds how many routes of the traditional router are looked at that do not
// change.
const maxUnordered = 300

// unordered: in the traditional router a route that another has to do with may be tried
// before or behind a third one, so all are looked at when one changes.
func (c *comparison) unordered() bool {
	if c.before.cfg.Flavor != config.Traditional {
		return false
	}
	if n := max(len(c.before.routes), len(c.after.routes)); n > maxUnordered {
		c.sample("the traditional router has no order, and %d routes are too many to look at those that do not change", n)
		return false
	}
	for _, s := range []*side{c.before, c.after} {
		if slices.ContainsFunc(s.routes, func(r *route) bool { return r.concern() != untouched }) {
			return true
		}
	}
	return false
}

func keys(m map[string]bool) []string {
	var list []string
	for k := range m {
		list = append(list, k)
	}
	return list
}

// sample notes that requests are examples for a reason.
func (c *comparison) sample(format string, args ...any) {
	c.sampled[fmt.Sprintf(format, args...)] = true
}

// askAround asks with requests that a route takes, alone and together with each of
// others.
func (c *comparison) askAround(r *route, here *side, others []*route) {
	g := c.groundOf(append([]*route{r}, others...), here.cfg.Flavor)
	if g.cut {
		c.sample("too many routes have paths around those of route %s", r.label)
	}
	if !g.hasAll(r) {
		c.sample("no request was found for a path of route %s", r.label) // it needs characters beyond ASCII
	}
	own, around := demands(r), spoken(others)
	all := len(around) > 0 || own.said || here.cfg.Flavor == config.Traditional
	c.askClasses(g.shared(r, r, all), spread(meet(own, nil), around), r.variant)
	for _, other := range others {
		if classes := g.shared(r, other, all); len(classes) > 0 {
			c.askClasses(classes, spread(meet(own, demands(other)), around), slices.Concat(r.variant, other.variant))
		}
	}
}

// spoken are what the expressions among routes speak of.
func spoken(routes []*route) []*demand {
	var list []*demand
	for _, r := range routes {
		if d := demands(r); d.said {
			list = append(list, d)
		}
	}
	return list
}

// demands is what a route asks for, found once.
func demands(r *route) *demand {
	if r.demand == nil {
		if r.Expression != "" {
			r.demand = sayingsOf(r.Route).demand()
		} else {
			r.demand = demandOf(r.Route)
		}
	}
	return r.demand
}

// langs are a route's, and whether it may take other paths, too.
func (c *comparison) langs(r *route, flavor config.Flavor) (list []lang, free bool) {
	if r.Expression != "" {
		s := sayingsOf(r.Route)
		c.sample("route %s has an expression", r.label)
		return s.paths, true
	}
	for _, path := range r.Paths {
		l, ok := pathLang(path, flavor)
		if !ok {
			c.sample("the path %s of route %s cannot be taken apart", path, r.label)
			continue
		}
		list = append(list, l)
	}
	return list, len(r.Paths) == 0
}

func (c *comparison) askClasses(classes []*class, aims []aim, variants []variant) {
	for _, class := range classes {
		for _, a := range aims {
			for _, word := range class.words {
				c.askOnce(a.at(word))
			}
			for _, v := range variants {
				c.askOnce(v.of(a.at(class.words[0])))
			}
		}
	}
}

// at is an aim with a path.
func (a aim) at(path string) Witness {
	return Witness{Method: a.method, Target: targetOf(path) + a.query, Host: a.host, Scheme: a.scheme, SNI: a.sni, Header: a.header}
}

// targetOf writes a normalised path as clients send it.
func targetOf(path string) string {
	if router.Normalize(path) == path && strings.Trim(path, pathCharacters) == "" {
		return path
	}
	var out strings.Builder
	for i := range len(path) {
		if _, ok := config.PercentTriplet(path[i:]); ok || strings.IndexByte(pathCharacters, path[i]) >= 0 {
			out.WriteByte(path[i])
		} else {
			fmt.Fprintf(&out, "%%%02X", path[i])
		}
	}
	return out.String()
}

func (c *comparison) askOnce(w Witness) {
	key := strings.Join([]string{w.Method, w.Target, w.Host, w.Scheme, w.SNI, w.Consumer, w.Group, headerKey(w.Header)}, "\x00")
	if c.asked[key] {
		return
	}
	if len(c.asked) >= maxAsked {
		c.sample("only %d requests were made", maxAsked)
		return
	}
	c.asked[key] = true
	c.report.Asked++
	c.ask(w, 0)
}

func headerKey(h http.Header) string {
	if len(h) == 0 {
		return ""
	}
	return text(h)
}
