package config

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// readUpstream reads an upstream (kong/db/schema/entities/upstreams.lua) with
// its targets. How it picks one of them is not modelled.
func (d *document) readUpstream(o *object) {
	u := &Upstream{}
	o.addDefaults("upstream")
	id, name := d.identify("upstreams", o, u)
	if name == "" && !o.has("name") {
		o.fail("name", errors.New("is required"))
	} else if name != "" {
		o.check("name", name, checkNameOnly)
	}
	*u = Upstream{
		ID:         id,
		Name:       name,
		Algorithm:  o.oneOf("algorithm", d.algorithms()...),
		HostHeader: o.str("host_header", ""),
	}
	d.config.Upstreams = append(d.config.Upstreams, u)
	d.add(u, o)
	checkHashing(o)
	checkHealthchecks(o)
	o.integer("slots", 10000, 10, 1<<16)
	o.skip("tags", "client_certificate", "use_srv_name")
	o.skipOfDeck("upstreams")
	o.skip(common...)
	for _, t := range o.objects("targets", "target") {
		d.readTarget(t, u)
	}
	o.refuseUnknown()
}

// algorithms are those of Kong 3.9, the default first; Kong 3.11 has one more.
func (d *document) algorithms() []string {
	all := []string{"round-robin", "consistent-hashing", "least-connections", "latency"}
	if d.lenient {
		all = append(all, "sticky-sessions")
	}
	return all
}

func (d *document) readTarget(o *object, u *Upstream) {
	o.addDefaults("target")
	t, err := parseTarget(o.str("target", ""))
	if err != nil {
		o.fail("target", err)
	}
	t.Weight = o.integer("weight", 100, 0, 65535)
	o.skip("id", "tags", "upstream")
	o.skipOfDeck("targets")
	t.Failover = d.lenient && o.boolean("failover", false)
	o.skip(common...)
	o.refuseUnknown()
	target := nameOf(o.node, "target")
	d.claim(claim{o: o, entity: o, kind: "targets of " + u.Name, naming: "target", within: o.workspace(), name: target})
	u.Targets = append(u.Targets, t)
}

func (d *document) readTopLevelTarget(o *object) {
	ref := o.reference("upstream")
	u, ok := d.find(o, "upstreams", ref).(*Upstream)
	if !ok {
		o.fail("upstream", fmt.Errorf("%q is not among the upstreams", ref))
		return
	}
	d.readTarget(o, u)
}

// parseTarget reads host[:port]; without a port it is 8000.
func parseTarget(s string) (Target, error) {
	if addr, err := netip.ParseAddrPort(s); err == nil {
		return Target{Host: addr.Addr().String(), Port: int(addr.Port())}, nil
	}
	host, port := s, 8000
	if i := strings.LastIndexByte(s, ':'); i >= 0 && strings.Count(s, ":") == 1 {
		n, err := strconv.Atoi(s[i+1:])
		if err != nil || n < 0 || n > 65535 {
			return Target{}, fmt.Errorf("%q has a port outside 0..65535", s)
		}
		host, port = s[:i], n
	}
	if err := checkHost(host); err != nil {
		return Target{}, fmt.Errorf("%q should be host[:port]", s)
	}
	return Target{Host: strings.Trim(host, "[]"), Port: port}, nil
}
