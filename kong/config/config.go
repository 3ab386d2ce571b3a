// Package config holds a Kong configuration as Go values.
//
// [Load] reads what people keep: Kong's declarative files, decK's, dumps and exports,
// in YAML or JSON ("_format_version" 3.0 and its predecessors). [Parse] reads one
// declarative text as strictly as Kong does. Both resolve references between entities
// and lay Kong's defaults under what was written, so that a reader of [Config] never
// has to know a default. [Patch] and [PatchFiles] change a configuration as it was
// written and leave everything else in it alone.
package config

// Config is a configuration with references resolved and defaults filled in.
// Entities stand in the order of the document, which is also the order in which
// Kong creates them.
type Config struct {
	FormatVersion string
	Flavor        Flavor // the router flavour that it was read for
	Services      []*Service
	Routes        []*Route
	Plugins       []*Plugin
	Upstreams     []*Upstream
	Consumers     []*Consumer

	Notes  []Note // by file and line; only [Load] makes any
	places *places
}

// Service is where requests go. Times are in milliseconds.
type Service struct {
	ID             string
	Name           string
	Protocol       string // http, https, grpc, grpcs, ...
	Host           string // a host name, an address, or an upstream's name
	Port           int
	Path           string // put in front of each request path; "" when not set
	Retries        int
	ConnectTimeout int
	WriteTimeout   int
	ReadTimeout    int
	Enabled        bool
	Tags           []string
	Workspace      string // of Kong Enterprise; "" for the default
}

// Route says which requests go to its service, and how their path is rewritten.
type Route struct {
	ID                      string
	Name                    string
	Service                 *Service // nil for a route without a service
	Protocols               []string
	Methods                 []string
	Hosts                   []string
	Paths                   []string // plain prefixes, or regular expressions behind "~"
	Headers                 map[string][]string
	SNIs                    []string
	Sources                 []Peer
	Destinations            []Peer
	StripPath               bool
	PreserveHost            bool
	PathHandling            string // v0 or v1
	RegexPriority           int
	HTTPSRedirectStatusCode int
	RequestBuffering        bool
	ResponseBuffering       bool
	Expression              string // of the expressions flavour only, instead of methods, hosts, paths, ...
	Priority                int    // of a route with an expression: the higher is tried first
	CreatedAt               int    // Unix time in seconds, 0 when it is not written: then it is when Kong loads it
	Tags                    []string
	Workspace               string // of Kong Enterprise; "" for the default
}

// Peer is one entry of a route's sources or destinations: an address or CIDR
// block, a port, or both. The zero value of a field means "any".
type Peer struct {
	IP   string
	Port int
}

// Plugin is one plugin instance and what it is bound to: without service, route,
// consumer and group it is global. Which instance runs for a request says
// [Applying].
type Plugin struct {
	ID            string
	Name          string
	InstanceName  string
	Service       *Service
	Route         *Route
	Consumer      string // its username, or its id where that is not known
	ConsumerGroup string // its name, or its id where that is not known
	Enabled       bool
	Protocols     []string
	Config        map[string]any // as written: a plugin's own defaults are the plugin's business
}

// Upstream is a virtual host name that stands for several targets.
type Upstream struct {
	ID         string
	Name       string
	Algorithm  string
	HostHeader string
	Targets    []Target
}

// Target is one address behind an upstream.
type Target struct {
	Host   string
	Port   int
	Weight int // 0 to 65535, relative to the others

	Failover bool // it is for when the others are unhealthy, which Kong knows since 3.12
}
