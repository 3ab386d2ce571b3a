package diagnose

// Observations for another program than the application.
const (
	fileServer    observation = "a file server answered, without Allow"
	cache         observation = "a cache or firewall answered"
	mountOfFiles  observation = "an application's own static mount answered"
	mountOnly     observation = "an application's own static mount answered, and the document does not have the path"
	documented    observation = "the document offers the very request that was refused"
	stranger      observation = "the path arrived as it came, and nobody known refused without Allow"
	filesAnywhere observation = "a file server answered, a made-up path in the same way"
	everywhere    observation = "the path arrived as it came, and a made-up path beside it is answered in the same way"
)

// wrongUpstream: what answered is not the application. A file server, a page for
// every path and a CDN refuse every method that writes, on every path.
var wrongUpstream = cause{
	code: WrongUpstream,
	examine: func(v *view) *finding {
		if !isWrite(v.Upstream.Method) || v.Upstream.Method != v.Client.Method {
			return nil
		}
		why, shows := v.notTheApplication()
		if why == "" {
			return nil
		}
		if v.leavesBaseOut(v.endpointFixes()) || v.ofAnotherPage() != nil {
			shows = "" // the path alone explains it
		}
		return &finding{
			shows:  shows,
			reason: v.got() + "; " + why,
			facts:  []string{why},
			fixes:  wrongUpstreamFixes(v),
		}
	},
}

// notTheApplication says why the answer is probably not the application's, or "".
func (v *view) notTheApplication() (why string, shows observation) {
	inDocument, _ := v.seen.documented(v.Upstream.Path)
	switch {
	case inDocument.Takes(v.Upstream.Method):
		return "the application's document offers " + v.Upstream.Line().String() + ", so something else answered", documented
	case v.isNowhere() && v.responder.kind == kindStatic:
		return v.responder.kind.with(v.responder.name) + " answered, and answers a made-up path beside that in the same way", filesAnywhere
	case v.isNowhere() && v.path == v.Upstream.Path:
		return "it answers a made-up path beside that in the same way, as a file server or a page for every path does", everywhere
	case v.isPresent(), v.isNowhere():
		return "", "" // a path of its own; or one that the gateway made, which may be why
	case v.responder.kind == kindStatic:
		return v.responder.kind.with(v.responder.name) + " answered, not the application", fileServer
	case v.responder.kind == kindCDN:
		return v.responder.kind.with(v.responder.name) + " answered, not the application", cache
	case v.responder.kind == kindMount && v.seen.API != nil && !v.seen.has(v.Upstream.Path):
		return v.responder.kind.with(v.responder.name) + " answered, and the application's document does not have the path", mountOnly
	case v.responder.kind == kindMount:
		return v.responder.kind.with(v.responder.name) + " answered, not a route of the application", mountOfFiles
	case v.isStranger():
		return "the answer has no Allow, which a 405 of an application has to have, and nothing else tells who answered", stranger
	}
	return "", ""
}

// isStranger reports an answer that names no methods, though RFC 9110 section 15.5.6
// asks for them, and shows no framework, to a request that arrived as it was sent.
func (v *view) isStranger() bool {
	return !v.allow.Sent && v.responder.kind == kindSomeone && v.path == v.Upstream.Path && !isRoot(v.path)
}

// wrongUpstreamFixes: where another program answered, an endpoint of the
// application does not help while the service leads past it.
func wrongUpstreamFixes(v *view) []Fix {
	e := serviceEntity(v.Service)
	check := Fix{
		Words: "check that " + e.String() + " leads to the application: host, port and path",
		App:   "Point " + e.String() + " at the application.",
	}
	if v.responder.kind == kindStatic || v.responder.kind == kindCDN {
		return []Fix{check}
	}
	return append(v.endpointFixes(), check)
}
