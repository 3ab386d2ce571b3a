package config

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// decK fills a file's ${{ env "DECK_X" }} in before it reads it as YAML
// (pkg/file/template.go in go-database-reconciler). Here a token of plain letters
// takes its place while the text is parsed, and the value the token's after that:
// lines stay where they are, and a change can be written without the values.
//
//	port: ${{ env "DECK_PORT" | toInt }}  =>  port: deckVariable0x  =>  port: 8000

// ErrUnset is that a variable has no value where one is needed.
var ErrUnset = errors.New("is not set, and routing depends on it")

var templates = regexp.MustCompile(`\$\{\{[^}]*\}\}`)

// variable reads what stands between the braces. Indent takes a number, and
// matters only to text that is not parsed yet.
var variable = regexp.MustCompile("^\\$\\{\\{-?\\s*env\\s+(?:\"([^\"]*)\"|`([^`]*)`|\\\\\"([^\"\\\\]*)\\\\\")((?:\\s*\\|\\s*\\w+(?:\\s+\\d+)?)*)\\s*-?\\}\\}$")

// A template is one ${{ }} of a text.
type template struct {
	written string
	token   string
	name    string // of the variable
	value   string // or what stands in for it
	set     bool
	line    int
}

// variables are the templates of a file.
type variables struct {
	prefix    string // of all tokens
	templates []*template
	// written has nodes as they were before values took the place of tokens.
	written map[*yaml.Node]yaml.Node
	// unset are nodes with a variable that is not set.
	unset map[*yaml.Node]*template
}

// hideVariables puts tokens in the place of templates. As in decK, those of lines
// that are remarks stay.
func (d *document) hideVariables(name, text string) (string, *variables) {
	v := &variables{prefix: "deckVariable", written: map[*yaml.Node]yaml.Node{}, unset: map[*yaml.Node]*template{}}
	if !strings.Contains(text, "${{") {
		return text, v
	}
	for strings.Contains(text, v.prefix) {
		v.prefix += "X"
	}
	var out strings.Builder
	line := 0
	for l := range strings.Lines(text) {
		line++
		if !strings.HasPrefix(strings.TrimSpace(l), "#") {
			l = templates.ReplaceAllStringFunc(l, func(written string) string {
				t := &template{written: written, token: fmt.Sprintf("%s%dx", v.prefix, len(v.templates)), line: line}
				if err := t.evaluate(d.lookup); err != nil {
					d.report(Place{name, line}, err)
				}
				v.templates = append(v.templates, t)
				return t.token
			})
		}
		out.WriteString(l)
	}
	return out.String(), v
}

// evaluate finds a template's value, or what stands in for it.
func (t *template) evaluate(lookup func(string) (string, bool)) error {
	t.set = true
	m := variable.FindStringSubmatch(t.written)
	if m == nil {
		return fmt.Errorf(`%s is not of the form ${{ env "DECK_X" }}, with a filter at most`, t.written)
	}
	t.name = m[1] + m[2] + m[3]
	t.value, t.set = lookup(t.name)
	if !t.set {
		t.value = t.name
	}
	for filter := range strings.FieldsFuncSeq(m[4], func(r rune) bool { return r == '|' }) {
		if filter = strings.TrimSpace(filter); filter == "" {
			continue
		}
		if err := t.filter(filter); err != nil {
			return err
		}
	}
	return nil
}

// filter makes a value of the type that a filter promises.
func (t *template) filter(name string) error {
	name, _, _ = strings.Cut(name, " ")
	parse, ok := filters[name]
	if !ok {
		return fmt.Errorf("%s has %q, which is not a filter of decK's", t.written, name)
	}
	if !t.set {
		t.value = parse.absent(t.value)
		return nil
	}
	value, err := parse.present(t.value)
	if err != nil {
		return fmt.Errorf("variable %s is %q, which %s refuses", t.name, t.value, name)
	}
	t.value = value
	return nil
}

// filters are decK's: what they make of a value, and of none.
var filters = map[string]struct {
	present func(string) (string, error)
	absent  func(name string) string
}{
	"toInt":   {func(s string) (string, error) { n, err := strconv.Atoi(s); return strconv.Itoa(n), err }, just("0")},
	"toBool":  {func(s string) (string, error) { b, err := strconv.ParseBool(s); return strconv.FormatBool(b), err }, just("false")},
	"toFloat": {func(s string) (string, error) { _, err := strconv.ParseFloat(s, 64); return s, err }, just("0")},
	"indent":  {func(s string) (string, error) { return s, nil }, func(name string) string { return name }},
}

func just(s string) func(string) string { return func(string) string { return s } }

// fillIn puts values in the place of tokens, in a document and below.
func (v *variables) fillIn(n *yaml.Node) {
	if len(v.templates) == 0 {
		return
	}
	for _, child := range n.Content {
		v.fillIn(child)
	}
	if n.Kind != yaml.ScalarNode || !strings.Contains(n.Value, v.prefix) {
		return
	}
	v.written[n] = *n
	plain := n.Style == 0
	for _, t := range v.templates {
		if strings.Contains(n.Value, t.token) {
			n.Value = strings.ReplaceAll(n.Value, t.token, t.value)
			if !t.set {
				v.unset[n] = t
			}
		}
	}
	if plain {
		retype(n)
	}
}

// retype reads a scalar without quotes again, as decK does: it may be a number now,
// or a list.
func retype(n *yaml.Node) {
	var doc yaml.Node
	if yaml.Unmarshal([]byte(n.Value), &doc) != nil || len(doc.Content) != 1 {
		if strings.TrimSpace(n.Value) == "" {
			n.Tag = "!!null"
		}
		return
	}
	read := doc.Content[0]
	if read.Kind == yaml.AliasNode {
		return
	}
	moveTo(read, n.Line)
	n.Kind, n.Tag, n.Style, n.Value, n.Content = read.Kind, read.Tag, read.Style, read.Value, read.Content
}

func moveTo(n *yaml.Node, line int) {
	n.Line = line
	for _, child := range n.Content {
		moveTo(child, line)
	}
}

// restore takes values out again.
func (v *variables) restore() {
	for n, before := range v.written {
		*n = before
	}
}

// show puts the templates themselves in the place of tokens.
func (v *variables) show(text string) string {
	for _, t := range v.templates {
		text = strings.ReplaceAll(text, t.token, t.written)
	}
	return text
}

// noteUnset says of each variable without a value, once, what stands in for it.
func (d *document) noteUnset(f *file) {
	first := map[string]*template{}
	for _, t := range f.variables.templates {
		if !t.set && first[t.name] == nil {
			first[t.name] = t
		}
	}
	for _, name := range slices.Sorted(maps.Keys(first)) {
		t := first[name]
		d.note(Place{f.name, t.line}, "variable %s is not set: its name or a default stands in for it, as routing does not depend on it", name)
	}
}

// standIns are the fields in which a variable's name, or for a number the default,
// may stand in for a value: none has a part in routing.
var standIns = map[string]bool{
	"name": true, "instance_name": true, "host": true, "host_header": true, "username": true, "custom_id": true, "tags": true,
	"id": false, "port": false, "retries": false, "connect_timeout": false, "read_timeout": false, "write_timeout": false,
	"weight": false, "slots": false, "created_at": false, "request_buffering": false, "response_buffering": false,
}

// standIn is what a field with an unset variable is read as, nil for nothing.
func (o *object) standIn(field string, m *member) *yaml.Node {
	t := m.home.src.file.variables.unset[m.value]
	keep, ok := standIns[field]
	switch {
	case ok && keep:
		return m.value
	case ok:
		return nil
	case field == "url", field == "target":
		return o.standInAddress(field, m, t)
	case field == "config":
		return m.value
	}
	o.fail(field, unset(t))
	return nil
}

func unset(t *template) error { return fmt.Errorf("variable %s %w", t.name, ErrUnset) }

// standInAddress is an address in which a variable may be the host or the port,
// but neither the scheme nor the path.
func (o *object) standInAddress(field string, m *member, t *template) *yaml.Node {
	v := m.home.src.file.variables
	text := v.written[m.value].Value
	scheme, rest, ok := strings.Cut(text, "://")
	if field == "target" {
		scheme, rest, ok = "", text, true
	}
	host, path, _ := strings.Cut(rest, "/")
	for _, t := range v.templates {
		if t.set {
			scheme, host, path = strings.ReplaceAll(scheme, t.token, t.value), strings.ReplaceAll(host, t.token, t.value), strings.ReplaceAll(path, t.token, t.value)
		}
	}
	if !ok || strings.Contains(scheme+path, v.prefix) {
		o.fail(field, unset(t))
		return nil
	}
	for _, t := range v.templates {
		host = strings.TrimSuffix(host, ":"+t.token)
		host = strings.ReplaceAll(host, t.token, t.value)
	}
	n := *m.value
	n.Value = strings.TrimPrefix(scheme+"://"+host, "://")
	if strings.Contains(rest, "/") {
		n.Value += "/" + path
	}
	n.Tag, n.Kind = "!!str", yaml.ScalarNode
	return &n
}
