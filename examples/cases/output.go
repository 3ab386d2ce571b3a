package main

import (
	"fmt"
	"io"
	"strings"

	"diag405/examples/trial"
)

// tally counts outcomes.
type tally struct {
	Cases      int `json:"cases"`
	CauseRight int `json:"cause_right"`
	FixWorks   int `json:"fix_works"`
	Derivable  int `json:"fix_derivable"` // with what is switched on
	NotRun     int `json:"not_run"`
}

// add counts an outcome.
func (t *tally) add(o outcome, opt options) {
	t.Cases++
	if o.fail != nil {
		t.NotRun++
	}
	if o.causeRight() {
		t.CauseRight++
	}
	if !opt.derivable(o.c) {
		return
	}
	t.Derivable++
	if o.fix.works() {
		t.FixWorks++
	}
}

// derivable reports whether the fix can be found with what is switched on.
func (opt options) derivable(c *Case) bool {
	if c == nil {
		return false
	}
	switch c.Expect.Derivable {
	case "exchange":
		return true
	case "probe":
		return opt.Probe
	case "openapi":
		return opt.openAPI
	}
	return false
}

func (t tally) String() string {
	return fmt.Sprintf("cases: cause %d of %d, fix %d of %d", t.CauseRight, t.Cases, t.FixWorks, t.Derivable)
}

// print prints an outcome: as an object, or as a line with the id in the given
// width.
func (opt options) print(w io.Writer, o outcome, width int) error {
	if opt.JSON {
		return trial.PrintJSON(w, o.json(opt))
	}
	_, err := fmt.Fprintln(w, o.text(width))
	return err
}

// text is an outcome in a line:
//
//	ID  ok|differs|not run  right|wrong CAUSE;CERTAINTY [not WANTED]  fix works|fails|- STATUS: WORDS  [differences]
func (o outcome) text(width int) string {
	text := fmt.Sprintf("%-*s  %-7s  ", width, o.id, o.state())
	if o.fail != nil {
		return text + trial.OneLine(o.fail)
	}
	text += fmt.Sprintf("%-55s  %s", o.causeText(), o.fixText())
	if len(o.differs) > 0 {
		text += "  [" + strings.Join(o.differs, "; ") + "]"
	}
	return text
}

func (o outcome) state() string {
	switch {
	case o.fail != nil:
		return "not run"
	case len(o.differs) > 0:
		return "differs"
	}
	return "ok"
}

func (o outcome) causeText() string {
	found := "none"
	if d := o.diagnosis; d.Cause != "" {
		found = d.Cause + ";" + d.Certainty
	}
	if o.causeRight() {
		return "right " + found
	}
	return "wrong " + found + " not " + o.c.Expect.Cause
}

func (o outcome) fixText() string {
	text := "fix -"
	switch f := o.fix; {
	case f.works():
		text = fmt.Sprintf("fix works %d", f.status)
	case f.status != 0:
		text = fmt.Sprintf("fix fails %d", f.status)
	case f.fail != nil:
		text = "fix - (" + trial.OneLine(f.fail) + ")"
	}
	if o.diagnosis.Words != "" {
		text += ": " + o.diagnosis.Words
	}
	return text
}

// outcomeJSON is an outcome as it is printed with -json.
type outcomeJSON struct {
	ID            string   `json:"id"`
	State         string   `json:"state"`
	Error         string   `json:"error,omitempty"`
	Differs       []string `json:"differs,omitempty"`
	Cause         string   `json:"cause,omitempty"`
	Certainty     string   `json:"certainty,omitempty"`
	ExpectedCause string   `json:"expected_cause,omitempty"`
	CauseRight    bool     `json:"cause_right"`
	Fix           *fixJSON `json:"fix,omitempty"`
	Derivable     bool     `json:"fix_derivable"`
}

type fixJSON struct {
	Words  string       `json:"words,omitempty"`
	Change trial.Change `json:"change"`
	Status int          `json:"status,omitempty"` // of the request with the fix
	Works  bool         `json:"works"`
	Error  string       `json:"error,omitempty"` // why it was not tried
}

func (o outcome) json(opt options) outcomeJSON {
	out := outcomeJSON{
		ID: o.id, State: o.state(), Differs: o.differs, CauseRight: o.causeRight(), Derivable: opt.derivable(o.c),
		Cause: o.diagnosis.Cause, Certainty: o.diagnosis.Certainty,
	}
	if o.fail != nil {
		out.Error = o.fail.Error()
	}
	if o.c != nil {
		out.ExpectedCause = o.c.Expect.Cause
	}
	if d := o.diagnosis; d.Words != "" {
		out.Fix = &fixJSON{Words: d.Words, Change: d.Change, Status: o.fix.status, Works: o.fix.works()}
		if o.fix.fail != nil {
			out.Fix.Error = o.fix.fail.Error()
		}
	}
	return out
}
