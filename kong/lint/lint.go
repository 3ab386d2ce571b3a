// Package lint finds what in a configuration sends requests to the wrong place,
// or very likely does, before anybody has met the 405.
//
// [Lint] looks at a configuration alone. [Prove] is also told what an application
// offers, and finds for each operation the request that leads to it. Both compute;
// they read and send nothing. What they know of routing is [diag405/kong/router]:
// a route is called unreachable because Kong's order was asked, not guessed.
package lint

import (
	"cmp"
	"slices"

	"diag405/kong/config"
)

// Severity is how sure it is that something is wrong.
type Severity string

// Severities, the gravest first.
const (
	Error   Severity = "error"   // requests certainly go to the wrong place
	Warning Severity = "warning" // very likely not what was meant
	Info    Severity = "info"    // worth knowing
)

// Severities are all severities, the gravest first.
func Severities() []Severity { return []Severity{Error, Warning, Info} }

// AtLeast reports whether a severity is as grave as another, or graver.
func (s Severity) AtLeast(other Severity) bool {
	all := Severities()
	return slices.Index(all, s) <= slices.Index(all, other)
}

// Finding is one thing that a rule found at one object.
type Finding struct {
	ID       string   `json:"id"` // of the rule: a contract, unlike the sentence
	Severity Severity `json:"severity"`
	Object   Object   `json:"object"`
	Sentence string   `json:"sentence"`
	Fix      Fix      `json:"fix"`
	Page     string   `json:"page"`            // what the id means: docs/lint.md#ID
	Cause    string   `json:"cause,omitempty"` // the page of the 405 that comes of it
}

// Object is what a finding is about.
type Object struct {
	Kind string `json:"kind"` // route, service, plugin or operation
	Name string `json:"name,omitempty"`
	ID   string `json:"id,omitempty"`
}

// String is the object as in a sentence: route orders.
func (o Object) String() string {
	if name := cmp.Or(o.Name, o.ID); name != "" {
		return o.Kind + " " + name
	}
	return "the " + o.Kind
}

// Fix is what to change.
type Fix struct {
	Words string `json:"words"`
	// Set are fields and their new values where the change is mechanical, as in
	// {"route.strip_path": false}: of the object, or of a route's service.
	Set map[string]any `json:"set,omitempty"`
	// Certain says that it is the one change to make, and not one of several or one that
	// depends on what is meant.
	Certain bool `json:"certain,omitempty"`
	// On is what to change where that is not what the finding is about.
	On *Object `json:"on,omitempty"`
}

// Options are what a configuration does not say.
type Options struct {
	// Ignore leaves findings out. Tags of an object do the same: see [Tag].
	Ignore []Ignore
	// ResponsePhase names plugins that have a response phase, besides those known.
	ResponsePhase []string
}

// Lint returns what the rules find: the gravest first, then by id and object.
func Lint(cfg *config.Config, o Options) []Finding {
	s := newSubject(cfg, o)
	var findings []Finding
	for _, r := range rules {
		if r.check == nil {
			continue
		}
		for _, f := range r.check(s) {
			findings = append(findings, r.complete(f))
		}
	}
	return s.finish(findings)
}

// finish leaves out what is to be ignored, and sorts.
func (s *subject) finish(findings []Finding) []Finding {
	return ordered(slices.DeleteFunc(findings, s.ignored))
}

func ordered(findings []Finding) []Finding {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(slices.Index(Severities(), a.Severity), slices.Index(Severities(), b.Severity)),
			cmp.Compare(a.ID, b.ID),
			cmp.Compare(a.Object.Kind, b.Object.Kind),
			cmp.Compare(a.Object.Name, b.Object.Name),
			cmp.Compare(a.Object.ID, b.Object.ID),
			cmp.Compare(a.Sentence, b.Sentence),
		)
	})
	return findings
}
