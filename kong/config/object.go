package config

import (
	"errors"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"diag405/kong/atc"
	"diag405/kong/pcre"
)

// An object reads the fields of one mapping of the document. It knows where it
// stands, so that a problem names the key as the operator typed it, and which
// fields were asked for, so that the others can be called unknown.
type object struct {
	at     position
	node   *yaml.Node
	src    *source
	fields fields
	known  []string // fields that were asked for, some of them again
}

// newObject reports anything but a mapping, and fields that occur twice; what it
// returns can be read in any case.
func newObject(at position, node *yaml.Node, src *source) *object {
	node = resolve(node)
	o := &object{at: at, node: node, src: src}
	if node.Kind != yaml.MappingNode {
		o.fail("", errors.New("should be a mapping of fields to values"))
		return o
	}
	o.fields.list = make([]member, 0, len(node.Content)/2)
	o.addFields(node)
	return o
}

func (o *object) addFields(node *yaml.Node) {
	var merged []*yaml.Node
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], resolve(node.Content[i+1])
		if key.Tag == "!!merge" {
			merged = append(merged, value)
			continue
		}
		if o.fields.get(key.Value) != nil {
			o.report(o, key.Value, key, errors.New("is there twice"))
		}
		o.fields.set(member{key: key, value: value, home: o})
	}
	for _, m := range merged {
		o.merge(m, maxMerges)
	}
}

// maxMerges bounds how deep merge keys lead into each other: they can go round.
const maxMerges = 32

// merge takes over what a YAML merge key (<<) offers and the object lacks. The
// mapping's own fields come before those that it merges.
func (o *object) merge(node *yaml.Node, depth int) {
	if depth == 0 {
		return
	}
	if node.Kind == yaml.SequenceNode {
		for _, n := range node.Content {
			o.merge(resolve(n), depth-1)
		}
		return
	}
	var merged []*yaml.Node
	for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], resolve(node.Content[i+1])
		if key.Tag == "!!merge" {
			merged = append(merged, value)
		} else if o.fields.get(key.Value) == nil {
			o.fields.set(member{key: key, value: value, home: o})
		}
	}
	for _, n := range merged {
		o.merge(n, depth-1)
	}
}

// inherit takes over what decK's defaults have and the object lacks.
func (o *object) inherit(base *object, except ...string) {
	for field, m := range base.fields.all() {
		own := o.fields.get(field)
		if (own == nil || own.value.Tag == "!!null") && !slices.Contains(except, field) {
			o.fields.set(*m)
		}
	}
}

// resolve follows a YAML alias.
func resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// fail records a problem with a field, or with the object itself for "".
func (o *object) fail(field string, err error) {
	if m := o.fields.get(field); m != nil {
		o.report(m.home, field, m.key, err)
		return
	}
	o.report(o, field, o.node, err)
}

// failElement records a problem with an element of a field.
func (o *object) failElement(field string, i int, n *yaml.Node, err error) {
	home := o
	if m := o.fields.get(field); m != nil {
		home = m.home
	}
	o.report(home, fmt.Sprintf("%s[%d]", field, i), n, err)
}

// report records a problem of an object's with a field that stands in another one, its
// home.
func (o *object) report(home *object, field string, n *yaml.Node, err error) {
	where := home.at.String()
	if field != "" {
		where = join(where, field)
	}
	if where != "" {
		err = fmt.Errorf("%s: %w", where, err)
	}
	if isNotModelled(err) {
		o.src.d.noteNotModelled(home.src.at(n), err)
		return
	}
	o.src.d.report(home.src.at(n), err)
}

// isNotModelled reports what Kong takes, or may take, and the routers here cannot read.
func isNotModelled(err error) bool {
	return errors.Is(err, atc.ErrNotModelled) || errors.Is(err, pcre.ErrNotModelled)
}

// noteNotModelled: such a route is no reason to say nothing of the others.
func (d *document) noteNotModelled(at Place, err error) {
	if d.lenient {
		d.note(at, "%v; the route is left out, and may take requests in Kong", err)
	}
}

var errEmpty = errors.New("must not be empty")

// get is the field's node, nil when it is absent or null.
func (o *object) get(field string) *yaml.Node {
	o.know(field)
	m := o.fields.get(field)
	if m == nil {
		return nil
	}
	m.asked = true
	if m.value.Tag == "!!null" {
		return nil
	}
	if m.home.src.file.variables.unset[m.value] != nil {
		return o.standIn(field, m)
	}
	return m.value
}

func (o *object) has(field string) bool { return o.get(field) != nil }

// isWritten reports a field that is there, be its variable set or not.
func (o *object) isWritten(field string) bool {
	m := o.fields.get(field)
	return m != nil && m.value.Tag != "!!null"
}

// skip declares fields that are valid and not needed here.
func (o *object) skip(fields ...string) {
	o.know(fields...)
	for _, field := range fields {
		if m := o.fields.get(field); m != nil {
			m.asked = true
		}
	}
}

// str reads a string; absent is the value given.
func (o *object) str(field, absent string) string {
	n := o.get(field)
	if n == nil {
		return absent
	}
	s, err := scalarString(n)
	if err != nil {
		o.fail(field, err)
	}
	return s
}

func scalarString(n *yaml.Node) (string, error) {
	n = resolve(n)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
		return "", fmt.Errorf("%s should be a string", describe(n))
	}
	return n.Value, nil
}

// oneOf reads a string that must be among those given, the first being the default.
func (o *object) oneOf(field string, choices ...string) string {
	s := o.str(field, choices[0])
	if n := o.get(field); n != nil && n.Tag == "!!str" && !slices.Contains(choices, s) {
		o.fail(field, fmt.Errorf("%q should be one of %q", s, choices))
	}
	return s
}

// integer reads a number between low and high; absent is the value given.
func (o *object) integer(field string, absent, low, high int) int {
	n := o.get(field)
	if n == nil {
		return absent
	}
	i, err := scalarInt(n)
	if err == nil && (i < low || i > high) {
		err = fmt.Errorf("%d is outside %d..%d", i, low, high)
	}
	if err != nil {
		o.fail(field, err)
	}
	return i
}

// scalarInt takes whole numbers in any notation: JSON has no integers, and 80.0
// is 80 to Kong too.
func scalarInt(n *yaml.Node) (int, error) {
	var f float64
	isNumber := n.Kind == yaml.ScalarNode && (n.Tag == "!!int" || n.Tag == "!!float")
	if !isNumber || n.Decode(&f) != nil || f != float64(int(f)) {
		return 0, fmt.Errorf("%s should be a whole number", describe(n))
	}
	return int(f), nil
}

// boolean reads true or false; absent is the value given.
func (o *object) boolean(field string, absent bool) bool {
	n := o.get(field)
	if n == nil {
		return absent
	}
	var b bool
	if n.Kind != yaml.ScalarNode || n.Style != 0 || n.Decode(&b) != nil {
		o.fail(field, fmt.Errorf("%s should be true or false", describe(n)))
	}
	return b
}

// list is the field's elements, nil when the field is absent. An empty list is
// not nil: Kong's router tells the two apart.
func (o *object) list(field string) []*yaml.Node {
	n := o.get(field)
	if n == nil {
		return nil
	}
	if n.Kind == yaml.MappingNode && len(n.Content) == 0 && o.src.d.lenient {
		return []*yaml.Node{} // Lua has one kind of table, and its encoders guess
	}
	if n.Kind != yaml.SequenceNode {
		o.fail(field, fmt.Errorf("%s should be a list", describe(n)))
		return nil
	}
	if n.Content == nil {
		return []*yaml.Node{}
	}
	return n.Content
}

// strings reads a list of strings, each of which must pass the check.
func (o *object) strings(field string, check func(string) error) []string {
	nodes := o.list(field)
	if nodes == nil {
		return nil
	}
	list := make([]string, 0, len(nodes))
	for i, n := range nodes {
		s, err := scalarString(n)
		t := o.src.file.variables.unset[resolve(n)]
		switch {
		case t != nil && !standIns[field]:
			err = unset(t)
		case err != nil:
		case s == "": // Kong takes an empty string for none, but not in a list
			err = errEmpty
		case check != nil:
			err = check(s)
		}
		if err != nil {
			o.failElement(field, i, n, err)
		}
		if err != nil && !isNotModelled(err) {
			continue
		}
		list = append(list, s)
	}
	return list
}

// set is strings without a second occurrence of the same, which Kong refuses in
// fields of type set.
func (o *object) set(field string, check func(string) error) []string {
	list := o.strings(field, check)
	for i, s := range list {
		if slices.Contains(list[:i], s) {
			o.fail(field, fmt.Errorf("%q is there twice", s))
		}
	}
	return list
}

// objects reads a list of objects. Their place in errors is "field[i]", followed
// by the value of their naming field.
func (o *object) objects(field, naming string) []*object {
	return o.objectsOf(o.list(field), field, naming, 0)
}

// objectsOf are those of some elements of a list, the first of which has an index.
func (o *object) objectsOf(nodes []*yaml.Node, field, naming string, first int) []*object {
	list := make([]*object, len(nodes))
	for i, n := range nodes {
		at := position{in: &o.at, field: field, isElement: true, index: first + i, name: nameOf(n, naming)}
		list[i] = newObject(at, n, o.src)
	}
	return list
}

// sourceOf is the document that a field stands in.
func (o *object) sourceOf(field string) *source {
	return o.fields.get(field).home.within(o.src.d).src
}

// nameOf is the value of a mapping's field, "" when it has none.
func nameOf(n *yaml.Node, field string) string {
	if v := lookup(resolve(n), field); v != nil && v.Kind == yaml.ScalarNode && v.Tag != "!!null" {
		return v.Value
	}
	return ""
}

// lookup is the value of a mapping's key, nil when it has none.
func lookup(n *yaml.Node, key string) *yaml.Node {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return resolve(n.Content[i+1])
		}
	}
	return nil
}

// describe shows a value in an error message.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	return fmt.Sprintf("%q", n.Value)
}
