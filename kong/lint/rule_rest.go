package lint

import (
	"fmt"
	"slices"

	"diag405/kong/config"
)

// noService: a route without a service answers 503, unless a plugin answers.
func noService(s *subject) []Finding {
	var findings []Finding
	for _, r := range s.routes {
		if r.Service != nil || slices.ContainsFunc(s.plugins(r), func(p *config.Plugin) bool { return answers(p) || isFunction(p) }) {
			continue
		}
		findings = append(findings, Finding{
			Object:   routeObject(r),
			Sentence: "it has no service and no plugin that answers, so Kong answers 503",
			Fix:      Fix{Words: "give it a service"},
		})
	}
	return findings
}

// disabledService: Kong leaves out the routes of a disabled service.
func disabledService(s *subject) []Finding {
	var findings []Finding
	for _, svc := range s.cfg.Services {
		n := len(s.related.routes[svc])
		if svc.Enabled || n == 0 {
			continue
		}
		findings = append(findings, Finding{
			Object:   serviceObject(svc),
			Sentence: fmt.Sprintf("it is disabled, so its %s %s not there: such requests get 404 or go to other routes", plural(n, "route"), verb(n, "is", "are")),
			Fix:      Fix{Words: "set enabled=true if it is meant to serve", Set: map[string]any{"service.enabled": true}},
		})
	}
	return findings
}

func unusedService(s *subject) []Finding {
	var findings []Finding
	for _, svc := range s.cfg.Services {
		if len(s.related.routes[svc]) > 0 {
			continue
		}
		findings = append(findings, Finding{
			Object:   serviceObject(svc),
			Sentence: "no route leads to it",
			Fix:      Fix{Words: "give it a route, or remove it"},
		})
	}
	return findings
}

// notModelled: what Kong or this router cannot compile takes no part in anything, and
// an expression for which no request was found was not looked at.
func notModelled(s *subject) []Finding {
	var findings []Finding
	for _, r := range s.cfg.Routes {
		switch {
		case s.broken[r] != nil:
			findings = append(findings, Finding{
				Object:   routeObject(r),
				Sentence: fmt.Sprintf("it is left out, as the router cannot read it: %v", s.broken[r]),
				Fix:      Fix{Words: "write it more simply, if Kong takes it"},
			})
		case r.Expression != "" && isHTTP(r) && (r.Service == nil || r.Service.Enabled) && !s.sampled(r):
			findings = append(findings, Finding{
				Object:   routeObject(r),
				Sentence: "no request was found that its expression takes, so no rule looked at it",
				Fix:      Fix{Words: "nothing is needed"},
			})
		}
	}
	return findings
}
