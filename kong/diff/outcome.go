package diff

import (
	"net/http"
	"slices"
	"strings"

	"diag405/kong/config"
	"diag405/kong/forecast"
	"diag405/kong/sample"
)

// Outcome is what becomes of a request.
type Outcome struct {
	Route    string `json:"route,omitempty"`   // name or id; "" for none
	Service  string `json:"service,omitempty"` // the same
	Upstream *Sent  `json:"upstream,omitempty"`
	// Status is that of the answer when no upstream gets the request, made by By: Kong,
	// nginx or a plugin. It is 0 where only a plugin knows it.
	Status int    `json:"status,omitempty"`
	By     string `json:"by,omitempty"`

	route *route
	peers []string
}

// Sent is a request as the upstream gets it.
type Sent struct {
	Method  string `json:"method"`
	Scheme  string `json:"scheme"`
	Address string `json:"address"`
	URI     string `json:"uri"`
	Host    string `json:"host"`
	// Uncertain says why it may be another request.
	Uncertain []string `json:"uncertain,omitempty"`
}

// outcome asks one of the configurations.
func (s *side) outcome(w Witness) Outcome {
	f := s.kong.Outcome(w.request(s.cfg))
	var o Outcome
	if f.Match != nil {
		o.route = s.of[f.Match.Route]
		o.Route = o.route.label
		if svc := f.Match.Service; svc != nil {
			o.Service = svc.Name
			if o.Service == "" {
				o.Service = svc.ID
			}
		}
	}
	if a := f.Answer; a != nil {
		o.Status, o.By = a.Status, a.By
		return o
	}
	u := f.Upstream
	o.Upstream = &Sent{u.Method, u.Scheme, u.Address, u.URI, u.Host, u.Uncertain}
	o.peers = sorted(u.Peers)
	return o
}

// kinds are in what two outcomes of a request differ.
func kinds(a, b Outcome) []Kind {
	var list []Kind
	add := func(differs bool, k Kind) {
		if differs {
			list = append(list, k)
		}
	}
	x, y := a.Upstream, b.Upstream
	switch {
	case x != nil && y == nil:
		add(true, Unreached)
	case x == nil && y != nil:
		add(true, Reached)
	case x == nil:
		add(a.Status != b.Status || a.By != b.By, Answer)
	default:
		pathX, queryX, _ := strings.Cut(x.URI, "?")
		pathY, queryY, _ := strings.Cut(y.URI, "?")
		add(x.Scheme != y.Scheme || !slices.Equal(a.peers, b.peers), Upstream)
		add(pathX != pathY, Path)
		add(x.Method != y.Method, Method)
		add(x.Host != y.Host, Host)
		add(queryX != queryY, Query)
		add(a.route.opaque != b.route.opaque, Plugin)
	}
	some := a.route != nil && b.route != nil
	add(!sameRoute(a.route, b.route) && (some || len(list) == 0), Route) // with no route, the rest says it
	return list
}

// sameRoute: a route that was renamed is the same one.
func sameRoute(a, b *route) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.partner == b
}

// Witness is a request that shows a change.
type Witness struct {
	Method   string      `json:"method"`
	Target   string      `json:"target"`
	Host     string      `json:"host"`
	Scheme   string      `json:"scheme"`
	SNI      string      `json:"sni,omitempty"` // where it is not the Host
	Header   http.Header `json:"headers,omitempty"`
	Consumer string      `json:"consumer,omitempty"` // who asks
	Group    string      `json:"consumer_group,omitempty"`
	Logged   bool        `json:"logged,omitempty"` // it is from a log
}

func (w Witness) request(cfg *config.Config) forecast.Request {
	r := forecast.Request{Method: w.Method, Target: w.Target, Host: w.Host, Scheme: w.Scheme, SNI: w.SNI, Header: w.Header}
	if w.Consumer != "" || w.Group != "" {
		r.Consumer = cfg.Consumer(w.Consumer)
		if r.Consumer == nil {
			r.Consumer = &config.Consumer{Username: w.Consumer}
		}
		if w.Group != "" {
			who := *r.Consumer
			who.Groups = append(slices.Clone(who.Groups), w.Group)
			r.Consumer = &who
		}
	}
	return r
}

// String is the request as people write it: GET https://shop.example/orders with x-a: 1.
func (w Witness) String() string {
	var s strings.Builder
	s.WriteString(w.Method + " ")
	if w.Scheme == "https" || w.Host != freeHost {
		s.WriteString(w.Scheme + "://" + w.Host)
	}
	s.WriteString(w.Target)
	var with []string
	for _, name := range sorted(headerNames(w.Header)) {
		for _, value := range w.Header[name] {
			with = append(with, name+": "+value)
		}
	}
	for _, more := range []struct{ word, value string }{{"server name", w.SNI}, {"consumer", w.Consumer}, {"consumer group", w.Group}} {
		if more.value != "" {
			with = append(with, more.word+" "+more.value)
		}
	}
	if len(with) > 0 {
		s.WriteString(" with " + strings.Join(with, ", "))
	}
	return s.String()
}

func headerNames(h http.Header) []string {
	var list []string
	for name := range h {
		list = append(list, name)
	}
	return list
}

// freeHost is a Host that no route names.
const freeHost = sample.Unnamed + ".example"

// effort is how much there is to a request; the least shows a change best.
func (w Witness) effort() int {
	n := len(w.Target) + 10*len(w.Header)
	for _, odd := range []bool{w.Scheme == "https", w.SNI != "", w.Consumer != "" || w.Group != "", w.Method == otherMethod, w.Host != freeHost} {
		if odd {
			n += 20
		}
	}
	if strings.Contains(w.Target, sample.Unnamed) {
		n += 2
	}
	return n
}
