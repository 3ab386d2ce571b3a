// Package picture draws how Kong cut and joined a request's path, as SVG: the path that
// the client sent, what of it the route matched, what strip_path took away, what the
// service put in front, what a plugin put in its place, and what the upstream got.
//
//	parts := picture.Of(f) // of a forecast; what a log knows is put into Parts by hand
//	svg := picture.Path(parts)
//
// The text is safe inside an HTML page, whatever a client sent: it is escaped, and
// characters that cannot be seen are replaced. It has no style, script, id or link, so
// that a page with any content security policy may have many of them. Text is drawn in
// currentColor, and the colours are CSS variables of the page, each with a fallback that
// can be read on light as on dark:
//
//	--picture-cut      what strip_path took away
//	--picture-match    what the route matched and strip_path left
//	--picture-service  what the service put in front
//	--picture-plugin   what neither route nor service explains, and a method that changed
//
// The package computes only.
package picture

import (
	"cmp"
	"slices"
	"strings"

	"diag405/kong/forecast"
	"diag405/kong/router"
)

// Parts are what a picture is drawn of. All may be left empty: what is not known is not
// drawn. Paths are without query.
type Parts struct {
	Method     string // the client's
	Client     string // the path as the client sent it
	Normalised string // as Kong's routes see it, "" where it is the same

	Route     string // the route's name, "" where none is known
	Matched   string // what of the path the route matched, "" for nothing
	StripPath bool   // the route's strip_path
	Stripped  string // what it took away, "" for nothing

	ServiceName string // "" where none is known
	Service     string // the service's path, "" where it has none

	Computed       string // what route and service make of the path, "" where that is Upstream
	Plugin         string // what put Upstream in Computed's place, "" for "a plugin"
	UpstreamMethod string // "" where it is Method
	Upstream       string // the path that the upstream got, "" where it got nothing or that is not known

	Answer string // who answered where the upstream got nothing, as a sentence
}

// Of is what a forecast says of a path.
func Of(f *forecast.Forecast) Parts {
	p := Parts{Method: f.Request.Method}
	p.Client, _ = router.SplitTarget(f.Request.Target)
	if m := f.Match; m != nil {
		p = p.through(m)
	}
	if u := f.Upstream; u != nil {
		p.UpstreamMethod, p.Upstream = u.Method, u.Path()
	}
	if a := f.Answer; a != nil {
		p.Answer = a.By + " answers: " + a.Words
	}
	return p
}

// through adds the route and its service, before any plugin.
func (p Parts) through(m *router.Match) Parts {
	p.Normalised = m.Path
	p.Route, p.Matched, p.StripPath, p.Stripped = router.Name(m.Route), m.Prefix, m.Route.StripPath, m.Stripped
	if s := m.Service; s != nil {
		p.ServiceName, p.Service = cmp.Or(s.Name, s.ID), s.Path
	}
	p.Computed = m.UpstreamPath
	return p
}

// path is the client's path as routes see it.
func (p Parts) path() string { return cmp.Or(p.Normalised, p.Client) }

// Path draws the picture: the text of one svg element.
func Path(p Parts) string {
	c := &canvas{columns: columns}
	for i, r := range p.rows() {
		if i > 0 {
			c.arrow()
		}
		c.row(r)
	}
	return c.svg(p.words())
}

// rows are the path's states, from the client's to the upstream's.
func (p Parts) rows() []row {
	first := row{label: "the client asks", method: p.Method, pieces: p.cut()}
	var rows []row
	if p.path() != p.Client {
		rows = append(rows, row{label: first.label, method: p.Method, pieces: []piece{{p.Client, kept}}})
		first.label, first.method = "as Kong normalises it", ""
	}
	first.notes = p.notes()
	rows = append(rows, first)
	computed := cmp.Or(p.Computed, p.Upstream)
	if p.Upstream != "" && computed != p.Upstream {
		rows = append(rows, row{label: "what route and service make of it", pieces: p.joined(computed)})
	}
	switch {
	case p.Upstream == "" && p.Answer != "":
		rows = append(rows, row{label: "the upstream gets nothing", notes: []note{{p.Answer, foreign}}})
	case p.Upstream != "":
		rows = append(rows, p.last(computed))
	}
	return rows
}

// last is what the upstream got.
func (p Parts) last(computed string) row {
	method := cmp.Or(p.UpstreamMethod, p.Method)
	r := row{label: "the upstream gets", method: method, changed: method != p.Method && p.Method != "", pieces: p.joined(p.Upstream)}
	if computed != p.Upstream {
		r.pieces = []piece{{p.Upstream, foreign}}
		r.notes = append(r.notes, note{cmp.Or(p.Plugin, "a plugin") + " put this path in its place", foreign})
	}
	if r.changed {
		r.notes = append(r.notes, note{"the client's method was " + p.Method, foreign})
	}
	return r
}

// cut is the path that the route saw, cut where it matched.
func (p Parts) cut() []piece {
	path := p.path()
	if rest, ok := strings.CutPrefix(path, p.Stripped); ok && p.Stripped != "" {
		return pieces(piece{p.Stripped, stripped}, piece{rest, kept})
	}
	if rest, ok := strings.CutPrefix(path, p.Matched); ok {
		return pieces(piece{p.Matched, matched}, piece{rest, kept})
	}
	return pieces(piece{path, kept})
}

// joined is a path that goes upstream, with what the service put in front told from
// what is left of the client's. Kong escapes on the way: where what is left is not found
// again, the path is one piece.
func (p Parts) joined(path string) []piece {
	left := p.cut()
	if len(left) > 0 && left[0].kind == stripped {
		left = left[1:]
	}
	var rest strings.Builder
	for _, l := range left {
		rest.WriteString(l.text)
	}
	front, ok := strings.CutSuffix(path, strings.TrimPrefix(rest.String(), "/"))
	if !ok {
		return pieces(piece{path, kept})
	}
	if strings.HasPrefix(rest.String(), "/") && strings.HasSuffix(front, "/") {
		front = strings.TrimSuffix(front, "/") // the slash is the client's
	} else if len(left) > 0 {
		left[0].text = strings.TrimPrefix(left[0].text, "/")
	}
	in := service
	if strings.Trim(front, "/") == "" {
		in = kept // a slash that Kong puts where nothing is left
	}
	return pieces(append([]piece{{front, in}}, left...)...)
}

// pieces leaves out empty ones.
func pieces(all ...piece) []piece {
	return slices.DeleteFunc(all, func(p piece) bool { return p.text == "" })
}

// notes are what route and service do.
func (p Parts) notes() []note {
	if p.Route == "" {
		return nil
	}
	return append(p.routeNotes(), p.serviceNote())
}

func (p Parts) routeNotes() []note {
	switch {
	case p.Stripped != "" && strings.HasPrefix(p.path(), p.Stripped):
		return []note{{"route " + p.Route + " matches; strip_path takes " + p.Stripped + " away", stripped}}
	case p.Matched == "":
		return []note{{"route " + p.Route + " matches, whatever the path is", matched}}
	case !p.StripPath:
		return []note{{"route " + p.Route + " matches " + p.Matched + "; strip_path is off", matched}}
	}
	return []note{{"route " + p.Route + " matches " + p.Matched + "; strip_path takes nothing away", matched}}
}

func (p Parts) serviceNote() note {
	switch {
	case p.ServiceName == "" && p.Service == "":
		return note{"the route has no service", kept}
	case p.Service == "" || p.Service == "/":
		return note{"service " + p.ServiceName + " puts nothing in front", kept}
	}
	return note{"service " + p.ServiceName + " puts " + p.Service + " in front", service}
}

// words say in a sentence what the picture shows.
func (p Parts) words() string {
	out := "the client asks " + strings.TrimSpace(p.Method+" "+p.Client)
	for _, n := range p.notes() {
		out += "; " + n.words
	}
	switch {
	case p.Upstream != "":
		out += "; the upstream gets " + strings.TrimSpace(cmp.Or(p.UpstreamMethod, p.Method)+" "+p.Upstream)
	case p.Answer != "":
		out += "; the upstream gets nothing: " + p.Answer
	}
	return out
}
