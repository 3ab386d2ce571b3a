package diagnose

// observation is something that an exchange, or what was learned of the upstream
// besides, shows in favour of a cause. Of several that hold, a cause gives the
// strongest.
type observation string

// Observations of what a fix would lead to. Any cause with a fix that changes the
// path or the method can rest on them.
const (
	// pathTakes: what the fix leads to was seen to take the method, where a path that
	// cannot exist does not.
	pathTakes observation = "the fix leads to what takes the method"
	// pathExists: what the fix leads to is there, where a path that cannot exist is
	// not; whether it takes the method is not known.
	pathExists observation = "the fix leads to a path that exists"
	// pathNowhere: what the fix leads to is answered as a path that cannot exist.
	pathNowhere observation = "the fix leads to a path that is nothing of its own"
	// documentTakes: the application's document offers what the fix leads to.
	documentTakes observation = "the document offers what the fix leads to"
)

// Observations of a change that Kong made beyond doubt: a plugin replaced the path or
// the method, or the service's path stands twice. What tells such a mistake from a
// change that is meant is who refused.
const (
	changedListed observation = "Kong changed the request, and Allow leaves the method out"
	changedApp    observation = "Kong changed the request, and an application refused it without telling what it takes"
	changedFiles  observation = "Kong changed the request, and a file server refused"
	changedSilent observation = "Kong changed the request, and somebody unknown refused without Allow"
	changedAbsent observation = "Kong changed the request, and the upstream has nothing at what it became"
)

// ofKong are observations of what Kong did, which is beyond doubt, rather than of what the
// upstream has.
var ofKong = map[observation]bool{
	changedAbsent: true, changedListed: true, changedApp: true, changedSilent: true,
	clientsListed: true, lostInBuffer: true, lostAndListed: true, namesTwice: true, twins: true,
}

func (o observation) ofKong() bool { return ofKong[o] }

// shared are observations that are worth the same to every setting of the gateway,
// and are measured together.
var shared = map[observation]bool{
	pathExists: true, changedListed: true, changedApp: true, changedFiles: true, changedSilent: true,
}

// anySetting stands for all settings of the gateway in a weight.
const anySetting Code = "any setting of the gateway"

// weigh is what an observation is worth to a cause.
func (c cause) weigh(o observation) Weight {
	if shared[o] && c.kind.has(gateway) {
		return Weight{anySetting, o}
	}
	return Weight{c.code, o}
}

// changed is what the answer says to a change that Kong made.
func (v *view) changed() observation {
	switch {
	case v.missing():
		return changedAbsent
	case v.speaksWebDAV(), v.responder.kind == kindStatic:
		return changedFiles
	case v.allow.Sent && !v.responder.partial:
		return changedListed
	case v.isPresent(), v.responder.kind == kindApp, v.responder.kind == kindMount:
		return changedApp
	}
	return changedSilent
}

// Weight is an observation together with the cause that it speaks for. Its zero
// value is a cause that merely fits.
type Weight struct {
	Cause       Code
	Observation observation
}

// proofs are observations that no other cause explains. They make a cause
// confirmed.
var proofs = map[Weight]bool{
	{GatewayGenerated, madeByKong}:     true,
	{CORSPreflight, isPreflight}:       true, // Fetch standard, "CORS-preflight request"
	{TargetDivergence, otherTarget}:    true,
	{RedirectMethodChange, remembered}: true,
	{HeadUnsupported, getListed}:       true, // RFC 9110 section 9.3.2: HEAD is GET without content
	{HeadUnsupported, pathTakes}:       true,
	{MethodRewrite, pathTakes}:         true,
	{MethodRewrite, lostAndListed}:     true, // nobody means that hop to change a method
	{PathRewrite, pathTakes}:           true,
	{ServicePath, pathTakes}:           true,
	{StripPath, pathTakes}:             true,
	{PrefixKept, pathTakes}:            true,
	{TrailingSlash, pathTakes}:         true,
	{PathEncoding, pathTakes}:          true,
	{PathRewrite, documentTakes}:       true,
	{ServicePath, documentTakes}:       true,
	{StripPath, documentTakes}:         true,
	{PrefixKept, documentTakes}:        true,
	{TrailingSlash, documentTakes}:     true,
	{PathEncoding, documentTakes}:      true,
	{MethodRewrite, documentTakes}:     true,
	{HeadUnsupported, documentTakes}:   true,
}

// given are observations that no measured set-up shows, and what they are worth by
// their nature.
var given = map[Weight]Certainty{
	{ProtocolMismatch, grpcType}:            Likely, // a media type that only gRPC has
	{ProtocolMismatch, grpcWebType}:         Likely,
	{ProtocolMismatch, lostWebSocket}:       Likely, // RFC 6455 section 4.1: headers that only a handshake has
	{RedirectMethodChange, typedAfterHTTPS}: Likely, // two traces that have nothing to do with each other
	{RedirectMethodChange, refersToOther}:   Likely, // net/http/client.go, refererForURL
	{ServicePath, bucketTwice}:              Likely, // how object stores are addressed: the bucket in the Host or in the path
	{HostHeader, bucketHost}:                Likely,
	{MethodRewrite, lostInBuffer}:           Likely, // measured on Kong, see the methods that its buffered hop knows
	{RouteShadowed, shadowsFiles}:           Likely, // that takes no method but GET and HEAD on any path
	{RouteShadowed, shadowsOther}:           Likely,
	{RouteShadowed, missedOther}:            Likely,
	{MethodNotAllowed, disabled}:            Likely, // RFC 9110 section 10.2.1: temporarily disabled by configuration
	{WrongUpstream, mountOnly}:              Likely,
	{WrongUpstream, documented}:             Likely,
	{WrongPath, thingLeftOut}:               Likely, // RFC 9110 sections 9.3.4 and 9.3.5: both are about one resource
	{WrongPath, pageElsewhere}:              Likely, // files take nothing that writes, so nothing there was meant
	{WrongPath, documentTakes}:              Likely, // one step away; that it was meant is a guess
	{WrongPath, pathTakes}:                  Likely,
	{WrongPath, saidTwice}:                  Likely, // where a base address has it and the client adds it; no endpoint is named so
}

// strength is how often a cause was right, of the times that it rested on an
// observation, on the measured frameworks and set-ups.
type strength struct{ right, seen int }

// certainty of a cause that rests on an observation. What is likely has to be right
// nine times in ten by Laplace's rule of succession, which asks for eight without a
// miss where little was seen.
func (w Weight) certainty() Certainty {
	if proofs[w] {
		return Confirmed
	}
	if c, ok := given[w]; ok {
		return c
	}
	if s := strengths[w]; 10*(s.right+1) >= 9*(s.seen+2) {
		return Likely
	}
	return Possible
}

// speaks reports whether an observation that makes its cause no more than possible
// still speaks for it: it was right one time in four, or was never measured.
func (w Weight) speaks() bool {
	s, measured := strengths[w]
	return w.Observation != "" && (!measured || 4*s.right >= s.seen)
}
