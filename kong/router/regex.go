package router

import (
	"regexp"
	"sync"

	"diag405/kong/config"
)

// pathRegex is a route's path that is a regular expression. It is parsed at once, as
// a broken one is left out of the router, and compiled when a path may match it: of
// many, most requests come to few.
type pathRegex struct {
	clues    []pathClue // none where every path may match
	compiled func() *regexp.Regexp
}

func newPathRegex(path string) (*pathRegex, error) {
	tree, err := config.ParsePath(path)
	if err != nil {
		return nil, err
	}
	return &pathRegex{treeClues(tree), sync.OnceValue(func() *regexp.Regexp {
		re, err := config.CompilePath(path)
		if err != nil {
			panic("bug: " + path + " was parsed and is not compiled: " + err.Error())
		}
		return re
	})}, nil
}

// find is where a path matches, nil where it does not.
func (p *pathRegex) find(path string) []int {
	if !anyClueIn(p.clues, path) {
		return nil
	}
	return p.compiled().FindStringIndex(path)
}

// groups are those of a match, the whole first.
func (p *pathRegex) groups(path string) []string {
	if !anyClueIn(p.clues, path) {
		return nil
	}
	return p.compiled().FindStringSubmatch(path)
}
