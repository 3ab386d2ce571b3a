package diagnose

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// overrideHeaders are by which clients and proxies ask for another method than
// the one on the request line.
var overrideHeaders = []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"}

// Observations for a method that was meant.
const (
	overrideListed   observation = "the request names another method, which Allow lists, or reached a path of the application's own"
	overrideUnlisted observation = "the request names another method, which Allow does not list"
	overrideNoAllow  observation = "the request names another method, and the answer has no Allow"
	formListed       observation = "a form, where what writes is only taken by methods that a form cannot send"
)

// methodOverride: the request means another method than it has. That the method is
// taken does not prove that it was meant, so this is never confirmed.
var methodOverride = cause{
	code: MethodOverride,
	examine: func(v *view) *finding {
		meant, how := v.override()
		if meant == "" || meant == v.Upstream.Method {
			return nil
		}
		f := &finding{
			shows:  v.overrideShows(meant, how),
			reason: "the client means " + named(meant) + " (" + how + "), which the application did not honour: " + v.got(),
			facts:  []string{how},
			fixes:  []Fix{v.meantFix(meant)},
		}
		if how == formHow(v) {
			f.fixes = v.formFixes() // which of them, only its body says
		}
		return f
	},
}

// meantFix asks the client for the method that it means, by its name where that is one.
func (v *view) meantFix(meant string) Fix {
	if isRegistered(meant) {
		return v.clientMethodFix(meant)
	}
	return Fix{
		Words: "send a method that HTTP has on the request line, instead of " + v.Client.Method + " and another one beside it",
		App:   "Honour the method that the request names at " + v.Upstream.Path + ".",
	}
}

func (v *view) overrideShows(meant, how string) observation {
	switch {
	case how == formHow(v):
		return formListed
	case v.allow.Has(meant), v.isPresent():
		return overrideListed
	case v.allow.Sent:
		return overrideUnlisted
	}
	return overrideNoAllow
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
	if !v.isForm() || v.Upstream.Method != http.MethodPost || v.allow.Has(http.MethodPost) {
		return "", ""
	}
	// An HTML form can only POST: where other methods that write are taken, and POST
	// is not, it has to carry the method in its body, as _method. To a path that can be
	// read as well others than pages post by mistake.
	if v.allow.Has(http.MethodGet) && !v.mayBePage() {
		return "", ""
	}
	if i := slices.IndexFunc(formMethods, v.allow.Has); i >= 0 {
		return formMethods[i], formHow(v)
	}
	return "", ""
}

// formMethods are what applications let a form mean, those first that lose nothing.
var formMethods = []string{http.MethodPut, http.MethodPatch, http.MethodDelete}

func (v *view) formFixes() []Fix {
	var fixes []Fix
	for _, m := range formMethods {
		if v.allow.Has(m) {
			fixes = append(fixes, v.meantFix(m))
		}
	}
	return fixes
}

func formHow(v *view) string {
	writes := slices.DeleteFunc(slices.Clone(v.allow.Methods), func(m string) bool { return !isWrite(m) })
	return "a form can only POST, and only " + and(writes) + " is taken here"
}

// mayBePage reports a request that a page in a browser may have sent: what it says of
// itself does not speak against that. A browser that leaves for what a form answers
// accepts HTML, and a script's request that writes has an Origin (Fetch standard).
func (v *view) mayBePage() bool {
	if v.speaksWebDAV() || v.responder.kind == kindStore {
		return false // a file has these methods, and no form for them
	}
	return v.Client.Header.Get("Accept") == "" || v.acceptsHTML() || v.Client.Header.Get("Origin") != ""
}

func (v *view) isForm() bool {
	t := strings.ToLower(v.Client.Header.Get("Content-Type"))
	return strings.HasPrefix(t, "application/x-www-form-urlencoded") || strings.HasPrefix(t, "multipart/form-data")
}
