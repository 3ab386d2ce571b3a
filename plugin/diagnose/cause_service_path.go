package diagnose

// servicePath: the service's own path in front of what the client asked. Two
// thirds of all URLs have some path in front, so only a path that stands there
// twice is blamed without further proof.
var servicePath = cause{
	code:    ServicePath,
	gateway: true,
	examine: func(v view) *finding {
		base := v.servicePath()
		if base == "" || base == "/" || v.rewritten() || v.allow.Has(v.Upstream.Method) {
			return nil
		}
		without := v.at(v.pathWith(v.Route != nil && v.Route.StripPath, ""))
		fixes := []Fix{v.serviceSets("path", "/", "set path to /", without)}
		f := &finding{
			certainty: Possible,
			reason: "service path " + base + " came in front, so the upstream got " +
				v.Upstream.Line().String() + ", " + v.takes(),
			facts: []string{"the service adds " + base},
			fixes: fixes,
		}
		if sent := v.sentPart(); segments(base) != nil && under(sent, base) {
			f.certainty = Likely
			f.reason = "service path " + base + " came in front of a path that has it already, so the upstream got " +
				v.Upstream.Line().String() + ", " + v.takes()
			f.facts = append(f.facts, base+" stands twice in the upstream's path")
			f.fixes = append(v.stripInstead(base, without), fixes...)
		}
		return f
	},
}

// sentPart is what Kong put behind the service's path.
func (v view) sentPart() string {
	if v.strips() {
		return v.rest()
	}
	return v.path
}

// stripInstead offers strip_path=true where that, too, takes the doubled part
// away. It changes one route instead of a service with all its routes, so it
// comes first where it leads to the same path.
func (v view) stripInstead(base string, without *Line) []Fix {
	if v.Route == nil || v.Route.StripPath || v.prefix == "" {
		return nil
	}
	would := v.at(v.pathWith(true, base))
	if *would != *without {
		return nil
	}
	return []Fix{v.routeSets("strip_path", true, "set strip_path=true", would)}
}
