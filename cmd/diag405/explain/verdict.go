package explain

import (
	"context"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"diag405/kong/adminapi"
	"diag405/kong/forecast"
	"diag405/plugin/diagnose"
	"diag405/plugin/probe"
	"diag405/plugin/report"
)

// Verdict is a diagnosis, and the answer that it is about.
type Verdict struct {
	Allow      *string     `json:"allow,omitempty"` // of the answer; absent when it had none
	Cause      string      `json:"cause"`
	Certainty  string      `json:"certainty"`
	Reason     string      `json:"reason"`
	Facts      []string    `json:"facts,omitempty"`
	Fixes      []fixData   `json:"fixes,omitempty"`
	Considered []otherData `json:"considered,omitempty"`
}

type fixData struct {
	Words    string         `json:"words"`
	Set      map[string]any `json:"set,omitempty"`
	Client   map[string]any `json:"client,omitempty"`
	Upstream string         `json:"upstream,omitempty"`
	At       []string       `json:"at,omitempty"` // FILE:LINE of what it is about
	Forms    []formData     `json:"forms,omitempty"`
}

// formData is a fix as it can be pasted.
type formData struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

type otherData struct {
	Cause     string `json:"cause"`
	Certainty string `json:"certainty"`
	Reason    string `json:"reason"`
}

// verdict is a diagnosis whose fixes are for the configuration that is explained.
func (q *Inquiry) verdict(x diagnose.Exchange, d diagnose.Diagnosis) *Verdict {
	v := newVerdict(q.out.Kong, x, d)
	for i := range v.Fixes {
		v.Fixes[i].At = q.places(v.Fixes[i].Set)
	}
	return v
}

// places are where in files the entities stand that a fix is about.
func (q *Inquiry) places(set map[string]any) []string {
	var places []string
	for _, key := range slices.Sorted(maps.Keys(set)) {
		if at := q.cfg.Place(q.entity(key)).String(); at != "" && !slices.Contains(places, at) {
			places = append(places, at)
		}
	}
	return places
}

// entity is what a key of a fix is about: a plugin that is not there is a new one of
// the route.
func (q *Inquiry) entity(key string) any {
	m := q.kong.Match
	if m == nil {
		return nil
	}
	kind, name, _ := strings.Cut(key, ".")
	switch kind {
	case "service":
		return m.Service
	case "plugin":
		for _, p := range q.plugins() {
			if p.Name == name {
				return p
			}
		}
	}
	return m.Route
}

// The forms of a fix, by name.
const (
	formDeclarative = "declarative"
	formAdmin       = "admin_api"
	formPost        = "post_config" // for a Kong without a database
)

// formsOf are a fix's forms for a Kong, nil for one that is not known. Without a
// database it refuses changes of one entity with 405.
func formsOf(kong *adminapi.Kong, x diagnose.Exchange, f diagnose.Fix) []formData {
	address := report.DefaultAdmin
	if kong != nil {
		address = kong.Address
	}
	var forms []formData
	for _, form := range report.FormsAt(address, x, f) {
		switch {
		case kong == nil || !kong.IsDBLess() || form.Name != formAdmin && form.Name != formDeclarative:
			forms = append(forms, formData{form.Name, form.Text})
		case form.Name == formDeclarative && kong.Role == "data_plane":
			forms = append(forms, formData{form.Name, form.Text + "\n# at its control plane"})
		case form.Name == formDeclarative:
			forms = append(forms, formData{form.Name, form.Text}, formData{formPost,
				"curl -X POST " + address + "/config -F config=@kong.yml   # the whole configuration, changed so"})
		}
	}
	return forms
}

func newVerdict(kong *adminapi.Kong, x diagnose.Exchange, d diagnose.Diagnosis) *Verdict {
	v := &Verdict{Cause: string(d.Cause), Certainty: string(d.Certainty), Reason: d.Reason, Facts: d.Facts}
	if allow := x.Response.Header.Values("Allow"); len(allow) > 0 {
		joined := strings.Join(allow, ", ")
		v.Allow = &joined
	}
	for _, f := range d.Fixes {
		fix := fixData{Words: f.Words, Set: f.Set, Client: f.Client}
		if f.Upstream != nil {
			fix.Upstream = f.Upstream.String()
		}
		fix.Forms = formsOf(kong, x, f)
		v.Fixes = append(v.Fixes, fix)
	}
	for _, c := range d.Considered {
		v.Considered = append(v.Considered, otherData{string(c.Cause), string(c.Certainty), c.Reason})
	}
	return v
}

// probeData is what the upstream said when it was asked with OPTIONS.
type probeData struct {
	Address string       `json:"address"`
	Paths   []probedData `json:"paths"` // none when nothing answered
	Words   string       `json:"words"` // what it means for the request
	// Verdict is what the upstream would say to the request: takes, refuses, missing
	// or unknown.
	Verdict string `json:"verdict"`
}

type probedData struct {
	Path     string   `json:"path"`
	Status   int      `json:"status"`
	Allow    []string `json:"allow,omitempty"`
	Methods  []string `json:"methods,omitempty"` // that it is known to take
	Complete bool     `json:"complete"`          // and no other
}

// probeTimeout bounds all questions together: somebody waits, but no client does.
const probeTimeout = 3 * time.Second

// ask asks the upstream which methods it takes, at the path that it would get and
// at those that a fix would lead to. What it already answered to the request, if
// that is known, tells how far it can be believed.
func (q *Inquiry) ask(ctx context.Context, x diagnose.Exchange) diagnose.Offers {
	u, question := q.out.Upstream, probe.Question{Base: q.kong.Service.Path, Status: x.Response.Status}
	if question.Status != 0 {
		question.Refused, question.Paths = x.Upstream.Line(), diagnose.Candidates(x)
	} else {
		question.Paths = diagnose.Candidates(diagnose.Hypothetical(x))
	}
	p := probe.New(probe.Options{Timeout: probeTimeout, PerSecond: probe.MaxRequests})
	answers := p.Ask(ctx, probe.Upstream{Scheme: u.Scheme, Address: u.Address, Host: u.Host}, question)
	q.out.Probe = &probeData{Address: u.Address, Paths: []probedData{}}
	for _, path := range slices.Sorted(maps.Keys(answers)) {
		a := answers[path]
		q.out.Probe.Paths = append(q.out.Probe.Paths, probedData{path, a.Status, a.Allow, a.Methods, a.Complete})
	}
	q.out.Probe.Verdict, q.out.Probe.Words = probed(u, answers)
	if q.out.Probe.Verdict == "missing" && question.Status != http.StatusNotFound {
		q.out.Probe.Words += ": it would answer 404 and not 405"
	}
	return diagnose.Offers{Paths: probe.Offers(answers)}
}

// probed says what the probe means for the request.
func probed(u *forecast.Upstream, answers map[string]probe.Answer) (verdict, words string) {
	a, asked := answers[u.Path()]
	takes, known := a.Takes(u.Method)
	line := lineOf(u).String()
	switch {
	case len(answers) == 0 && net.ParseIP(forecast.Hostname(u.Address)) == nil:
		return "unknown", "nothing at " + u.Address + " answered OPTIONS; the name may be one that only Kong's own host knows"
	case len(answers) == 0:
		return "unknown", "nothing at " + u.Address + " answered OPTIONS"
	case !asked:
		return "unknown", "the upstream did not answer OPTIONS for " + u.Path()
	case takes:
		return "takes", "the upstream takes " + line
	case a.Missing():
		return "missing", "the upstream has nothing at " + u.Path()
	case known:
		return "refuses", "the upstream refuses " + line + ": it takes only " + strings.Join(a.Methods, ", ") + " there"
	case a.Status == http.StatusMethodNotAllowed && len(a.Methods) > 0:
		return "unknown", "the upstream names only " + strings.Join(a.Methods, ", ") + " at " + u.Path() + ", and may take more: some frameworks name the first route's methods"
	}
	return "unknown", "what the upstream answered to OPTIONS at " + u.Path() + " does not tell whether it takes " + u.Method
}

// refusedWith is the exchange with a 405 that names methods.
func refusedWith(x diagnose.Exchange, allow string) diagnose.Exchange {
	x.Response = diagnose.Response{Status: http.StatusMethodNotAllowed, Header: http.Header{"Allow": {allow}}}
	return x
}

// foresee says what a 405 would be due to, if one came. A verdict there is only
// where the way through Kong would be to blame: what the application lacks cannot
// be foreseen.
func (q *Inquiry) foresee(x diagnose.Exchange, seen diagnose.Offers) {
	u := q.out.Upstream
	offer, known := seen.At(u.Path())
	if known && offer.Takes(u.Method) {
		return
	}
	switch refused := known && offer.Refuses(u.Method); {
	case refused && len(offer.Methods) > 0:
		x = refusedWith(x, strings.Join(offer.Methods, ", "))
	case refused: // the path is not there
		x.Response = diagnose.Response{Status: http.StatusNotFound}
	default:
		x = diagnose.Hypothetical(x)
	}
	d := diagnose.Explain(x, seen)
	if d.Certainty != diagnose.Possible && !d.Cause.IsShown() {
		q.out.If405 = q.verdict(x, d)
		return
	}
	x.Response.Header = nil // of what is merely possible, no Allow is assumed
	d = diagnose.Explain(x, seen)
	for _, c := range append([]diagnose.Considered{{Cause: d.Cause, Certainty: d.Certainty, Reason: d.Reason}}, d.Considered...) {
		if !c.Cause.IsShown() && !slices.Contains(spellings, c.Cause) {
			q.out.Possible = append(q.out.Possible, otherData{string(c.Cause), string(diagnose.Possible), c.Reason})
		}
	}
}

// spellings are causes that fit every path.
var spellings = []diagnose.Code{diagnose.TrailingSlash, diagnose.PathEncoding}

// answered is the exchange with its answer. What Kong says of that in its headers counts,
// and what diag405 says: where another request left for the upstream than the
// configuration sends, that is so, and it is said.
func (q *Inquiry) answered(a Answer) diagnose.Exchange {
	x := q.exchange()
	x.Response = a.Response
	switch h := a.Header; {
	case h.Get("X-Kong-Upstream-Latency") != "" && strings.HasPrefix(h.Get("Server"), "kong/"):
		x.Response.Header = h.Clone()
		x.Response.Header.Del("Server") // Kong's own, which it adds where the upstream sent none
	case h.Get("X-Kong-Response-Latency") != "" && q.out.Upstream != nil:
		q.watch("Kong or a plugin made the answer, as X-Kong-Response-Latency says, though this configuration sends " + x.Upstream.Line().String() +
			": another configuration is in force, or a plugin ends the request")
		x.Source = "exit"
	}
	if u := a.Upstream; u != nil && q.out.Upstream != nil && u.Line() != x.Upstream.Line() {
		q.watch("this configuration sends " + x.Upstream.Line().String() + ", and diag405 saw " + u.Line().String() +
			": another configuration is in force, or a plugin did it")
		x.Upstream.Method, x.Upstream.Path = u.Method, u.Path
	}
	return x
}

// Explain explains the answer to the request, with what is known of the upstream.
func (q *Inquiry) Explain(a Answer, seen diagnose.Offers) *Explanation {
	q.diagnose(q.answered(a), seen)
	return &q.out
}

// diagnose explains an answer that came. Where the configuration leads to no upstream,
// the answer is Kong's if that is what Kong would say.
func (q *Inquiry) diagnose(x diagnose.Exchange, seen diagnose.Offers) {
	if a := q.out.Answer; a != nil && a.Status != 0 && a.Status != x.Response.Status {
		q.watch("with this configuration the upstream does not get the request, so the answer comes from elsewhere: another configuration is in force, or something in front of Kong or beside it answered")
		x.Source, x.Route, x.Service = "", nil, nil
	}
	q.out.Diagnosis = q.verdict(x, diagnose.Explain(x, seen))
}
