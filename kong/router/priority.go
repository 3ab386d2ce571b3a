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
//  1. parts with four or more fields come before all others; among them plain and
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
// This is what compiled code does. In a worker that has seen fewer than some 150
// routes LuaJIT still interprets, and makes 1<<63 of a number below zero
// (lj_num2u64 in its src/lj_obj.h; measured). Such a number is the weight of four
// and more fields, and the rank of a regex_priority that is negative or, of what
// 32 bits leave of it, 4,096 and more. So for a fresh Kong:
//
//   - the parts of rule 1 and those with such a regex_priority come first together
//   - among them plain hosts and a regex have a say, and how many fields they have
//     more than four has none
//   - those with neither plain hosts nor a regex are all equal, whatever the length
//     of their paths: their numbers are put together before they are converted
//
// Routes with an expression have eight bits on top of their own priority, which
// puts them before all others; save that the sign of a part of rule 1, or of a
// negative regex_priority, is those eight bits and more in a warm Kong.
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
	if len(paths) == 1 {
		return [][]string{paths}
	}
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

// A priority is what get_priority of kong/router/transform.lua puts together: four
// numbers, as what LuaJIT's shift to the left leaves of them, and two bits.
type priority struct {
	weight, headers, rank, length int32
	plain, regex                  bool
}

// priorityOf is that of a route with these paths, which are all expressions or all
// of one length.
func priorityOf(route *config.Route, paths []string) priority {
	p := priority{
		weight:  shift32(weight(route, paths), 61),
		headers: shift32(min(len(route.Headers), 255), 52),
		plain:   plainHostsOnly(route),
	}
	switch {
	case len(paths) == 0:
	case config.IsRegexPath(paths[0]):
		p.regex, p.rank = true, shift32(route.RegexPriority, 19)
	default:
		p.length = int32(len(paths[0]) & (1<<19 - 1))
	}
	return p
}

// shift32 is a shift to the left as LuaJIT does it with a number: within 32 bits, by
// a count modulo 32 (lshift_uint64 in kong/router/transform.lua).
func shift32(n, by int) int32 { return int32(n) << (by % 32) }

// shift is what compiled code makes 64 bits of it.
func shift(n, by int) uint64 { return uint64(int64(shift32(n, by))) }

// warm is the priority in compiled code, which extends each number with its sign.
func (p priority) warm() uint64 {
	return uint64(int64(p.weight|p.headers|p.rank|p.length)) | p.bits()
}

// fresh is the priority in interpreted code. Without a bit of 64 there is nothing
// that would make 64 bits of the numbers before they are one.
func (p priority) fresh() uint64 {
	if p.bits() == 0 {
		return interpreted(p.weight | p.headers | p.length)
	}
	return interpreted(p.weight) | interpreted(p.headers) | interpreted(p.rank) | interpreted(p.length) | p.bits()
}

// interpreted is lj_num2u64 of LuaJIT's src/lj_obj.h on x86-64.
func interpreted(n int32) uint64 {
	if n < 0 {
		return 1 << 63
	}
	return uint64(n)
}

func (p priority) bits() uint64 {
	var bits uint64
	if p.plain {
		bits |= 1 << 60
	}
	if p.regex {
		bits |= 1 << 51
	}
	return bits
}

// expressionPriority puts a route with an expression before all others
// (EXPRESSION_ONLY_BIT in kong/router/transform.lua).
func expressionPriority(route *config.Route) uint64 {
	return 0xff<<56 | uint64(route.Priority)
}

// weight counts the fields that the route matches by.
func weight(route *config.Route, paths []string) int {
	n := 0
	for _, set := range []bool{
		len(route.Methods) > 0, len(route.Hosts) > 0, len(route.Headers) > 0,
		len(route.SNIs) > 0, len(paths) > 0, len(route.Sources) > 0, len(route.Destinations) > 0,
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
