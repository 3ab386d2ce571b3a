package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// refuseUnknown reports the fields that nobody asked for, once all have been asked
// for. Kong refuses all of them. A newer one may know some, so that in a lenient
// reading only what looks like a slip of the pen is a problem.
func (o *object) refuseUnknown() {
	for _, key := range o.unknown() {
		meant := o.meant(key)
		switch {
		case !o.src.d.lenient:
			o.fail(key, errors.New("unknown field"))
		case meant != "":
			o.fail(key, fmt.Errorf("unknown field; %s is one", meant))
		default:
			o.src.d.noteField(o, key)
		}
	}
	o.known = o.src.d.giveBack(o.known)
}

// unknown are the object's own fields that nobody asked for.
func (o *object) unknown() []string {
	var names []string
	for name, m := range o.fields.all() {
		if m.home == o && !m.asked {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// know keeps that fields were asked for.
func (o *object) know(fields ...string) {
	if o.known == nil {
		o.known = o.src.d.borrow()
	}
	o.known = append(o.known, fields...)
}

// borrow and giveBack keep one list of known fields for each depth of nesting, instead
// of one for every object.
func (d *document) borrow() []string {
	n := len(d.spare)
	if n == 0 {
		return nil
	}
	list := d.spare[n-1]
	d.spare = d.spare[:n-1]
	return list
}

func (d *document) giveBack(known []string) []string {
	d.spare = append(d.spare, known[:0])
	return nil
}

// noteField notes once that a field of some kind of entity is not known.
func (d *document) noteField(o *object, field string) {
	kind, _, _ := strings.Cut(o.at.String()[strings.LastIndex(o.at.String(), ": ")+1:], "[")
	key := strings.TrimSpace(kind) + " " + field
	words := join(o.at.String(), field) + ": unknown field, passed over; Kong 3.9 refuses it"
	d.noteOnce(key, Note{o.src.at(o.fields.get(field).key), words})
}

// meant is the known field that an unknown one looks like, "" for none.
func (o *object) meant(field string) string {
	if strings.HasPrefix(field, "x-") || strings.HasPrefix(field, "_") || strings.HasPrefix(field, ".") {
		return "" // where people keep anchors
	}
	for _, known := range slices.Sorted(slices.Values(o.known)) {
		if plainField(known) == plainField(field) || len(field) > 3 && distance(known, field) <= min(2, len(field)/3+1) {
			return known
		}
	}
	return ""
}

// plainField is a field without what notations and numbers differ in.
func plainField(s string) string {
	return strings.TrimSuffix(strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(s)), "s")
}

// distance is Levenshtein's, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
