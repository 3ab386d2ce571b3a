package lint

import (
	"fmt"
	"slices"
	"strings"

	"diag405/kong/config"
)

// Tag is how a tag of a service or route begins that leaves out findings:
// diag405:ignore=ID. On a route it holds for the route and its plugins, on a
// service also for its routes. Kong takes any printable ASCII in a tag except the
// comma and the slash (validate_tag in kong/db/schema/typedefs.lua).
const Tag = "diag405:ignore="

// Ignore leaves out findings of one rule.
type Ignore struct {
	ID     string
	Object string // name or id of the object; "" for all
}

// ParseIgnore reads ID or ID:OBJECT.
func ParseIgnore(s string) (Ignore, error) {
	id, object, _ := strings.Cut(s, ":")
	if !IsRule(id) {
		return Ignore{}, fmt.Errorf("%q is not the id of a finding", id)
	}
	return Ignore{ID: id, Object: object}, nil
}

// ignored reports whether a finding is to be left out.
func (s *subject) ignored(f Finding) bool {
	for _, i := range s.o.Ignore {
		if i.ID == f.ID && (i.Object == "" || i.Object == f.Object.Name || i.Object == f.Object.ID) {
			return true
		}
	}
	return slices.Contains(s.related.tagsOf(f.Object), Tag+f.ID)
}

func serviceTags(s *config.Service) []string {
	if s == nil {
		return nil
	}
	return s.Tags
}

func routeTags(r *config.Route) []string {
	if r == nil {
		return nil
	}
	return append(slices.Clone(r.Tags), serviceTags(r.Service)...)
}

// find is the first that is meant, nil for none.
func find[T any](list []*T, is func(*T) bool) *T {
	if i := slices.IndexFunc(list, is); i >= 0 {
		return list[i]
	}
	return nil
}
