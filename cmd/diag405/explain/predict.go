package explain

import (
	"cmp"
	"slices"
	"strings"

	"diag405/cmd/diag405/source"
	"diag405/kong/adminapi"
	"diag405/kong/config"
	"diag405/kong/forecast"
	"diag405/kong/router"
	"diag405/plugin/diagnose"
)

// Explanation is what Kong does with a request, as it is printed.
type Explanation struct {
	Kong      *adminapi.Kong     `json:"kong,omitempty"`  // that was asked for its configuration
	Notes     []noteData         `json:"notes,omitempty"` // on the configuration
	Request   requestData        `json:"request"`
	Route     *entityData        `json:"route,omitempty"`
	Service   *entityData        `json:"service,omitempty"`
	MatchedBy []reasonData       `json:"matched_by,omitempty"`
	Nearest   []nearData         `json:"nearest,omitempty"`
	Path      []forecast.Term    `json:"path,omitempty"`
	Plugins   []forecast.Effect  `json:"plugins,omitempty"`
	Upstream  *forecast.Upstream `json:"upstream,omitempty"`
	Answer    *answerData        `json:"answer,omitempty"` // when Kong or a plugin answers
	Watch     []string           `json:"watch,omitempty"`
	Probe     *probeData         `json:"probe,omitempty"`
	If405     *Verdict           `json:"if_405,omitempty"`
	Possible  []otherData        `json:"if_405_possible,omitempty"` // where nothing is likely
	Diagnosis *Verdict           `json:"diagnosis,omitempty"`
	Times     int                `json:"times,omitempty"` // how often it was in records, where more than once

	forms    []string // of a fix that are shown to people
	unrouted bool     // the route is not known
}

func (e *Explanation) setTimes(n int) {
	if n > 1 {
		e.Times = n
	}
}

// noteData is what was found in reading the configuration.
type noteData struct {
	At    string `json:"at"`
	Words string `json:"words"`
}

type requestData struct {
	Method   string `json:"method"`
	Target   string `json:"target"`
	Host     string `json:"host"`
	Scheme   string `json:"scheme"`
	Consumer string `json:"consumer,omitempty"`
}

func requestOf(r forecast.Request) requestData {
	d := requestData{Method: r.Method, Target: r.Target, Host: r.Host, Scheme: r.Scheme}
	if r.Consumer != nil {
		d.Consumer = r.Consumer.Name()
	}
	return d
}

type entityData struct {
	Name string `json:"name,omitempty"`
	ID   string `json:"id,omitempty"`
}

func (e *entityData) String() string { return cmp.Or(e.Name, e.ID) }

type reasonData struct {
	Attribute string `json:"attribute"`
	Words     string `json:"words"`
}

// nearData is a route that the request did not take.
type nearData struct {
	Route  entityData   `json:"route"`
	Failed []reasonData `json:"failed,omitempty"`
	Behind string       `json:"behind,omitempty"` // it would have taken the request, too
}

// answerData is an answer that does not come from the upstream.
type answerData struct {
	Status int    `json:"status,omitempty"` // 0 where only the plugin knows it
	By     string `json:"by"`               // Kong, nginx or a plugin
	Words  string `json:"words"`
}

// maxNearest is how many routes are named that did not match.
const maxNearest = 3

// Inquiry is a request that is being explained: what Kong does with it, and what
// is printed of that.
type Inquiry struct {
	cfg    *source.Source
	routes *forecast.Forecaster
	kong   *forecast.Forecast
	out    Explanation
}

// Predict says what Kong does with a request. It sends nothing. An error is one of the
// configuration.
func Predict(cfg *source.Source, r forecast.Request) (*Inquiry, error) {
	routes, err := forecast.New(cfg.Config)
	if err != nil {
		return nil, err
	}
	kong := routes.Of(r)
	q := &Inquiry{cfg: cfg, routes: routes, kong: kong}
	q.out = Explanation{
		Kong: cfg.Kong, Notes: notesOf(cfg.Notes),
		Request: requestOf(r), Path: kong.Path, Plugins: kong.Effects,
		Upstream: kong.Upstream, Answer: answerOf(kong.Answer, hints), Watch: kong.Watch, forms: formsFor(cfg.Kong),
	}
	if s := kong.Service; s != nil {
		q.out.Service = &entityData{s.Name, s.ID}
	}
	q.nameRoutes()
	return q, nil
}

// Forecast is what Kong does with the request.
func (q *Inquiry) Forecast() *forecast.Forecast { return q.kong }

// Plugins are the configuration's plugins of a name.
func (q *Inquiry) Plugins(name string) []*config.Plugin {
	return slices.DeleteFunc(slices.Clone(q.cfg.Plugins), func(p *config.Plugin) bool { return p.Name != name })
}

// formsFor are the forms of a fix that fit where a configuration comes from: nil is files.
func formsFor(kong *adminapi.Kong) []string {
	switch {
	case kong == nil:
		return []string{formDeclarative}
	case kong.IsDBLess():
		return []string{formDeclarative, formPost}
	}
	return []string{formAdmin}
}

func notesOf(notes []config.Note) []noteData {
	var out []noteData
	for _, n := range notes {
		out = append(out, noteData{n.At.String(), n.Words})
	}
	return out
}

// nameRoutes names the route that takes the request, and those that nearly did.
func (q *Inquiry) nameRoutes() {
	reasons := q.kong.Reasons
	if m := q.kong.Match; m != nil {
		q.out.Route = &entityData{m.Route.Name, m.Route.ID}
		q.out.MatchedBy = reasonsOf(reasons[0].Held)
		reasons = reasons[1:]
	}
	for _, reason := range reasons[:min(len(reasons), maxNearest)] {
		q.out.Nearest = append(q.out.Nearest, nearData{
			Route: entityData{reason.Route.Name, reason.Route.ID}, Failed: reasonsOf(reason.Failed), Behind: reason.Behind,
		})
	}
}

func reasonsOf(attributes []router.Attribute) []reasonData {
	var out []reasonData
	for _, a := range attributes {
		out = append(out, reasonData{a.Name, a.Words})
	}
	return out
}

// hints say which flag asks otherwise.
var hints = map[forecast.Why]string{
	forecast.OtherHost:   " (-host asks with another)",
	forecast.OtherScheme: " (-scheme https asks that way)",
}

func answerOf(a *forecast.Answer, hints map[forecast.Why]string) *answerData {
	if a == nil {
		return nil
	}
	words := append([]string{a.Words + hints[a.Why]}, a.More...)
	return &answerData{a.Status, a.By, strings.Join(words, "; ")}
}

func (q *Inquiry) watch(words string) { q.out.Watch = append(q.out.Watch, words) }

// lineOf is the request line of what the upstream gets.
func lineOf(u *forecast.Upstream) diagnose.Line {
	return diagnose.Line{Method: u.Method, Path: u.Path()}
}

// exchange is the request as the engine looks at it, with nothing of an answer.
func (q *Inquiry) exchange() diagnose.Exchange {
	x := diagnose.Foreseen(q.kong, q.cfg.Routes)
	for _, p := range q.plugins() {
		x.Plugins = append(x.Plugins, p.Name)
	}
	return x
}

// plugins are those that run for the request, none where no route takes it.
func (q *Inquiry) plugins() []*config.Plugin {
	if q.kong.Match == nil {
		return nil
	}
	return config.Applying(q.cfg.Plugins, q.kong.Scope())
}
