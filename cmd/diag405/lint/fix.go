package lint

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"diag405/kong/config"
	"diag405/kong/lint"
	"diag405/kong/mend"
)

// mend makes the certain changes, in the files too with -fix, and goes on with the
// configuration as it then is.
func (o options) mend(r *result, options lint.Options, operations []lint.Operation) error {
	files := r.from.Files
	service := ""
	if r.operations {
		service = r.service
	}
	mended, err := mend.Files(files, mend.Options{Config: o.source.Options(), Lint: options, Service: service, Operations: operations})
	if err != nil {
		return fmt.Errorf("mending: %w", err)
	}
	r.mended = mended
	if !o.fix {
		return nil
	}
	cfg, err := config.Load(mended.Files, o.source.Options()...)
	if err != nil {
		return fmt.Errorf("reading what was mended: %w", err)
	}
	r.from.Config, r.wrote = cfg, true
	return writeChanged(files, mended.Files)
}

// checkMend: of what is not a file only a patch can be shown, and none of what the Admin
// API has.
func (o options) checkMend(files []string) error {
	if o.source.Admin != "" && (o.fix || o.format == "deck-patch") {
		return errors.New("-fix and -o deck-patch want a file, and -admin has none")
	}
	for _, name := range files {
		if o.fix && (name == "-" || strings.Contains(name, "://")) {
			return fmt.Errorf("-fix cannot write to %q", name)
		}
	}
	return nil
}

// writeChanged writes the files that are not what they were, and keeps their mode.
func writeChanged(before, after []config.File) error {
	for i, f := range after {
		if bytes.Equal(before[i].Data, f.Data) {
			continue
		}
		if err := os.WriteFile(f.Name, f.Data, 0o644); err != nil {
			return fmt.Errorf("writing what was mended: %w", err)
		}
	}
	return nil
}

// whyLeft is why a certain fix was not made; "" for another finding.
func (r *result) whyLeft(f lint.Finding) string {
	if r.mended == nil {
		return ""
	}
	for _, l := range r.mended.Left {
		if l.ID == f.ID && l.Object == f.Object && l.Sentence == f.Sentence {
			return l.Why
		}
	}
	return ""
}

// fixed are the findings that -fix has made away with.
func (r *result) fixed() []lint.Finding {
	var list []lint.Finding
	if r.mended != nil && r.wrote {
		for _, f := range r.mended.Fixed {
			list = append(list, f.Finding)
		}
	}
	return list
}
