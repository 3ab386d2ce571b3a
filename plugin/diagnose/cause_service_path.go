package diagnose

import (
	"cmp"
	"slices"
	"strings"

	"diag405/kong/config"
	"diag405/kong/forecast"
)

const (
	bucketTwice observation = "an object store got the bucket in the Host and in the path"
	namesTwice  observation = "the end of the service's path stands twice, and is no API's or version's name"
)

// servicePath: the service's own path in front of what the client asked. Many
// services have one and it is what they need, so it is blamed only where the path
// stands there twice, where the Host names it already, or where the application is
// known to offer the same under another one.
var servicePath = cause{
	code: ServicePath,
	kind: gateway | proven | ofPath,
	examine: func(v *view) *finding {
		base := v.servicePath()
		if isRoot(base) || v.rewritten() {
			return nil
		}
		without := v.at(v.pathWith(v.Route != nil && v.Route.StripPath, ""))
		f := &finding{
			reason: "service path " + base + " came in front, so " + v.got(),
			facts:  []string{"the service adds " + base},
			fixes:  []Fix{v.serviceSets("path", "/", "set path to /", without)},
		}
		switch twice := v.overlap(base); {
		case under(v.sentPart(), base):
			f.shows = v.changed()
			f.reason = "service path " + base + " came in front of a path that has it already, so " + v.got()
			f.facts = append(f.facts, base+" stands twice in the upstream's path")
			f.fixes = append(v.stripInstead(base, without), f.fixes...)
		case twice != "" && v.mayBeAnyPath():
			mended := cmp.Or(strings.TrimSuffix(strings.TrimSuffix(base, "/"), twice), "/")
			f.shows = namesTwice // as in a mirror, which may be meant
			if slices.ContainsFunc(config.Segments(twice), isOwnSegment) {
				f.shows = v.changed()
			}
			f.reason = "service path " + base + " came in front of a path that begins with the end of it, so " + v.got()
			f.facts = append(f.facts, twice+" stands twice in the upstream's path")
			f.fixes = []Fix{v.serviceSets("path", mended, "set path to "+mended, v.at(v.pathWith(v.Route != nil && v.Route.StripPath, mended)))}
		case v.isBucketTwice():
			f.shows = bucketTwice
			f.reason = "service path " + base + " names what the Host says already, so " + v.got()
			f.facts = append(f.facts, "the Host begins with "+strings.Trim(base, "/"))
		}
		f.fixes = append(f.fixes, v.otherBases(base)...)
		return f
	},
}

// overlap is the end of the service's path with which what Kong puts behind it begins:
// somebody wrote an endpoint, or an API's version, where its base belongs. Names may stand
// in each other (/files/files), so that a single segment counts only where it is a version
// or an API word and not the last, which may be an id.
func (v *view) overlap(base string) string {
	ends, begins := config.Segments(base), config.Segments(v.sentPart())
	n := config.Overlap(ends, begins)
	if n == 0 || n == 1 && (len(begins) == 1 || !isOwnSegment(begins[0])) {
		return ""
	}
	return "/" + strings.Join(begins[:n], "/")
}

// sentPart is what Kong put behind the service's path.
func (v *view) sentPart() string {
	if v.strips() {
		return v.rest()
	}
	return v.path
}

// isBucketTwice reports a request to an object store whose Host begins with the one
// segment of the service's path. Stores take the bucket from the one or from the
// other.
func (v *view) isBucketTwice() bool {
	s := config.Segments(v.servicePath())
	return v.responder.kind == kindStore && len(s) == 1 && strings.HasPrefix(forecast.Hostname(v.Upstream.Host), strings.ToLower(s[0])+".")
}

// stripInstead offers strip_path=true where that, too, takes the doubled part
// away. It changes one route instead of a service with all its routes, so it
// comes first where it leads to the same path.
func (v *view) stripInstead(base string, without *Line) []Fix {
	if v.Route == nil || v.Route.StripPath || v.prefix == "" {
		return nil
	}
	would := v.at(v.pathWith(true, base))
	if *would != *without {
		return nil
	}
	return []Fix{v.routeSets("strip_path", true, "set strip_path=true", would)}
}

// otherBases are service paths under which the application offers what was asked
// for. Only those that share a word with the route's path are named, since that
// says what the operator wants to reach: an application may offer things of the
// same shape in many places.
func (v *view) otherBases(base string) []Fix {
	rest := config.Segments(v.sentPart())
	if v.seen.API == nil || len(rest) == 0 || len(rest) > maxSegments {
		return nil
	}
	var bases []string
	for _, t := range v.seen.API.templates {
		head := len(t.names) - len(rest)
		if head < 1 || !slices.Contains(t.Methods, v.Upstream.Method) || !matchAll(t.names[head:], rest) {
			continue
		}
		other, varied := t.begins(head)
		if other != base && !varied && v.sharesWord(config.Segments(other)) && !slices.Contains(bases, other) {
			bases = append(bases, other)
		}
	}
	var fixes []Fix
	for _, other := range bases[:min(len(bases), maxNear)] {
		would := v.at(v.pathWith(v.Route != nil && v.Route.StripPath, other))
		fixes = append(fixes, v.serviceSets("path", other, "set path to "+other, would))
	}
	return fixes
}

// sharesWord reports whether one of the segments stands in the route's path, too.
func (v *view) sharesWord(head []string) bool {
	return slices.ContainsFunc(config.Segments(v.prefix), func(s string) bool { return slices.Contains(head, s) })
}
