// Package diagnose explains a 405 Method Not Allowed, or a 404, that came through Kong.
//
// [Explain] takes an [Exchange] (what the client asked, what the upstream was
// sent, what it answered) and returns a [Diagnosis]: a cause, how certain it
// is, the reason in one sentence about this very request, and fixes, each with
// the upstream request that it would lead to. The package does no I/O and
// knows nothing of a plugin: the same engine serves the plugin, a log reader
// and the command line.
//
// # How a cause is found
//
// Every cause looks at the exchange on its own and either stays silent or gives
// a finding, with the strongest observation that speaks for it. A finding that names
// the upstream request which its fix would produce is then held against what is known
// of that path ([Offers]): that it takes the method, or is there, is the stronger
// observation; that it refuses the method silences the finding. What an observation
// is worth makes the certainty: proof, or how often it was right on real frameworks
// behind known set-ups (evidence.go, strengths.go, docs/diagnosis.md).
//
// Of the findings that remain the most certain one wins, and between equals the one
// that stands first in the list of causes, where what the request itself proves comes
// before what Kong changed, and that before what the application lacks.
//
// A setting of the gateway is named only when its finding is at least likely, or Kong
// was seen to change the request. A mere possibility is kept under
// [Diagnosis.Considered], since to blame a setting when the application simply lacks
// the method is the worst mistake that this package can make.
//
// A new cause is one file with one cause value, and one row in causes.
package diagnose
