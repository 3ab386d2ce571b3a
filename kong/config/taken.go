package config

import "fmt"

// A taking is a name or an id that only one entity of a kind can have.
type taking struct{ kind, field, workspace, value string }

// takings are the entities by what they have taken, for each kind and field.
type takings map[[2]string]map[[2]string]any

func (t takings) holder(of taking) any {
	return t[[2]string{of.kind, of.field}][[2]string{of.workspace, of.value}]
}

func (t takings) hold(of taking, entity any) {
	group := [2]string{of.kind, of.field}
	if t[group] == nil {
		t[group] = map[[2]string]any{}
	}
	t[group][[2]string{of.workspace, of.value}] = entity
}

// A claim is what an entity takes, as far as the first that is already taken: its name,
// and then its id.
type claim struct {
	o      *object
	entity any
	kind   string
	naming string // the field of the name
	name   string // "" for none
	id     string // "" for none
	twice  error  // what is wrong where it is taken, nil for just that
}

// claim makes an entity's claim, or keeps it for the whole.
func (d *document) claim(c claim) {
	switch {
	case d.isPart:
		d.found.add(finding{claim: c})
	case c.name == "" || d.take(c, taking{c.kind, c.naming, c.o.workspace(), c.name}):
		d.take(c, taking{c.kind, "id", "", c.id})
	}
}

// take reports a name or id that is already in use. False is that it was.
func (d *document) take(c claim, t taking) bool {
	if t.value == "" {
		return true
	}
	first := d.taken.holder(t)
	switch {
	case first == nil:
		d.taken.hold(t, c.entity)
		return true
	case c.twice != nil:
		c.o.fail("", c.twice)
		return false
	}
	err := fmt.Errorf("%q is already used by another of the %s", t.value, t.kind)
	if at := d.homes.get(first); at.node != nil && d.lenient {
		err = fmt.Errorf("%w, at %s", err, at.src.at(at.node))
	}
	c.o.fail(t.field, err)
	return false
}

// find is the entity of a kind that another one names, nil when there is none. A
// name counts in the workspace of the one that names.
func (d *document) find(o *object, kind, ref string) any {
	if ref == "" {
		return nil
	}
	for _, t := range []taking{{kind, "id", "", ref}, {kind, "name", o.workspace(), ref}, {kind, "name", "", ref}} {
		if entity := d.taken.holder(t); entity != nil {
			return entity
		}
	}
	return nil
}
