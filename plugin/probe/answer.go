package probe

import (
	"net/http"
	"slices"

	"diag405/plugin/diagnose"
)

// Answer is what an upstream said of one path, and what that is worth.
type Answer struct {
	Status int      // of the answer to OPTIONS
	Allow  []string // methods that it listed, in its order, whatever they are worth

	// Methods are those that the path is known to take, most from Allow.
	Methods []string
	// Complete is true when every method that is not in Allow is known to be refused.
	Complete bool
	// Presence says whether the path is there, by its answer beside that of a path
	// which cannot be.
	Presence diagnose.Presence
}

// Offer is the answer as the engine takes it.
func (a Answer) Offer() diagnose.Offer {
	return diagnose.Offer{Methods: a.Methods, Complete: a.Complete, Doubtful: a.Allow, Presence: a.Presence}
}

// Takes reports whether the path takes a method; known is false when the answer
// does not say.
func (a Answer) Takes(method string) (takes, known bool) {
	switch {
	case slices.Contains(a.Methods, method):
		return true, true
	case slices.Contains(a.Allow, method):
		return false, false
	}
	return false, a.Complete
}

// Missing reports whether the path is known not to exist.
func (a Answer) Missing() bool { return a.Presence == diagnose.Absent }

// Offers are answers by path, as the engine takes them.
func Offers(answers map[string]Answer) map[string]diagnose.Offer {
	offers := make(map[string]diagnose.Offer, len(answers))
	for path, a := range answers {
		offers[path] = a.Offer()
	}
	return offers
}

// judge says what the replies of one upstream are worth.
func judge(q Question, replies map[asked]*reply) map[string]Answer {
	j := judgement{q, replies}
	answers := map[string]Answer{}
	for at := range replies {
		if at.method == http.MethodOptions && !isControl(at.path) {
			answers[at.path] = j.answer(at.path)
		}
	}
	return answers
}

// judgement holds the replies of one upstream, among them those that tell how far
// the others can be trusted.
type judgement struct {
	Question
	replies map[asked]*reply
}

// options is the reply to OPTIONS for a path, nil when there is none.
func (j judgement) options(path string) *reply { return j.replies[asked{http.MethodOptions, path}] }

// control is the reply for the path beside one that cannot be there.
func (j judgement) control(method, path string) *reply {
	beside, ok := control(path, j.Base)
	if !ok {
		return nil
	}
	return j.replies[asked{method, beside}]
}

func (j judgement) answer(path string) Answer {
	r, c := j.options(path), j.control(http.MethodOptions, path)
	a := Answer{Status: r.status, Allow: r.allow.Methods}
	if c == nil {
		return a // without an answer there nothing is believed
	}
	a.Presence = j.presence(r, c)
	if r.lists() && !j.contradicted() {
		a.Methods = slices.DeleteFunc(slices.Clone(a.Allow), c.allow.Has)
		a.Complete = complete(r, c)
	}
	if a.Presence == diagnose.Absent {
		a.Complete = true
	}
	return j.tried(a, path)
}

// tried adds what the upstream said to the method itself, where that was asked.
func (j judgement) tried(a Answer, path string) Answer {
	method := j.Refused.Method
	r, c := j.replies[asked{method, path}], j.control(method, path)
	if method == http.MethodOptions || r == nil || c == nil {
		return a
	}
	switch {
	case isSuccess(r.status) && (isMissing(c.status) || c.status == http.StatusMethodNotAllowed):
		a.Presence = diagnose.Present
		if !slices.Contains(a.Methods, method) {
			a.Methods = append(a.Methods, method)
		}
	case isSuccess(r.status) && isSuccess(c.status):
		a.Presence = diagnose.Anywhere
		a.Methods = slices.DeleteFunc(a.Methods, func(m string) bool { return m == method })
	}
	return a
}

// presence compares a path's answer with that of a path beside it that cannot
// be there.
func (j judgement) presence(r, c *reply) diagnose.Presence {
	switch {
	case isMissing(r.status):
		if isMissing(c.status) && j.tellsMissing(r) {
			return diagnose.Absent
		}
		return diagnose.NotAsked
	case isMissing(c.status):
		if r.status < http.StatusInternalServerError && r.status != http.StatusTooManyRequests {
			return diagnose.Present
		}
		return diagnose.NotAsked
	case r.same(c):
		return diagnose.Anywhere
	case r.lists():
		return diagnose.Present
	}
	return diagnose.NotAsked
}

// same reports whether two paths are answered alike.
func (r *reply) same(other *reply) bool {
	return r.status == other.status && r.allow.Sent == other.allow.Sent &&
		slices.Equal(sorted(r.allow.Methods), sorted(other.allow.Methods))
}

// sorted are the methods in an order that does not depend on the upstream's: some
// list them as their maps give them.
func sorted(methods []string) []string { return slices.Sorted(slices.Values(methods)) }

// contradicted reports whether OPTIONS lists the very method that the path just
// refused: what lists it does not know the application.
func (j judgement) contradicted() bool {
	r := j.options(j.Refused.Path)
	return r != nil && j.Status != http.StatusNotFound && r.allow.Has(j.Refused.Method)
}

// complete reports whether a list leaves nothing out. A 405 means that OPTIONS was
// routed like any other method, so its list is the routes'. A 2xx that comes for
// paths that do not exist as well was made without looking.
func complete(r, c *reply) bool {
	if r.status == http.StatusMethodNotAllowed {
		return !r.firstRoute
	}
	return !isSuccess(c.status) || !c.lists()
}

// tellsMissing reports whether a 404 means that the path is not there, rather than
// that nothing answers OPTIONS there: the same server must have listed the methods
// of some other path or refused OPTIONS there, and not have said 404 of one that
// refused a method, which exists.
func (j judgement) tellsMissing(missing *reply) bool {
	if r := j.options(j.Refused.Path); r != nil && isMissing(r.status) && j.Status != http.StatusNotFound {
		return false
	}
	for at, r := range j.replies {
		if at.method == http.MethodOptions && !isControl(at.path) && (r.lists() || r.status == http.StatusMethodNotAllowed) && r.server == missing.server {
			return true
		}
	}
	return false
}

// lists reports whether a reply says which methods a path takes. An empty Allow in
// a 405 refuses all of them (RFC 9110 section 10.2.1); in a 2xx, which took
// OPTIONS, it says nothing.
func (r *reply) lists() bool {
	return r.status == http.StatusMethodNotAllowed && r.allow.Sent ||
		isSuccess(r.status) && len(r.allow.Methods) > 0
}

func isSuccess(status int) bool { return status >= 200 && status <= 299 }

func isMissing(status int) bool {
	return status == http.StatusNotFound || status == http.StatusGone
}
