package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Place is where something stands in a file. The zero value is not known.
type Place struct {
	File string
	Line int // from 1
}

// String is FILE:LINE, as far as it is known.
func (p Place) String() string {
	if p.Line == 0 || p.File == "" {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// A Problem is one thing that is wrong with a configuration.
type Problem struct {
	At  Place
	Err error // names the entity and the field as they are written
}

func (p *Problem) Error() string {
	if p.At.File == "" {
		return p.Err.Error()
	}
	return p.At.String() + ": " + p.Err.Error()
}

// Unwrap is what is wrong, without the place.
func (p *Problem) Unwrap() error { return p.Err }

// A Note is about something that was read, or passed over, otherwise than its
// writer may think, and that is no reason to stop.
type Note struct {
	At    Place
	Words string // a clause
}

func (n Note) String() string { return strings.TrimPrefix(n.At.String()+": "+n.Words, ": ") }

// Place is where a service, route, plugin or upstream of a loaded configuration
// begins. It is zero for one that did not come from a file.
func (c *Config) Place(entity any) Place { return c.places[entity] }

// inOrder sorts by file, as the files were given, and line.
func (d *document) inOrder(a, b Place) int {
	place := func(p Place) int {
		return slices.IndexFunc(d.files, func(f *file) bool { return strings.HasPrefix(p.File, f.name) })
	}
	if x, y := place(a), place(b); x != y {
		return x - y
	}
	return a.Line - b.Line
}

// problem joins all problems, nil without any.
func (d *document) problem() error {
	if d.lenient {
		slices.SortStableFunc(d.problems, func(a, b *Problem) int { return d.inOrder(a.At, b.At) })
	}
	errs := make([]error, len(d.problems))
	for i, p := range d.problems {
		errs[i] = p
	}
	return errors.Join(errs...)
}

// report keeps a problem, and each only once: what several entities inherit, they
// all stumble over.
func (d *document) report(at Place, err error) {
	p := &Problem{at, err}
	if words := p.Error(); !d.reported[words] {
		d.reported[words] = true
		d.problems = append(d.problems, p)
	}
}

func (d *document) note(at Place, format string, args ...any) {
	d.config.Notes = append(d.config.Notes, Note{at, fmt.Sprintf(format, args...)})
}
