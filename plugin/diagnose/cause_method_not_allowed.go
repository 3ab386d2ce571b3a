package diagnose

import (
	"net/http"
	"slices"
)

// methodNotAllowed is always a possible answer: nothing shows that the request
// reached another place than meant, and the application does not offer the
// method there.
var methodNotAllowed = cause{
	code: MethodNotAllowed,
	examine: func(v view) *finding {
		return &finding{
			certainty: methodNotAllowedCertainty(v),
			reason:    "the upstream got " + v.Upstream.Line().String() + ", " + v.takes() + arrived(v),
			fixes:     []Fix{methodNotAllowedFix(v)},
		}
	},
}

// methodNotAllowedCertainty: where the request arrived untouched there is
// nothing else to blame.
func methodNotAllowedCertainty(v view) Certainty {
	untouched := v.Client.Method == v.Upstream.Method && v.path == v.Upstream.Path
	if untouched && v.allow.Refuses(v.Upstream.Method) {
		return Likely
	}
	return Possible
}

// arrived says how the request got there, so that people can judge the path.
func arrived(v view) string {
	switch {
	case v.Client.Path == v.Upstream.Path:
		return "; Kong passed the path on as it came"
	case v.strips():
		return "; strip_path removed " + v.Stripped + " from the client's path"
	}
	return ""
}

func methodNotAllowedFix(v view) Fix {
	if m := v.otherMethod(); m != "" {
		would := &Line{m, v.Upstream.Path}
		return Fix{
			Words:    "send " + m + " instead of " + v.Client.Method + "; the upstream then gets " + would.String(),
			Client:   map[string]any{"method": m},
			Upstream: would,
		}
	}
	words := "offer " + v.Upstream.Method + " at " + v.Upstream.Path + " in the application"
	if v.path != v.Upstream.Path {
		words += ", or make sure that this is the path it expects"
	}
	return Fix{Words: words, App: "Offer " + v.Upstream.Method + " at " + v.Upstream.Path + "."}
}

// otherMethod is the method that the client should have sent, where Allow makes
// that plain: a read where nothing can be read, or a write by another name.
func (v view) otherMethod() string {
	if v.Client.Method != v.Upstream.Method || v.allow.Has(v.Upstream.Method) {
		return ""
	}
	i := slices.IndexFunc(v.allow.Methods, func(m string) bool { return !isSafe(m) })
	if i < 0 {
		return ""
	}
	switch v.Upstream.Method {
	case http.MethodGet, http.MethodHead:
		if !v.allow.Has(http.MethodGet) {
			return v.allow.Methods[i]
		}
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		if other := v.allow.Methods[i]; other != http.MethodDelete {
			return other
		}
	}
	return ""
}
