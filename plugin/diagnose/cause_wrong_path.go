package diagnose

import (
	"cmp"
	"iter"
	"net/http"
	"slices"
	"strings"

	"diag405/kong/config"
	"diag405/kong/router"
)

// Observations for a path that is not the one that was meant.
const (
	thingLeftOut  observation = "the document has the method at what lies below the path, and not at the path"
	pageElsewhere observation = "files answered at the root, and the page that sent it is on another route, under whose path the request is, too"
	saidTwice     observation = "the client's path says a version or an API word twice in a row"
)

// wrongPath: the gateway did what it should, and the client's path is not that of
// an endpoint: something was left out, is too many, or differs. A document of the
// application can tell, and a path that repeats itself does.
var wrongPath = cause{
	code: WrongPath,
	kind: proven | ofPath,
	examine: func(v *view) *finding {
		if f := v.ofAnotherPage(); f != nil {
			return f
		}
		if fix, twice := v.repeatedFix(); twice != "" {
			return &finding{
				shows:  saidTwice,
				reason: v.got() + "; the client's path says " + twice + " twice",
				facts:  []string{twice + " stands twice in the client's path, as where a base address has it and the client adds it"},
				fixes:  append([]Fix{fix}, v.endpointFixes()...),
			}
		}
		fixes := v.endpointFixes()
		switch _, another := v.notTheApplication(); {
		case len(fixes) > 0 && (another == "" || another == mountOfFiles || v.leavesBaseOut(fixes)):
			return &finding{
				shows:  documentTakes, // the endpoint is there; that it was meant is a guess
				reason: v.got() + "; the application offers " + fixes[0].Upstream.String(),
				facts:  []string{"the application's document has " + fixes[0].Upstream.String()},
				fixes:  fixes,
			}
		case v.missing():
			return v.noSuchPath()
		case another == "" || another == mountOfFiles:
			return cmp.Or(v.withoutThing(), v.withoutPath())
		}
		return nil
	},
}

// leavesBaseOut reports a path that the application's document has behind one segment
// more, such as /api, and that nothing between client and upstream changed. Files or a
// page for every path answer then, in front of the application or in the application
// itself. A service that leads past the application is not needed to explain that: it
// would be a second slip.
func (v *view) leavesBaseOut(near []Fix) bool {
	if len(near) == 0 || v.path != v.Upstream.Path || isRoot(v.path) || v.servicePath() != "" || v.responder.kind == kindCDN {
		return false
	}
	base, ok := strings.CutSuffix(near[0].Upstream.Path, v.Upstream.Path)
	return ok && len(config.Segments(base)) == 1
}

// withoutThing: what changes or deletes one thing was sent to all of them. Which one
// is meant nobody can know.
func (v *view) withoutThing() *finding {
	item := v.itemBelow()
	if item == "" {
		return nil
	}
	would := v.Upstream.Method + " " + item
	return &finding{
		shows:  thingLeftOut,
		reason: v.got() + "; the application offers " + would + ", so what it is about was perhaps left out",
		facts:  []string{"the application's document has " + would},
		fixes: []Fix{{
			Words: "name what it is about at the end of the path: the application takes " + would,
			App:   "Ask for one of those below " + v.Upstream.Path + ".",
		}},
	}
}

// itemBelow is the documented path of one thing in the collection that the upstream's
// path is, where that takes the method and the collection, documented too, does not.
func (v *view) itemBelow() string {
	switch v.Upstream.Method {
	case http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return ""
	}
	got := config.Segments(v.Upstream.Path)
	if v.seen.API == nil || len(got) == 0 || v.rewritten() || v.Client.Method != v.Upstream.Method || !v.seen.has(v.Upstream.Path) {
		return ""
	}
	if at, _ := v.seen.documented(v.Upstream.Path); at.Takes(v.Upstream.Method) {
		return ""
	}
	for _, t := range v.seen.API.templates {
		last := len(t.names) - 1
		if last == len(got) && !t.vague && t.names[last].varied && matchAll(t.names[:last], got) && slices.Contains(t.Methods, v.Upstream.Method) {
			return t.Path
		}
	}
	return ""
}

// withoutPath: a program was given where the application is and not which endpoint.
// A browser that leaves for an answer posts to the page that it shows.
func (v *view) withoutPath() *finding {
	if v.seen.API == nil || v.Upstream.Path != "/" || !isRoot(v.rest()) || !isWrite(v.Upstream.Method) ||
		v.Client.Method != v.Upstream.Method || v.acceptsHTML() {
		return nil
	}
	var only *template
	for _, t := range v.seen.API.templates {
		if !slices.Contains(t.Methods, v.Upstream.Method) {
			continue
		}
		if only != nil || len(t.names) == 0 || slices.ContainsFunc(t.names, func(n name) bool { return n.varied }) {
			return nil
		}
		only = t
	}
	if only == nil {
		return nil
	}
	fix, ok := v.endpointFix(only.Path)
	if !ok {
		return nil
	}
	return &finding{
		shows:  documentTakes,
		reason: v.got() + "; the one endpoint of the application that takes " + v.Upstream.Method + " is " + only.Path,
		facts:  []string{"the application's document has " + fix.Upstream.String() + ", and no other endpoint that takes " + v.Upstream.Method},
		fixes:  []Fix{fix},
	}
}

// ofAnotherPage: an application that Kong shows under a path does not know of it, and its
// pages send what they write to the root, where a site's files are. It needs the
// configuration's other routes, which a plugin does not have.
func (v *view) ofAnotherPage() *finding {
	if !v.soughtPage {
		v.page, v.soughtPage = v.seekPage(), true
	}
	return v.page
}

func (v *view) seekPage() *finding {
	if len(v.Routes) == 0 || v.prefix != "/" || v.responder.kind != kindStatic || !isWrite(v.Upstream.Method) || v.rewritten() {
		return nil
	}
	_, host, page := v.referer()
	if host == "" || !strings.EqualFold(host, v.Client.Host) {
		return nil
	}
	other := v.routed(http.MethodGet, page)
	if other == nil || other.Service == nil || other.Service == v.Service {
		return nil
	}
	base, _ := router.MatchPath(other, router.Normalize(page))
	if isRoot(base) || !slices.Contains(other.Paths, base) {
		return nil
	}
	path := strings.TrimSuffix(base, "/") + v.Client.Path
	if to := v.routed(v.Client.Method, path); to == nil || to.Service != other.Service {
		return nil
	}
	return &finding{
		shows: pageElsewhere,
		reason: v.got() + "; the page that sent it is on " + routeEntity(other).String() + ", under " + base +
			", and leaves that out",
		facts: []string{"its Referer is under " + base + ", which " + routeEntity(other).String() + " has"},
		fixes: []Fix{{
			Words:  "have the application put " + base + " before the paths in its pages (a base URL, or relative links), so that it asks for " + path,
			Client: map[string]any{"path": path},
		}},
	}
}

// noSuchPath is the last answer to a 404: that the application has no such path, or
// has the path and not the thing.
func (v *view) noSuchPath() *finding {
	return &finding{
		reason: v.got() + arrived(v),
		fixes: []Fix{{
			Words: "look up " + v.Upstream.Path + " among the application's routes; where it is there, what was asked for is not",
			App:   "Offer " + v.Upstream.Path + ", or find out why what it names is not there.",
		}},
	}
}

// repeatedFix asks for the client's path without what it says twice in a row. Names may
// lie below themselves (/gitea/gitea), so a version or an API word has to be among it, and
// something behind it: the last may be an id.
func (v *view) repeatedFix() (fix Fix, twice string) {
	if v.Route == nil || v.rewritten() || !v.mayBeAnyPath() {
		return Fix{}, ""
	}
	s := config.Segments(v.sentPart())
	for at, n := range repeats(s) {
		run := "/" + strings.Join(s[at:at+n], "/")
		path := strings.Replace(v.Client.Path, run+run, run, 1)
		if fix, ok := v.clientPathFix(path); ok {
			return fix, run
		}
	}
	return Fix{}, ""
}

// repeats are the runs of segments that are followed by themselves, the longest first:
// where they begin, and how many they are.
func repeats(s []string) iter.Seq2[int, int] {
	return func(yield func(at, n int) bool) {
		if len(s) > maxSegments {
			return
		}
		for n := len(s) / 2; n > 0; n-- {
			for at := 0; at+2*n < len(s); at++ {
				run := s[at : at+n]
				if slices.Equal(run, s[at+n:at+2*n]) && slices.ContainsFunc(run, isOwnSegment) && !yield(at, n) {
					return
				}
			}
		}
	}
}
