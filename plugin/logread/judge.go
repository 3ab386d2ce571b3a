package logread

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"diag405/kong/config"
	"diag405/kong/forecast"
	"diag405/kong/picture"
	"diag405/kong/router"
	"diag405/plugin/diagnose"
	"diag405/plugin/record"
	"diag405/plugin/report"
)

// Options say what is known beside the log. All may be left at zero.
type Options struct {
	Config *config.Config // Kong's, for lines of an access log, which have no route
	API    *diagnose.API  // the application's document
	Host   string         // the Host of requests in an access log, "" where it is not known
	Zone   *time.Location // of times that name none, nil for the machine's
}

// Judge finds the cause of a failure that a log has without a diagnosis. It is not
// changed by that, so several may ask at once.
type Judge struct {
	Options
	router *router.Router
	// hosts and schemes are those that requests may have had.
	hosts, schemes []string
}

// maxHosts bounds how many Hosts are tried for a line that has none.
const maxHosts = 64

// NewJudge takes what is known. An error is one of the configuration.
func NewJudge(o Options) (*Judge, error) {
	j := &Judge{Options: o}
	if j.Zone == nil {
		j.Zone = time.Local
	}
	cfg := o.Config
	j.schemes = []string{"http", "https"}
	if cfg == nil {
		cfg = &config.Config{} // nginx and Kong refuse some requests whatever the routes
		j.schemes = j.schemes[:1]
	}
	var err error
	if j.router, err = router.New(cfg); err != nil {
		return nil, err
	}
	j.hosts = []string{cmp.Or(o.Host, "localhost")}
	if o.Host == "" {
		j.addHosts(cfg.Routes)
	}
	return j, nil
}

// addHosts adds those that routes name, any name in place of a star.
func (j *Judge) addHosts(routes []*config.Route) {
	for _, r := range routes {
		for _, host := range r.Hosts {
			host = strings.ReplaceAll(host, "*", "any")
			if len(j.hosts) < maxHosts && !slices.Contains(j.hosts, host) {
				j.hosts = append(j.hosts, host)
			}
		}
	}
}

// verdict is a diagnosis that was made of a log's line, and counts for all lines alike.
type verdict struct {
	group *shape
	told  []byte             // as diag405 would have written it into the error log
	x     *diagnose.Exchange // without headers
	fix   diagnose.Fix
	from  Source
	parts *picture.Parts // of a forecast; nil where the exchange tells them
}

func newVerdict(x diagnose.Exchange, d diagnose.Diagnosis, from Source) *verdict {
	line := report.DiagnosisLine(x, d, report.Options{})
	x.Client.Header, x.Upstream.Header = nil, nil
	x.Response, x.Routes = diagnose.Response{Status: x.Response.Status}, nil
	return &verdict{told: []byte(strings.TrimPrefix(line, report.Prefix)), x: &x, fix: d.Fixes[0], from: from}
}

// ofRecord is the exchange of a log plugin's record, with what the configuration knows
// of its route.
func (j *Judge) ofRecord(r *record.Record) diagnose.Exchange {
	x := r.Exchange("")
	x.Target = "" // which of an upstream's targets answered counts only beside another
	if j.Config != nil {
		x, _ = diagnose.Within(x, j.Config.Routes)
	}
	return x
}

// way is one that a request of an access log may have taken.
type way struct {
	host, scheme string
	match        *router.Match
}

// ports are where Kong's proxy listens by default.
var ports = map[string]int{"http": 8000, "https": 8443}

// ways are all that a request may have taken: an access log has neither Host nor scheme.
// Of those that lead to the same route there is one.
func (j *Judge) ways(method, target string) []way {
	var all []way
	for _, host := range j.hosts {
		for _, scheme := range j.schemes {
			d := j.router.Decide(router.Request{
				Method: method, Target: target, Host: host, Scheme: scheme, Port: ports[scheme], Header: http.Header{}, SNI: forecast.Hostname(host),
			})
			if d.Match == nil {
				continue
			}
			w := way{host, schemeOf(d.Match.Route), d.Match}
			if !slices.ContainsFunc(all, func(other way) bool { return other.match.Route == w.match.Route }) {
				all = append(all, w)
			}
		}
	}
	return all
}

// schemeOf is how requests reach the upstream through a route. Kong also matches one for
// https alone by http, and sends the client away.
func schemeOf(r *config.Route) string {
	if len(r.Protocols) > 0 && !slices.Contains(r.Protocols, "http") {
		return "https"
	}
	return "http"
}

// ofLine finds the cause of a 405 in an access log.
func (j *Judge) ofLine(method, target string, ways []way) *verdict {
	a := forecast.Request{Method: method, Target: target, Host: j.hosts[0], Scheme: "http", Header: http.Header{}}
	if len(ways) == 1 {
		a.Host, a.Scheme = ways[0].host, ways[0].scheme
	}
	cfg := j.Config
	if cfg == nil {
		cfg = &config.Config{}
	}
	f, err := forecast.Of(cfg, a)
	x := diagnose.Exchange{}
	if err == nil {
		x = diagnose.Foreseen(f, cfg.Routes)
	}
	x.Client.Host, x.Client.Scheme = "", "" // the line does not say
	x.Response.Status = http.StatusMethodNotAllowed
	isKongs := err == nil && f.Answer != nil && f.Answer.Status == http.StatusMethodNotAllowed
	if isKongs || len(ways) == 1 && x.Upstream.Method != "" {
		v := newVerdict(x, diagnose.OfStatus(x, diagnose.Offers{API: j.API}), AccessLog)
		parts := picture.Of(f)
		v.parts = &parts
		return v
	}
	x.Route, x.Service, x.Upstream, x.Stripped = nil, nil, diagnose.Request{}, ""
	return newVerdict(x, j.untold(ways), AccessLog)
}

// untold is the diagnosis where a line does not tell enough for any.
func (j *Judge) untold(ways []way) diagnose.Diagnosis {
	d := diagnose.Diagnosis{Cause: diagnose.Unknown, Certainty: diagnose.Possible}
	switch {
	case j.Config == nil:
		d.Reason = "an access log has the client's request and the status alone, and not what became of it in Kong"
		d.Fixes = []diagnose.Fix{{
			Words: "say how Kong is configured, with -config or -admin, so that its routing is added; or log with http-log or file-log, whose records have all of it",
			App:   "Log more than the access log has.",
		}}
	case len(ways) == 0:
		d.Reason = "with this configuration no route takes the request, and Kong would answer 404: another configuration was in force, or the line is of the Admin API"
		d.Fixes = []diagnose.Fix{{Words: "compare with the configuration of that time", App: "Compare with the configuration of that time."}}
	case len(ways) == 1:
		d.Reason = "with this configuration route " + router.Name(ways[0].match.Route) + " takes the request, and the upstream does not get it"
		d.Fixes = []diagnose.Fix{{Words: "explain this request to see who answers", App: "Explain this request."}}
	default:
		var names []string
		for _, w := range ways {
			names = append(names, router.Name(w.match.Route))
		}
		slices.Sort(names)
		d.Reason = "an access log does not have the Host, and by that route " + strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1] + " took the request"
		d.Fixes = []diagnose.Fix{{Words: "say the Host with -host, or log with http-log or file-log, whose records have the route", App: "Log the route."}}
	}
	return d
}
