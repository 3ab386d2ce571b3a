package config

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// common are fields that every entity has and nobody here reads.
var common = []string{"created_at", "updated_at", "ws_id", "_comment", "_ignore"}

// protocols and the part of Kong that serves them (kong/constants.lua).
var subsystems = map[string]string{
	"http": "http", "https": "http", "grpc": "http", "grpcs": "http",
	"tcp": "stream", "tls": "stream", "tls_passthrough": "stream", "udp": "stream",
}

var allProtocols = []string{"http", "https", "grpc", "grpcs", "tcp", "tls", "tls_passthrough", "udp"}

func checkProtocol(s string) error {
	if subsystems[s] == "" {
		return fmt.Errorf("%q should be one of %q", s, allProtocols)
	}
	return nil
}

// check reports what is wrong with a field's value.
func (o *object) check(field, value string, check func(string) error) {
	if err := check(value); err != nil {
		o.fail(field, err)
	}
}

var nameCharacters = regexp.MustCompile(`^[0-9A-Za-z.\-_~\x{80}-\x{10ffff}]+$`)

func checkName(s string) error {
	if !nameCharacters.MatchString(s) {
		return fmt.Errorf("%q may only have letters, digits and . - _ ~", s)
	}
	return nil
}

var hostCharacters = regexp.MustCompile(`^[0-9A-Za-z\-._]+$`)

// checkHost takes a name or an address without a port.
func checkHost(host string) error {
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return nil
	}
	name, port, hasPort := strings.Cut(host, ":")
	if _, err := strconv.Atoi(port); hasPort && err == nil {
		return fmt.Errorf("%q must not have a port", host)
	}
	if !hostCharacters.MatchString(name) || hasPort || strings.Contains(strings.TrimSuffix(name, "."), "..") ||
		strings.HasPrefix(name, ".") || strings.HasSuffix(name, "-") {
		return fmt.Errorf("%q is not a host name", host)
	}
	return nil
}

// checkRouteHost takes a host with at most one wildcard label at either end, and
// an optional port (hosts in kong/db/schema/typedefs.lua).
func checkRouteHost(host string) error {
	switch strings.Count(host, "*") {
	case 0:
	case 1:
		if !strings.HasPrefix(host, "*.") && !strings.HasSuffix(host, ".*") {
			return fmt.Errorf("%q may have its wildcard only as the first or the last label", host)
		}
	default:
		return fmt.Errorf("%q has more than one wildcard", host)
	}
	name := strings.ReplaceAll(host, "*", "abc")
	if base, port, ok := strings.Cut(name, ":"); ok {
		if n, err := strconv.Atoi(port); err == nil && n >= 0 && n <= 65535 {
			name = base
		}
	}
	if checkHost(name) != nil {
		return fmt.Errorf("%q is not a host name", host)
	}
	return nil
}

func checkSNI(sni string) error {
	name := sni
	if i := strings.Index(sni, "*"); i >= 0 {
		if strings.Count(sni, "*") > 1 || i != 0 && i != len(sni)-1 {
			return fmt.Errorf("%q may have one wildcard, at its start or its end", sni)
		}
		name = strings.Replace(sni, "*", "wildcard", 1)
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return fmt.Errorf("%q must not be an address", sni)
	}
	return checkHost(name)
}

func checkIPOrCIDR(s string) error {
	if _, err := netip.ParseAddr(s); err == nil {
		return nil
	}
	if _, err := netip.ParsePrefix(s); err == nil {
		return nil
	}
	return fmt.Errorf("%q is not an address or CIDR block", s)
}
