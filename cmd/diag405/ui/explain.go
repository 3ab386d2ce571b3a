package ui

import (
	"cmp"
	"net/http"
	"slices"

	"diag405/cmd/diag405/explain"
	"diag405/kong/config"
	"diag405/kong/picture"
	"diag405/kong/router"
)

// question is a request, and what the page has changed.
type question struct {
	explain.Question
	Changes []change `json:"changes"`
}

// explained is the answer to it.
type explained struct {
	Explanation *explain.Outcome `json:"explanation"`
	Picture     string           `json:"picture"` // the path as SVG
	Routes      tried            `json:"routes"`
	Differences [][]difference   `json:"differences,omitempty"` // of each change, in the text of the files
}

// explain answers what Kong does with a request. An answer that somebody pasted is of
// the configuration as it is: with changes the request would get another.
func (p *page) explain(r *http.Request, ask question) (*explained, error) {
	if len(ask.Changes) > 0 {
		ask.Status, ask.Allow, ask.AnswerHeaders = 0, nil, nil
	}
	copies, err := p.configuration.copies(ask.Changes)
	if err != nil {
		return nil, err
	}
	from, err := p.configuration.withConsumer(r.Context(), copies[len(copies)-1], ask.Changes, ask.Consumer)
	if err != nil {
		return nil, err
	}
	e, err := explain.Ask(from, ask.Question)
	if err != nil {
		return nil, err
	}
	return &explained{
		Explanation: e, Picture: picture.Path(picture.Of(e.Forecast)),
		Routes: triedOf(e.Routes()), Differences: differences(copies),
	}, nil
}

// tried are the routes in the order in which Kong tries them.
type tried struct {
	Total int         `json:"total"`
	Shown []routeData `json:"shown"` // those that matter most, and all when they are few
}

// routeData is a route held against the request.
type routeData struct {
	Turn    int      `json:"turn"` // from 1, among all routes
	Name    string   `json:"name"`
	Verdict string   `json:"verdict"` // takes, behind or no
	Methods []string `json:"methods,omitempty"`
	Hosts   []string `json:"hosts,omitempty"`
	Paths   []string `json:"paths,omitempty"`
	Held    []reason `json:"held,omitempty"`   // what of it the request has
	Failed  []reason `json:"failed,omitempty"` // and what it has not
	Behind  string   `json:"behind,omitempty"`

	Expression string `json:"expression,omitempty"`
}

// reason is one of a route's attributes held against the request.
type reason struct {
	Attribute string `json:"attribute"`
	Words     string `json:"words"`
}

// maxTried bounds the routes that are shown, and maxValues what is shown of each.
const (
	maxTried  = 40
	maxValues = 8
)

// triedOf takes the nearest routes, and puts them in Kong's order.
func triedOf(reasons []router.Reason) tried {
	order := slices.Clone(reasons)
	slices.SortStableFunc(order, func(a, b router.Reason) int { return cmp.Compare(a.Turn, b.Turn) })
	turns := map[*config.Route]int{}
	for i, reason := range order {
		turns[reason.Route] = i + 1
	}
	out := tried{Total: len(reasons)}
	for i, reason := range reasons[:min(len(reasons), maxTried)] {
		d := routeDataOf(reason)
		d.Turn = turns[reason.Route]
		if i == 0 && len(reason.Failed) == 0 {
			d.Verdict = "takes"
		}
		out.Shown = append(out.Shown, d)
	}
	slices.SortFunc(out.Shown, func(a, b routeData) int { return cmp.Compare(a.Turn, b.Turn) })
	return out
}

func routeDataOf(reason router.Reason) routeData {
	r := reason.Route
	d := routeData{
		Name: router.Name(r), Verdict: "no", Behind: reason.Behind, Expression: r.Expression,
		Methods: some(r.Methods), Hosts: some(r.Hosts), Paths: some(r.Paths),
		Held: reasonsOf(reason.Held), Failed: reasonsOf(reason.Failed),
	}
	if reason.Behind != "" {
		d.Verdict = "behind"
	}
	return d
}

func reasonsOf(attributes []router.Attribute) []reason {
	var out []reason
	for _, a := range attributes {
		out = append(out, reason{a.Name, a.Words})
	}
	return out
}

// some are the first of many.
func some(values []string) []string {
	if len(values) <= maxValues {
		return values
	}
	return append(slices.Clone(values[:maxValues]), "…")
}
