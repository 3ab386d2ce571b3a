package diagnose

import (
	"net/http"
	"slices"
	"strings"
)

// finding is what one cause has to say about an exchange.
type finding struct {
	// shows is the strongest observation that speaks for it; "" when the cause merely
	// fits.
	shows  observation
	reason string
	facts  []string
	fixes  []Fix
}

// cause recognises one cause of a refusal.
type cause struct {
	code Code
	// examine returns nil when the cause does not fit.
	examine func(*view) *finding
	kind    causeKind
}

// causeKind says in which refusals a cause is looked for, and what speaks for it.
type causeKind uint8

const (
	// proven: that what the fix leads to takes the method shows that this was the
	// cause, and not only that something else would have worked.
	proven causeKind = 1 << iota
	// gateway: a setting of the gateway is blamed.
	gateway
	// ofPath: it explains a path that leads nowhere, a 404, as well.
	ofPath
	// evenListed: it is possible where Allow lists the method that was refused. Paths
	// and methods are right then, and something else refused.
	evenListed
)

func (k causeKind) has(other causeKind) bool { return k&other != 0 }

// causes, in the order in which equals are preferred: who made the answer, what
// the request itself shows, what Kong or a plugin changed (narrow before broad),
// where the request went, and last what is always a possible answer.
var causes = []cause{
	gatewayGenerated, // asked first and alone: without an upstream there is nothing else to say
	targetDivergence,
	corsPreflight,
	methodRewrite,
	methodOverride,
	protocolMismatch,
	redirectMethodChange,
	pathRewrite,
	servicePath,
	stripPath,
	prefixKept,
	trailingSlash,
	pathEncoding,
	hostHeader,
	headUnsupported,
	routeShadowed,
	wrongUpstream,
	wrongPath,
	methodNotAllowed,
}

// Codes are all codes that a diagnosis can have, [Unknown] last.
func Codes() []Code {
	var codes []Code
	for _, c := range causes {
		codes = append(codes, c.code)
	}
	return append(codes, Unknown)
}

// Statuses are those of which Explain knows what they mean: 405 Method Not Allowed,
// and 404 Not Found, as which a wrong path ends as often. Of a 401, 403 or 5xx path
// and method are right.
func Statuses() []int { return []int{http.StatusMethodNotAllowed, http.StatusNotFound} }

// Explains reports whether a status is one of them.
func Explains(status int) bool { return slices.Contains(Statuses(), status) }

// Explain says why the exchange ended in a 405, or in a 404 of the upstream's. It
// always answers: without enough to go on the cause is [MethodNotAllowed],
// [WrongPath] for a 404, or [Unknown], with what was learned and the next step.
// The same exchange gives the same answer.
func Explain(x Exchange, seen Offers) Diagnosis {
	v := newView(x, seen)
	if f := gatewayGenerated.examine(v); f != nil {
		return v.answer([]candidate{newCandidate(gatewayGenerated, f)})
	}
	if !isKnown(x) {
		return unknown(v)
	}
	return v.answer(v.examine())
}

// answer is the diagnosis that the candidates make, the best of them first.
func (v *view) answer(found []candidate) Diagnosis {
	best := found[0]
	d := Diagnosis{
		Cause:     best.code,
		Certainty: best.certainty,
		Evidence:  best.evidence,
		Reason:    best.reason,
		Facts:     append(best.facts, v.responder.facts()...),
		Fixes:     best.fixes,
	}
	for _, c := range found[1:] {
		d.Considered = append(d.Considered, Considered{c.code, c.certainty, c.evidence, c.reason})
	}
	return d
}

// Candidates are the paths of the upstream that are worth asking about, the most
// telling first: the one that refused, and those that the fixes would lead to. All
// lie below the service's path, since what the gateway does not show to its clients
// is not asked about on their behalf. A page at the root proves nothing to a
// request that reads.
func Candidates(x Exchange) []string {
	if !isKnown(x) || x.Source != "" && x.Source != "service" {
		return nil
	}
	v := newView(x, Offers{})
	paths := []string{x.Upstream.Path}
	for _, c := range causes {
		if !c.kind.has(proven) || !c.fits(v) {
			continue
		}
		f := c.examine(v)
		if f == nil {
			continue
		}
		for _, fix := range f.fixes {
			if u := fix.Upstream; u != nil && under(u.Path, v.servicePath()) && !isRootPage(*u) && !slices.Contains(paths, u.Path) {
				paths = append(paths, u.Path)
			}
		}
	}
	return paths
}

func isRootPage(l Line) bool { return l.Path == "/" && isRead(l.Method) }

func isKnown(x Exchange) bool { return x.Upstream.Method != "" && x.Upstream.Path != "" }

// candidate is a cause together with what it found.
type candidate struct {
	cause
	*finding
	evidence  Weight // what it rests on
	certainty Certainty
	rank      int
}

func newCandidate(c cause, f *finding) candidate {
	out := candidate{cause: c, finding: f, evidence: c.weigh(f.shows)}
	out.certainty = out.evidence.certainty()
	out.rank = out.order()
	return out
}

// fits reports whether a refusal is one of those that the cause can explain at all.
func (c cause) fits(v *view) bool {
	switch {
	case v.missing():
		return c.kind.has(ofPath)
	case v.allow.Has(v.Upstream.Method):
		return c.kind.has(evenListed)
	}
	return true
}

// examine asks every cause and puts the best answer first.
func (v *view) examine() []candidate {
	var found []candidate
	for _, c := range causes {
		if !c.fits(v) {
			continue
		}
		if f := c.examine(v); f != nil && f.hold(v, c.kind) {
			found = append(found, newCandidate(c, f))
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return b.rank - a.rank })
	return found
}

// order is the candidate's rank. Of those that are merely possible, one that has something
// of the request to show comes before the last answer of all, that the application
// does not offer the method; but a setting of the gateway is not blamed on a
// possibility, only what Kong was seen to do.
func (c candidate) order() int {
	switch {
	case c.certainty != Possible:
		return 2 + c.certainty.rank()
	case c.evidence.speaks() && (!c.kind.has(gateway) || c.shows.ofKong()):
		return 2
	case c.code == MethodNotAllowed, c.code == WrongPath:
		return 1
	}
	return 0
}

// hold holds the finding's fixes against what is known of the upstream: those
// that it is known to take come first, those that it is known to refuse go. Where
// a fix that works shows the cause, what is known of its path is what the finding
// rests on; that there is something at the root says nothing, as there nearly always
// is. It reports false when no fix is left.
func (f *finding) hold(v *view, kind causeKind) bool {
	var taken, there, open, nowhere []Fix
	for _, fix := range f.fixes {
		offer, method := v.offerFor(fix), v.methodOf(fix)
		switch {
		case offer.Takes(method):
			taken = append(taken, fix)
		case offer.Presence == Absent && f.shows.ofKong() && f.shows != changedSilent:
			open = append(open, fix) // not all that an application has answers OPTIONS
		case offer.Refuses(method):
		case offer.Presence == Present && fix.Upstream.Path != v.Upstream.Path && fix.Upstream.Path != "/":
			there = append(there, fix)
		case offer.Presence == Anywhere && v.toldByOPTIONS():
			nowhere = append(nowhere, fix)
		default:
			open = append(open, fix)
		}
	}
	f.fixes = slices.Concat(taken, there, open, nowhere)
	if len(f.fixes) == 0 {
		return false
	}
	if kind.has(proven) {
		f.rest(v, taken, there, nowhere)
	}
	return true
}

// rest says what a finding rests on once its fixes are weighed.
func (f *finding) rest(v *view, taken, there, nowhere []Fix) {
	switch {
	case len(taken) > 0 && v.onlyDocumented(taken[0].Upstream.Path):
		f.shows = documentTakes
		f.facts = append(f.facts, "the application's document offers "+taken[0].Upstream.String())
	case len(taken) > 0:
		f.shows = pathTakes
		f.facts = append(f.facts, "the upstream takes "+taken[0].Upstream.String())
	case len(there) > 0:
		f.shows = pathExists
		f.facts = append(f.facts, "the upstream has "+there[0].Upstream.Path+", and has nothing at a made-up path beside it")
	case f.shows == namesTwice: // that nothing of its own is there does not speak against it
	case len(nowhere) == len(f.fixes), v.isNowhere():
		f.shows = pathNowhere
	}
}

// offerFor is what is known of the path that a fix leads to. Nothing is, where
// the fix leads to the very request that was refused, and where it leads to the
// page at the root, which nearly every application has.
func (v *view) offerFor(f Fix) Offer {
	if f.Upstream == nil || *f.Upstream == v.Upstream.Line() || isRootPage(*f.Upstream) {
		return Offer{}
	}
	offer, _ := v.seen.At(f.Upstream.Path)
	if v.onlyDocumented(f.Upstream.Path) && !v.documentFits() {
		offer.Complete = false
	}
	return offer
}

// onlyDocumented reports whether nothing but the document tells of a path's methods.
func (v *view) onlyDocumented(path string) bool {
	return !v.seen.Paths[path].tells()
}

// documentFits reports whether what the document leaves out is really not there:
// it has to know the path that the upstream just answered for, and paths have to
// mean the same whatever the Host.
func (v *view) documentFits() bool {
	return v.seen.describes(v.Upstream.Path) && !v.isBucketTwice()
}

func (v *view) methodOf(f Fix) string {
	if f.Upstream == nil {
		return ""
	}
	return f.Upstream.Method
}

// unknown is the answer when the upstream-bound request could not be read.
func unknown(v *view) Diagnosis {
	reason := "the upstream refused the request, but what it got could not be read"
	if len(v.allow.Methods) > 0 {
		reason += "; there it takes " + strings.Join(v.allow.Methods, ", ")
	}
	if v.missing() {
		reason = "the upstream answered " + http.StatusText(http.StatusNotFound) + ", but what it got could not be read"
	}
	return Diagnosis{
		Cause:     Unknown,
		Certainty: Possible,
		Reason:    reason,
		Fixes: []Fix{{
			Words: "read the method and path in the upstream's own access log and compare them with what the client sent",
			App:   "Look up the request in the upstream's access log.",
		}},
	}
}
