package diff

import (
	"regexp/syntax"
	"slices"

	"diag405/kong/config"
	"diag405/kong/pcre"
)

// A lang is what one path of a route, or one predicate on a path, takes: everything
// that begins with a text, or what a regular expression matches. It is walked through
// character by character, beside others: see classes.
type lang struct {
	text  string       // of a plain path, or the source of an expression
	regex *syntax.Prog // of an expression, nil for a plain path
}

// key is the same for the same langs.
func (l lang) key() string {
	if l.regex == nil {
		return l.text
	}
	return "~" + l.text
}

// pathLang is false for an expression that cannot be walked through: one with
// look-around and its like, which only the traditional router takes.
func pathLang(path string, flavor config.Flavor) (lang, bool) {
	if !config.IsRegexPath(path) {
		return lang{text: path}, true
	}
	if flavor == config.Traditional {
		re, err := pcre.CompileAnchored(path[1:])
		if err != nil {
			return lang{}, false
		}
		return regexLang(re.String())
	}
	re, err := config.CompilePath(path)
	if err != nil {
		return lang{}, false
	}
	return regexLang(re.String())
}

// alternatives are those of a route's expressions, as langs of their own: strip_path may
// remove another part of the path behind each.
func alternatives(r *route, flavor config.Flavor) []lang {
	var list []lang
	for _, path := range r.Paths {
		parts := config.Alternatives(path)
		if !config.IsRegexPath(path) || len(parts) < 2 {
			continue
		}
		for i, part := range parts {
			if i == 0 || flavor == config.Traditional {
				part = "^" + part // which stands in front of the text as it is
			}
			if l, ok := regexLang(part); ok {
				list = append(list, l)
			}
		}
	}
	return list
}

func regexLang(source string) (lang, bool) {
	if source == "" {
		return lang{}, false
	}
	tree, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return lang{}, false
	}
	prog, err := syntax.Compile(tree.Simplify())
	return lang{source, prog}, err == nil
}

// begin is what every word of the lang begins with, as far as it is easy to see.
func (l lang) begin() string {
	if l.regex == nil {
		return l.text
	}
	text, _ := l.regex.Prefix()
	if anchored(l.regex) {
		return text
	}
	return ""
}

func anchored(p *syntax.Prog) bool { return p.StartCond()&syntax.EmptyBeginText != 0 }

// A walk is how far a lang has come along a word.
type walk struct {
	at  int      // how much of a plain path
	pcs []uint32 // where in the program of an expression, sorted
}

// verdict is what a walk says of the word so far.
type verdict int

const (
	dead  verdict = iota // no word that begins so is taken
	alive                // some may be, this one is not
	ends                 // this one is
	all                  // every one that begins so is
)

func (l lang) start() (walk, verdict) {
	if l.regex == nil {
		return l.judgePlain(0)
	}
	var s states
	s.prog = l.regex
	s.add(uint32(l.regex.Start), syntax.EmptyBeginText|syntax.EmptyBeginLine)
	return s.judge()
}

// step goes on by one character.
func (l lang) step(w walk, c byte) (walk, verdict) {
	if l.regex == nil {
		if l.text[w.at] != c {
			return walk{}, dead
		}
		return l.judgePlain(w.at + 1)
	}
	s := states{prog: l.regex}
	for _, pc := range w.pcs {
		if in := &l.regex.Inst[pc]; isRune(in) && in.MatchRune(rune(c)) {
			s.add(in.Out, 0)
		}
	}
	if !anchored(l.regex) { // it may begin anywhere
		s.add(uint32(l.regex.Start), 0)
	}
	return s.judge()
}

func (l lang) judgePlain(at int) (walk, verdict) {
	if at == len(l.text) {
		return walk{at: at}, all
	}
	return walk{at: at}, alive
}

// states are instructions of a program that are waiting for a character, or for the
// end of the word.
type states struct {
	prog *syntax.Prog
	pcs  []uint32
	done bool // the match is complete, whatever follows
}

// add follows what asks for no character. A condition on the sides of a word is taken
// for met: it only makes for a request in vain.
func (s *states) add(pc uint32, met syntax.EmptyOp) {
	if slices.Contains(s.pcs, pc) {
		return
	}
	s.pcs = append(s.pcs, pc)
	switch in := &s.prog.Inst[pc]; in.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		s.add(in.Out, met)
		s.add(in.Arg, met)
	case syntax.InstCapture, syntax.InstNop:
		s.add(in.Out, met)
	case syntax.InstEmptyWidth:
		if asks := syntax.EmptyOp(in.Arg) &^ (syntax.EmptyWordBoundary | syntax.EmptyNoWordBoundary); asks&^met == 0 {
			s.add(in.Out, met)
		}
	case syntax.InstMatch:
		s.done = true
	}
}

func (s *states) judge() (walk, verdict) {
	if s.done {
		return walk{}, all
	}
	var waiting []uint32
	atEnd := states{prog: s.prog}
	for _, pc := range s.pcs {
		switch in := &s.prog.Inst[pc]; {
		case isRune(in):
			waiting = append(waiting, pc)
		case in.Op == syntax.InstEmptyWidth:
			waiting = append(waiting, pc)
			atEnd.add(pc, syntax.EmptyEndText|syntax.EmptyEndLine)
		}
	}
	slices.Sort(waiting)
	switch {
	case atEnd.done:
		return walk{pcs: waiting}, ends
	case len(waiting) == 0:
		return walk{}, dead
	}
	return walk{pcs: waiting}, alive
}

func isRune(in *syntax.Inst) bool {
	switch in.Op {
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		return true
	}
	return false
}

// edges are the characters at which what an expression takes may begin or end.
func (l lang) edges() []rune {
	var out []rune
	if l.regex == nil {
		return nil
	}
	for i := range l.regex.Inst {
		in := &l.regex.Inst[i]
		if !isRune(in) {
			continue
		}
		for j, r := range in.Rune {
			if j%2 == 1 || len(in.Rune) == 1 {
				out = append(out, r+1)
			}
			if j%2 == 0 || len(in.Rune) == 1 {
				out = append(out, r)
			}
			if syntax.Flags(in.Arg)&syntax.FoldCase != 0 && len(in.Rune) == 1 {
				out = append(out, r^0x20, r^0x20+1)
			}
		}
	}
	return out
}
