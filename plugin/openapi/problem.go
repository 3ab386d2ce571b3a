package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// problem is what is wrong with a document. It quotes nothing of it: a path that a
// configuration names may lead to any file, and what is said of that is in a log. Its
// words are this package's, the field names those of the specification, and the rest
// is said by the line.
type problem struct {
	at   []string // the fields and the places in lists that lead there
	text string
}

func (p *problem) Error() string { return p.text }

// wrong is a problem with a field, of which it says something.
func wrong(field, format string, args ...any) error {
	return &problem{[]string{field}, named(field) + " " + fmt.Sprintf(format, args...)}
}

// within says in which field a problem is.
func within(field string, err error) error { return inside(field, named(field), err) }

// element says in which element of a list a problem is.
func element(i int, err error) error {
	return inside(strconv.Itoa(i), fmt.Sprint("entry ", i+1), err)
}

// inside puts a step before the way to a problem.
func inside(step, name string, err error) error {
	var p *problem
	if !errors.As(err, &p) {
		p = &problem{text: err.Error()}
	}
	return &problem{append([]string{step}, p.at...), name + ": " + p.text}
}

// specified are the fields that the specification names, and this package reads.
var specified = []string{
	"openapi", "swagger", "basePath", "servers", "url", "variables", "enum", "default", "paths", "$ref", "additionalOperations",
}

// named is a field as an error names it.
func named(field string) string {
	switch {
	case slices.Contains(specified, field), slices.Contains(methods, strings.ToUpper(field)):
		return field
	case strings.HasPrefix(field, "/"):
		return "a path"
	}
	return "a name"
}

// describe says what a value is.
func describe(value any) string {
	switch value.(type) {
	case nil:
		return "empty"
	case string:
		return "text"
	case []any:
		return "a list"
	case map[string]any, map[any]any:
		return "a mapping"
	case bool:
		return "true or false"
	case int, int64, uint64, float64:
		return "a number"
	}
	return "a date"
}

// located is a problem with the line that it is in, of a document that can be decoded.
func located(data []byte, err error) error {
	var p *problem
	if !errors.As(err, &p) || len(p.at) == 0 {
		return err
	}
	line := lineInYAML
	if isJSON(data) {
		line = lineInJSON
	}
	return fmt.Errorf("line %d: %s", line(data, p.at), p.text)
}

// lineInYAML is where the last of the fields is that are there.
func lineInYAML(data []byte, at []string) int {
	var document yaml.Node
	if yaml.Unmarshal(data, &document) != nil || len(document.Content) == 0 {
		return 1
	}
	node, line := document.Content[0], document.Content[0].Line
	for _, step := range at {
		if node.Kind == yaml.AliasNode {
			node = node.Alias
		}
		key, value := child(node, step)
		if value == nil {
			break
		}
		node, line = value, key.Line
	}
	return line
}

// child is what a field or a place leads to, and where that begins; nil when nothing
// does.
func child(node *yaml.Node, step string) (key, value *yaml.Node) {
	if node.Kind == yaml.SequenceNode {
		if i, err := strconv.Atoi(step); err == nil && i < len(node.Content) {
			return node.Content[i], node.Content[i]
		}
		return nil, nil
	}
	for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == step {
			return node.Content[i], node.Content[i+1]
		}
	}
	return nil, nil
}

// lineInJSON is where the last of the fields is that are there.
func lineInJSON(data []byte, at []string) int {
	d := json.NewDecoder(bytes.NewReader(data))
	offset := d.InputOffset()
	for _, step := range at {
		if !enter(d, step) {
			break
		}
		offset = d.InputOffset()
	}
	return lineOf(data, offset)
}

// enter reads up to the value of a field, or of a place in a list.
func enter(d *json.Decoder, step string) bool {
	open, err := d.Token()
	for i := 0; err == nil && d.More(); i++ {
		key := any(strconv.Itoa(i))
		if open == json.Delim('{') {
			key, err = d.Token()
		}
		if key == step {
			return err == nil
		}
		var skipped json.RawMessage
		err = d.Decode(&skipped)
	}
	return false
}

func lineOf(data []byte, offset int64) int {
	return 1 + bytes.Count(data[:min(int(offset), len(data))], []byte("\n"))
}

// brokenJSON says where a JSON decoder gave up. It would quote a character.
func brokenJSON(err error, data []byte) error {
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax) && strings.Contains(err.Error(), "max depth"):
		return fmt.Errorf("reading JSON: line %d: it nests too deep", lineOf(data, syntax.Offset))
	case errors.As(err, &syntax) && strings.Contains(err.Error(), "unexpected end"):
		return fmt.Errorf("reading JSON: line %d: it ends too early", lineOf(data, int64(len(data))))
	case errors.As(err, &syntax):
		return fmt.Errorf("reading JSON: line %d: it is not JSON any more", lineOf(data, syntax.Offset))
	}
	return errors.New("reading JSON: it has a number that is too large")
}

// yamlProblems are what the YAML reader says in words of its own. Of the others, which
// name keys and anchors, the line is all that is told.
var (
	yamlLine     = regexp.MustCompile(`^yaml: (?:unmarshal errors:\s*)?line (\d+): `)
	yamlProblems = []struct{ says, told string }{
		{"max depth", "it nests too deep"},
		{"excessive aliasing", "its aliases stand for too much"},
		{"unknown anchor", "an alias stands for nothing"},
		{"value contains itself", "an alias stands for what it is in"},
		{"already defined at", "a key comes twice"},
	}
)

func brokenYAML(err error) error {
	where := ""
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		where = "line " + m[1] + ": "
	}
	for _, p := range yamlProblems {
		if strings.Contains(err.Error(), p.says) {
			return fmt.Errorf("reading YAML: %s%s", where, p.told)
		}
	}
	return fmt.Errorf("reading YAML: %sit is not YAML any more", where)
}
