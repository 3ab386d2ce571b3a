package main

import (
	"fmt"
	"io"

	"diag405/examples/trial"
)

// printer prints outcomes, in columns or as objects.
type printer struct {
	w           io.Writer
	json        bool
	app, worlds int // widths
}

// newPrinter makes one for outcomes of these pairs.
func newPrinter(w io.Writer, list []pair, json bool) printer {
	p := printer{w: w, json: json}
	for _, l := range list {
		p.app, p.worlds = max(p.app, len(l.app.App)), max(p.worlds, len(l.world.World))
	}
	return p
}

// print prints an outcome. One that was not refused is nothing to see.
func (p printer) print(o outcome) error {
	switch {
	case o.fail == nil && !o.refused:
		return nil
	case p.json:
		return trial.PrintJSON(p.w, o.json())
	}
	_, err := fmt.Fprintf(p.w, "%-*s  %-*s  %s\n", p.app, o.app.App, p.worlds, o.world.World, o.text())
	return err
}

// summary prints the figures.
func (p printer) summary(f figures) error {
	if p.json {
		return trial.PrintJSON(p.w, map[string]figures{"summary": f})
	}
	if f.NotRun > 0 {
		if _, err := fmt.Fprintf(p.w, "not run: %d\n", f.NotRun); err != nil {
			return err
		}
	}
	if f.NotDiagnosed > 0 {
		if _, err := fmt.Fprintln(p.w, f.notDiagnosed()); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(p.w, "%s\n%s\n", f.percents(), f)
	return err
}

// text is an outcome behind the names of its pair:
//
//	right|wrong|open CAUSE;CERTAINTY [not CAUSE]  fix works|fails|- [STATUS]: WORDS
//	not diagnosed
//	not run: WHY
func (o outcome) text() string {
	if o.fail != nil {
		return "not run: " + trial.OneLine(o.fail)
	}
	if !o.diagnosed() {
		return "not diagnosed"
	}
	return fmt.Sprintf("%-55s  %s", o.causeText(), o.fixText())
}

func (o outcome) causeText() string {
	verdict := "open" // a cause that is only possible is neither right nor wrong
	switch {
	case o.said() && o.right():
		verdict = "right"
	case o.said():
		verdict = "wrong"
	}
	text := verdict + " " + o.diagnosis.Cause + ";" + o.diagnosis.Certainty
	if causes, _ := o.world.truth(o.app); !o.right() {
		text += " not " + causes[0]
	}
	return text
}

func (o outcome) fixText() string {
	switch f := o.fix; {
	case !f.tried:
		return "fix -: " + o.diagnosis.Words
	case f.fail != nil:
		return fmt.Sprintf("fix fails (%s): %s", trial.OneLine(f.fail), o.diagnosis.Words)
	case f.works():
		return fmt.Sprintf("fix works %d: %s", f.status, o.diagnosis.Words)
	}
	return fmt.Sprintf("fix fails %d: %s", o.fix.status, o.diagnosis.Words)
}

// outcomeJSON is an outcome as it is printed with -json.
type outcomeJSON struct {
	App       string   `json:"app"`
	World     string   `json:"world"`
	Mistake   string   `json:"mistake"` // gateway, client or none: the set-up's
	Truth     []string `json:"truth"`   // the causes that are right for this application
	Error     string   `json:"error,omitempty"`
	Diagnosed bool     `json:"diagnosed"`
	Cause     string   `json:"cause,omitempty"`
	Certainty string   `json:"certainty,omitempty"`
	Right     bool     `json:"right"`
	Fix       *fixJSON `json:"fix,omitempty"`
}

type fixJSON struct {
	Words  string       `json:"words,omitempty"`
	Change trial.Change `json:"change"`
	Tried  bool         `json:"tried"`
	Status int          `json:"status,omitempty"` // of the request with the fix
	Works  bool         `json:"works"`
	Error  string       `json:"error,omitempty"` // why it could not be made
}

func (o outcome) json() outcomeJSON {
	out := outcomeJSON{
		App: o.app.App, World: o.world.World, Mistake: o.world.Mistake,
		Diagnosed: o.diagnosed(), Cause: o.diagnosis.Cause, Certainty: o.diagnosis.Certainty, Right: o.right(),
	}
	out.Truth, _ = o.world.truth(o.app)
	if o.fail != nil {
		out.Error = o.fail.Error()
	}
	if o.diagnosis.Words != "" {
		out.Fix = &fixJSON{
			Words: o.diagnosis.Words, Change: o.diagnosis.Change,
			Tried: o.fix.tried, Status: o.fix.status, Works: o.fix.works(),
		}
		if o.fix.fail != nil {
			out.Fix.Error = o.fix.fail.Error()
		}
	}
	return out
}
