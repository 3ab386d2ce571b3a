package config

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
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

// A position is where an object stands in its document, by the names of fields, such
// as `services[0] "weather": routes[1]`. It is put into words where somebody asks.
type position struct {
	in        *position
	field     string
	isElement bool // of the list in field
	index     int  // of an element
	name      string
}

func (p *position) String() string {
	if p == nil {
		return ""
	}
	field := p.field
	if p.isElement {
		field += fmt.Sprintf("[%d]", p.index)
	}
	if p.name != "" {
		field += fmt.Sprintf(" %q", p.name)
	}
	return join(p.in.String(), field)
}

func join(where, field string) string {
	if where == "" {
		return field
	}
	return where + ": " + field
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
func (c *Config) Place(entity any) Place {
	if c.places == nil {
		return Place{}
	}
	return c.places.get(entity).at
}

// A placed entity is where it begins.
type placed struct {
	entity any
	at     Place
}

func (p placed) of() any { return p.entity }

// A home is where an entity stands, and in which document.
type home struct {
	entity any
	node   *yaml.Node
	src    *source
}

func (h home) of() any { return h.entity }

type (
	places = register[placed]
	homes  = register[home]
)

// A register has something on each of many entities. Most readers of a configuration
// look nothing up in it, so that it is indexed when the first one does.
type register[E interface{ of() any }] struct {
	mu    sync.Mutex
	list  []E
	index map[any]int // of the list, as far as it was looked into
}

func (r *register[E]) add(e E) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, e)
}

// get is what there is on an entity, zero for nothing.
func (r *register[E]) get(entity any) (found E) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.index == nil {
		r.index = make(map[any]int, len(r.list))
	}
	for i := len(r.index); i < len(r.list); i++ {
		r.index[r.list[i].of()] = i
	}
	if i, ok := r.index[entity]; ok {
		found = r.list[i]
	}
	return found
}

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

// otherVariable is one that neither Kong nor decK fills in, such as envsubst's.
var otherVariable = regexp.MustCompile(`\$\{[A-Z][A-Z0-9_]*\}|\$[A-Z][A-Z0-9_]{2,}|\{\{-? *\.[A-Za-z.]+ *-?\}\}`)

// report keeps a problem, and each only once: what several entities inherit, they
// all stumble over.
func (d *document) report(at Place, err error) {
	if d.isPart {
		d.found = append(d.found, finding{problem: &Problem{at, err}})
		return
	}
	if m := otherVariable.FindString(err.Error()); m != "" && d.lenient {
		err = fmt.Errorf("%w; %s looks like a variable that is filled in before Kong reads the file: give the file as it is then", err, m)
	}
	p := &Problem{at, err}
	if words := p.Error(); !d.reported[words] {
		d.reported[words] = true
		d.problems = append(d.problems, p)
	}
}

func (d *document) note(at Place, format string, args ...any) {
	d.noteOnce("", Note{at, fmt.Sprintf(format, args...)})
}

// A remark is a note that is made once: for a key, unless that is "".
type remark struct {
	Note
	once string
}

func (d *document) noteOnce(key string, n Note) {
	if d.noted[key] {
		return
	}
	if key != "" {
		d.noted[key] = true
	}
	d.notes = append(d.notes, remark{n, key})
}
