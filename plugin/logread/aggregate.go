package logread

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"diag405/plugin/report"
)

// maxGroups bounds the groups that an [Aggregate] keeps apart.
const maxGroups = 10_000

// Other stands for the route and the upstream's path of all groups beyond the
// bound.
const Other = "(other)"

// Group is a failure that occurred any number of times: the diagnoses with the
// same cause, route and request to the upstream.
type Group struct {
	Cause     string `json:"cause"`
	Certainty string `json:"certainty"`
	Route     string `json:"route,omitempty"`
	Upstream  string `json:"upstream"` // method and path
	Count     int    `json:"count"`
	// First and Last are nginx's times, in the time zone of the host; "" where lines
	// have none.
	First string `json:"first,omitempty"`
	Last  string `json:"last,omitempty"`

	// The following are those of the first occurrence.
	Example string          `json:"example"` // the client's request, as it sent it
	Reason  string          `json:"reason"`
	Fix     string          `json:"fix"`
	Change  json.RawMessage `json:"change,omitempty"` // the fix as data
	// FromClient are the keys in Change whose values came with the client's request:
	// they are to be set only where somebody knows them.
	FromClient []string `json:"from_client,omitempty"`
}

// Aggregate counts the diagnoses of an error log, line by line, in bounded memory.
// It is not safe for concurrent use.
type Aggregate struct {
	Lines     int // all that were added
	Access    int // access lines of ours
	Diagnoses int // those that a line stands for besides its own among them
	Cut       int // diagnoses that the log cut short

	groups map[string]*Group
	limit  int

	// Scratch, so that a line of a known group takes no memory.
	key, upstream []byte
	fields        fields
}

// NewAggregate returns an Aggregate that has seen nothing.
func NewAggregate() *Aggregate {
	return &Aggregate{groups: map[string]*Group{}, limit: maxGroups}
}

// fields are those of a line that every diagnosis is counted by.
type fields struct {
	time                                       []byte
	event, cause, certainty, times, route, got value
	whole                                      bool
}

// Add counts a line and returns the group that it belongs to; nil for a line that
// is no diagnosis of ours. The line may be used again afterwards.
func (a *Aggregate) Add(line []byte) *Group {
	a.Lines++
	time, own, ok := ownPart(line)
	if !ok {
		return nil
	}
	f := &a.fields
	*f = fields{time: time}
	f.whole = eachField(own, f.take)
	switch {
	case string(f.event.raw) == "access":
		a.Access++
		return nil
	case string(f.event.raw) != "diagnosis" || len(f.cause.raw) == 0:
		return nil
	}
	a.Diagnoses += f.count()
	if !f.whole {
		a.Cut++
	}
	return a.count(own)
}

func (f *fields) take(key []byte, v value) {
	switch string(key) {
	case "event":
		f.event = v
	case "cause":
		f.cause = v
	case "certainty":
		f.certainty = v
	case "times":
		f.times = v
	case "route":
		f.route = v
	case "upstream":
		f.got = v
	}
}

// maxTimes bounds for how many diagnoses a line is taken to stand.
const maxTimes = 1 << 30

// count is for how many diagnoses the line stands.
func (f *fields) count() int {
	n := 0
	for _, c := range f.times.raw {
		if c < '0' || c > '9' || n > maxTimes {
			return 1
		}
		n = 10*n + int(c-'0')
	}
	return max(1, n)
}

func (a *Aggregate) count(own []byte) *Group {
	f := &a.fields
	a.upstream = appendPath(a.upstream[:0], f.got.bytes())
	g := a.group(f.cause.bytes(), f.route.bytes(), a.upstream)
	first := g.Count == 0
	g.Count += f.count()
	if first || len(f.time) > 0 && string(f.time) < g.First {
		g.First = string(f.time)
		g.describe(own)
	}
	if string(f.time) > g.Last {
		g.Last = string(f.time)
	}
	return g
}

// group finds a group or makes it. Beyond the bound there is one for each cause,
// and beyond twice the bound one for all.
func (a *Aggregate) group(cause, route, upstream []byte) *Group {
	if g := a.groups[string(a.keyOf(cause, route, upstream))]; g != nil {
		return g
	}
	if len(a.groups) < a.limit {
		return a.add(cause, route, upstream)
	}
	if len(a.groups) >= 2*a.limit {
		cause = []byte(Other)
	}
	route, upstream = []byte(Other), []byte(Other)
	if g := a.groups[string(a.keyOf(cause, route, upstream))]; g != nil {
		return g
	}
	return a.add(cause, route, upstream)
}

func (a *Aggregate) add(cause, route, upstream []byte) *Group {
	g := &Group{Cause: safe(string(cause)), Route: safe(string(route)), Upstream: safe(string(upstream))}
	a.groups[string(a.keyOf(cause, route, upstream))] = g
	return g
}

// keyOf makes a key in the scratch buffer.
func (a *Aggregate) keyOf(parts ...[]byte) []byte {
	a.key = a.key[:0]
	for _, p := range parts {
		a.key = append(append(a.key, p...), 0)
	}
	return a.key
}

// describe takes the rest of the fields from the first occurrence.
func (g *Group) describe(own []byte) {
	g.Certainty, g.Example, g.Reason, g.Fix, g.Change, g.FromClient = "", "", "", "", nil, nil
	eachField(own, func(key []byte, v value) {
		switch string(key) {
		case "certainty":
			g.Certainty = safe(v.String())
		case "client":
			g.Example = safe(v.String())
		case "reason":
			g.Reason = safe(v.String())
		case "fix":
			g.Fix = safe(v.String())
		case "change":
			g.Change, g.FromClient = changeOf(v.bytes())
		}
	})
}

// changeOf is a fix's data, and what in it came from a client; nil for what is no JSON.
func changeOf(data []byte) (change json.RawMessage, fromClient []string) {
	if !json.Valid(data) {
		return nil, nil
	}
	var marked struct {
		FromClient []string `json:"from_client"`
	}
	if json.Unmarshal(data, &marked) == nil {
		for _, key := range marked.FromClient {
			fromClient = append(fromClient, safe(key))
		}
	}
	return bytes.Clone(data), fromClient
}

// Groups are all groups, the most frequent first.
func (a *Aggregate) Groups() []Group {
	out := make([]Group, 0, len(a.groups))
	for _, g := range a.groups {
		out = append(out, *g)
	}
	slices.SortFunc(out, func(x, y Group) int {
		return cmp.Or(
			cmp.Compare(y.Count, x.Count),
			strings.Compare(x.Cause, y.Cause),
			strings.Compare(x.Route, y.Route),
			strings.Compare(x.Upstream, y.Upstream),
		)
	})
	return out
}

// CauseCount is how often a cause occurred.
type CauseCount struct {
	Cause string `json:"cause"`
	Count int    `json:"count"`
}

// Causes are all causes that occurred, the most frequent first.
func (a *Aggregate) Causes() []CauseCount {
	counts := map[string]int{}
	for _, g := range a.groups {
		counts[g.Cause] += g.Count
	}
	var out []CauseCount
	for _, cause := range slices.Sorted(maps.Keys(counts)) {
		out = append(out, CauseCount{cause, counts[cause]})
	}
	slices.SortStableFunc(out, func(x, y CauseCount) int { return cmp.Compare(y.Count, x.Count) })
	return out
}

// appendPath appends METHOD URL without scheme, host and query: what failures are
// counted by.
func appendPath(to, request []byte) []byte {
	method, url, ok := bytes.Cut(request, []byte(" "))
	if !ok {
		return append(to, request...)
	}
	to = append(append(to, method...), ' ')
	if i := bytes.IndexByte(url, '?'); i >= 0 {
		url = url[:i]
	}
	if i := bytes.Index(url, []byte("://")); i >= 0 {
		if url = url[i+3:]; bytes.IndexByte(url, '/') < 0 {
			return append(to, '/')
		}
		url = url[bytes.IndexByte(url, '/'):]
	}
	return append(to, url...)
}

// safe is text of a log as it may be shown.
func safe(s string) string { return report.Clean(strings.Clone(s)) }
