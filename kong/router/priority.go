package router

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"diag405/kong/config"
)

// The order in which Kong tries routes.
//
// The first route whose conditions all hold takes the request, so everything is
// in the order. A route whose paths differ in kind or length is first split into
// parts, one for all its expressions and one for each length of plain path. Each
// part has a priority of 64 bits, made of
//
//	weight   how many of methods, hosts, headers, snis and paths it has
//	plain    whether it has hosts, none of them with a wildcard
//	headers  how many headers
//	regex    whether its paths are expressions
//	rank     regex_priority of an expression, length of a plain path
//
// Kong means weight to come first: it is to be shifted to bits 61 to 63. But the
// shift is done on a plain Lua number, for which LuaJIT shifts within 32 bits and
// takes the count modulo 32, and the 32-bit result is then extended with its
// sign. So this is what really decides, in this order (measured: the order that
// is meant gets about one request in eighty wrong):
//
//  1. parts with four or five fields come before all others; among them plain and
//     regex have no say
//  2. plain hosts
//  3. expressions before plain paths
//  4. more fields
//  5. more headers, where a regex_priority of 2 is worth as much as a header
//  6. the higher regex_priority, or the longer plain path
//  7. the higher id, compared as bytes
//
// A negative regex_priority has a sign to extend too: it puts its part on top.
//
// Rule 1 is what compiled code does. In a worker that has seen fewer than some
// 150 routes LuaJIT still interprets, and converts negative numbers otherwise
// (lj_num2u64 in src/lj_obj.h): the parts of rule 1 come first all the same, but
// among themselves plain and regex count, and those with neither are equal. No
// measured request tells the two apart.
//
// An example. GET /api/users/7 with Host a.example goes to
//
//	A  paths ["/api/users/", "~/api/\\d+"]
//	B  paths ["/api/"], methods ["GET"]
//	C  paths ["~/api/[a-z]+"]
//	D  hosts ["a.example"]
//
// A is split into A1 with /api/users/ and A2 with ~/api/\d+. The order is D
// (rule 2), then A2 and C (rule 3; the higher id is first), B (rule 4), A1. D
// takes the request although B says more about it. Without D, A2 is tried and
// does not match, and C takes it.

// before sorts parts of routes: the higher priority first, and of equal ones the
// one with the higher id (MatcherKey in atc-router's src/router.rs).
func before(a, b *compiled) int {
	if c := cmp.Compare(b.priority, a.priority); c != 0 {
		return c
	}
	return bytes.Compare(b.id[:], a.id[:])
}

// splitNamespace is where the ids of a route's parts come from
// (split_routes_and_services_by_path in kong/router/transform.lua).
var splitNamespace = uuid.MustParse("7f145bf9-0dce-4f91-98eb-debbce4b9f6b")

// split groups a route's paths: one group for all regular expressions and one
// for each length of plain path, in the order of their first members. Each
// group becomes a route of its own, with its own priority and id.
func split(route *config.Route) (groups [][]string, ids []config.UUID, err error) {
	id, err := config.ParseUUID(route.ID)
	if err != nil {
		return nil, nil, fmt.Errorf("id: %w", err)
	}
	groups = groupPaths(route.Paths)
	if len(groups) < 2 {
		return [][]string{route.Paths}, []config.UUID{id}, nil
	}
	for i := range groups {
		ids = append(ids, uuid.NewSHA1(splitNamespace, fmt.Appendf(nil, "%s#%d", route.ID, i+1)))
	}
	return groups, ids, nil
}

func groupPaths(paths []string) [][]string {
	var groups [][]string
	place := map[int]int{} // length of plain path, or 0 for expressions => index in groups
	for _, path := range paths {
		key := len(path)
		if config.IsRegexPath(path) {
			key = 0
		}
		i, ok := place[key]
		if !ok {
			i = len(groups)
			place[key] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], path)
	}
	return groups
}

// priority is get_priority of kong/router/transform.lua for a route with these
// paths, which are all expressions or all of one length.
func priority(route *config.Route, paths []string) uint64 {
	p := shift(weight(route, paths), 61) | shift(min(len(route.Headers), 255), 52)
	if plainHostsOnly(route) {
		p |= 1 << 60
	}
	switch {
	case len(paths) == 0:
	case config.IsRegexPath(paths[0]):
		p |= 1<<51 | shift(route.RegexPriority, 19)
	default:
		p |= uint64(len(paths[0])) & (1<<19 - 1)
	}
	return p
}

// shift is a shift to the left as LuaJIT does it with a number, and then the
// conversion to 64 bits (lshift_uint64 in kong/router/transform.lua).
func shift(n, by int) uint64 {
	return uint64(int64(int32(n) << (by % 32)))
}

// weight counts the fields that the route matches by.
func weight(route *config.Route, paths []string) int {
	n := 0
	for _, set := range []bool{
		len(route.Methods) > 0, len(route.Hosts) > 0, len(route.Headers) > 0,
		len(route.SNIs) > 0, len(paths) > 0,
	} {
		if set {
			n++
		}
	}
	return n
}

// plainHostsOnly holds for an empty list as well, but not without one.
func plainHostsOnly(route *config.Route) bool {
	for _, h := range route.Hosts {
		if strings.Contains(h, "*") {
			return false
		}
	}
	return route.Hosts != nil
}
