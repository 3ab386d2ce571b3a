package router

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"diag405/kong/config"
	"diag405/kong/pcre"
)

// tradPath is a path of the traditional router: plain, or an expression.
type tradPath struct {
	value string // without the "~"
	regex *pcre.Regexp
	strip *pcre.Regexp // with a group for what follows
}

// wildcard is one of a route's hosts with a "*".
type wildcard struct {
	value string
	regex *pcre.Regexp
}

// tradHeader is a header of a route. A pattern is an expression that stands alone,
// nil when it is broken: then it matches nothing.
type tradHeader struct {
	name    string // lower case
	values  []string
	pattern *pcre.Regexp
}

func newTradPath(path string) (*tradPath, error) {
	if !config.IsRegexPath(path) {
		if path == "" {
			return nil, nil
		}
		return &tradPath{value: path}, nil
	}
	p := &tradPath{value: path[1:]}
	var err error
	if p.regex, err = pcre.CompileAnchored(p.value); err != nil {
		return nil, err
	}
	// The group goes behind the text, so of "/a|/b" only the second half has it.
	p.strip, err = pcre.CompileAnchored(p.value + `(?<uri_postfix>.*)`)
	return p, err
}

// newWildcard makes an expression as Kong does: a "*" is one character or more, a
// port counts only when it is given.
func newWildcard(host string) (*wildcard, error) {
	pattern := strings.ReplaceAll(strings.ReplaceAll(host, ".", `\.`), "*", ".+")
	if _, _, hasPort := tradSplitPort(host, ""); !hasPort {
		pattern += `(?::\d+)?`
	}
	re, err := pcre.CompileAnchored(pattern + "$")
	return &wildcard{host, re}, err
}

// newTradHeaders is sorted by name, where Kong has the order of a Lua table, which
// may be any.
func newTradHeaders(route *config.Route) ([]*tradHeader, error) {
	var out []*tradHeader
	for _, name := range slices.Sorted(maps.Keys(route.Headers)) {
		h := &tradHeader{name: config.LowerASCII(name)}
		values := route.Headers[name]
		for _, v := range values {
			h.values = append(h.values, config.LowerASCII(v))
		}
		if pattern, ok := strings.CutPrefix(strings.Join(values, "\n"), "~*"); ok && len(values) == 1 {
			var err error
			if h.pattern, err = pcre.Compile(pattern); errors.Is(err, pcre.ErrNotModelled) {
				return nil, fmt.Errorf("header %q: %q: %w", name, values[0], err)
			}
		}
		out = append(out, h)
	}
	return out, nil
}
