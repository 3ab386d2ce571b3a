package diagnose

import "strings"

// pathEncoding: paths that look alike and are not. As with a trailing slash, that
// the other form takes the method has to be known.
var pathEncoding = cause{
	code: PathEncoding,
	kind: proven | ofPath,
	examine: func(v *view) *finding {
		var fixes []Fix
		for _, r := range respellings {
			if r.fits != nil && !r.fits(v) {
				continue
			}
			if f, ok := v.clientPathFix(r.change(v.Client.Path)); ok {
				fixes = append(fixes, f)
			}
		}
		if len(fixes) == 0 {
			return nil
		}
		return &finding{
			reason: v.got() + "; spelled otherwise the path is another resource",
			facts:  []string{"slashes, escapes and letter case count in a path"},
			fixes:  fixes,
		}
	},
}

// respellings change how a path is written; each leaves alone what it does not
// apply to. The first is the most common slip: a name with a slash in it that was
// not escaped, so that one segment became two.
var respellings = []struct {
	change func(string) string
	fits   func(*view) bool // nil: always
}{
	{joinLast, (*view).mayBeCaught},
	{splitEscaped, nil},
	{strings.ToLower, nil},
}

// mayBeCaught reports whether what refused may be something that takes every path.
// A path that the application has for itself means what it says: to escape a slash
// in it would lead to whatever takes any name. A document cannot tell: its
// placeholders take any name, too.
func (v *view) mayBeCaught() bool {
	if offer := v.seen.Paths[v.Upstream.Path]; offer.tells() || offer.Presence != NotAsked {
		return len(offer.Methods) == 0 && offer.Presence != Present
	}
	return v.seen.API == nil
}

// splitEscaped takes an escaped slash for one that separates.
func splitEscaped(path string) string {
	return strings.ReplaceAll(strings.ReplaceAll(path, "%2F", "/"), "%2f", "/")
}

// joinLast escapes the last slash that has something on both sides.
func joinLast(path string) string {
	i := strings.LastIndexByte(path, '/')
	if i <= 0 || i == len(path)-1 {
		return path
	}
	return path[:i] + "%2F" + path[i+1:]
}
