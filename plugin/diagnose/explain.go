package diagnose

import (
	"slices"
	"strings"
)

// finding is what one cause has to say about an exchange.
type finding struct {
	certainty Certainty
	// most is the highest certainty to tell, where a fix that is known to work does
	// not prove the cause. Empty: no limit.
	most   Certainty
	reason string
	facts  []string
	fixes  []Fix
}

// cause recognises one cause of a 405.
type cause struct {
	code Code
	// examine returns nil when the cause does not fit.
	examine func(*view) *finding
}

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

// Explain says why the exchange ended in a 405. It always answers: without
// enough to go on the cause is [MethodNotAllowed] or [Unknown], with what was
// learned and the next step. The same exchange gives the same answer.
func Explain(x Exchange, seen Offers) Diagnosis {
	v := newView(x, seen)
	if f := gatewayGenerated.examine(v); f != nil {
		return v.answer([]candidate{{gatewayGenerated, f}})
	}
	if !isKnown(x) {
		return unknown(x)
	}
	return v.answer(v.examine())
}

// answer is the diagnosis that the candidates make, the best of them first.
func (v *view) answer(found []candidate) Diagnosis {
	best := found[0]
	d := Diagnosis{
		Cause:     best.code,
		Certainty: best.told(),
		Reason:    best.reason,
		Facts:     append(best.facts, v.responder.facts()...),
		Fixes:     best.fixes,
	}
	for _, c := range found[1:] {
		d.Considered = append(d.Considered, Considered{c.code, c.told(), c.reason})
	}
	return d
}

// Candidates are the paths of the upstream that are worth asking about, the most
// telling first: the one that refused, and those that the fixes would lead to.
func Candidates(x Exchange) []string {
	if !isKnown(x) || x.Source != "" && x.Source != "service" {
		return nil
	}
	paths := []string{x.Upstream.Path}
	for _, c := range newView(x, Offers{}).examine() {
		for _, f := range c.fixes {
			if f.Upstream != nil && !slices.Contains(paths, f.Upstream.Path) {
				paths = append(paths, f.Upstream.Path)
			}
		}
	}
	return paths
}

func isKnown(x Exchange) bool { return x.Upstream.Method != "" && x.Upstream.Path != "" }

// candidate is a cause together with what it found.
type candidate struct {
	cause
	*finding
}

// examine asks every cause and puts the best answer first.
func (v *view) examine() []candidate {
	var found []candidate
	for _, c := range causes {
		if f := c.examine(v); f != nil && f.weigh(v) {
			found = append(found, candidate{c, f})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return b.rank() - a.rank() })
	return found
}

// rank orders candidates. Where a cause is merely possible, the last answer of
// all is the honest one: the application does not offer the method.
func (c candidate) rank() int {
	if c.certainty == Possible && c.code != MethodNotAllowed {
		return 0
	}
	return c.certainty.rank()
}

// told is the certainty as it is told.
func (f *finding) told() Certainty {
	if f.most != "" && f.certainty.rank() > f.most.rank() {
		return f.most
	}
	return f.certainty
}

// weigh holds the finding's fixes against what is known of the upstream: those
// that it is known to take come first, those that it is known to refuse go. It
// reports false when none is left.
func (f *finding) weigh(v *view) bool {
	var taken, open []Fix
	for _, fix := range f.fixes {
		switch offer := v.offerFor(fix); {
		case offer.Takes(v.methodOf(fix)):
			taken = append(taken, fix)
		case !offer.Refuses(v.methodOf(fix)):
			open = append(open, fix)
		}
	}
	if len(taken) > 0 {
		f.certainty = Confirmed
		f.facts = append(f.facts, "the upstream takes "+taken[0].Upstream.String())
	}
	f.fixes = append(taken, open...)
	return len(f.fixes) > 0
}

// offerFor is what is known of the path that a fix leads to. Nothing is, where
// the fix leads to the very request that was refused.
func (v *view) offerFor(f Fix) Offer {
	if f.Upstream == nil || *f.Upstream == v.Upstream.Line() {
		return Offer{}
	}
	offer, _ := v.seen.At(f.Upstream.Path)
	if _, asked := v.seen.Paths[f.Upstream.Path]; !asked && !v.documentFits() {
		offer.Complete = false
	}
	return offer
}

// documentFits reports whether what the document leaves out is really not there:
// it has to know the path that the upstream just answered for, and paths have to
// mean the same whatever the Host.
func (v *view) documentFits() bool {
	return v.seen.describes(v.Upstream.Path) && !v.hostNames(v.servicePath())
}

func (v *view) methodOf(f Fix) string {
	if f.Upstream == nil {
		return ""
	}
	return f.Upstream.Method
}

// unknown is the answer when the upstream-bound request could not be read.
func unknown(x Exchange) Diagnosis {
	reason := "the upstream refused the request, but what it got could not be read"
	if allow := ParseAllow(x.Response.Header.Values("Allow")); len(allow.Methods) > 0 {
		reason += "; there it takes " + strings.Join(allow.Methods, ", ")
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
