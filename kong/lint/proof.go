package lint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"diag405/kong/config"
	"diag405/kong/router"
)

// near says what comes near an operation that nothing leads to.
func (p *prover) near(op Operation) string {
	var methods []string
	var by *config.Route
	for _, method := range knownMethods {
		if method == op.Method {
			continue
		}
		if proof := p.leading(op, method); proof != nil {
			methods, by = append(methods, method), proof.route
		}
	}
	if by != nil && len(by.Methods) > 0 {
		return fmt.Sprintf("%s leads there for %s only", routeObject(by), list(methods))
	}
	if by != nil {
		return fmt.Sprintf("%s leads there, but a plugin changes the method", routeObject(by))
	}
	if !slices.ContainsFunc(p.routes, func(r *config.Route) bool { return r.Service == p.service }) {
		return "the service has no route"
	}
	return cmp.Or(p.starred(op), p.taken(op))
}

// taken names a route of another service that takes what would lead there.
func (p *prover) taken(op Operation) string {
	for _, r := range p.routes {
		if r.Service != p.service || !takes(r, op.Method) || p.sentMethod(r, op.Method) != op.Method {
			continue
		}
		upstream := op.concretePaths()[0]
		for _, path := range p.preimages(r, upstream) {
			if got, ok := router.MatchPath(r, path); !ok || router.UpstreamPath(p.service.Path, path, got, r.StripPath) != upstream {
				continue
			}
			for _, t := range p.ask(r, op.Method, path) {
				if t.route != nil && t.route.Service != p.service {
					return fmt.Sprintf("%s goes to %s instead of %s", t, routeObject(t.route), routeObject(r))
				}
			}
		}
	}
	return ""
}

// starred names a route that would lead to an operation if its * were what it
// looks like.
func (p *prover) starred(op Operation) string {
	for _, r := range p.routes {
		for _, path := range r.Paths {
			prefix, _, ok := strings.Cut(path, "*")
			if ok && r.Service == p.service && !config.IsRegexPath(path) && takes(r, op.Method) && strings.HasPrefix(op.concretePaths()[0], prefix) {
				return fmt.Sprintf("the * in %s of %s is no wildcard", path, routeObject(r))
			}
		}
	}
	return ""
}

// finding is what a proof means for the configuration, nil for a reached one.
func (p *prover) finding(proof Proof) *Finding {
	f := Finding{Object: Object{Kind: "operation", Name: proof.Operation.String()}}
	switch proof.Outcome {
	case Misrouted:
		f.Sentence = fmt.Sprintf("%s goes to %s, which sends %s", proof.Asked, routeObject(proof.route), proof.Sends)
		f.Fix = p.misroutedFix(proof)
		f = ruleOf("operation-misrouted").complete(f)
	case Unreached:
		f.Sentence = "no request leads to it through " + serviceObject(p.service).String()
		if proof.Note != "" {
			f.Sentence += ": " + proof.Note
		}
		f.Fix = Fix{Words: "add a route for it, or its method or path to one, if clients are to reach it"}
		f = ruleOf("operation-unreached").complete(f)
	case Unproven:
		f.Sentence = fmt.Sprintf("%s may lead to it: %s", routeObject(proof.route), proof.Note)
		f.Fix = Fix{Words: "try it"}
		f = ruleOf("operation-unproven").complete(f)
	default:
		return nil
	}
	return &f
}

// misroutedFix flips strip_path where that leads to the operation.
func (p *prover) misroutedFix(proof Proof) Fix {
	r := proof.route
	for _, path := range proof.Operation.concretePaths() {
		asked := proof.Asked.Path
		prefix, _ := router.MatchPath(r, asked)
		flipped := router.UpstreamPath(p.service.Path, asked, prefix, !r.StripPath)
		if flipped == path && p.computesPath(r) {
			on := routeObject(r)
			return Fix{Words: fmt.Sprintf("set strip_path=%t on %s", !r.StripPath, on), Set: map[string]any{"route.strip_path": !r.StripPath}, Certain: true, On: &on}
		}
	}
	if proof.Client != nil {
		return Fix{Words: "send " + proof.Client.String() + ", or change strip_path or the service's path"}
	}
	return Fix{Words: fmt.Sprintf("change strip_path of %s or the path of %s", routeObject(r), serviceObject(p.service))}
}
