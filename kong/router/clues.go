package router

import (
	"net/http"
	"slices"
	"strings"

	"diag405/kong/atc"
)

// What an [index] goes by, of parts and of requests.

// clues are those of a part.
func (c *compiled) clues() clues {
	if c.expression != nil {
		return expressionClues(c.expression)
	}
	return clues{paths: c.pathClues(), hosts: c.hostClues(), headers: c.headerClues()}
}

func (c *compiled) pathClues() []pathClue {
	var out []pathClue
	for _, p := range c.plain {
		out = append(out, pathClue{text: p})
	}
	for _, re := range c.regexes {
		if len(re.clues) == 0 {
			return nil
		}
		out = append(out, re.clues...)
	}
	return out
}

func (c *compiled) hostClues() []string {
	var out []string
	for _, h := range c.hosts {
		out = append(out, h.exact)
		switch {
		case h.suffix != "":
			out[len(out)-1] = "*" + h.suffix
		case h.prefix != "":
			out[len(out)-1] = h.prefix + "*"
		}
	}
	return onlyHostKeys(out)
}

// onlyHostKeys is none at all where one of the hosts would not be come upon.
func onlyHostKeys(hosts []string) []string {
	if slices.ContainsFunc(hosts, func(h string) bool { return !isHostKey(h) }) {
		return nil
	}
	return hosts
}

// headerClues are those of one header of a part, of which it has a list of values.
func (c *compiled) headerClues() []string {
	var best []string
	for _, h := range c.headers {
		if len(h.regexes) > 0 || len(h.values) == 0 {
			continue
		}
		var some []string
		for _, value := range h.values {
			some = append(some, headerClue(h.name, value))
		}
		if best == nil || len(some) < len(best) || len(some) == len(best) && some[0] < best[0] {
			best = some
		}
	}
	return best
}

func expressionClues(e *atc.Expression) clues {
	var c clues
	for _, need := range e.Needs("http.path") {
		some := []pathClue{{text: need.Text}}
		switch need.Op {
		case atc.Regex:
			some = regexClues(need.Text)
		case atc.Postfix:
			some = nil
		}
		if len(some) == 0 || need.Text == "" {
			c.paths = nil
			break
		}
		c.paths = append(c.paths, some...)
	}
	for _, need := range e.Needs("http.host") {
		c.hosts = append(c.hosts, map[atc.Operator]string{
			atc.Equals: need.Text, atc.Prefix: need.Text + "*", atc.Postfix: "*" + need.Text, atc.Regex: "",
		}[need.Op])
	}
	c.hosts = onlyHostKeys(c.hosts)
	return c
}

// keys are what a request is looked up by in an index.
func (q *query) keys(x *index) keys {
	k := keys{path: q.path}
	if x.hosts {
		k.hosts = hostKeys(q.host)
	}
	if x.headers {
		k.headers = headerKeys(q.header, atc.Lower)
	}
	return k
}

// headerKeys are under what a request's headers may be filed. A name with underscores
// and one with dashes are the same here.
func headerKeys(header http.Header, lower func(string) string) []string {
	var out []string
	for name, values := range header {
		for _, value := range values {
			out = append(out, headerClue(headerKey(name), lower(value)))
		}
	}
	return out
}

// hostKeys are the keys under which a name may be filed: itself, and what takes it
// with a wildcard at either end: *.example.com and a.* for a.example.com.
func hostKeys(host string) []string {
	if host == "" {
		return nil
	}
	out := []string{host}
	for i := range len(host) {
		if host[i] == '.' {
			out = append(out, "*"+host[i:], host[:i+1]+"*")
		}
	}
	return out
}

// isHostKey reports whether a route's host, without its port, is something that
// hostKeys comes upon.
func isHostKey(host string) bool {
	switch strings.Count(host, "*") {
	case 0:
		return host != ""
	case 1:
		return strings.HasPrefix(host, "*.") || strings.HasSuffix(host, ".*")
	}
	return false
}

// headerClue is a header with one value, both as they are compared.
func headerClue(name, value string) string { return name + "\x00" + value }
