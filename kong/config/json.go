package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// isJSON tells JSON from YAML by its first character, as a YAML document with
// entities hardly ever starts with a flow mapping. JSON is read as such because YAML
// readers trip over tabs and surrogate pairs.
func isJSON(text string) bool { return beginsAsJSON(text) && json.Valid([]byte(text)) }

func beginsAsJSON(text string) bool { return strings.HasPrefix(strings.TrimSpace(text), "{") }

// parseJSON reads valid JSON into the same nodes as YAML, with keys in order.
func parseJSON(text string) *yaml.Node {
	r := &jsonReader{text: text, line: 1}
	return &yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{r.value()}}
}

// jsonReader reads JSON that is valid, and counts lines. It is here because a
// configuration can be large: encoding/json takes five times as long for its tokens.
type jsonReader struct {
	text  string
	at    int // what comes next
	line  int
	nodes []yaml.Node  // to be used
	open  []*yaml.Node // what the lists that are not complete hold so far
}

// next is the next character that is no white space.
func (r *jsonReader) next() byte {
	for {
		switch c := r.text[r.at]; c {
		case '\n':
			r.line++
		case ' ', '\t', '\r', ',', ':': // where these two stand was checked before
		default:
			return c
		}
		r.at++
	}
}

func (r *jsonReader) node(kind yaml.Kind, tag string) *yaml.Node {
	if len(r.nodes) == 0 {
		r.nodes = make([]yaml.Node, 256)
	}
	n := &r.nodes[0]
	r.nodes = r.nodes[1:]
	n.Kind, n.Tag, n.Line = kind, tag, r.line
	return n
}

func (r *jsonReader) value() *yaml.Node {
	switch c := r.next(); c {
	case '{':
		return r.list(r.node(yaml.MappingNode, "!!map"))
	case '[':
		return r.list(r.node(yaml.SequenceNode, "!!seq"))
	case '"':
		n := r.node(yaml.ScalarNode, "!!str")
		n.Value, n.Style = r.str(), yaml.DoubleQuotedStyle
		return n
	default:
		n := r.node(yaml.ScalarNode, "")
		n.Value = r.word()
		n.Tag = jsonTag(n.Value)
		return n
	}
}

// list reads what a mapping or a list holds: keys and values alternate.
func (r *jsonReader) list(n *yaml.Node) *yaml.Node {
	r.at++
	from := len(r.open)
	for {
		if c := r.next(); c == '}' || c == ']' {
			r.at++
			n.Content = slices.Clone(r.open[from:])
			r.open = r.open[:from]
			return n
		}
		r.open = append(r.open, r.value())
	}
}

func (r *jsonReader) str() string {
	from, plain := r.at, true
	for r.at++; r.text[r.at] != '"'; r.at++ {
		if r.text[r.at] == '\\' {
			plain = false
			r.at++
		}
	}
	r.at++
	text := r.text[from:r.at]
	if plain && utf8.ValidString(text) {
		return text[1 : len(text)-1]
	}
	var s string
	_ = json.Unmarshal([]byte(text), &s) // it is valid
	return s
}

// word reads a number, true, false or null.
func (r *jsonReader) word() string {
	from := r.at
	for r.at < len(r.text) && strings.IndexByte(" \t\r\n,:]}", r.text[r.at]) < 0 {
		r.at++
	}
	return r.text[from:r.at]
}

func jsonTag(word string) string {
	switch {
	case word == "null":
		return "!!null"
	case word == "true", word == "false":
		return "!!bool"
	case strings.ContainsAny(word, ".eE"):
		return "!!float"
	}
	return "!!int"
}

// formatJSON writes nodes that parseJSON read: on one line, or two spaces a level.
func formatJSON(root *yaml.Node, indent bool) ([]byte, error) {
	var compact, out bytes.Buffer
	if err := writeJSON(&compact, root); err != nil {
		return nil, err
	}
	if !indent {
		return append(compact.Bytes(), '\n'), nil
	}
	if err := json.Indent(&out, compact.Bytes(), "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

func writeJSON(w *bytes.Buffer, n *yaml.Node) error {
	switch n.Kind {
	case yaml.DocumentNode:
		return writeJSON(w, n.Content[0])
	case yaml.MappingNode:
		return writeJSONList(w, n.Content, '{', '}')
	case yaml.SequenceNode:
		return writeJSONList(w, n.Content, '[', ']')
	case yaml.ScalarNode:
		return writeJSONScalar(w, n)
	}
	return errors.New("bug: a node that JSON cannot have")
}

// writeJSONList writes a list, or a mapping, whose nodes alternate between keys
// and values.
func writeJSONList(w *bytes.Buffer, nodes []*yaml.Node, open, end byte) error {
	w.WriteByte(open)
	for i, n := range nodes {
		switch {
		case open == '{' && i%2 == 1:
			w.WriteByte(':')
		case i > 0:
			w.WriteByte(',')
		}
		if err := writeJSON(w, n); err != nil {
			return err
		}
	}
	w.WriteByte(end)
	return nil
}

func writeJSONScalar(w *bytes.Buffer, n *yaml.Node) error {
	if n.Tag != "!!str" {
		_, err := io.WriteString(w, n.Value)
		return err
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	if err := e.Encode(n.Value); err != nil {
		return err
	}
	w.Truncate(w.Len() - 1) // the encoder's newline
	return nil
}
