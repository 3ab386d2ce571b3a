package diagnose

import "strings"

// trailingSlash: /items and /items/ are two resources to many applications. That
// the other one takes the method has to be known; without that this is only one
// of the things to try.
var trailingSlash = cause{
	code: TrailingSlash,
	kind: proven | ofPath,
	examine: func(v *view) *finding {
		other := toggleSlash(v.Upstream.Path)
		if other == "" {
			return nil
		}
		fixes := v.slashFixes(other)
		if len(fixes) == 0 {
			return nil
		}
		return &finding{
			reason: v.got() + "; " + other + " is another resource",
			facts:  []string{"a slash at the end makes the difference"},
			fixes:  fixes,
		}
	},
}

// toggleSlash puts a slash at the end of a path or takes it away; "" for the root,
// which has no other form.
func toggleSlash(path string) string {
	switch {
	case strings.Trim(path, "/") == "":
		return ""
	case strings.HasSuffix(path, "/"):
		return strings.TrimSuffix(path, "/")
	}
	return path + "/"
}

// slashFixes are the ways to the other path. Where Kong's arithmetic changed the
// slash, the service's path is the place to mend it.
func (v *view) slashFixes(other string) []Fix {
	var fixes []Fix
	if strings.HasSuffix(v.Client.Path, "/") == strings.HasSuffix(other, "/") {
		if base := toggleSlash(v.servicePath()); base != "" && v.Route != nil && v.pathWith(v.Route.StripPath, base) == other {
			fixes = append(fixes, v.serviceSets("path", base, "set path to "+base, v.at(other)))
		}
	}
	if path := toggleSlash(v.Client.Path); path != "" {
		if f, ok := v.clientPathFix(path); ok && f.Upstream.Path == other {
			fixes = append(fixes, f)
		}
	}
	return fixes
}
