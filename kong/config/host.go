package config

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// hostKind is what an address is (hostname_type in kong/tools/ip.lua). It goes by
// the characters alone: all digits and dots is an IPv4 address, if a wrong one.
type hostKind string

const (
	isName hostKind = "name"
	isIPv4 hostKind = "ipv4"
	isIPv6 hostKind = "ipv6"
)

var (
	errHost = errors.New("is not a host name")
	errPort = errors.New("has a port outside 0..65535")
)

// splitHost reads name, name:port, ipv4, ipv4:port, ipv6, [ipv6] and [ipv6]:port
// (normalize_ip in kong/tools/ip.lua). Without a port hasPort is false; what is
// wrong is errHost or errPort.
func splitHost(s string) (kind hostKind, hasPort bool, err error) {
	bare := strings.ReplaceAll(s, ":", "")
	switch {
	case strings.Count(s, ":") > 1:
		hasPort, err = checkIPv6(s)
		return isIPv6, hasPort, err
	case bare != "" && strings.Trim(bare, "0123456789.") == "":
		hasPort, err = checkIPv4(s)
		return isIPv4, hasPort, err
	}
	hasPort, err = checkHostname(s)
	return isName, hasPort, err
}

var ipv4Address = regexp.MustCompile(`^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?::(\d+))?$`)

func checkIPv4(s string) (hasPort bool, err error) {
	m := ipv4Address.FindStringSubmatch(s)
	if m == nil {
		return false, errHost
	}
	for _, octet := range m[1:5] {
		if n, _ := strconv.Atoi(octet); n > 255 {
			return false, errHost
		}
	}
	return checkPort(m[5])
}

// checkPort takes digits, or "" for no port.
func checkPort(digits string) (hasPort bool, err error) {
	if digits == "" {
		return false, nil
	}
	if n, err := strconv.Atoi(digits); err != nil || n > 65535 {
		return false, errPort
	}
	return true, nil
}

var (
	bracketed   = regexp.MustCompile(`^\[([^\[\]]*)\](?::(\d+))?$`)
	ipv6Address = regexp.MustCompile(`^[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){7}$`)
)

func checkIPv6(s string) (hasPort bool, err error) {
	digits := ""
	if strings.HasPrefix(s, "[") {
		m := bracketed.FindStringSubmatch(s)
		if m == nil {
			return false, errHost
		}
		s, digits = m[1], m[2]
	}
	if !ipv6Address.MatchString(expandIPv6(s)) {
		return false, errHost
	}
	return checkPort(digits)
}

// expandIPv6 writes out "::".
func expandIPv6(s string) string {
	if strings.HasPrefix(s, ":") {
		s = "0" + s
	}
	if strings.HasSuffix(s, ":") {
		s += "0"
	}
	zeros := strings.Repeat("0:", max(0, 8-strings.Count(s, ":")))
	return strings.Replace(s, "::", ":"+zeros, 1)
}

// cutPort takes :digits from the end of a text. Without them digits is "".
func cutPort(s string) (name, digits string) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || i == len(s)-1 || strings.Trim(s[i+1:], "0123456789") != "" {
		return s, ""
	}
	return s[:i], s[i+1:]
}

func isHostRune(c rune) bool { return isAlphanumeric(c) || c == '-' || c == '.' || c == '_' }

// checkHostname wants segments that are not empty, save the one behind a last dot,
// and that do not end in a dash.
func checkHostname(s string) (hasPort bool, err error) {
	name, digits := cutPort(s)
	segments := strings.Split(name, ".")
	last := len(segments) - 1
	wrong := func(s string) bool { return s == "" || strings.HasSuffix(s, "-") }
	if !isMadeOf(name, isHostRune) || slices.ContainsFunc(segments[:last], wrong) || strings.HasSuffix(name, "-") {
		return false, errHost
	}
	return checkPort(digits)
}

// checkHost takes a name or an address without a port.
func checkHost(host string) error {
	_, hasPort, err := splitHost(host)
	switch {
	case hasPort, errors.Is(err, errPort):
		return fmt.Errorf("%q must not have a port", host)
	case err != nil:
		return fmt.Errorf("%q %w", host, err)
	}
	return nil
}

// checkNameOnly takes a host name that is no address.
func checkNameOnly(name string) error {
	kind, _, err := splitHost(name)
	if err == nil && kind != isName {
		return fmt.Errorf("%q must not be an address", name)
	}
	return checkHost(name)
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
	if _, _, err := splitHost(strings.ReplaceAll(host, "*", "abc")); err != nil {
		return fmt.Errorf("%q %w", host, err)
	}
	return nil
}

// checkSNI is what a name in snis has to be. The traditional router knows no
// wildcards there.
func (d *document) checkSNI() func(string) error {
	if d.config.Flavor == Traditional {
		return checkPlainSNI
	}
	return checkWildcardSNI
}

func checkPlainSNI(sni string) error {
	if strings.Contains(sni, "*") {
		return fmt.Errorf("%q must not have a wildcard with router_flavor = traditional", sni)
	}
	return checkNameOnly(sni)
}

// checkWildcardSNI is wildcard_host in kong/db/schema/typedefs.lua.
func checkWildcardSNI(sni string) error {
	i := strings.Index(sni, "*")
	if strings.Count(sni, "*") > 1 || i > 0 && i != len(sni)-1 {
		return fmt.Errorf("%q may have one wildcard, at its start or its end", sni)
	}
	if err := checkNameOnly(strings.Replace(sni, "*", "wildcard", 1)); err != nil {
		return fmt.Errorf("%q %w", sni, errHost)
	}
	return nil
}
