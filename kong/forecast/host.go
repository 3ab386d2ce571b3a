package forecast

import (
	"cmp"
	"net"
	"slices"
	"strconv"
	"strings"

	"diag405/kong/config"
	"diag405/kong/router"
)

// Hostname is a Host without its port and without the brackets of an IPv6 address,
// in lower case, as names are compared and as TLS sends them.
func Hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

// HostHeader is the Host that Kong sends to a peer when the client's is not kept:
// the peer's name, with the port when it is not the scheme's own (set_host_header in
// kong/runloop/balancer/init.lua). A port of 0 is not known, and left out.
func HostHeader(scheme, name string, port int) string {
	switch {
	case port == 0,
		port == 80 && (scheme == "http" || scheme == "grpc"),
		port == 443 && (scheme == "https" || scheme == "grpcs"):
		return name
	}
	return net.JoinHostPort(strings.Trim(name, "[]"), strconv.Itoa(port))
}

// ServiceHost is the HostHeader for a service that stands for no upstream entity.
func ServiceHost(s *config.Service) string {
	if s == nil {
		return ""
	}
	return HostHeader(s.Protocol, s.Host, s.Port)
}

// findPeer says where Kong connects to, and the Host that it sends there.
func (c *course) findPeer() *Answer {
	s, u := c.Match.Service, c.Upstream
	if s == nil {
		return byKong(503, "route "+router.Name(c.Match.Route)+" has no service")
	}
	c.Service = s
	name, port := s.Host, s.Port
	peers := []string{address(name, port)}
	if i := slices.IndexFunc(c.cfg.Upstreams, func(u *config.Upstream) bool { return u.Name == s.Host }); i >= 0 {
		targets := c.targets(c.cfg.Upstreams[i])
		if len(targets) == 0 {
			return byKong(503, "upstream "+s.Host+" has no target")
		}
		name, port = cmp.Or(c.cfg.Upstreams[i].HostHeader, targets[0].Host), targets[0].Port
		peers = addresses(targets)
		c.severalTargets(s.Host, peers)
	}
	u.Scheme, u.Address, u.Peers = s.Protocol, peers[0], peers
	u.Host = cmp.Or(u.Host, HostHeader(s.Protocol, name, port))
	return nil
}

// targets are those of an upstream that may get the request while all are well. Failover
// targets get none then, and with an algorithm that pins clients to a target they never
// do (app/_includes/gateway/failover-targets.md of Kong's documentation, 3.12).
func (c *course) targets(u *config.Upstream) []config.Target {
	var regular, failover []config.Target
	for _, t := range u.Targets {
		switch {
		case t.Weight == 0:
		case t.Failover:
			failover = append(failover, t)
		default:
			regular = append(regular, t)
		}
	}
	pins := u.Algorithm == "consistent-hashing" || u.Algorithm == "sticky-sessions"
	switch list := strings.Join(addresses(failover), ", "); {
	case len(failover) == 0:
	case pins:
		c.watch("upstream %s never uses its failover targets, as its algorithm is %s: %s", u.Name, u.Algorithm, list)
	case len(regular) == 0:
		return failover
	default:
		c.watch("upstream %s has failover targets, which get requests only while all others are unhealthy: %s", u.Name, list)
	}
	return regular
}

func (c *course) severalTargets(upstream string, peers []string) {
	if len(peers) > 1 {
		c.watch("upstream %s has %d targets, any of which may get the request: %s", upstream, len(peers), strings.Join(peers, ", "))
	}
}

func addresses(targets []config.Target) []string {
	var list []string
	for _, t := range targets {
		list = append(list, address(t.Host, t.Port))
	}
	return list
}

func address(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }
