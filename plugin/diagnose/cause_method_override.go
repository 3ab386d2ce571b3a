package diagnose

import (
	"net/http"
	"net/url"
	"strings"
)

// overrideHeaders are by which clients and proxies ask for another method than
// the one on the request line.
var overrideHeaders = []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"}

// methodOverride: the request means another method than it has. That the method is
// taken does not prove that it was meant, so this is never confirmed.
var methodOverride = cause{
	code: MethodOverride,
	examine: func(v *view) *finding {
		meant, how := v.override()
		if meant == "" || meant == v.Upstream.Method || v.allow.Has(v.Upstream.Method) {
			return nil
		}
		return &finding{
			certainty: Likely,
			most:      Likely,
			reason:    "the client means " + meant + " (" + how + "), which the application did not honour: " + v.got(),
			facts:     []string{how},
			fixes:     []Fix{v.clientMethodFix(meant)},
		}
	},
}

// override is the method that the request means, and how it says so.
func (v *view) override() (meant, how string) {
	for _, name := range overrideHeaders {
		if m := strings.ToUpper(strings.TrimSpace(v.Client.Header.Get(name))); isToken(m) {
			return m, "its " + name + " header says so"
		}
	}
	if query, err := url.ParseQuery(v.Client.Query); err == nil {
		if m := strings.ToUpper(query.Get("_method")); isToken(m) {
			return m, "_method in its query says so"
		}
	}
	if !v.isForm() || v.Upstream.Method != http.MethodPost {
		return "", ""
	}
	// An HTML form can only POST: where just PUT, PATCH or DELETE is taken, it has
	// to carry the method in its body, as _method.
	for _, m := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete} {
		if v.allow.Has(m) && !v.allow.Has(http.MethodGet) {
			return m, "a form can only POST, and only " + and(v.allow.Methods) + " is taken here"
		}
	}
	return "", ""
}

func (v *view) isForm() bool {
	t := strings.ToLower(v.Client.Header.Get("Content-Type"))
	return strings.HasPrefix(t, "application/x-www-form-urlencoded") || strings.HasPrefix(t, "multipart/form-data")
}
