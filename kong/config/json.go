package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// isJSON tells JSON from YAML by its first character, as a YAML document with
// entities hardly ever starts with a flow mapping. JSON is read by a JSON
// decoder because YAML readers trip over tabs and surrogate pairs.
func isJSON(data []byte) bool {
	data = bytes.TrimSpace(data)
	return len(data) > 0 && data[0] == '{' && json.Valid(data)
}

// parseJSON reads JSON into the same nodes as YAML, with keys in order.
func parseJSON(data []byte) (*yaml.Node, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	root, err := (&jsonReader{Decoder: d, data: data, line: 1}).value()
	if err != nil {
		return nil, fmt.Errorf("reading declarative configuration: %w", err)
	}
	return &yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{root}}, nil
}

// jsonReader counts lines as it reads.
type jsonReader struct {
	*json.Decoder
	data []byte
	at   int64 // where line is
	line int
}

// lineNow is the line of what was read last.
func (d *jsonReader) lineNow() int {
	to := d.InputOffset()
	d.line += bytes.Count(d.data[d.at:to], []byte("\n"))
	d.at = to
	return d.line
}

func (d *jsonReader) value() (*yaml.Node, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	delim, ok := token.(json.Delim)
	if !ok {
		n := jsonScalar(token)
		n.Line = d.lineNow()
		return n, nil
	}
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Line: d.lineNow()}
	if delim == '{' {
		n.Kind, n.Tag = yaml.MappingNode, "!!map"
	}
	for d.More() { // keys come as tokens too, so both kinds read alike
		child, err := d.value()
		if err != nil {
			return nil, err
		}
		n.Content = append(n.Content, child)
	}
	_, err = d.Token()
	return n, err
}

func jsonScalar(token json.Token) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode}
	switch v := token.(type) {
	case string:
		n.Tag, n.Value, n.Style = "!!str", v, yaml.DoubleQuotedStyle
	case json.Number:
		n.Tag, n.Value = "!!int", v.String()
		if strings.ContainsAny(n.Value, ".eE") {
			n.Tag = "!!float"
		}
	case bool:
		n.Tag, n.Value = "!!bool", fmt.Sprint(v)
	default:
		n.Tag, n.Value = "!!null", "null"
	}
	return n
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
