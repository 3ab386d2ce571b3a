package diagnose

import "diag405/kong/config"

// Code names a cause. Codes are a contract: people group and alert by them, so
// they never change, while every sentence around them may.
type Code string

// The causes.
const (
	StripPath            Code = "strip-path"             // strip_path removed a prefix that the upstream's own path has
	PrefixKept           Code = "prefix-kept"            // strip_path is off and left a prefix that the upstream does not have
	ServicePath          Code = "service-path"           // the service's path in front makes a wrong path
	PathRewrite          Code = "path-rewrite"           // a plugin replaced the path
	TrailingSlash        Code = "trailing-slash"         // only a slash at the end is too many or too few
	PathEncoding         Code = "path-encoding"          // only slashes, dots, escapes or letter case differ
	MethodRewrite        Code = "method-rewrite"         // the upstream got another method than the client sent
	CORSPreflight        Code = "cors-preflight"         // a browser's preflight reached an upstream that does not answer it
	HeadUnsupported      Code = "head-unsupported"       // HEAD on a resource that only has GET
	RedirectMethodChange Code = "redirect-method-change" // a redirect turned the client's POST into a GET
	MethodOverride       Code = "method-override"        // the client meant another method, and the upstream did not honour it
	HostHeader           Code = "host-header"            // the Host that reached the upstream selects another site
	WrongUpstream        Code = "wrong-upstream"         // what answered is not the application
	TargetDivergence     Code = "target-divergence"      // only some of the upstream's targets refuse
	RouteShadowed        Code = "route-shadowed"         // another route than the intended one matched
	ProtocolMismatch     Code = "protocol-mismatch"      // gRPC, WebSocket, WebDAV or the like reached a plain HTTP handler
	GatewayGenerated     Code = "gateway-generated"      // Kong or one of its plugins made the 405
	WrongPath            Code = "wrong-path"             // the client asked for a path that is not the endpoint it means
	MethodNotAllowed     Code = "method-not-allowed"     // the request arrived as meant, and the application does not offer the method
	Unknown              Code = "unknown"                // too little is known about the exchange
)

// Certainty says how well a cause is supported.
type Certainty string

// From weak to strong.
const (
	Possible  Certainty = "possible"  // fits what was seen, as other causes do
	Likely    Certainty = "likely"    // right nine times in ten, by what was measured
	Confirmed Certainty = "confirmed" // proven: what was seen has no other explanation
)

// rank orders certainties; higher is more certain.
func (c Certainty) rank() int {
	switch c {
	case Confirmed:
		return 3
	case Likely:
		return 2
	case Possible:
		return 1
	}
	return 0
}

// Diagnosis is the answer to "why 405?".
type Diagnosis struct {
	Cause     Code
	Certainty Certainty
	Evidence  Weight   // what the certainty comes from
	Reason    string   // one sentence about this request: what was observed
	Facts     []string // what the cause rests on, one short sentence each
	Fixes     []Fix    // best first; never empty
	// Considered are the other causes that fit, most certain first.
	Considered []Considered
}

// Considered is a cause that was looked at and not chosen.
type Considered struct {
	Cause     Code
	Certainty Certainty
	Evidence  Weight
	Reason    string
}

// Fix is one way to make the request succeed: in words, and as data in one of
// Set, Client and App.
type Fix struct {
	Words string // an instruction, such as: set strip_path=false on route r

	// Set changes the gateway: keys such as route.strip_path, service.path and
	// plugin.NAME; a null plugin is removed.
	Set map[string]any
	// FromClient are the keys in Set whose values came with the request: somebody has to
	// know that they are right.
	FromClient []string
	// Client changes the request: method, path or headers.
	Client map[string]any
	// App is what to change in the application, in words.
	App string

	// Entity is what Set is about; its zero value when Set is empty.
	Entity Entity
	// Upstream is the request that the upstream would get with this fix. Nil when
	// none would reach it or when it cannot be computed.
	Upstream *Line
}

// Entity is an object of Kong.
type Entity struct {
	Kind string `json:"kind"` // route, service or plugin
	Name string `json:"name,omitempty"`
	ID   string `json:"id,omitempty"`
}

// String names the entity as in a sentence: route orders. Without a name it is
// named by its id.
func (e Entity) String() string {
	switch {
	case e.Name != "":
		return e.Kind + " " + e.Name
	case e.ID != "":
		return e.Kind + " " + e.ID
	}
	return "the " + e.Kind
}

func routeEntity(r *config.Route) Entity {
	if r == nil {
		return Entity{Kind: "route"}
	}
	return Entity{Kind: "route", Name: r.Name, ID: r.ID}
}

func serviceEntity(s *config.Service) Entity {
	if s == nil {
		return Entity{Kind: "service"}
	}
	return Entity{Kind: "service", Name: s.Name, ID: s.ID}
}
