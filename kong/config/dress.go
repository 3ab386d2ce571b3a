package config

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// dressed gives a new value the comments of the one that it replaces, and the look of
// its lists, objects and quotes, down to what is in them.
func dressed(v, old *yaml.Node) *yaml.Node {
	v.HeadComment, v.LineComment, v.FootComment = old.HeadComment, old.LineComment, old.FootComment
	if v.Kind != old.Kind {
		return v
	}
	switch v.Kind {
	case yaml.ScalarNode:
		if v.Tag == old.Tag || v.Value == old.Value {
			v.Style = old.Style
		}
	case yaml.SequenceNode:
		v.Style = old.Style
		dressElements(v.Content, old.Content)
	case yaml.MappingNode:
		v.Style = old.Style
		dressFields(v.Content, old.Content)
	}
	return v
}

// dressElements: of as many elements each takes the place of one, of others only those
// that were there before look as they did.
func dressElements(list, old []*yaml.Node) {
	for i, v := range list {
		at := i
		if len(list) != len(old) {
			at = slices.IndexFunc(old, func(o *yaml.Node) bool { return sameNode(v, o) })
		}
		if at >= 0 {
			dressed(v, old[at])
		}
	}
}

func dressFields(fields, old []*yaml.Node) {
	for i := 0; i+1 < len(fields); i += 2 {
		for j := 0; j+1 < len(old); j += 2 {
			if fields[i].Value == old[j].Value {
				dressed(fields[i], old[j])
				dressed(fields[i+1], old[j+1])
			}
		}
	}
}

// sameNode reports whether two nodes hold the same.
func sameNode(a, b *yaml.Node) bool {
	return a.Kind == b.Kind && a.Value == b.Value && a.Tag == b.Tag && slices.EqualFunc(a.Content, b.Content, sameNode)
}
