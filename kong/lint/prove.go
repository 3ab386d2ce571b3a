package lint

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"diag405/kong/config"
	"diag405/kong/router"
)

// Operation is a method on a path of an application, as the upstream sees it. In
// the path {name} stands for a part of a segment.
type Operation struct {
	Method string `json:"method"`
	Path   string `json:"path"`
}

// String is the operation as people write it: POST /items.
func (o Operation) String() string { return o.Method + " " + o.Path }

// Outcome is what becomes of an operation.
type Outcome string

// Outcomes.
const (
	Reached   Outcome = "reached"   // Client leads to it
	Misrouted Outcome = "misrouted" // the request that clients send for it arrives as Sends
	Unreached Outcome = "unreached" // no route leads to it
	Unproven  Outcome = "unproven"  // a plugin makes the path, and what it makes cannot be computed
)

// Proof is which request leads to an operation.
type Proof struct {
	Operation Operation `json:"operation"`
	Outcome   Outcome   `json:"outcome"`
	Route     string    `json:"route,omitempty"`  // that leads to it, or elsewhere
	Client    *Client   `json:"client,omitempty"` // a request that leads to it
	Asked     *Client   `json:"asked,omitempty"`  // what clients send for it, where that is misrouted
	Sends     string    `json:"sends,omitempty"`  // what the upstream then gets: POST /
	Note      string    `json:"note,omitempty"`   // what comes near

	route *config.Route
}

// Client is a client's request. In its path and the upstream's, placeholders of
// the operation have samples in their place.
type Client struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Host   string `json:"host,omitempty"` // where the route asks for one
}

// String is the request as people write it.
func (c Client) String() string {
	text := c.Method + " " + c.Path
	if c.Host != "" {
		text += " with Host " + c.Host
	}
	return text
}

// Prove finds for each operation of a service the request that leads to it, by
// inverting what the service's routes make of a path and asking the router
// whether it is so. The service is named by name or id. What is not reached is
// also a finding.
func Prove(cfg *config.Config, service string, operations []Operation, o Options) ([]Proof, []Finding, error) {
	svc := find(cfg.Services, func(s *config.Service) bool { return s.Name == service || s.ID == service })
	if svc == nil {
		return nil, nil, fmt.Errorf("no service %q in the configuration", service)
	}
	p := &prover{subject: newSubject(cfg, o), service: svc, operations: operations}
	var proofs []Proof
	var findings []Finding
	for _, op := range operations {
		proof := p.prove(op)
		if proof.route != nil {
			proof.Route = router.Name(proof.route)
		}
		proofs = append(proofs, proof)
		if f := p.finding(proof); f != nil {
			findings = append(findings, *f)
		}
	}
	slices.SortStableFunc(proofs, func(a, b Proof) int {
		return cmp.Or(cmp.Compare(a.Operation.Path, b.Operation.Path), cmp.Compare(a.Operation.Method, b.Operation.Method))
	})
	return proofs, p.finish(findings), nil
}

// Merge puts findings of several kinds into one order.
func Merge(a, b []Finding) []Finding {
	return ordered(slices.Concat(a, b))
}

type prover struct {
	*subject
	service    *config.Service
	operations []Operation
}

// samples stand for placeholders: an expression in a route may take only digits,
// only letters or only an id. All placeholders of an operation get the same.
var samples = []string{"1", "a", "00000000-0000-4000-8000-000000000000", "2024-01-31", "v1"}

var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

// concretePaths are the operation's path with samples in it.
func (o Operation) concretePaths() []string {
	if !placeholder.MatchString(o.Path) {
		return []string{o.Path}
	}
	var paths []string
	for _, sample := range samples {
		paths = append(paths, placeholder.ReplaceAllString(o.Path, sample))
	}
	return paths
}

func (p *prover) prove(op Operation) Proof {
	leads := p.leading(op, op.Method)
	if leads != nil && slices.Contains(op.concretePaths(), leads.Client.Path) {
		return *leads
	}
	if asked := p.misrouted(op, p.natural); asked != nil {
		if leads != nil {
			asked.Client = leads.Client
		}
		return *asked
	}
	if leads != nil {
		return *leads
	}
	if asked := p.misrouted(op, p.mounted); asked != nil {
		return *asked
	}
	if r := p.opaque(); r != nil {
		return Proof{Operation: op, Outcome: Unproven, route: r, Note: "a plugin on it makes the upstream's path"}
	}
	return Proof{Operation: op, Outcome: Unreached, Note: p.near(op)}
}

// leading is a proof that a request of this method leads to the operation's path.
func (p *prover) leading(op Operation, method string) *Proof {
	for _, r := range p.routes {
		if r.Service != p.service || !takes(r, method) {
			continue
		}
		sent := p.sentMethod(r, method)
		if sent != op.Method && method == op.Method {
			continue
		}
		for _, path := range op.concretePaths() {
			if c := p.inverse(r, method, path); c != nil {
				return &Proof{Operation: op, Outcome: Reached, route: r, Client: c}
			}
		}
	}
	return nil
}

// sentMethod is the method that the upstream gets through a route.
func (p *prover) sentMethod(r *config.Route, method string) string {
	for _, plugin := range p.plugins(r) {
		if to := text(plugin.Config, "http_method"); isTransformer(plugin) && to != "" {
			return strings.ToUpper(to)
		}
	}
	return method
}

// inverse is a request that a route makes into a path.
func (p *prover) inverse(r *config.Route, method, upstream string) *Client {
	for _, path := range p.preimages(r, upstream) {
		for _, t := range p.ask(r, method, path) {
			if t.route != nil && t.route == r && p.arrives(t) == upstream {
				return client(r, t)
			}
		}
	}
	return nil
}

// arrives is the path that the upstream gets, "" when that cannot be computed.
func (p *prover) arrives(t trial) string {
	for _, plugin := range p.plugins(t.route) {
		if uri := rewrittenURI(plugin); uri != "" && !strings.Contains(uri, "$(") {
			return uri
		}
		if changesPath(plugin) || answers(plugin) {
			return ""
		}
	}
	return t.match().UpstreamPath
}

func client(r *config.Route, t trial) *Client {
	c := &Client{Method: t.req.Method, Path: t.req.Target}
	if len(r.Hosts) > 0 {
		c.Host = t.req.Host
	}
	return c
}

// ask is what becomes of a path with the route's own hosts and headers, for each
// of its hosts.
func (p *prover) ask(r *config.Route, method, path string) []trial {
	x := p.sampling(r)
	x.paths, x.methods, x.snis, x.headers = []samplePath{{path: path}}, []string{method}, x.snis[:1], x.headers[:1]
	var list []trial
	p.each(x, func(t trial) bool { list = append(list, t); return true })
	return list
}

// preimages are paths that a route may make into the upstream's. They are guesses
// by its arithmetic, to be asked of the router.
func (p *prover) preimages(r *config.Route, upstream string) []string {
	base := strings.TrimSuffix(p.service.Path, "/")
	rest, ok := strings.CutPrefix(upstream, base)
	if !ok || rest != "" && rest[0] != '/' {
		rest = upstream // only right where a plugin sets the path
	}
	if !r.StripPath || len(r.Paths) == 0 {
		list := []string{cmp.Or(rest, "/"), "/" + rest}
		for _, path := range r.Paths {
			list = append(list, p.prefixes(path)...) // where a plugin sets the path, any will do
		}
		return list
	}
	var list []string
	for _, path := range r.Paths {
		if core, _ := p.plainCore(path); p.consumed(r, path, core) == Warning && rest != "" && rest != "/" {
			continue // an endpoint's path: nobody asks for another one behind it
		}
		for _, prefix := range p.prefixes(path) {
			joined := strings.TrimSuffix(prefix, "/") + rest
			list = append(list, prefix, joined, prefix+strings.TrimPrefix(rest, "/"), prefix+"/")
		}
	}
	return list
}

// prefixes are what a route's path may match. Nobody sends a literal star.
func (s *subject) prefixes(path string) []string {
	switch {
	case config.IsRegexPath(path):
		return s.samplesOf(path)
	case strings.Contains(path, "*"):
		return nil
	}
	return []string{path}
}

// misrouted is a proof that the request which clients send for an operation comes
// to the service as another one that is not in the document.
func (p *prover) misrouted(op Operation, paths func(*config.Route, Operation) []string) *Proof {
	for _, r := range p.routes {
		if r.Service != p.service || !takes(r, op.Method) {
			continue
		}
		for _, path := range paths(r, op) {
			for _, t := range p.ask(r, op.Method, path) {
				if t.route == nil || t.route != r || p.arrives(t) == "" {
					continue
				}
				sends := Operation{p.sentMethod(r, op.Method), p.arrives(t)}
				if p.offers(sends) {
					continue
				}
				return &Proof{Operation: op, Outcome: Misrouted, route: r, Asked: client(r, t), Sends: sends.String()}
			}
		}
	}
	return nil
}

// natural are the paths that clients would ask a route for when they mean the
// operation: the operation's own, and those of the route's that end with it.
func (p *prover) natural(r *config.Route, op Operation) []string {
	own := op.concretePaths()
	if len(config.Segments(op.Path)) == 0 {
		return nil
	}
	list := slices.Clone(own)
	for _, path := range r.Paths {
		core, _ := p.plainCore(path)
		if core != "" && strings.HasSuffix(core, op.Path) && !slices.Contains(list, core) {
			list = append(list, core)
		}
	}
	return list
}

// mounted are the paths that clients would ask for behind a route's own, where
// that is only the gateway's name for the application: the document has nothing
// below it. A route that keeps such a path sends it along.
func (p *prover) mounted(r *config.Route, op Operation) []string {
	if r.StripPath {
		return nil
	}
	var list []string
	for _, path := range r.Paths {
		mount := strings.TrimSuffix(path, "/")
		behind := strings.TrimSuffix(p.service.Path, "/") + mount
		own := slices.ContainsFunc(p.operations, func(o Operation) bool { return o.Path == behind || strings.HasPrefix(o.Path, behind+"/") })
		if mount != "" && !own && !config.IsRegexPath(path) && !strings.Contains(path, "*") {
			list = append(list, mount+op.concretePaths()[0])
		}
	}
	return list
}

// offers reports whether the document has an operation for a request.
func (p *prover) offers(sent Operation) bool {
	return slices.ContainsFunc(p.operations, func(op Operation) bool {
		return op.Method == sent.Method && op.matches(sent.Path)
	})
}

// matches reports whether a path is one of those that the operation's stands for.
func (o Operation) matches(path string) bool {
	var pattern strings.Builder
	rest := o.Path
	for _, at := range placeholder.FindAllStringIndex(o.Path, -1) {
		done := len(o.Path) - len(rest)
		pattern.WriteString(regexp.QuoteMeta(o.Path[done:at[0]]) + "[^/]+")
		rest = o.Path[at[1]:]
	}
	re, err := regexp.Compile("^" + pattern.String() + regexp.QuoteMeta(rest) + "$")
	return err == nil && re.MatchString(path)
}

// opaque is a route of the service whose path a plugin makes.
func (p *prover) opaque() *config.Route {
	return find(p.routes, func(r *config.Route) bool {
		return r.Service == p.service && slices.ContainsFunc(p.plugins(r), func(plugin *config.Plugin) bool {
			return changesPath(plugin) && (isFunction(plugin) || strings.Contains(rewrittenURI(plugin), "$("))
		})
	})
}
