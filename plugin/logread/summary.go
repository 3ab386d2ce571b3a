package logread

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"diag405/kong/picture"
	"diag405/kong/router"
	"diag405/plugin/diagnose"
	"diag405/plugin/record"
	"diag405/plugin/report"
)

// Group is a failure that occurred any number of times: those with the same cause, route
// and request to the upstream, ids apart.
type Group struct {
	Cause     string `json:"cause"`
	Certainty string `json:"certainty"`
	From      Source `json:"from"` // what it is known from
	Route     string `json:"route,omitempty"`
	Service   string `json:"service,omitempty"`
	Upstream  string `json:"upstream,omitempty"` // method and path; "" where it is not known
	Count     int    `json:"count"`
	// First and Last are times in the form of nginx's error log; "" where lines have none.
	First string `json:"first,omitempty"`
	Last  string `json:"last,omitempty"`

	// The following are those of the first occurrence, of those that are known best.
	Example string          `json:"example"` // the client's request, as it sent it
	Reason  string          `json:"reason"`
	Fix     string          `json:"fix"`
	Change  json.RawMessage `json:"change,omitempty"` // the fix as data
	// FromClient are the keys in Change whose values came with the client's request:
	// they are to be set only where somebody knows them.
	FromClient []string `json:"from_client,omitempty"`

	tally *tally
}

// Summary is what logs tell.
type Summary struct {
	Lines    int `json:"lines"`
	Access   int `json:"access_lines"` // of diag405
	Failures int `json:"diagnoses"`
	Cut      int `json:"cut_short"` // diagnoses that the log cut short
	Again    int `json:"again"`     // lines of a request that another line told of
	Earlier  int `json:"earlier"`   // failures left out for their time
	Timeless int `json:"timeless"`  // those among them without a time

	Causes []CauseCount `json:"causes"`
	Groups []Group      `json:"groups"` // the most frequent first
	// Timeline is how many failed over time, a point for so many seconds.
	Timeline []Point `json:"timeline,omitempty"`
	Seconds  int64   `json:"timeline_seconds,omitempty"`
}

// CauseCount is how often a cause occurred.
type CauseCount struct {
	Cause string `json:"cause"`
	Count int    `json:"count"`
}

// Summary is what was counted until now.
func (a *Aggregate) Summary() Summary {
	s := Summary{
		Lines: a.lines, Access: a.access, Cut: a.cut, Again: a.again, Earlier: a.earlier, Timeless: a.timeless,
		Causes: []CauseCount{}, Groups: a.groups(),
	}
	causes := map[string]int{}
	for _, g := range s.Groups {
		causes[g.Cause] += g.Count
		s.Failures += g.Count
	}
	for _, cause := range slices.Sorted(maps.Keys(causes)) {
		s.Causes = append(s.Causes, CauseCount{cause, causes[cause]})
	}
	slices.SortStableFunc(s.Causes, func(x, y CauseCount) int { return cmp.Compare(y.Count, x.Count) })
	s.Timeline, s.Seconds = a.timeline.points()
	return s
}

func (a *Aggregate) groups() []Group {
	out := make([]Group, 0, len(a.tallies))
	settle := a.settle()
	for _, t := range a.tallies {
		if n := settle[t.number]; n > 0 {
			out = append(out, a.group(t, n))
		}
	}
	slices.SortFunc(out, func(x, y Group) int {
		return cmp.Or(
			cmp.Compare(y.Count, x.Count),
			strings.Compare(x.Cause, y.Cause),
			strings.Compare(x.Route, y.Route),
			strings.Compare(x.Upstream, y.Upstream),
			strings.Compare(x.tally.shape.client, y.tally.shape.client),
		)
	})
	return out
}

// settle is how often each group occurred. Where a line of diag405's stands for several
// requests, records and access lines that name none of its requests are taken for those,
// as far as the client asked the same.
func (a *Aggregate) settle() []int {
	left := map[string]int{}
	for client, c := range a.unnamed {
		left[client] = max(c[0], c[1])
	}
	counts := make([]int, len(a.tallies))
	for _, source := range []Source{LogRecord, AccessLog} {
		for i, t := range a.tallies {
			n := t.counts[source.rank()]
			if client := t.example.group.client; left[client] > 0 {
				same := min(n, left[client])
				left[client], n = left[client]-same, n-same
			}
			counts[i] += n
		}
	}
	for i, t := range a.tallies {
		counts[i] += t.told()
	}
	return counts
}

func (a *Aggregate) group(t *tally, count int) Group {
	g := Group{
		Cause: t.shape.cause, Route: t.shape.route, Upstream: t.shape.upstream, From: t.example.from, Count: count,
		First: a.clockTime(t.first), Last: a.clockTime(t.last), tally: t,
	}
	eachField(t.example.own(), func(key []byte, v value) {
		switch string(key) {
		case "certainty":
			g.Certainty = safe(v.String())
		case "client":
			g.Example = safe(v.String())
		case "reason":
			g.Reason = safe(v.String())
		case "service":
			g.Service = safe(v.String())
		case "fix":
			g.Fix = safe(v.String())
		case "change":
			g.Change, g.FromClient = changeOf(v.bytes())
		}
	})
	return g
}

// clockTime is a time as nginx writes it into the error log, "" for none.
func (a *Aggregate) clockTime(unix int64) string {
	if unix == 0 {
		return ""
	}
	return time.Unix(unix, 0).In(a.zone).Format("2006/01/02 15:04:05")
}

// own is the failure as diag405 writes it, without the prefix.
func (f *Failure) own() []byte {
	if f.judged != nil {
		return f.judged.told
	}
	return f.told
}

// Entry is the failure as a line of diag405's.
func (f *Failure) Entry() Entry {
	e, _ := entryOf(f.own())
	return e
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

// exchange is the first occurrence, as far as it is known, and its fix.
func (g Group) exchange() (x diagnose.Exchange, fix diagnose.Fix) {
	f := g.tally.example
	if f.judged != nil {
		return *f.judged.x, f.judged.fix
	}
	e := f.Entry()
	x, _ = e.Exchange()
	fix, _ = record.ParseFix(e.Fields["fix"], e.Fields["change"])
	return x, fix
}

// Forms are the fix in forms that can be pasted.
func (g Group) Forms() []report.Form {
	x, fix := g.exchange()
	return report.Forms(x, fix)
}

// Parts are the path of the first occurrence, to be drawn.
func (g Group) Parts() picture.Parts {
	if v := g.tally.example.judged; v != nil && v.parts != nil {
		return *v.parts
	}
	x, _ := g.exchange()
	p := picture.Parts{
		Method: x.Client.Method, Client: x.Client.Path, Stripped: x.Stripped,
		UpstreamMethod: x.Upstream.Method, Upstream: x.Upstream.Path,
	}
	if s := x.Service; s != nil {
		p.ServiceName, p.Service = cmp.Or(s.Name, s.ID), s.Path
	}
	if x.Source == "exit" || x.Source == "error" {
		p.UpstreamMethod, p.Upstream, p.Answer = "", "", "Kong or one of its plugins answered"
	}
	switch {
	case x.Route == nil:
		return p
	case g.tally.example.judged == nil:
		return ofNames(p, x.Route.Name)
	}
	m := record.Match(x)
	p.Route, p.Normalised, p.Matched, p.StripPath, p.Computed = cmp.Or(x.Route.Name, x.Route.ID), m.Path, m.Prefix, x.Route.StripPath, m.UpstreamPath
	return p
}

// ofNames adds what a line of diag405's tells of its route, which is the name alone: what
// strip_path took away, and what stands in front of what it left. Where that is not found
// again, something else had a hand in it, and nothing is said.
func ofNames(p picture.Parts, route string) picture.Parts {
	path := router.Normalize(p.Client)
	rest, stripped := strings.CutPrefix(path, p.Stripped)
	front, whole := strings.CutSuffix(p.Upstream, strings.TrimPrefix(rest, "/"))
	if p.Stripped == "" || !stripped || !whole || rest == "" && strings.Trim(front, "/") != "" {
		p.Stripped, p.ServiceName = "", ""
		return p
	}
	p.Route, p.Normalised, p.Matched, p.StripPath = route, path, p.Stripped, true
	p.Service = strings.TrimSuffix(front, "/")
	return p
}

// safe is text of a log as it may be shown.
func safe(s string) string { return report.Clean(strings.Clone(s)) }

// Time is when a failure happened, in the form of nginx's error log, "" where that is
// not known.
func (a *Aggregate) Time(f Failure) string { return a.clockTime(f.time) }
