package lint

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"diag405/kong/config"
	"diag405/kong/forecast"
	"diag405/kong/router"
)

// Rules about hosts, those that routes match by and those that upstreams get.

// upperCaseHost: clients send hosts in lower case, and Kong compares as it is.
func upperCaseHost(s *subject) []Finding {
	var findings []Finding
	for _, r := range s.routes {
		var upper []string
		lower := make([]any, len(r.Hosts))
		for i, h := range r.Hosts {
			lower[i] = strings.ToLower(h)
			if lower[i] != h {
				upper = append(upper, h)
			}
		}
		if len(upper) == 0 {
			continue
		}
		findings = append(findings, Finding{
			Object:   routeObject(r),
			Sentence: fmt.Sprintf("%s %s upper-case letters, and Kong compares case: browsers send hosts in lower case and do not match", list(upper), verb(len(upper), "has", "have")),
			Fix:      Fix{Words: "write hosts in lower case", Set: map[string]any{"route.hosts": lower}, Certain: true},
		})
	}
	return findings
}

// ownHost reports whether a plugin decides the Host that the upstream gets.
func (s *subject) ownHost(r *config.Route) bool {
	return slices.ContainsFunc(s.plugins(r), func(p *config.Plugin) bool {
		return answers(p) || isTransformer(p) && mentionsHost(p) || isFunction(p) && mentions(p.Config, "host")
	})
}

func mentionsHost(p *config.Plugin) bool {
	return slices.ContainsFunc([]string{"replace", "add", "append"}, func(list string) bool {
		headers, _ := value(p.Config, list, "headers").([]any)
		return slices.ContainsFunc(headers, func(h any) bool {
			s, _ := h.(string)
			return strings.HasPrefix(strings.ToLower(s), "host:")
		})
	})
}

// preserveHostOff: a host below the upstream's own name, as of a bucket or a
// tenant, is what such an upstream selects by. And routes that differ in nothing
// but their hosts are one and the same to an upstream that does not get them.
func preserveHostOff(s *subject) []Finding {
	var findings []Finding
	for _, r := range s.routes {
		if r.PreserveHost || r.Service == nil || len(r.Hosts) == 0 || s.ownHost(r) {
			continue
		}
		fix := Fix{Words: "set preserve_host=true", Set: map[string]any{"route.preserve_host": true}}
		if h := belowService(r); h != "" {
			findings = append(findings, Finding{
				Object:   routeObject(r),
				Sentence: fmt.Sprintf("%s lies below the service's host %s, but preserve_host is off and the upstream gets Host %s instead", h, r.Service.Host, r.Service.Host),
				Fix:      fix,
			})
			continue
		}
		if other := s.twin(r); other != nil {
			findings = append(findings, Finding{
				Severity: Info,
				Object:   routeObject(r),
				Sentence: fmt.Sprintf("it differs from %s only in its hosts, and preserve_host is off: the upstream cannot tell %s from %s", routeObject(other), r.Hosts[0], other.Hosts[0]),
				Fix:      fix,
			})
		}
	}
	return findings
}

// belowService is a host of a route below its service's, where all of the path
// goes upstream.
func belowService(r *config.Route) string {
	if r.StripPath && slices.ContainsFunc(r.Paths, func(p string) bool { return p != "/" }) {
		return ""
	}
	i := slices.IndexFunc(r.Hosts, func(h string) bool {
		return strings.HasSuffix(forecast.Hostname(h), "."+strings.ToLower(r.Service.Host))
	})
	if i < 0 {
		return ""
	}
	return r.Hosts[i]
}

// twin is an earlier route of the same service with other hosts and the same of
// everything else.
func (s *subject) twin(r *config.Route) *config.Route {
	if s.twins == nil {
		s.twins = map[string][]*config.Route{}
		for _, other := range s.routes {
			if !other.PreserveHost && len(other.Hosts) > 0 && len(other.Headers) == 0 {
				key := sameButHosts(other)
				s.twins[key] = append(s.twins[key], other)
			}
		}
	}
	for _, other := range s.twins[sameButHosts(r)] {
		if other == r {
			return nil
		}
		if len(r.Headers) == 0 && !sameSet(other.Hosts, r.Hosts) && slices.Equal(s.plugins(other), s.plugins(r)) {
			return other
		}
	}
	return nil
}

// preserveHostMixed: an upstream that goes by Host gets the client's on one route
// and its own on another.
func preserveHostMixed(s *subject) []Finding {
	var findings []Finding
	for _, svc := range s.cfg.Services {
		var on, off []string
		for _, r := range s.routesTo(svc) {
			if len(r.Hosts) == 0 || s.ownHost(r) {
				continue
			}
			if r.PreserveHost {
				on = append(on, router.Name(r))
			} else {
				off = append(off, router.Name(r))
			}
		}
		if len(on) == 0 || len(off) == 0 {
			continue
		}
		findings = append(findings, Finding{
			Object: serviceObject(svc),
			Sentence: fmt.Sprintf("its routes with hosts disagree: %s %s the client's Host, %s %s %s instead",
				atMost(3, on), verb(len(on), "sends", "send"), atMost(3, off), verb(len(off), "sends", "send"), svc.Host),
			Fix: Fix{Words: "give all of them the same preserve_host, unless the upstream does not look at the Host"},
		})
	}
	return findings
}

// sharedDomains are platforms on which many sites share an address and are told
// apart by Host.
var sharedDomains = []string{
	"amazonaws.com", "cloudfront.net", "azurewebsites.net", "azurefd.net", "run.app", "appspot.com", "cloudfunctions.net",
	"herokuapp.com", "vercel.app", "netlify.app", "github.io", "pages.dev", "workers.dev", "onrender.com", "fly.dev",
}

// preserveHostForeign: the service's host is a site on a platform, and the
// upstream gets the client's Host, which the platform does not know.
func preserveHostForeign(s *subject) []Finding {
	var findings []Finding
	for _, r := range s.routes {
		if !r.PreserveHost || r.Service == nil || s.ownHost(r) || !onPlatform(r.Service.Host) {
			continue
		}
		if slices.ContainsFunc(r.Hosts, func(h string) bool { return forecast.Hostname(h) == strings.ToLower(r.Service.Host) }) {
			continue
		}
		findings = append(findings, Finding{
			Object:   routeObject(r),
			Sentence: fmt.Sprintf("preserve_host sends the client's Host to %s, where many sites share an address and the Host selects one", r.Service.Host),
			Fix:      Fix{Words: "set preserve_host=false, unless the platform knows the client's host as well", Set: map[string]any{"route.preserve_host": false}},
		})
	}
	return findings
}

func onPlatform(host string) bool {
	return slices.ContainsFunc(sharedDomains, func(d string) bool { return strings.HasSuffix(strings.ToLower(host), "."+d) })
}

// hostAndPath: the Host that the upstream gets begins with the one segment of the
// service's path, as a bucket's does.
func hostAndPath(s *subject) []Finding {
	var findings []Finding
	for _, r := range s.routes {
		base := config.Segments(basePath(r))
		if !r.PreserveHost || len(base) != 1 || !s.computesPath(r) {
			continue
		}
		i := slices.IndexFunc(r.Hosts, func(h string) bool { return strings.HasPrefix(forecast.Hostname(h), strings.ToLower(base[0])+".") })
		if i < 0 || isOwn(base[0]) || isAddress(r.Service.Host) {
			continue
		}
		findings = append(findings, Finding{
			Object: routeObject(r),
			Sentence: fmt.Sprintf("the upstream gets Host %s and path %s in front, which name the same thing twice",
				r.Hosts[i], r.Service.Path),
			Fix: Fix{Words: "set the service's path to /, or preserve_host=false", Set: map[string]any{"service.path": "/"}},
		})
	}
	return findings
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}
