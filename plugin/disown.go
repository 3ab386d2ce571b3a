package plugin

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"diag405/plugin/report"
)

// disown takes everything off an answer that could be taken for ours: what its
// upstream sent under the names of our headers. Ours are those that were set. The names
// are cleared unseen, since Kong shows a hundred headers and an upstream can send more;
// others that begin like them, where they are seen.
func (c *Config) disown(gw gateway, sent http.Header, ours []report.Header) error {
	names := report.HeaderNames(c.HeaderPrefix)
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		if c.isAlike(name) && !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) {
			names = append(names, name)
		}
	}
	for _, name := range names {
		if slices.ContainsFunc(ours, func(h report.Header) bool { return h.Name == name }) {
			continue
		}
		if err := gw.ClearHeader(name); err != nil {
			return err
		}
	}
	return nil
}

// isAlike reports a header that begins as ours do, or as they do by default.
func (c *Config) isAlike(name string) bool {
	for _, prefix := range []string{c.HeaderPrefix, standardPrefix} {
		if rest, ok := cutFold(name, prefix); ok && (rest == "" || rest[0] == '-') {
			return true
		}
	}
	return false
}
