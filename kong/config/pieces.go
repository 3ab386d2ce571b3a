package config

import (
	"io"
	"regexp"
	"runtime"
	"strings"

	"go.yaml.in/yaml/v3"

	"diag405/kong/cores"
)

// A large YAML file is parsed in pieces, on all cores. It is cut in front of elements
// of its top lists, and each piece gets the key of the list again:
//
//	services:         services:         services:
//	- name: a         - name: a         - name: b
//	- name: b    =>                     plugins:
//	plugins:                            - name: cors
//	- name: cors
//
// Where a cut would be wrong, the piece in front of it ends inside of quotes or
// brackets, and does not parse; where a piece has an alias of an anchor in another one,
// it does not parse either. Then the file is parsed as a whole. Comments may come to
// other nodes than in the whole, so that a file that is to be changed is not cut.

// minPiece is the size in bytes that is worth a piece.
const minPiece = 64 << 10

// A piece is lines of a text.
type piece struct {
	key  string // of the list that the first line is an element of; "" for the first piece
	line int    // of the first one, from 0
	text string
}

// topKey is a line that has the key of a list, or of a mapping, and nothing else.
var topKey = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]*):[ ]*\r?$`)

// piecesOf cuts a text into at most n pieces, one for a text that is not to be cut.
func piecesOf(text string, n int) []piece {
	size := max(len(text)/max(n, 1), 1)
	out := []piece{{}}
	start := 0
	at := list{indent: -1}
	line := -1
	for from, to := 0, 0; from < len(text); from = to {
		line++
		to = from + strings.IndexByte(text[from:], '\n') + 1
		if to == from {
			to = len(text)
		}
		begins := at.begins(text[from:to])
		if at.whole {
			return []piece{{text: text}}
		}
		if begins && from-start >= size {
			out[len(out)-1].text = text[start:from]
			out = append(out, piece{key: at.key, line: line})
			start = from
		}
	}
	out[len(out)-1].text = text[start:]
	return out
}

// A list is the top list in which the lines of a text are.
type list struct {
	key    string // "" for none
	indent int    // of its elements, -1 before the first
	begun  bool   // there was a line with content
	whole  bool   // the text is not to be cut: it has directives, or several documents
}

// begins goes on to the next line, and reports one that begins an element but the
// first.
func (l *list) begins(line string) bool {
	indent := len(line) - len(strings.TrimLeft(line, " "))
	rest := line[indent:]
	isElement := strings.HasPrefix(rest, "- ")
	switch {
	case len(strings.TrimSpace(rest)) == 0, rest[0] == '#':
	case strings.HasPrefix(line, "---"), strings.HasPrefix(line, "..."), line[0] == '%':
		l.whole = l.begun || line[0] != '-' || len(strings.TrimSpace(line)) > len("---")
		l.begun = true
	case indent == 0 && !isElement:
		l.begun = true
		l.key, l.indent = "", -1
		if m := topKey.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			l.key = m[1]
		}
	case l.key == "":
	case l.indent < 0 && isElement:
		l.indent = indent
	case l.indent < 0, indent < l.indent:
		l.key = ""
	default:
		return indent == l.indent && isElement
	}
	return false
}

// parsePieces parses a text in pieces, and is false where it has to be parsed as a
// whole.
func parsePieces(text string, n int) (*yaml.Node, bool) {
	pieces := piecesOf(text, n)
	if len(pieces) < 2 || hasOddBreaks(text) {
		return nil, false
	}
	return parseAll(pieces, piece.parse)
}

// parseAll parses pieces side by side, and puts them together.
func parseAll(pieces []piece, parse func(piece) *yaml.Node) (*yaml.Node, bool) {
	parsed := make([]*yaml.Node, len(pieces))
	cores.Each(len(pieces), 1, func(from, to int) {
		for i := from; i < to; i++ {
			parsed[i] = parse(pieces[i])
		}
	})
	return joinPieces(pieces, parsed)
}

// hasOddBreaks reports line breaks that the YAML reader counts and that are no \n.
func hasOddBreaks(text string) bool {
	return strings.Count(text, "\r") != strings.Count(text, "\r\n") ||
		strings.Contains(text, "\u0085") || strings.Contains(text, "\u2028") || strings.Contains(text, "\u2029")
}

// parse is the piece as a document, nil where it is none.
func (p piece) parse() *yaml.Node {
	in := io.Reader(strings.NewReader(p.text))
	if p.key != "" {
		in = io.MultiReader(strings.NewReader(p.key+":\n"), in)
	}
	doc, decoder := &yaml.Node{}, yaml.NewDecoder(in)
	if decoder.Decode(doc) != nil || decoder.Decode(&yaml.Node{}) != io.EOF {
		return nil
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode || len(doc.Content[0].Content) == 0 {
		return nil
	}
	if p.key != "" {
		shift(doc.Content[0], p.line-1)
	}
	return doc
}

// shift moves a node and what is below by some lines.
func shift(n *yaml.Node, lines int) {
	n.Line += lines
	for _, child := range n.Content {
		shift(child, lines)
	}
}

// joinPieces puts the lists together again.
func joinPieces(pieces []piece, parsed []*yaml.Node) (*yaml.Node, bool) {
	whole := parsed[0]
	for i, doc := range parsed {
		if doc == nil {
			return nil, false
		}
		if i == 0 {
			continue
		}
		root, more := whole.Content[0], doc.Content[0].Content
		cut, key := root.Content[len(root.Content)-1], root.Content[len(root.Content)-2]
		if key.Value != pieces[i].key || cut.Kind != yaml.SequenceNode || more[1].Kind != yaml.SequenceNode || cut.Style != more[1].Style {
			return nil, false
		}
		cut.Content = append(cut.Content, more[1].Content...)
		root.Content = append(root.Content, more[2:]...)
	}
	return whole, true
}

// numberOfPieces is into how many a text is cut.
func numberOfPieces(text string) int { return min(runtime.GOMAXPROCS(0), len(text)/minPiece) }
