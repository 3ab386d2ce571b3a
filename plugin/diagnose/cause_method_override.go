package diagnose

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// overrideHeaders are by which clients and proxies ask for another method than
// the one on the request line.
var overrideHeaders = []string{"X-Http-Method-Override", "X-Http-Method", "X-Method-Override"}

// methodOverride: the request means another method than it has.
var methodOverride = cause{
	code: MethodOverride,
	examine: func(v *view) *finding {
		meant, how, sure := v.override()
		if meant == "" || meant == v.Upstream.Method || v.allow.Has(v.Upstream.Method) {
			return nil
		}
		if v.allow.Has(meant) {
			sure = max(sure, Likely.rank())
		}
		return &finding{
			certainty: certaintyOf(sure),
			reason:    "the client means " + meant + " (" + how + "), which the application did not honour: " + v.got(),
			facts:     []string{how},
			fixes:     []Fix{v.clientMethodFix(meant)},
		}
	},
}

// override is the method that the request means, how it says so, and how sure
// that is, as a rank.
func (v *view) override() (meant, how string, sure int) {
	for _, name := range overrideHeaders {
		if m := strings.ToUpper(strings.TrimSpace(v.Client.Header.Get(name))); isToken(m) {
			return m, "a header " + name, Likely.rank()
		}
	}
	if query, err := url.ParseQuery(v.Client.Query); err == nil {
		if m := strings.ToUpper(query.Get("_method")); isToken(m) {
			return m, "_method in the query", Likely.rank()
		}
	}
	if !v.isForm() || v.Upstream.Method != http.MethodPost || v.allow.Has(http.MethodPost) {
		return "", "", 0
	}
	// An HTML form can only POST: where just PUT, PATCH or DELETE is taken, it has
	// to carry the method in its body, as _method.
	i := slices.IndexFunc(v.allow.Methods, isWrite)
	if i < 0 || v.allow.Has(http.MethodGet) {
		return "", "", 0
	}
	return v.allow.Methods[i], "a form can only POST, and names another method in its body", Likely.rank()
}

func (v *view) isForm() bool {
	t := strings.ToLower(v.Client.Header.Get("Content-Type"))
	return strings.HasPrefix(t, "application/x-www-form-urlencoded") || strings.HasPrefix(t, "multipart/form-data")
}
