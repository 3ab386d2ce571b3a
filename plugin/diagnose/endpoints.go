package diagnose

import (
	"slices"
	"strings"
)

// maxNear bounds how many endpoints are suggested.
const maxNear = 3

// near are the endpoints that take the upstream's method and whose path is one
// step from the one that the upstream got: a segment left out, one too many, or
// one that differs little. Nearest first; none that has to be guessed.
func (v *view) near() []string {
	if v.seen.has(v.Upstream.Path) {
		return nil // it is an endpoint itself
	}
	got := segments(v.Upstream.Path)
	type scored struct {
		path  string
		steps int
	}
	var all []scored
	for _, e := range v.seen.API {
		if !slices.Contains(e.Methods, v.Upstream.Method) {
			continue
		}
		if path, steps := align(segments(e.Path), got); steps > 0 {
			all = append(all, scored{path + tail(e.Path), steps})
		}
	}
	slices.SortStableFunc(all, func(a, b scored) int { return a.steps - b.steps })
	var out []string
	for _, s := range all[:min(len(all), maxNear)] {
		out = append(out, s.path)
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

// Steps from one path to another, the cheaper the more common the slip.
const (
	prefixLeftOut  = 1 // /chat for /api/chat
	segmentLeftOut = 2 // /v1/completions for /v1/chat/completions
	segmentTooMany = 3 // /api/v1/x for /v1/x
	segmentDiffers = 4 // /v2/x for /v1/x
)

// align compares a template's segments with a path's. It returns the template's
// path with the placeholders filled from the path, and what kind of step is
// between them; 0 when it is more than one step.
func align(template, got []string) (path string, step int) {
	switch len(template) - len(got) {
	case 1:
		return leftOut(template, got)
	case -1:
		for i := range got {
			if !isOwnSegment(got[i]) {
				continue // without a name or an id it is another thing
			}
			without := slices.Delete(slices.Clone(got), i, i+1)
			if matchAll(template, without) {
				return "/" + strings.Join(without, "/"), segmentTooMany
			}
		}
	case 0:
		return differs(template, got)
	}
	return "", 0
}

func leftOut(template, got []string) (string, int) {
	for i, segment := range template {
		if isPlaceholder(segment) || i < len(got) && got[i] == segment {
			continue // nobody knows what belongs there; or it stands there already
		}
		if with := slices.Insert(slices.Clone(got), i, segment); matchAll(template, with) {
			step := segmentLeftOut
			if i == 0 {
				step = prefixLeftOut
			}
			return "/" + strings.Join(with, "/"), step
		}
	}
	return "", 0
}

func differs(template, got []string) (string, int) {
	at := -1
	for i := range template {
		if matchSegment(template[i], got[i]) {
			continue
		}
		if at >= 0 || isPlaceholder(template[i]) || !isSlip(template[i], got[i]) {
			return "", 0
		}
		at = i
	}
	if at < 0 {
		return "", 0
	}
	with := slices.Clone(got)
	with[at] = template[at]
	return "/" + strings.Join(with, "/"), segmentDiffers
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
	var fixes []Fix
	for _, path := range v.near() {
		if client, ok := v.clientPathTo(path); ok {
			if f, ok := v.clientPathFix(client); ok {
				fixes = append(fixes, f)
			}
		}
	}
	return fixes
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
