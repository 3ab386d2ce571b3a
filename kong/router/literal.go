package router

import (
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"
)

// regexClues are texts of which every path that a regular expression matches has one;
// none where that cannot be said.
//
//	^/api/v\d+/users$   /users inside
//	^/api/\d+           /api/ in front
//	^/a/x|/b            /a/x in front, /b inside
func regexClues(expression string) []pathClue {
	tree, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return nil
	}
	return treeClues(tree)
}

// anyClueIn reports whether a path has one of some clues, or there are none.
func anyClueIn(clues []pathClue, path string) bool {
	return len(clues) == 0 || slices.ContainsFunc(clues, func(c pathClue) bool {
		if c.inside {
			return strings.Contains(path, c.text)
		}
		return strings.HasPrefix(path, c.text)
	})
}

// treeClues are the clues of the part that says most.
func treeClues(tree *syntax.Regexp) []pathClue {
	if tree.Op == syntax.OpAlternate {
		return alternativeClues(tree)
	}
	var best []pathClue
	consider := func(clues []pathClue) {
		if least(clues) > least(best) {
			best = clues
		}
	}
	run := literalRun{}
	for _, part := range sequence(tree) {
		if run.add(part) {
			continue
		}
		consider(run.clues())
		run = literalRun{}
		if part.Op == syntax.OpAlternate {
			consider(alternativeClues(part))
		}
	}
	consider(run.clues())
	return best
}

// alternativeClues are those of all alternatives, none when one has none.
func alternativeClues(tree *syntax.Regexp) []pathClue {
	var all []pathClue
	for _, alternative := range tree.Sub {
		clues := treeClues(alternative)
		if len(clues) == 0 {
			return nil
		}
		all = append(all, clues...)
	}
	return all
}

// least is the length of the shortest of several texts: what they are worth.
func least(clues []pathClue) int {
	n := 0
	for _, c := range clues {
		if n == 0 || len(c.text) < n {
			n = len(c.text)
		}
	}
	return n
}

// sequence are the parts of an expression, one behind the other.
func sequence(tree *syntax.Regexp) []*syntax.Regexp {
	if tree.Op != syntax.OpConcat && tree.Op != syntax.OpCapture {
		return []*syntax.Regexp{tree}
	}
	var parts []*syntax.Regexp
	for _, sub := range tree.Sub {
		parts = append(parts, sequence(sub)...)
	}
	return parts
}

// A literalRun is text that stands in every match in one piece.
type literalRun struct {
	text    strings.Builder
	inFront bool // behind "^"
}

// add takes a part of an expression, and is false for one that ends the run.
func (r *literalRun) add(part *syntax.Regexp) bool {
	switch part.Op {
	case syntax.OpBeginText:
		r.inFront = r.inFront || r.text.Len() == 0
		return true
	case syntax.OpEndText, syntax.OpEndLine, syntax.OpBeginLine, syntax.OpEmptyMatch, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true // of no width
	}
	if part.Op != syntax.OpLiteral || part.Flags&syntax.FoldCase != 0 || slices.ContainsFunc(part.Rune, isWide) {
		return false
	}
	r.text.WriteString(string(part.Rune))
	return true
}

// isWide: the traditional router compares bytes, and what is one there may be
// another here.
func isWide(r rune) bool { return r >= utf8.RuneSelf }

// clues is the run's text: all of it in front, else from its first slash on.
func (r *literalRun) clues() []pathClue {
	text := r.text.String()
	if r.inFront && text != "" {
		return []pathClue{{text: text}}
	}
	if slash := strings.IndexByte(text, '/'); slash >= 0 {
		return []pathClue{{text: text[slash:], inside: true}}
	}
	return nil
}
