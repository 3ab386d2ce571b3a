package diagnose

import (
	"slices"
	"strings"

	"diag405/kong/config"
)

const (
	// maxNear bounds how many endpoints are suggested.
	maxNear = 3
	// maxSegments is the longest path for which near ones are looked for. No
	// application's own is longer, and each step tries every segment.
	maxSegments = 32
)

// near are the endpoints that take the upstream's method and whose path is one
// step from the one that the upstream got: a segment left out, one too many, or
// one that differs little. Nearest first; none that has to be guessed.
func (v *view) near() []string {
	if v.seen.has(v.Upstream.Path) {
		return nil // it is an endpoint itself
	}
	got := config.Segments(v.Upstream.Path)
	if v.seen.API == nil || len(got) > maxSegments {
		return nil
	}
	var nearest []alignment
	for _, t := range v.seen.API.templates {
		a := align(t, got)
		if a.step == none || !a.shares() || !slices.Contains(t.Methods, v.Upstream.Method) {
			continue
		}
		i := len(nearest)
		for i > 0 && nearest[i-1].step > a.step {
			i--
		}
		if i < maxNear {
			nearest = slices.Insert(nearest, i, a)
			nearest = nearest[:min(len(nearest), maxNear)]
		}
	}
	var out []string
	for _, a := range nearest {
		out = append(out, a.path(got))
	}
	return out
}

// tail keeps the slash at the end of a template.
func tail(template string) string {
	if len(template) > 1 && strings.HasSuffix(template, "/") {
		return "/"
	}
	return ""
}

// step is what is between two paths, the cheaper the more common the slip.
type step int

// Steps from a path to a template.
const (
	none           step = iota
	prefixLeftOut       // /chat for /api/chat
	segmentLeftOut      // /v1/completions for /v1/chat/completions
	segmentTooMany      // /api/v1/x for /v1/x
	segmentDiffers      // /v2/x for /v1/x
)

// alignment is a template beside a path: what step is between them, and at which
// segment.
type alignment struct {
	*template
	step step
	at   int
}

// shares reports whether a word of the template's stands in the path, too: a placeholder
// takes any, so without one the two have nothing to do with each other.
func (a alignment) shares() bool {
	for i, n := range a.names {
		leftOut := i == a.at && (a.step == prefixLeftOut || a.step == segmentLeftOut)
		if !n.varied && !leftOut {
			return true
		}
	}
	return false
}

// align compares a template's segments with a path's. The step is none when it is
// more than one.
func align(t *template, got []string) alignment {
	more := len(t.names) - len(got)
	if more < -1 || more > 1 {
		return alignment{}
	}
	ahead := 0 // how many segments match from the front
	for ahead < min(len(t.names), len(got)) && t.names[ahead].matches(got[ahead]) {
		ahead++
	}
	switch more {
	case 1:
		return leftOut(t, got, ahead)
	case -1:
		return tooMany(t, got, ahead)
	}
	if differs(t.names, got, ahead) {
		return alignment{t, segmentDiffers, ahead}
	}
	return alignment{}
}

// leftOut looks for a segment of the template without which it is the path. What
// matches from the front may stand before it.
func leftOut(t *template, got []string, ahead int) alignment {
	for i, segment := range t.names[:ahead+1] {
		switch {
		case segment.varied || i < len(got) && got[i] == segment.text:
			// nobody knows what belongs there; or it stands there already
		case !matchAll(t.names[i+1:], got[i:]):
		case i == 0:
			return alignment{t, prefixLeftOut, i}
		default:
			return alignment{t, segmentLeftOut, i}
		}
	}
	return alignment{}
}

// tooMany looks for a segment of the path without which it is the template. Only a
// prefix or a version may be too many: without a name or an id it is another thing.
func tooMany(t *template, got []string, ahead int) alignment {
	for i := range got[:ahead+1] {
		if isOwnSegment(got[i]) && matchAll(t.names[i:], got[i+1:]) {
			return alignment{t, segmentTooMany, i}
		}
	}
	return alignment{}
}

// differs looks at the first segment that is not the template's.
func differs(names []name, got []string, at int) bool {
	return at < len(got) && !names[at].varied && isSlip(names[at].text, got[at]) && matchAll(names[at+1:], got[at+1:])
}

// path is the template's path with the placeholders filled from the path.
func (a alignment) path(got []string) string {
	list := slices.Clone(got[:a.at])
	rest := got[a.at:]
	if a.step != segmentTooMany {
		list = append(list, a.names[a.at].text)
	}
	if a.step == segmentTooMany || a.step == segmentDiffers {
		rest = rest[1:]
	}
	return "/" + strings.Join(append(list, rest...), "/") + tail(a.Path)
}

// isSlip reports segments that are easily taken for each other: two versions, a
// singular and its plural, or the same letters in another case.
func isSlip(a, b string) bool {
	return isVersion(a) && isVersion(b) || strings.EqualFold(a, b) ||
		strings.TrimSuffix(a, "s") == strings.TrimSuffix(b, "s")
}

// endpointFixes ask the client for an endpoint that is near, where the same route
// can lead there.
func (v *view) endpointFixes() []Fix {
	if v.nearest == nil {
		v.nearest = append([]string{}, v.near()...)
	}
	var fixes []Fix
	for _, path := range v.nearest {
		if f, ok := v.endpointFix(path); ok {
			fixes = append(fixes, f)
		}
	}
	return fixes
}

// endpointFix asks the client for what leads to a path of the upstream.
func (v *view) endpointFix(path string) (Fix, bool) {
	client, ok := v.clientPathTo(path)
	if !ok {
		return Fix{}, false
	}
	return v.clientPathFix(client)
}

// clientPathTo is the path that the client has to ask for so that the upstream
// gets the given one.
func (v *view) clientPathTo(upstreamPath string) (string, bool) {
	base := strings.TrimSuffix(v.servicePath(), "/")
	if v.Route == nil || !under(upstreamPath, base) {
		return "", false
	}
	path := upstreamPath[len(base):]
	if v.Route.StripPath && v.prefix != "/" {
		path = strings.TrimSuffix(v.prefix, "/") + path
	}
	leads, ok := v.leads(path)
	return path, ok && leads == upstreamPath
}
