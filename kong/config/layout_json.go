package config

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// keepJSONLayout gives changed JSON the layout of the original: what did not change
// stands as it did, and what is new stands like its neighbours. Where the outcome would
// mean something else, changed stays as it is.
func keepJSONLayout(original, changed string) string {
	from, ok := readJSON(original)
	to, ok2 := readJSON(changed)
	if !ok || !ok2 {
		return changed
	}
	end := strings.TrimRight(original, " \t\r\n")
	out := original[:from.start] + relaid(from, to) + original[len(end):]
	if !sameJSON(out, changed) {
		return changed
	}
	return out
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

// jsonPart is a value in a text of JSON.
type jsonPart struct {
	text       string // all of it
	start, end int
	open       byte // { or [, 0 for anything else
	members    []jsonMember
}

// jsonMember is an element of a list, or a field of an object.
type jsonMember struct {
	key   string
	start int // of the key, or of the element
	value jsonPart
}

func (p jsonPart) String() string { return p.text[p.start:p.end] }

func readJSON(text string) (jsonPart, bool) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	p, err := readJSONPart(text, d)
	return p, err == nil
}

// readJSONPart reads the next value.
func readJSONPart(text string, d *json.Decoder) (jsonPart, error) {
	before := int(d.InputOffset())
	token, err := d.Token()
	if err != nil {
		return jsonPart{}, err
	}
	p := jsonPart{text: text, start: skipJSON(text, before), end: int(d.InputOffset())}
	open, ok := token.(json.Delim)
	if !ok {
		return p, nil
	}
	p.open = byte(open)
	for d.More() {
		m := jsonMember{start: skipJSON(text, int(d.InputOffset()))}
		if p.open == '{' {
			key, err := d.Token()
			if err != nil {
				return p, err
			}
			m.key, _ = key.(string)
		}
		if m.value, err = readJSONPart(text, d); err != nil {
			return p, err
		}
		p.members = append(p.members, m)
	}
	_, err = d.Token()
	p.end = int(d.InputOffset())
	return p, err
}

// skipJSON is where the next token begins.
func skipJSON(text string, at int) int {
	return at + len(text[at:]) - len(strings.TrimLeft(text[at:], " \t\r\n,:"))
}

// relaid is a new value in the layout of the old one.
func relaid(old, now jsonPart) string {
	if old.open == 0 || old.open != now.open || len(old.members) == 0 || len(now.members) == 0 {
		if sameJSON(old.String(), now.String()) {
			return old.String()
		}
		return inline(now.String())
	}
	first, last := old.members[0], old.members[len(old.members)-1]
	front := old.text[old.start:first.start] // the bracket, and what is behind it
	between := "," + front[1:]
	if len(old.members) > 1 {
		between = old.text[first.value.end:old.members[1].start]
	}
	var out strings.Builder
	out.WriteString(front)
	for i, m := range now.members {
		if i > 0 {
			out.WriteString(between)
		}
		out.WriteString(relaidMember(old, m, i, len(now.members)))
	}
	out.WriteString(old.text[last.value.end:old.end])
	return out.String()
}

// relaidMember is one of so many members. Of as many elements of a list each is in the
// place of one.
func relaidMember(old jsonPart, m jsonMember, i, of int) string {
	at := slices.IndexFunc(old.members, func(o jsonMember) bool {
		return old.open == '{' && o.key == m.key || old.open == '[' && sameJSON(o.value.String(), m.value.String())
	})
	if at < 0 && old.open == '[' && of == len(old.members) {
		at = i
	}
	if at >= 0 {
		o := old.members[at]
		return old.text[o.start:o.value.start] + relaid(o.value, m.value)
	}
	if old.open == '[' {
		return inline(m.value.String())
	}
	key, _ := json.Marshal(m.key) // a text always can be written
	colon := old.text[old.members[0].start:old.members[0].value.start]
	return string(key) + colon[strings.LastIndexByte(colon, '"')+1:] + inline(m.value.String())
}

// inline is a value on one line.
func inline(value string) string {
	var out bytes.Buffer
	if err := json.Compact(&out, []byte(value)); err != nil {
		return value
	}
	return out.String()
}
