package diagnose

import (
	"slices"
	"strings"
)

// finding is what one cause has to say about an exchange.
type finding struct {
	certainty Certainty
	reason    string
	facts     []string
	fixes     []Fix
}

// cause recognises one cause of a 405.
type cause struct {
	code Code
	// gateway is true where the cause blames a setting of the gateway: such a
	// finding is chosen only when it is at least likely.
	gateway bool
	// examine returns nil when the cause does not fit.
	examine func(view) *finding
}

// causes, in the order in which equals are preferred: what the request itself
// proves, what Kong or a plugin changed (narrow before broad), and last what is
// always a possible answer.
var causes = []cause{
	corsPreflight,
	methodRewrite,
	pathRewrite,
	servicePath,
	stripPath,
	prefixKept,
	headUnsupported,
	methodNotAllowed,
}

// Explain says why the exchange ended in a 405. It always answers: without
// enough to go on the cause is [MethodNotAllowed] or [Unknown], with what was
// learned and the next step. The same exchange gives the same answer.
func Explain(x Exchange, seen Offers) Diagnosis {
	if x.Upstream.Method == "" || x.Upstream.Path == "" {
		return unknown(x)
	}
	v := newView(x)
	var found []candidate
	for _, c := range causes {
		f := c.examine(v)
		if f == nil || !f.weigh(v, seen) {
			continue
		}
		found = append(found, candidate{c, f})
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return b.rank() - a.rank() })
	return choose(found)
}

// candidate is a cause together with what it found.
type candidate struct {
	cause
	*finding
}

// rank orders candidates. A setting that is merely possible comes after
// everything else.
func (c candidate) rank() int {
	if c.gateway && c.certainty == Possible {
		return 0
	}
	return c.certainty.rank()
}

func choose(found []candidate) Diagnosis {
	best := found[0]
	d := Diagnosis{
		Cause:     best.code,
		Certainty: best.certainty,
		Reason:    best.reason,
		Facts:     best.facts,
		Fixes:     best.fixes,
	}
	for _, c := range found[1:] {
		d.Considered = append(d.Considered, Considered{c.code, c.certainty, c.reason})
	}
	return d
}

// weigh holds the finding against what is known of the upstream: it reports
// false when the corrected request is known to be refused too.
func (f *finding) weigh(v view, seen Offers) bool {
	would := f.fixes[0].Upstream
	if would == nil || *would == v.Upstream.Line() {
		return true
	}
	methods, known := seen.At(would.Path)
	if !known {
		return true
	}
	if !slices.Contains(methods, would.Method) {
		return false
	}
	f.certainty = Confirmed
	f.facts = append(f.facts, "the upstream takes "+would.String())
	return true
}

// unknown is the answer when the upstream-bound request could not be read.
func unknown(x Exchange) Diagnosis {
	reason := "the upstream answered 405, but the request that it got could not be read"
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
