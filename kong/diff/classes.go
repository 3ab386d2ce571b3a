package diff

import (
	"encoding/binary"
	"slices"
	"strings"

	"diag405/kong/router"
	"diag405/kong/sample"
)

// Classes of paths: to routes, two paths that the same of their paths take are alike.
// They are found by walking through all of these side by side, character by
// character, breadth first, so that each class has its shortest path: of
//
//	/api   ~/api/v\d+$   /api/v1
//
// the classes are / (none), /api (the first), /api/v1 (all), /api/v0 (the first two).
// Plain paths make a tree, and what is common to all that begins alike is walked
// through once. As long as it is not cut short no class is missed, but for those that
// need a character beyond ASCII.

// Bounds of the walk.
const (
	maxStates = 4000 // of paths side by side
	maxWords  = 6    // of a class
)

// A class is paths that the same langs take.
type class struct {
	taken []int // the langs, by their place
	words []string
}

// state is all langs side by side, behind the same beginning.
type state struct {
	word  string
	live  []live
	taken []int // by what takes everything from here on
}

// live is a lang that may take a word that goes on, or takes this one alone.
type live struct {
	lang int
	walk walk
	ends bool
}

// explorer walks through langs.
type explorer struct {
	langs   []lang
	cells   []string // of characters, which expressions do not tell apart
	classes map[string]*class
	order   []*class
	cut     bool // there were too many states
}

// classesOf are the classes of paths that langs make, and whether that are all.
func classesOf(langs []lang) (list []*class, whole bool) {
	x := &explorer{langs: langs, cells: cellsOf(langs), classes: map[string]*class{}}
	x.explore()
	return x.order, !x.cut
}

func (x *explorer) explore() {
	first := x.step(x.start(), '/')
	queue := []*state{first}
	seen := map[string]bool{first.key(): true}
	for n := 0; n < len(queue); n++ {
		s := queue[n]
		x.note(s)
		for _, c := range x.next(s) {
			to := x.step(s, c)
			if key := to.key(); !seen[key] {
				if len(seen) >= maxStates {
					x.cut = true
					return
				}
				seen[key] = true
				queue = append(queue, to)
			}
		}
	}
}

// note puts a word and others around it into their classes: what becomes of a path
// depends on what follows the part that a route takes, too.
func (x *explorer) note(s *state) {
	for _, more := range []string{"", "/", "/" + sample.Unnamed, sample.Unnamed} {
		to := s
		for i := range len(more) {
			if !mayFollow(to.word, more[i]) {
				to = nil
				break
			}
			to = x.step(to, more[i])
		}
		if to != nil && router.Normalize(to.word) == to.word {
			x.put(to, more != "")
		}
	}
}

func (x *explorer) put(s *state, aside bool) {
	taken := slices.Clone(s.taken)
	for _, l := range s.live {
		if l.ends {
			taken = append(taken, l.lang)
		}
	}
	slices.Sort(taken)
	key := keyOf(taken)
	c := x.classes[key]
	if c == nil {
		c = &class{taken: taken}
		x.classes[key] = c
		x.order = append(x.order, c)
	}
	if len(c.words) < maxWords && !slices.Contains(c.words, s.word) && (!aside || len(c.words) < maxWords-1) {
		c.words = append(c.words, s.word)
	}
}

func keyOf(list []int) string {
	var key []byte
	for _, n := range list {
		key = binary.AppendUvarint(key, uint64(n)+1)
	}
	return string(key)
}

func (x *explorer) start() *state {
	s := &state{}
	for i, l := range x.langs {
		w, v := l.start()
		s.add(i, w, v)
	}
	return s
}

func (s *state) add(i int, w walk, v verdict) {
	switch v {
	case all:
		s.taken = append(s.taken, i)
	case ends, alive:
		s.live = append(s.live, live{i, w, v == ends})
	}
}

func (x *explorer) step(s *state, c byte) *state {
	to := &state{word: s.word + string(c), taken: slices.Clip(s.taken)}
	for _, l := range s.live {
		w, v := x.langs[l.lang].step(l.walk, c)
		to.add(l.lang, w, v)
	}
	return to
}

// key is the same for states from which the same can follow.
func (s *state) key() string {
	key := []byte{dots(s.word)}
	taken := slices.Clone(s.taken)
	slices.Sort(taken)
	key = append(key, keyOf(taken)...)
	for _, l := range s.live {
		key = append(key, 0)
		key = binary.AppendUvarint(key, uint64(l.lang))
		key = binary.AppendUvarint(key, uint64(l.walk.at))
		for _, pc := range l.walk.pcs {
			key = binary.AppendUvarint(key, uint64(pc)+1)
		}
	}
	return string(key)
}

// dots is what a normalised path may not go on from: a slash, or a segment of dots.
func dots(word string) byte {
	segment := word[strings.LastIndexByte(word, '/')+1:]
	if len(segment) > 2 || strings.Trim(segment, ".") != "" {
		return 3
	}
	return byte(len(segment))
}

// mayFollow keeps words normalised.
func mayFollow(word string, c byte) bool { return c != '/' || dots(word) == 3 }

// usual are characters in the order in which a word has them, rather than another of
// their cell.
const usual = "z1a9b2x0Z-_~.q"

// next are the characters that make a difference behind a state.
func (x *explorer) next(s *state) []byte {
	var out []byte
	regex := false
	for _, l := range s.live {
		if lang := x.langs[l.lang]; lang.regex != nil {
			regex = true
		} else if c := lang.text[l.walk.at]; !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	named := len(out)
	add := func(cell string) {
		for i := range len(cell) {
			if !slices.Contains(out[:named], cell[i]) && !slices.Contains(out, cell[i]) {
				out = append(out, cell[i])
				return
			}
		}
	}
	if !regex {
		add(usual)
	} else {
		for _, cell := range x.cells {
			add(cell)
		}
	}
	return slices.DeleteFunc(out, func(c byte) bool { return !mayFollow(s.word, c) })
}

// cellsOf splits the characters of paths at the edges of all expressions. Each cell
// has its most usual characters first.
func cellsOf(langs []lang) []string {
	edges := []rune{'/', '/' + 1, '.', '.' + 1}
	for _, l := range langs {
		edges = append(edges, l.edges()...)
	}
	slices.Sort(edges)
	edges = slices.Compact(edges)
	cells := map[int]string{}
	for _, c := range usual + pathCharacters {
		n, found := slices.BinarySearch(edges, c)
		if found {
			n++
		}
		if !strings.ContainsRune(cells[n], c) {
			cells[n] += string(c)
		}
	}
	var out []string
	for n := range len(edges) + 1 {
		if cells[n] != "" {
			out = append(out, cells[n])
		}
	}
	slices.SortStableFunc(out, func(a, b string) int {
		return strings.IndexByte(usual+pathCharacters, a[0]) - strings.IndexByte(usual+pathCharacters, b[0])
	})
	return out
}

// pathCharacters may stand in a path as they are (RFC 3986, section 3.3), and the
// slash.
const pathCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/!$&'()*+,;=:@"
