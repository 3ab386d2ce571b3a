package router

import (
	"strings"

	"diag405/kong/config"
)

// clues are those of a part of the traditional router.
func (p *part) clues() clues {
	return clues{paths: p.pathClues(), hosts: p.hostClues(), headers: p.headerClues()}
}

// pathClues: a part with an expression also takes a request of which a path with the
// expression's text was hit, see [part.matchPath].
func (p *part) pathClues() []pathClue {
	switch {
	case p.path == nil:
		return nil
	case p.path.regex == nil:
		return []pathClue{{text: p.path.value}}
	}
	some := regexClues(p.path.regex.String())
	if len(some) == 0 {
		return nil
	}
	return append(some, pathClue{text: p.path.value})
}

func (p *part) hostClues() []string {
	out := append([]string(nil), p.hosts...)
	for _, w := range p.wildcard {
		out = append(out, w.key())
	}
	return onlyHostKeys(out)
}

// key is the host without its port, "" for one whose expression is not that simple.
func (w *wildcard) key() string {
	host := w.value
	if bare, _, hasPort := tradSplitPort(host, ""); hasPort {
		host = bare
	}
	if strings.Trim(config.LowerASCII(host), "abcdefghijklmnopqrstuvwxyz0123456789.*_-") != "" {
		return ""
	}
	return host
}

func (p *part) headerClues() []string {
	for _, h := range p.headers {
		if h.pattern != nil {
			continue
		}
		var out []string
		for _, value := range h.values {
			out = append(out, headerClue(headerKey(h.name), value))
		}
		return out
	}
	return nil
}

// keys are what a request is looked up by in an index.
func (l *look) keys(x *index) keys {
	k := keys{path: l.query.path, also: l.path}
	if x.hosts {
		k.hosts = l.hostKeys()
	}
	if x.headers {
		k.headers = headerKeys(l.query.header, config.LowerASCII)
	}
	return k
}

// hostKeys are the Host as it is and without its port, and what a wildcard may be
// filed under.
func (l *look) hostKeys() []string {
	if l.rawHost == "" {
		return nil
	}
	name := l.fullHost
	if i := strings.LastIndexByte(name, ':'); i >= 0 && isDigits(name[i+1:]) {
		name = name[:i]
	}
	return append(hostKeys(name), l.rawHost, l.bareHost)
}
