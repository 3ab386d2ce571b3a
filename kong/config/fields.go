package config

import (
	"iter"

	"go.yaml.in/yaml/v3"
)

// fields are those of a mapping, each once. Mappings have few, and a configuration
// has many mappings: they are looked through, and indexed only where they are many.
type fields struct {
	list  []member
	index map[string]int
}

// A member is a field of an object. Its home is the object in which it is written:
// decK's defaults stand elsewhere.
type member struct {
	key, value *yaml.Node
	home       *object
	asked      bool // by somebody who knows the field
}

// manyFields is from how many on an index is quicker.
const manyFields = 32

// get is a field by its name, nil when there is none.
func (f *fields) get(name string) *member {
	if f.index != nil {
		if i, ok := f.index[name]; ok {
			return &f.list[i]
		}
		return nil
	}
	for i := range f.list {
		if f.list[i].key.Value == name {
			return &f.list[i]
		}
	}
	return nil
}

// set adds a field, or puts it in the place of the one with its name.
func (f *fields) set(m member) {
	if old := f.get(m.key.Value); old != nil {
		*old = m
		return
	}
	f.list = append(f.list, m)
	switch {
	case f.index != nil:
		f.index[m.key.Value] = len(f.list) - 1
	case len(f.list) > manyFields:
		f.index = map[string]int{}
		for i, m := range f.list {
			f.index[m.key.Value] = i
		}
	}
}

// all are the fields in the order in which they were set, by their names.
func (f *fields) all() iter.Seq2[string, *member] {
	return func(yield func(string, *member) bool) {
		for i := range f.list {
			if !yield(f.list[i].key.Value, &f.list[i]) {
				return
			}
		}
	}
}

// names are those of all fields.
func (f *fields) names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for name := range f.all() {
			if !yield(name) {
				return
			}
		}
	}
}
