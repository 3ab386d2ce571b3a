package config

import (
	"fmt"
	"net/netip"
	"regexp"
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

// checkProtocol takes WebSockets' protocols, too, where Kong Enterprise's
// configurations are read.
func (d *document) checkProtocol() func(string) error {
	return func(s string) error {
		if d.lenient && (s == "ws" || s == "wss") {
			return nil
		}
		return checkProtocol(s)
	}
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

func checkIPOrCIDR(s string) error {
	if _, err := netip.ParseAddr(s); err == nil {
		return nil
	}
	if _, err := netip.ParsePrefix(s); err == nil {
		return nil
	}
	return fmt.Errorf("%q is not an address or CIDR block", s)
}
