package router

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/config"
	"diag405/kong/measured"
)

// Each rule has a row, the first of the two being the one that Kong tries first.
func TestOrder(t *testing.T) {
	for _, tt := range []struct {
		first, second string
		by            By
		words         string
	}{
		{"paths: [/a], methods: [GET], headers: {h: [v]}, snis: [s]", "paths: ['~/a'], hosts: [h]", ByMany, "it has four or more kinds of attribute"},
		{"hosts: [h]", "paths: ['~/a'], methods: [GET]", ByHosts, "it has hosts without a wildcard"},
		{"hosts: [h]", "hosts: ['*.h'], methods: [GET]", ByHosts, "it has hosts without a wildcard"},
		{"paths: ['~/a']", "paths: [/a], methods: [GET]", ByExpression, "its path is an expression"},
		{"paths: [/a], methods: [GET]", "paths: [/a/b]", ByKinds, "it has 2 kinds of attribute against 1"},
		{"headers: {g: [v], h: [v]}", "headers: {g: [v]}", ByHeaders, "it has 2 headers against 1"},
		{"paths: ['~/a'], regex_priority: 5", "paths: ['~/a']", ByRegexPriority, "its regex_priority is 5 against 0"},
		{"paths: [/a/b]", "paths: [/a]", ByLength, "its path is longer"},
		{"paths: [/]", "methods: [GET]", ByLength, "it has a path"},
		{"paths: [/a], id: 20000000-0000-0000-0000-000000000000", "paths: [/a], id: 10000000-0000-0000-0000-000000000000", ByID, "they are equal, and its id is the higher"},

		// The negative one is first by its regex_priority, and by no hosts that it has not.
		{"paths: ['~/a/b'], regex_priority: -1", "paths: [/a], hosts: [h]", ByTop, "its regex_priority is -1, which Kong takes for the highest"},
		{"paths: ['~/a'], regex_priority: 4096", "paths: ['~/a'], hosts: [h]", ByTop, "its regex_priority is 4096 (of which Kong keeps -4096), which Kong takes for the highest"},
		{"paths: ['~/a'], regex_priority: -1", "paths: ['~/a'], regex_priority: -2", ByRegexPriority, "its regex_priority is -1 against -2"},
		// Among parts of four kinds an expression counts by its regex_priority alone.
		{"paths: ['~/a'], methods: [GET], headers: {h: [v]}, snis: [s], regex_priority: 1", "paths: [/a/b/c], methods: [GET], headers: {h: [v]}, snis: [s]", ByRegexPriority, "its regex_priority is 1"},
		{"paths: [/a], methods: [GET], headers: {h: [v]}, snis: [s]", "paths: ['~/a/b/c'], methods: [GET], headers: {h: [v]}, snis: [s]", ByLength, "its path is plain, and of an expression the length does not count"},
		// A header is worth a regex_priority of 2.
		{"paths: ['~/a'], headers: {h: [v]}", "paths: ['~/a'], methods: [GET], regex_priority: 1", ByHeaders, "it has 1 header against 0"},
		{"paths: ['~/a'], headers: {h: [v]}, methods: [GET], regex_priority: 1", "paths: ['~/a'], headers: {h: [v]}, methods: [GET], regex_priority: 2", BySharedBits,
			"regex_priority shares its bits with the numbers of headers and of kinds of attribute, and here these come to more"},
	} {
		parts := partsOf(t, fmt.Sprintf("routes: [{name: first, %s}, {name: second, %s}]", tt.first, tt.second))
		require.Len(t, parts, 2)
		o := orderOf(parts[0], parts[1])
		assert.Equal(t, "first", parts[0].route.Name, "%s before %s", tt.first, tt.second)
		assert.Equal(t, Order{tt.by, tt.words}, o, "%s before %s", tt.first, tt.second)
	}
}

// partsOf are the parts of a configuration's routes in Kong's order.
func partsOf(t *testing.T, doc string) []*compiled {
	t.Helper()
	cfg, err := config.Parse([]byte("_format_version: '3.0'\n" + doc))
	require.NoError(t, err, doc)
	r, err := New(cfg)
	require.NoError(t, err, doc)
	return r.ordered().warm.order
}

// Every reason between two parts is true of them, and is what decides.
func TestOrderOfMeasuredRoutes(t *testing.T) {
	scenarios, err := measured.Routing.Scenarios()
	require.NoError(t, err)
	said := map[By]int{}
	for _, s := range scenarios {
		cfg, err := config.Parse(s.Kong)
		require.NoError(t, err, s.ID)
		r, err := New(cfg)
		require.NoError(t, err, s.ID)
		checkOrders(t, r.ordered().warm.order, said)
	}
	t.Log(said)
	assert.Zero(t, said[BySharedBits], "in nothing that somebody would write")
}

func TestOrderOfGeneratedRoutes(t *testing.T) {
	said := map[By]int{}
	routes := generated()
	checkOrders(t, partsOf(t, "routes:\n"+strings.Join(routes, "\n")), said)
	t.Log(said)
	for _, by := range []By{ByMany, ByHosts, ByExpression, ByKinds, ByHeaders, ByTop, ByRegexPriority, ByLength, ByID, BySharedBits} {
		assert.NotZero(t, said[by], by)
	}
	assert.Less(t, 200*said[BySharedBits], len(routes)*(len(routes)-1)/2, "seldom, even here")
}

// generated are routes with every combination of these.
func generated() []string {
	var routes []string
	paths := []string{"", "paths: [/a], ", "paths: [/a/b], "}
	for _, n := range []int{0, 1, 2, 3, 300, 1024, 2048, 4095, 4096, 8192, -1, -2, -4096} {
		paths = append(paths, fmt.Sprintf("paths: ['~/a'], regex_priority: %d, ", n))
	}
	for _, path := range paths {
		for _, methods := range []string{"", "methods: [GET], "} {
			for _, hosts := range []string{"", "hosts: [h], ", "hosts: [h, '*.h'], "} {
				for _, headers := range []string{"", "headers: {g: [v]}, ", "headers: {g: [v], h: [v]}, "} {
					for _, snis := range []string{"", "snis: [s], "} {
						if all := path + methods + hosts + headers + snis; all != "" {
							routes = append(routes, fmt.Sprintf("- {name: r%d, %s}", len(routes), strings.TrimSuffix(all, ", ")))
						}
					}
				}
			}
		}
	}
	return routes
}

// checkOrders checks what is said of each part against each that comes behind it.
func checkOrders(t *testing.T, parts []*compiled, said map[By]int) {
	t.Helper()
	for i, first := range parts {
		a := attributesOf(first)
		require.Equal(t, a.priority(), first.priority)
		for _, second := range parts[i+1:] {
			o := orderOf(first, second)
			said[o.By]++
			if problem := check(o, a, attributesOf(second)); problem != "" {
				require.Fail(t, problem, "%+v before %+v: %+v", *first.route, *second.route, o)
			}
		}
	}
}

// attributes are what Kong's get_priority looks at, written down without regard to
// how the router has it.
type attributes struct {
	kinds, headers, regexPriority, length int
	plainHosts, regex                     bool
}

func attributesOf(c *compiled) attributes {
	r := c.route
	a := attributes{headers: len(r.Headers), plainHosts: len(r.Hosts) > 0 && !strings.Contains(strings.Join(r.Hosts, " "), "*")}
	for _, n := range []int{len(r.Methods), len(r.Hosts), len(r.Headers), len(r.SNIs), len(r.Paths)} {
		if n > 0 {
			a.kinds++
		}
	}
	if len(c.regexes) > 0 {
		a.regex, a.regexPriority = true, r.RegexPriority
	} else if len(c.plain) > 0 {
		a.length = len(c.plain[0])
	}
	return a
}

func (a attributes) priority() uint64 {
	low := int32(a.kinds)<<29 | int32(a.headers)<<20 | int32(a.length)
	if a.regex {
		low |= int32(a.regexPriority) << 19
	}
	all := uint64(int64(low))
	if a.plainHosts {
		all |= 1 << 60
	}
	if a.regex {
		all |= 1 << 51
	}
	return all
}

// check is what is wrong with a reason: that it is not true of the two, or that what
// it names neither puts the deciding bit there nor is missed when it is gone.
func check(o Order, a, b attributes) string {
	kept := func(x attributes) int { return int(int32(x.regexPriority) << 19 >> 19) }
	only, without := attributes{}, a
	holds := false
	switch o.By {
	case ByMany:
		holds, only.kinds, without.kinds = a.kinds >= 4 && b.kinds < 4, a.kinds, b.kinds
	case ByKinds:
		holds = a.kinds > b.kinds && o.Words == fmt.Sprintf("it has %d kinds of attribute against %d", a.kinds, b.kinds) ||
			a.kinds%4 > b.kinds%4 && strings.HasSuffix(o.Words, fmt.Sprintf("and of %d Kong keeps %d", b.kinds, b.kinds%4))
		only.kinds, without.kinds = a.kinds, b.kinds
	case ByHosts:
		holds, only.plainHosts, without.plainHosts = a.plainHosts && !b.plainHosts, true, false
	case ByExpression:
		holds, only.regex, without.regex = a.regex && !b.regex, true, false
	case ByHeaders:
		holds, only.headers, without.headers = a.headers > b.headers && strings.HasSuffix(o.Words, " against "+strconv.Itoa(b.headers)), a.headers, b.headers
	case ByTop, ByRegexPriority:
		holds = a.regex && (o.By == ByTop) == (kept(a) < 0 && kept(b) >= 0) && (o.By == ByTop || kept(a) > kept(b))
		holds = holds && strings.HasPrefix(o.Words, "its regex_priority is "+strconv.Itoa(a.regexPriority))
		only.regex, only.regexPriority, without.regexPriority = true, a.regexPriority, b.regexPriority
	case ByLength:
		holds, only.length, without.length = a.length > b.length && (b.length > 0) == (o.Words == "its path is longer"), a.length, b.length
	case ByID:
		if a.priority() != b.priority() {
			return "they are not equal"
		}
		return ""
	case BySharedBits:
		// Below 2 a regex_priority coincides with nothing.
		if (kept(a)&^1 != 0 || kept(b)&^1 != 0) && a.priority() > b.priority() {
			return ""
		}
	}
	if !holds {
		return "it is not so"
	}
	top := uint64(1) << (bits.Len64(a.priority()^b.priority()) - 1)
	if only.priority()&top == 0 && without.priority() > b.priority() {
		return "it does not decide"
	}
	return ""
}
