package config

import (
	"encoding/json"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Large JSON is read in pieces as large YAML is, each with the key of its list again:
//
//	{"services": [a, b], "plugins": [c]}  =>  {"services": [a]}  {"services": [b], "plugins": [c]}
//
// Where all pieces are valid, and none of the commas that they were cut at has nothing
// beside it, so is the whole.

// parseJSONPieces reads JSON in at most n pieces, and is false where it has to be read as
// a whole.
func parseJSONPieces(text string, n int) (*yaml.Node, bool) {
	pieces := piecesOfJSON(text, n)
	if len(pieces) < 2 {
		return nil, false
	}
	return parseAll(pieces, piece.parseJSON)
}

// parseJSON is the piece as a document, nil where it is none.
func (p piece) parseJSON() *yaml.Node {
	if !json.Valid([]byte(p.text)) {
		return nil
	}
	r := &jsonReader{text: p.text, line: p.line + 1}
	return &yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{r.value()}}
}

// piecesOfJSON cuts a text at commas of the lists in its one object; none or one for a text
// that is not to be cut. Whether it is JSON at all the pieces show.
func piecesOfJSON(text string, n int) []piece {
	if n < 2 || !beginsAsJSON(text) {
		return nil
	}
	size := max(len(text)/n, 1)
	out := []piece{{}}
	start, line, depth := 0, 0, 0
	key, inList := "", false // of what is open
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '\n':
			line++
		case '"':
			end := endOfString(text, i)
			if depth == 1 && end > i {
				key = text[i+1 : end]
			}
			i = end
		case '{', '[':
			depth++
			inList = depth > 2 && inList || depth == 2 && c == '['
		case '}', ']':
			depth--
		case ',':
			if depth == 2 && inList && i-start >= size && !strings.Contains(key, `\`) && separates(text, i) {
				last := &out[len(out)-1]
				last.text += text[start:i] + "]}"
				out = append(out, piece{key: key, line: line, text: `{"` + key + `":[`})
				start = i + 1
			}
		}
	}
	out[len(out)-1].text += text[start:]
	return out
}

// endOfString is where the quotes are that end what those at a place begin, or the last
// character of a text without them.
func endOfString(text string, at int) int {
	for at++; at < len(text); at++ {
		switch text[at] {
		case '"':
			return at
		case '\\':
			at++
		}
	}
	return len(text) - 1
}

// separates reports a comma with something of a list on both sides.
func separates(text string, comma int) bool {
	const space = " \t\r\n"
	before, after := strings.TrimRight(text[:comma], space), strings.TrimLeft(text[comma+1:], space)
	return !strings.HasSuffix(before, "[") && !strings.HasSuffix(before, ",") && !strings.HasPrefix(after, "]") && !strings.HasPrefix(after, ",")
}
