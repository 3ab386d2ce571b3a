package diagnose

import (
	"net/http"
	"slices"
	"strings"
)

// Observations for an application that does not offer the method.
const (
	ownEndpoint   observation = "the client's path reached an endpoint of its own, and its neighbours that cannot exist are answered otherwise"
	takesWrites   observation = "the client's path reached what takes other methods that write"
	onlyWrites    observation = "a request that reads reached what only writes"
	atRoot        observation = "the path was / from the beginning"
	readsOnly     observation = "the path arrived as it came, and only reading is offered"
	mountedReads  observation = "a part of the client's path arrived, and only reading is offered"
	configured    observation = "the whole path comes from the configuration"
	disabled      observation = "the path arrived as it came, and Allow is empty"
	silentRefusal observation = "the answer has no Allow"
)

// methodNotAllowed is always a possible answer: nothing shows that the request
// reached another place than meant, and the application does not offer the
// method there.
var methodNotAllowed = cause{
	code: MethodNotAllowed,
	kind: evenListed,
	examine: func(v *view) *finding {
		return &finding{
			shows:  v.refusal(),
			reason: v.got() + arrived(v),
			fixes:  methodNotAllowedFixes(v),
		}
	},
}

// refusal is what the answer says for an application that simply lacks the
// method. Where the configuration alone made the path nothing does: whether that
// leads to the right endpoint only its author knows.
func (v *view) refusal() observation {
	method := v.Upstream.Method
	switch {
	case v.allow.Has(method), v.isNowhere(), v.rewritten(), v.Client.Method != method, v.hasTrace():
		return ""
	case v.path == "/" && v.Upstream.Path == "/" && v.responder.kind != kindStatic:
		return atRoot
	case isRoot(v.rest()) && v.path != v.Upstream.Path:
		return configured
	case v.isPresent():
		return ownEndpoint
	case !v.allow.Sent:
		return silentRefusal
	case len(v.allow.Methods) == 0 && v.path == v.Upstream.Path:
		return disabled
	case isRead(method) && v.writesOnly():
		return onlyWrites
	case slices.ContainsFunc(v.allow.Methods, isWrite):
		return takesWrites
	case v.path == v.Upstream.Path:
		return readsOnly
	}
	return mountedReads
}

// hasTrace reports something in the request that speaks for another cause. No
// measured set-up has it, so which of the two it is remains open.
func (v *view) hasTrace() bool {
	if _, redirected := v.redirectTrace(); redirected != "" && v.mayHaveBeenPost() {
		return true
	}
	if meant, how := v.override(); meant != "" && how == formHow(v) {
		return true
	}
	return isNamedWebSocket(v)
}

// arrived says how the request got there, so that people can judge the path.
func arrived(v *view) string {
	switch {
	case v.Client.Path == v.Upstream.Path:
		return "; Kong passed the path on as it came"
	case v.strips():
		return "; strip_path removed " + v.stripped + " from the client's path"
	}
	return ""
}

// methodNotAllowedFixes end with one that nothing can refute.
func methodNotAllowedFixes(v *view) []Fix {
	last := offerFix(v)
	switch {
	case v.allow.Has(v.Upstream.Method):
		last = Fix{
			Words: "look for what stands between Kong and the application's handler: it lists " + v.Upstream.Method + " and refused it",
			App:   "Find what refused " + v.Upstream.Method + " at " + v.Upstream.Path + " before its handler.",
		}
	case v.mayBeThere():
		return []Fix{{
			Words: "take the answer for success if " + v.Upstream.Path + " is there: a collection that exists refuses MKCOL with 405; PROPFIND tells",
			App:   "Nothing, if the collection " + v.Upstream.Path + " is there.",
		}}
	case v.responder.kind == kindWebDAV:
		last = Fix{
			Words: "take the WebDAV module and its handler out of the site (IIS: remove WebDAVModule in web.config): it took " + v.Upstream.Method + " before the application saw it",
			App:   "Remove the WebDAV module and handler from the site.",
		}
	}
	if m := v.otherMethod(); m != "" {
		return []Fix{v.clientMethodFix(m), last}
	}
	return []Fix{last}
}

func offerFix(v *view) Fix {
	words := "offer " + v.Upstream.Method + " at " + v.Upstream.Path + " in the application"
	if v.path != v.Upstream.Path {
		words += ", or make sure that this is the path it expects"
	}
	return Fix{Words: words, App: "Offer " + v.Upstream.Method + " at " + v.Upstream.Path + "."}
}

// otherMethod is the method that the client should have sent, where that is plain:
// a write where nothing can be read, or a write by another name.
func (v *view) otherMethod() string {
	if v.Client.Method != v.Upstream.Method || v.allow.Has(v.Upstream.Method) {
		return ""
	}
	if isRead(v.Upstream.Method) && len(v.methods()) == 0 && v.isGraphQL() {
		return http.MethodPost
	}
	methods := v.methods()
	i := slices.IndexFunc(methods, isWrite)
	if i < 0 {
		return ""
	}
	switch v.Upstream.Method {
	case http.MethodGet, http.MethodHead:
		if v.writesOnly() {
			return v.sends()
		}
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		if other := methods[i]; other != http.MethodDelete {
			return other
		}
	}
	return ""
}

// isGraphQL reports a path by which applications commonly name their GraphQL
// endpoint; over HTTP it takes POST, and GET only where that was turned on.
func (v *view) isGraphQL() bool {
	return slices.Contains([]string{"graphql", "gql"}, strings.ToLower(lastSegment(v.Upstream.Path)))
}
