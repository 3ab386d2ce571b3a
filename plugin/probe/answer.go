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

	// Methods are those of Allow that the path is known to take.
	Methods []string
	// Complete is true when every method that is not in Allow is known to be refused.
	Complete bool
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
func (a Answer) Missing() bool { return a.Complete && isMissing(a.Status) }

// judge says what the replies of one upstream are worth.
func judge(refused diagnose.Line, replies map[string]*reply) map[string]Answer {
	j := judgement{refused, replies[ControlPath], replies}
	answers := map[string]Answer{}
	for path, r := range replies {
		if path != ControlPath {
			answers[path] = j.answer(r)
		}
	}
	return answers
}

// judgement holds the replies of one upstream, among them those that tell how far
// the others can be trusted.
type judgement struct {
	refused diagnose.Line
	control *reply // nil when the control path gave no answer
	replies map[string]*reply
}

func (j judgement) answer(r *reply) Answer {
	a := Answer{Status: r.status, Allow: r.allow.Methods}
	switch {
	case j.control == nil, j.contradicted():
	case r.lists():
		a.Methods = slices.DeleteFunc(slices.Clone(a.Allow), j.control.allow.Has)
		a.Complete = j.complete(r)
	case isMissing(r.status):
		a.Complete = j.tellsMissing(r)
	}
	return a
}

// contradicted reports whether OPTIONS lists the very method that the path just
// refused: what lists it does not know the application.
func (j judgement) contradicted() bool {
	r := j.replies[j.refused.Path]
	return r != nil && r.allow.Has(j.refused.Method)
}

// complete reports whether a list leaves nothing out. A 405 means that OPTIONS was
// routed like any other method, so its list is the routes'. A 2xx that comes for
// paths that do not exist as well was made without looking.
func (j judgement) complete(r *reply) bool {
	if r.status == http.StatusMethodNotAllowed {
		return !r.firstRoute
	}
	return !isSuccess(j.control.status) || !j.control.lists()
}

// tellsMissing reports whether a 404 means that the path is not there, rather than
// that nothing answers OPTIONS there: the same server must have listed the
// methods of some other path, and not have said 404 of the one that was refused,
// which exists.
func (j judgement) tellsMissing(missing *reply) bool {
	if r := j.replies[j.refused.Path]; r != nil && isMissing(r.status) {
		return false
	}
	for path, r := range j.replies {
		if path != ControlPath && r.lists() && r.server == missing.server {
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
