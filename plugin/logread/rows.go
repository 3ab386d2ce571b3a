package logread

import (
	"cmp"
	"slices"
	"strings"
)

// Row is all groups that have something in common.
type Row struct {
	Key    string  `json:"key"` // the cause, route or request to the upstream; "" where it is not known
	Count  int     `json:"count"`
	First  string  `json:"first,omitempty"`
	Last   string  `json:"last,omitempty"`
	Groups []Group `json:"groups"` // the most frequent first
}

// keys are what groups can be put together by.
var keys = map[string]func(Group) string{
	"cause":    func(g Group) string { return g.Cause },
	"route":    func(g Group) string { return g.Route },
	"upstream": func(g Group) string { return g.Upstream },
}

// IsKey reports whether groups can be put together by it: cause, route and upstream.
func IsKey(by string) bool { return keys[by] != nil }

// Rows puts the groups together that have the same cause, route or request to the
// upstream, the most frequent first. By has to be a key.
func (s Summary) Rows(by string) []Row {
	rows := []Row{}
	at := map[string]int{}
	for _, g := range s.Groups {
		key := keys[by](g)
		i, ok := at[key]
		if !ok {
			i = len(rows)
			at[key], rows = i, append(rows, Row{Key: key})
		}
		rows[i].add(g)
	}
	slices.SortStableFunc(rows, func(x, y Row) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), strings.Compare(x.Key, y.Key))
	})
	return rows
}

func (r *Row) add(g Group) {
	r.Count += g.Count
	if g.First != "" && (r.First == "" || g.First < r.First) {
		r.First = g.First
	}
	r.Last = max(r.Last, g.Last)
	r.Groups = append(r.Groups, g)
}
