package diagnose

import (
	"slices"
	"strings"

	"diag405/kong/config"
)

// Endpoint is one path of an application with its methods.
type Endpoint struct {
	Path    string   // a template: {name} stands for a part of a segment
	Methods []string // upper case
}

// API is all endpoints of an application, taken apart once so that many requests
// can be held against them. It is not changed afterwards.
type API struct {
	templates []*template
	root      *node
}

// template is an endpoint's path, taken apart.
type template struct {
	Endpoint
	names []name // its segments, without the empty ones
	// vague: nothing but placeholders, which any path of its length matches,
	// whatever it is for.
	vague bool
	// open: it ends in a placeholder, and paths may go on behind it.
	open bool
}

// name is a segment of a template.
type name struct {
	text   string
	varied bool // it has a placeholder
}

func newName(segment string) name { return name{segment, strings.Contains(segment, "{")} }

// matches reports whether a path's segment is one of those that the name stands
// for.
func (n name) matches(segment string) bool {
	if n.varied {
		return matchVaried(n.text, segment)
	}
	return n.text == segment
}

func matchAll(names []name, got []string) bool { return slices.EqualFunc(names, got, name.matches) }

// begins is the path of the template's first segments, and whether a placeholder is
// among them.
func (t *template) begins(n int) (path string, varied bool) {
	var b strings.Builder
	for _, name := range t.names[:n] {
		b.WriteString("/" + name.text)
		varied = varied || name.varied
	}
	return b.String(), varied
}

// node is where the templates stand that begin with the same segments.
type node struct {
	literal map[string]*node // by the next segment
	varied  []branch         // by next segments with placeholders
	ends    []*template      // that end here
}

type branch struct {
	name name
	node *node
}

// NewAPI takes the endpoints of an application apart. Without any it is nil: an
// application that says nothing.
func NewAPI(endpoints []Endpoint) *API {
	if len(endpoints) == 0 {
		return nil
	}
	api := &API{root: &node{}}
	for _, e := range endpoints {
		t := &template{Endpoint: e, open: strings.HasSuffix(e.Path, "}")}
		for _, segment := range config.Segments(e.Path) {
			t.names = append(t.names, newName(segment))
		}
		t.vague = len(t.names) > 0 && !slices.ContainsFunc(t.names, func(n name) bool { return !n.varied })
		api.templates = append(api.templates, t)
		at := api.root
		for segment := range strings.SplitSeq(e.Path, "/") { // empty ones too: a slash at the end counts
			at = at.next(newName(segment))
		}
		at.ends = append(at.ends, t)
	}
	return api
}

// next is the node behind a template's segment, made when there is none.
func (n *node) next(segment name) *node {
	if segment.varied {
		i := slices.IndexFunc(n.varied, func(b branch) bool { return b.name == segment })
		if i < 0 {
			i = len(n.varied)
			n.varied = append(n.varied, branch{segment, &node{}})
		}
		return n.varied[i].node
	}
	if n.literal == nil {
		n.literal = map[string]*node{}
	}
	if n.literal[segment.text] == nil {
		n.literal[segment.text] = &node{}
	}
	return n.literal[segment.text]
}

// Endpoints are those that the API was made of.
func (a *API) Endpoints() []Endpoint {
	if a == nil {
		return nil
	}
	list := make([]Endpoint, len(a.templates))
	for i, t := range a.templates {
		list[i] = t.Endpoint
	}
	return list
}

// find are the templates that a path is one of (OpenAPI 3.1, "Path Templating":
// {name} stands for any text without a slash, at least one character of it), and
// those that end in a placeholder behind which it goes on.
func (a *API) find(path string) (matching, above []*template) {
	if a == nil {
		return nil, nil
	}
	a.root.walk(path, true, &matching, &above)
	return matching, above
}

// walk collects what a path leads to from a node on. more says that something of
// the path is left, be it an empty segment.
func (n *node) walk(rest string, more bool, matching, above *[]*template) {
	if !more {
		*matching = append(*matching, n.ends...)
		return
	}
	for _, t := range n.ends {
		if t.open {
			*above = append(*above, t)
		}
	}
	segment, rest, more := strings.Cut(rest, "/")
	if next := n.literal[segment]; next != nil {
		next.walk(rest, more, matching, above)
	}
	for _, b := range n.varied {
		if b.name.matches(segment) {
			b.node.walk(rest, more, matching, above)
		}
	}
}

// matchVaried matches a segment with placeholders, which may have text around them:
// {name}.json, {from}-{to}.
func matchVaried(template, segment string) bool {
	for {
		before, rest, ok := strings.Cut(template, "{")
		if !ok {
			return template == segment
		}
		_, after, ok := strings.Cut(rest, "}")
		if !ok || !strings.HasPrefix(segment, before) || len(segment) == len(before) {
			return false
		}
		segment = segment[len(before)+1:] // one character at least is the placeholder's
		next, _, _ := strings.Cut(after, "{")
		if next == after {
			return strings.HasSuffix(segment, after)
		}
		i := strings.Index(segment, next)
		if i < 0 {
			return false
		}
		template, segment = after, segment[i:]
	}
}

// Template is the template that a path is one of, "" where there is none. Of several it
// is the first with the most literal text.
func (a *API) Template(path string) string {
	matching, _ := a.find(path)
	best := ""
	for _, t := range matching {
		if best == "" || strings.Count(t.Path, "{") < strings.Count(best, "{") {
			best = t.Path
		}
	}
	return best
}
