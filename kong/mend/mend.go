// Package mend makes the changes that findings of diag405/kong/lint offer, where that is
// safe: the fix is certain, the finding is gone after it and none came in its place, and
// diag405/kong/diff shows that no request changes but those that the finding is about.
// It changes texts, and reads and writes nothing.
package mend

import (
	"fmt"
	"slices"

	"diag405/kong/config"
	"diag405/kong/diff"
	"diag405/kong/lint"
)

// Options are how to read and to lint.
type Options struct {
	Config []config.Option
	Lint   lint.Options
	// Service and Operations are for [lint.Prove]; without a service it is not asked.
	Service    string
	Operations []lint.Operation
}

// Result is what was mended.
type Result struct {
	Files []config.File // all of them, as they are to be written
	Fixed []Fixed
	Left  []Left
}

// Fixed is a finding that is gone.
type Fixed struct {
	lint.Finding
	Change  config.Change
	Effects []*diff.Change // what it does to requests
}

// Left is a finding with a certain fix that was not made.
type Left struct {
	lint.Finding
	Why string // a clause
}

// Files mends a configuration that [config.Load] takes, in the files that it is written
// in. Comments and layout stay, as [config.PatchFiles] keeps them, and so does UTF-16.
func Files(files []config.File, o Options) (*Result, error) {
	now, err := o.look(decoded(files))
	if err != nil {
		return nil, err
	}
	r := o.mend(now)
	if r.Files, err = encoded(files, r.Files); err != nil {
		return nil, err
	}
	return r, nil
}

// mend makes one change after the other.
func (o Options) mend(now *view) *Result {
	r := &Result{}
	tried := map[string]bool{}
	for {
		i := slices.IndexFunc(now.findings, func(f lint.Finding) bool { return f.Fix.Certain && !tried[key(f)] })
		if i < 0 {
			r.Files = now.files
			return r
		}
		f := now.findings[i]
		tried[key(f)] = true
		next, fixed, why := o.try(now, f)
		if why != "" {
			r.Left = append(r.Left, Left{f, why})
			continue
		}
		now = next
		r.Fixed = append(r.Fixed, fixed)
	}
}

// view is files with what is found in them.
type view struct {
	files    []config.File
	cfg      *config.Config
	findings []lint.Finding
}

func (o Options) look(files []config.File) (*view, error) {
	cfg, err := config.Load(files, o.Config...)
	if err != nil {
		return nil, err
	}
	v := &view{files: files, cfg: cfg, findings: lint.Lint(cfg, o.Lint)}
	if o.Service == "" {
		return v, nil
	}
	_, findings, err := lint.Prove(cfg, o.Service, o.Operations, o.Lint)
	v.findings = lint.Merge(v.findings, findings)
	return v, err
}

// try makes one change, and says why not if it is not to be kept.
func (o Options) try(now *view, f lint.Finding) (next *view, fixed Fixed, why string) {
	change := changeOf(f)
	change.Flavor = now.cfg.Flavor
	files, err := config.PatchFiles(now.files, change, o.Config...)
	if err != nil {
		return nil, Fixed{}, err.Error()
	}
	if next, err = o.look(files); err != nil {
		return nil, Fixed{}, err.Error()
	}
	if why = o.judge(now, next, f); why != "" {
		return nil, Fixed{}, why
	}
	report, err := diff.Compare(now.cfg, next.cfg, diff.Options{})
	if err != nil {
		return nil, Fixed{}, err.Error()
	}
	if why = unmeant(now, next, f, report); why != "" {
		return nil, Fixed{}, why
	}
	return next, Fixed{f, change, report.Changes}, ""
}

// judge holds what is found after a change against what was found before it.
func (o Options) judge(before, after *view, f lint.Finding) (why string) {
	if count(after, f) >= count(before, f) {
		return "the finding is still there after it"
	}
	for _, now := range after.findings {
		if now.Severity.AtLeast(lint.Warning) && count(before, now) < count(after, now) {
			return fmt.Sprintf("it leads to %s at %s", now.ID, now.Object)
		}
	}
	return ""
}

// count is how many findings of a rule an object has.
func count(v *view, like lint.Finding) int {
	n := 0
	for _, f := range v.findings {
		if f.ID == like.ID && f.Object == like.Object {
			n++
		}
	}
	return n
}

// key tells findings apart.
func key(f lint.Finding) string { return f.ID + "\x00" + f.Object.String() + "\x00" + f.Sentence }

// target is what a finding's fix changes.
func target(f lint.Finding) lint.Object {
	if f.Fix.On != nil {
		return *f.Fix.On
	}
	return f.Object
}

func changeOf(f lint.Finding) config.Change {
	c := config.Change{Set: f.Fix.Set}
	switch on := target(f); on.Kind {
	case "route":
		c.RouteID, c.RouteName = on.ID, on.Name
	case "service":
		c.ServiceID, c.ServiceName = on.ID, on.Name
	}
	return c
}
