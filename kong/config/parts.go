package config

import (
	"slices"

	"diag405/kong/cores"
)

// A long list of entities is read in parts, on all cores: each by a document of its
// own. What is a matter of the whole, such as whether a name is taken, a part keeps for
// later. Then the parts are taken into the whole, one after the other, and all is as if
// the list had been read from its beginning to its end.

// minPart is how many entities are worth a part. Tests have smaller ones.
var minPart = 128

// readList reads the entities in a field of an object, each with its own document and
// not with the one that this is called on.
func (d *document) readList(o *object, field, naming string, read func(*document, *object)) {
	nodes := o.list(field)
	if len(nodes) < 2*minPart {
		for _, o := range o.objectsOf(nodes, field, naming, 0) {
			read(d, o)
		}
		return
	}
	parts := cores.Map(len(nodes), minPart, func(from, to int) *part {
		p := d.newPart()
		p.objects = o.within(p.document).objectsOf(nodes[from:to], field, naming, from)
		return p
	})
	for _, p := range parts {
		d.settle(p.document)
	}
	cores.Each(len(parts), 1, func(from, to int) {
		for _, p := range parts[from:to] {
			p.read(read)
		}
	})
	d.absorb(parts)
}

// A part is a document that reads some of the entities of another.
type part struct {
	*document
	objects []*object
}

func (d *document) newPart() *part {
	p := &part{document: newDocument()}
	p.isPart, p.lenient, p.deck = true, d.lenient, d.deck
	p.config.Flavor = d.config.Flavor
	if d.config.places != nil {
		p.config.places = &places{}
	}
	return p
}

func (p *part) read(read func(*document, *object)) {
	for _, o := range p.objects {
		read(p.document, o)
	}
	p.objects = nil
}

// within is the object for somebody who reads what is in it for another document.
func (o *object) within(d *document) *object {
	if o.src.d == d {
		return o
	}
	src, other := *o.src, *o
	src.d = d
	d.sources = append(d.sources, &src)
	other.src = &src
	return &other
}

// A finding is what a part found that is a matter of the whole: a problem, which may be
// known, or a claim.
type finding struct {
	claim
	problem *Problem // nil for a claim
}

// settle tells the whole what a part found.
func (d *document) settle(p *document) {
	for _, f := range p.found {
		if f.problem != nil {
			d.report(f.problem.At, f.problem.Err)
		} else {
			d.claim(f.claim)
		}
	}
	p.found = nil
}

// absorb takes in all that parts have. What of it still reports something, reports it
// to the whole.
func (d *document) absorb(parts []*part) {
	for _, p := range parts {
		for _, s := range p.sources {
			s.d = d
		}
		if d.isPart {
			d.sources = append(d.sources, p.sources...)
		}
	}
	d.homes.list = joined(d.homes.list, parts, func(p *part) []home { return p.homes.list })
	if d.config.places != nil {
		d.config.places.list = joined(d.config.places.list, parts, func(p *part) []placed { return p.config.places.list })
	}
	for _, p := range parts {
		d.settle(p.document)
		for _, n := range p.notes {
			d.noteOnce(n.once, n.Note)
		}
		d.later = append(d.later, p.later...)
	}
	c := d.config
	c.Services = joined(c.Services, parts, func(p *part) []*Service { return p.config.Services })
	c.Routes = joined(c.Routes, parts, func(p *part) []*Route { return p.config.Routes })
	c.Plugins = joined(c.Plugins, parts, func(p *part) []*Plugin { return p.config.Plugins })
	c.Upstreams = joined(c.Upstreams, parts, func(p *part) []*Upstream { return p.config.Upstreams })
}

// joined is a list with those of parts behind it. They may be long.
func joined[E any](list []E, parts []*part, of func(*part) []E) []E {
	n := 0
	for _, p := range parts {
		n += len(of(p))
	}
	list = slices.Grow(list, n)
	for _, p := range parts {
		list = append(list, of(p)...)
	}
	return list
}
