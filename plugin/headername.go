package plugin

import (
	"fmt"
	"strings"
	"unicode"

	"diag405/plugin/server"
)

// maxPrefix is the length of the longest prefix of a header's name, in bytes.
const maxPrefix = 64

// standardPrefix is what the names of our headers begin with unless an operator wants
// another.
const standardPrefix = "X-Diag"

// usedNames are what the names of headers begin with that begin with X- and are used:
// by Kong and what stands around it (the first), and by browsers. A value of ours in one
// of them would change what becomes of the answer.
var usedNames = []string{
	"X-Kong", "X-Forwarded", "X-Real-IP", "X-Request-ID", "X-RateLimit", "X-Consumer", "X-Credential", "X-Anonymous-Consumer", "X-Accel", "X-Sendfile",
	"X-Frame-Options", "X-Content-Type-Options", "X-Content-Security-Policy", "X-XSS-Protection", "X-Robots-Tag", "X-UA-Compatible",
	"X-DNS-Prefetch-Control", "X-Permitted-Cross-Domain-Policies", "X-Download-Options", "X-Powered-By",
}

// headerName is what can begin the name of a header of ours. With X- in front it is
// none that HTTP gives a meaning to.
var headerName = rule{
	field: server.Field{
		LenMax: maxPrefix, Match: "^[Xx]%-[%w-]*%w$", MatchNone: patterns(usedNames),
		Err: "should be X- with letters, digits and dashes behind it, and not the name of a header that is used",
	},
	check: checkHeaderName,
}

func checkHeaderName(value any) error {
	name := value.(string)
	plain := func(r rune) bool {
		return r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	}
	rest, ok := cutFold(name, "X-")
	if !ok || rest == "" || len(name) > maxPrefix || strings.HasSuffix(name, "-") || strings.TrimFunc(name, plain) != "" {
		return fmt.Errorf("%q is not X- with letters, digits and dashes behind it, at most %d in all", name, maxPrefix)
	}
	for _, used := range usedNames {
		if _, ok := cutFold(name, used); ok {
			return fmt.Errorf("%q would make headers of the family %s", name, used)
		}
	}
	return nil
}

// cutFold takes a prefix off a name in whatever case.
func cutFold(name, prefix string) (rest string, ok bool) {
	if len(name) < len(prefix) || !strings.EqualFold(name[:len(prefix)], prefix) {
		return name, false
	}
	return name[len(prefix):], true
}

// patterns are Lua patterns for what begins with one of the names, in whatever case.
func patterns(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		var b strings.Builder
		for _, r := range name {
			if r == '-' {
				b.WriteString("%-")
				continue
			}
			fmt.Fprintf(&b, "[%c%c]", unicode.ToUpper(r), unicode.ToLower(r))
		}
		out[i] = "^" + b.String()
	}
	return out
}
