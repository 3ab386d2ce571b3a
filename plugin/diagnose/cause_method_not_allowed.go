package diagnose

import (
	"net/http"
	"slices"
	"strings"
)

// methodNotAllowed is always a possible answer: nothing shows that the request
// reached another place than meant, and the application does not offer the
// method there.
var methodNotAllowed = cause{
	code: MethodNotAllowed,
	examine: func(v *view) *finding {
		return &finding{
			certainty: methodNotAllowedCertainty(v),
			reason:    v.got() + arrived(v),
			fixes:     methodNotAllowedFixes(v),
		}
	},
}

// methodNotAllowedCertainty: where the request arrived untouched there is
// nothing else to blame.
func methodNotAllowedCertainty(v *view) Certainty {
	untouched := v.Client.Method == v.Upstream.Method && v.path == v.Upstream.Path
	if untouched && v.allow.Refuses(v.Upstream.Method) {
		return Likely
	}
	return Possible
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
			return methods[i]
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
	s := segments(v.Upstream.Path)
	return len(s) > 0 && slices.Contains([]string{"graphql", "gql"}, strings.ToLower(s[len(s)-1]))
}
