package config

import "fmt"

// A space is where a name or an id can only be one entity's: of a kind, in a field, and
// for a name in a workspace.
type space struct{ kind, field, workspace string }

// takings are the entities by what they have taken.
type takings map[space]map[string]any

func (t takings) holder(in space, value string) any { return t[in][value] }

func (t takings) hold(in space, value string, entity any) {
	if t[in] == nil {
		t[in] = map[string]any{}
	}
	t[in][value] = entity
}

// A claim is what an entity takes, as far as the first that is already taken: its name,
// and then its id.
type claim struct {
	o      *object
	entity any
	kind   string
	naming string // the field of the name
	within string // the workspace in which the name counts
	name   string // "" for none
	id     string // "" for none
	twice  error  // what is wrong where it is taken, nil for just that
}

// claim makes an entity's claim, or keeps it for the whole.
func (d *document) claim(c claim) {
	switch {
	case d.isPart:
		d.found = append(d.found, finding{claim: c})
	case d.take(c, space{c.kind, c.naming, c.within}, c.name):
		d.take(c, space{c.kind, "id", ""}, c.id)
	}
}

// take reports a name or id that is already in use. False is that it was.
func (d *document) take(c claim, in space, value string) bool {
	if value == "" {
		return true
	}
	first := d.taken.holder(in, value)
	switch {
	case first == nil:
		d.taken.hold(in, value, c.entity)
		return true
	case c.twice != nil:
		c.o.fail("", c.twice)
		return false
	}
	err := fmt.Errorf("%q is already used by another of the %s", value, in.kind)
	if at := d.homes.get(first); at.node != nil && d.lenient {
		err = fmt.Errorf("%w, at %s", err, at.src.at(at.node))
	}
	c.o.fail(in.field, err)
	return false
}

// find is the entity of a kind that another one names, nil when there is none. A
// name counts in the workspace of the one that names.
func (d *document) find(o *object, kind, ref string) any {
	if ref == "" {
		return nil
	}
	if entity := d.taken.holder(space{kind, "id", ""}, ref); entity != nil {
		return entity
	}
	if entity := d.taken.holder(space{kind, "name", o.workspace()}, ref); entity != nil {
		return entity
	}
	return d.taken.holder(space{kind, "name", ""}, ref)
}
