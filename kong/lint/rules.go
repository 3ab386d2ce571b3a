package lint

import "slices"

// A rule recognises one kind of mistake.
type rule struct {
	id       string
	severity Severity // the gravest that its findings have; a check may lower it
	title    string   // what it is about, in a few words
	cause    string   // the code of the 405 that comes of it, "" for none
	check    func(*subject) []Finding
}

// rules, by what they look at. Ids are a contract: prose may change, ids not.
var rules = []rule{
	// paths
	{"literal-star", Error, "* in a plain path is an ordinary character", "wrong-path", literalStar},
	{"literal-regex", Error, "a regular expression without ~ in front is a plain path", "wrong-path", literalRegex},
	{"literal-placeholder", Error, "{name} or :name in a path is no placeholder", "wrong-path", literalPlaceholder},
	{"regex-star", Warning, "/* in a regular expression repeats the slash", "wrong-path", regexStar},
	{"regex-alternative", Warning, "only the first alternative of a regular expression is anchored", "route-shadowed", regexAlternative},
	{"regex-open-end", Info, "a regular expression for one resource takes everything below it", "route-shadowed", regexOpenEnd},

	// path arithmetic
	{"consumed-path", Warning, "strip_path removes the whole of an endpoint's path", "strip-path", consumedPath},
	{"regex-strip", Warning, "strip_path removes what a regular expression matched", "strip-path", regexStrip},
	{"doubled-prefix", Error, "route and service both put the same prefix in front", "service-path", doubledPrefix},
	{"trailing-slash", Info, "the path arithmetic loses or adds a slash at the end", "trailing-slash", trailingSlash},
	{"path-handling-v1", Warning, "path_handling v1 has no effect", "service-path", pathHandlingV1},

	// the order of routes
	{"shadowed-route", Error, "no request reaches the route", "route-shadowed", shadowedRoute},
	{"shadowed-path", Warning, "no request for one of its paths reaches the route", "route-shadowed", shadowedPath},
	{"shadowed-method", Warning, "no request with one of its methods reaches the route", "route-shadowed", shadowedMethod},
	{"priority-order", Warning, "a route that says less is tried first", "route-shadowed", priorityOrder},

	{"age-order", Warning, "which route takes a request depends on how long Kong has run", "route-shadowed", ageOrder},

	// methods
	{"cors-unrouted", Error, "no route takes the preflight that cors is there for", "cors-preflight", corsUnrouted},
	{"cors-missing", Warning, "browsers are expected, and nothing answers their preflight", "cors-preflight", corsMissing},
	{"preflight-continue", Info, "the upstream has to answer preflights", "cors-preflight", preflightContinue},
	{"redirect-method", Warning, "the redirect to https turns POST into GET", "redirect-method-change", redirectMethod},
	{"method-rewritten", Error, "a plugin changes the method of more than one endpoint", "method-rewrite", methodRewritten},
	{"fixed-path", Warning, "a plugin sends every request to one path", "path-rewrite", fixedPath},
	{"buffered-method", Error, "a plugin's response phase turns the method into GET", "method-rewrite", bufferedMethod},
	{"buffered-answers", Warning, "diag405 is on where it changes more than it explains", "", bufferedAnswers},

	// hosts
	{"upper-case-host", Warning, "hosts are compared with their case", "", upperCaseHost},
	{"preserve-host-off", Warning, "the upstream does not learn which of its sites is meant", "host-header", preserveHostOff},
	{"preserve-host-mixed", Warning, "routes of one service disagree about the Host", "host-header", preserveHostMixed},
	{"preserve-host-foreign", Warning, "the upstream selects sites by Host and gets the client's", "host-header", preserveHostForeign},
	{"host-and-path", Warning, "Host and service path name the same thing", "service-path", hostAndPath},

	// what is left over
	{"no-service", Warning, "the route leads nowhere", "", noService},
	{"disabled-service", Info, "the service's routes answer 404", "", disabledService},
	{"unused-service", Info, "no route leads to the service", "", unusedService},
	{"not-modelled", Info, "the route is not looked at", "", notModelled},

	// operations of a document: these come from Prove
	{"operation-misrouted", Error, "the request for an operation arrives as another", "strip-path", nil},
	{"operation-unreached", Warning, "no request leads to an operation", "wrong-path", nil},
	{"operation-unproven", Info, "whether a request leads to an operation cannot be computed", "", nil},
}

// Rule is what a rule is about, for those who list them.
type Rule struct {
	ID       string
	Severity Severity // the gravest that its findings have
	Title    string
	Page     string
}

// Rules are all rules, those of [Prove] included.
func Rules() []Rule {
	var list []Rule
	for _, r := range rules {
		list = append(list, Rule{r.id, r.severity, r.title, page(r.id)})
	}
	return list
}

// IsRule reports whether there is a rule with this id.
func IsRule(id string) bool {
	return slices.ContainsFunc(rules, func(r rule) bool { return r.id == id })
}

func page(id string) string { return "docs/lint.md#" + id }

// complete fills in what is the same for all findings of a rule.
func (r rule) complete(f Finding) Finding {
	f.ID, f.Page = r.id, page(r.id)
	if f.Severity == "" {
		f.Severity = r.severity
	}
	if r.cause != "" {
		f.Cause = "docs/causes/" + r.cause + ".md"
	}
	return f
}

// ruleOf is the rule with an id that stands in the code.
func ruleOf(id string) rule {
	i := slices.IndexFunc(rules, func(r rule) bool { return r.id == id })
	if i < 0 {
		panic("bug: no rule " + id)
	}
	return rules[i]
}
