package lint

import (
	"regexp"
	"regexp/syntax"
	"strings"

	"diag405/kong/config"
)

// How people write in other systems what Kong writes as an expression with ~ in front.

// regexSigns are what makes a plain path read like an expression; the group is what is
// shown of it. RFC 3986, section 3.3, lets a path have ( ) * + $ . and ', which do not
// count by themselves: /Products(1), /$metadata and /c++ are paths. It lets none have
// [ ] | \ ^ ? and {.
var regexSigns = []*regexp.Regexp{
	regexp.MustCompile(`(\\.)`),
	regexp.MustCompile(`(\[\^[^\]]+\][+*?]?)`),
	regexp.MustCompile(`(\[(?:\w-\w|[^\]/]*[^\w\]/]\w-\w|\w-\w[^\]/]*|[^\]/]*\[:\w+:\])\w*[^\]/]*\][+*?]?)`),
	regexp.MustCompile(`(\[[^\]/]+\](?:[+*?]|\{\d))`),
	regexp.MustCompile(`[^/](\[\d\d+\])`),
	regexp.MustCompile(`(\([^()]*\|[^()]*\))`),
	regexp.MustCompile(`(\|)`),
	regexp.MustCompile(`(\(\?)`),
	regexp.MustCompile(`(\)\?)`),
	regexp.MustCompile(`(/\?)(?:$|[$(])`),
	regexp.MustCompile(`(\w\?\$)$`),
	regexp.MustCompile(`[/()](\.[+*])`),
	regexp.MustCompile(`([.)]\{\d+(?:,\d*)?\})`),
	regexp.MustCompile(`[^/*](\$)$`),
}

// regexSign is the first thing in a plain path that reads like an expression, "" for
// none. A $ at the end alone is weaker than the others.
func regexSign(path string) string {
	if !strings.ContainsAny(path, `[|\?{`) && !strings.Contains(path, ".*") && !strings.Contains(path, ".+") && !strings.HasSuffix(path, "$") {
		return "" // most paths, at a fraction of the cost
	}
	sign, at := "", len(path)
	for _, re := range regexSigns {
		if m := re.FindStringSubmatchIndex(path); m != nil && m[2] < at {
			sign, at = path[m[2]:m[3]], m[2]
		}
	}
	return sign
}

// meansMore reports whether a plain path was meant as more than the letters it is: the
// rules about literal paths say so.
func meansMore(path string) bool {
	return placeholderIn(path) != "" || !config.IsRegexPath(path) && (strings.Contains(path, "*") || regexSign(path) != "")
}

// cutAnything takes away what at the end of an expression takes anything or nothing.
func cutAnything(path string) (rest, tail string) {
	at := anything.FindStringIndex(path)
	if at == nil {
		return path, ""
	}
	return path[:at[0]], path[at[0]:]
}

var (
	anything  = regexp.MustCompile(`(?:\.\*|\(\.\*\))\$?$`)
	globStars = regexp.MustCompile(`/\*+([^$*]|$)`)
)

// withoutGlobs is an expression in which a star behind a slash was meant as in a shell,
// unless it is in front of the end.
func withoutGlobs(path string) string {
	for globStars.MatchString(path) {
		path = globStars.ReplaceAllStringFunc(path, func(found string) string {
			switch rest := strings.TrimLeft(found[1:], "*"); rest {
			case "":
				return "/"
			case "/":
				return "/[^/]+/"
			default:
				return "/[^/]*" + rest
			}
		})
	}
	return path
}

// starExpression reads a star between slashes as one segment, and any other as a
// part of one.
func starExpression(path string) string {
	var parts []string
	for segment := range strings.SplitSeq(path, "/") {
		quoted := regexp.QuoteMeta(segment)
		if strings.Trim(segment, "*") == "" && segment != "" {
			quoted = "[^/]+"
		}
		parts = append(parts, strings.ReplaceAll(quoted, `\*`, "[^/]*"))
	}
	return strings.Join(parts, "/")
}

var (
	colonName = regexp.MustCompile(`/:[A-Za-z_]\w*`)
	braceName = regexp.MustCompile(`/\{[A-Za-z_][\w:]*\}`)

	// A placeholder with what belongs to it, by the routers of applications: :id, :id(\d+),
	// :rest*, {id}, {id:[0-9]+}, {rest:path}, {proxy+}.
	fullName = regexp.MustCompile(`/(?::[A-Za-z_]\w*(?:\(([^()]*)\))?([?*+]?)|\{[A-Za-z_]\w*(?::([^{}]*(?:\{[\d,]+\}[^{}]*)?))?([?*+]?)\})`)
)

// placeholderIn is the first :name or {name} of a path, "" for none.
func placeholderIn(path string) string {
	if !strings.Contains(path, "/:") && !strings.Contains(path, "/{") {
		return ""
	}
	if !config.IsRegexPath(path) {
		return strings.TrimPrefix(fullName.FindString(path), "/")
	}
	found := colonName.FindString(path)
	if found == "" {
		found = braceName.FindString(path)
	}
	return strings.TrimPrefix(found, "/")
}

// placeholderExpression is a path with what its placeholders stand for.
func placeholderExpression(path string) string {
	if config.IsRegexPath(path) {
		return closed(braceName.ReplaceAllString(colonName.ReplaceAllString(path, "/[^/]+"), "/[^/]+"))
	}
	var out strings.Builder
	out.WriteString("~")
	end := 0
	for _, m := range fullName.FindAllStringSubmatchIndex(path, -1) {
		out.WriteString(between(path[end:m[0]]))
		stands := named(group(path, m, 1)+group(path, m, 3), group(path, m, 2)+group(path, m, 4))
		if m[0] == 0 { // an expression of Kong's begins with a slash
			stands = leadingSlash.ReplaceAllString(stands, "/(?:$1)?")
		}
		out.WriteString(stands)
		end = m[1]
	}
	rest := path[end:]
	if prefix, ok := strings.CutSuffix(rest, "*"); ok {
		return out.String() + between(strings.TrimRight(prefix, "*"))
	}
	return closed(out.String() + between(rest))
}

func group(path string, m []int, n int) string {
	if m[2*n] < 0 {
		return ""
	}
	return path[m[2*n]:m[2*n+1]]
}

// named is what a placeholder stands for, the slash in front included: what its pattern
// says, where it has one and not just a type's name, as often as it is repeated.
func named(pattern, repeat string) string {
	one := "[^/]+"
	switch {
	case pattern == "path":
		one = ".*"
	case strings.Trim(pattern, wordCharacters) == "": // nothing, or a type: {id:int}
	case !isPattern(pattern):
	case strings.Contains(pattern, "|"):
		one = "(?:" + pattern + ")"
	default:
		one = pattern
	}
	switch repeat {
	case "?":
		return "(?:/" + one + ")?"
	case "*":
		return "(?:/.*)?"
	case "+":
		return "/.+"
	}
	return "/" + one
}

// leadingSlash takes the slash out of an optional group.
var leadingSlash = regexp.MustCompile(`^\(\?:/(.*)\)\?$`)

func isPattern(text string) bool {
	_, err := syntax.Parse("(?:"+text+")", syntax.Perl)
	return err == nil
}

const wordCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

// between is what stands around placeholders: as an expression, if it reads like one.
func between(text string) string {
	if regexSign(text) != "" {
		return withoutGlobs(text)
	}
	return starExpression(text)
}

func closed(expression string) string {
	if strings.HasSuffix(expression, "$") {
		return expression
	}
	return expression + "$"
}
