package main

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Certainties of a diagnosis that says a cause, and does not only offer it.
const (
	likely    = "likely"
	confirmed = "confirmed"
)

// right reports whether the diagnosis names a cause that is right.
func (o outcome) right() bool {
	causes, _ := o.world.truth(o.app)
	return slices.Contains(causes, o.diagnosis.Cause)
}

// said reports whether the diagnosis stands by its cause.
func (o outcome) said() bool {
	return o.diagnosis.Certainty == likely || o.diagnosis.Certainty == confirmed
}

// diagnosed reports whether there is a diagnosis.
func (o outcome) diagnosed() bool { return o.diagnosis.Cause != "" }

// blames reports whether the diagnosis stands by a mistake of the gateway.
func (o outcome) blames() bool {
	return o.said() && slices.Contains(gatewayCauses, o.diagnosis.Cause)
}

// share is how many of how many.
type share struct{ Part, Of int }

// add counts one of the whole, and of the part where it belongs to it.
func (s *share) add(belongs bool) {
	s.Of++
	if belongs {
		s.Part++
	}
}

// percent is 0 where nothing was counted.
func (s share) percent() float64 { return 100 * float64(s.Part) / float64(max(s.Of, 1)) }

func (s share) String() string { return fmt.Sprintf("%d of %d", s.Part, s.Of) }

// MarshalJSON writes the part, the whole and the percentage.
func (s share) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"part": s.Part, "of": s.Of, "percent": s.percent()})
}

// figures are what is counted, as the README says.
type figures struct {
	Refused      int   `json:"405s"`
	NotDiagnosed int   `json:"not_diagnosed"` // of these; in no share
	NotRun       int   `json:"not_run"`
	Said         share `json:"said"`
	Confirmed    share `json:"confirmed"`
	Blamed       share `json:"blamed"`
	Found        share `json:"found"`
	Fix          share `json:"fix"`
}

// add counts an outcome.
func (f *figures) add(o outcome) {
	switch {
	case o.fail != nil:
		f.NotRun++
		return
	case !o.refused:
		return
	}
	f.Refused++
	if !o.diagnosed() {
		f.NotDiagnosed++
		return
	}
	if o.said() {
		f.Said.add(o.right())
	}
	if o.diagnosis.Certainty == confirmed {
		f.Confirmed.add(o.right())
	}
	switch _, gateway := o.world.truth(o.app); {
	case !gateway:
		f.Blamed.add(o.blames())
	case o.world.derivable():
		f.Found.add(o.said() && o.right())
	}
	if o.fix.tried {
		f.Fix.add(o.fix.works())
	}
}

func (f figures) String() string {
	return fmt.Sprintf("frameworks: 405s %d, %s", f.Refused, f.shares())
}

func (f figures) shares() string {
	return fmt.Sprintf("said %v, confirmed %v, blamed %v, found %v, fix %v", f.Said, f.Confirmed, f.Blamed, f.Found, f.Fix)
}

// percents are the shares again, for people.
func (f figures) percents() string {
	return fmt.Sprintf("in percent: said %.1f, confirmed %.1f, blamed %.1f, found %.1f, fix %.1f",
		f.Said.percent(), f.Confirmed.percent(), f.Blamed.percent(), f.Found.percent(), f.Fix.percent())
}

// bounds are what the figures are not to miss, in percent: blamed is the most, the
// others the least.
type bounds struct{ said, confirmed, blamed, found, fix float64 }

// The bounds of the project's set-ups: likely is to be right nine times in ten and
// confirmed always, whether or not the upstream may be asked.
var (
	withProbe    = bounds{said: 95, confirmed: 99, blamed: 0.5, found: 90, fix: 97}
	withoutProbe = bounds{said: 92, confirmed: 99, blamed: 1, found: 50, fix: 92}
)

// misses says which bounds the figures miss. A share of nothing misses its bound: it
// shows nothing.
func (f figures) misses(b bounds) []string {
	var list []string
	for _, c := range []struct {
		name  string
		share share
		least float64
	}{{"said", f.Said, b.said}, {"confirmed", f.Confirmed, b.confirmed}, {"found", f.Found, b.found}, {"fix", f.Fix, b.fix}} {
		if c.share.Of == 0 || c.share.percent() < c.least {
			list = append(list, fmt.Sprintf("%s %v, %.1f %%, is less than %v %%", c.name, c.share, c.share.percent(), c.least))
		}
	}
	if f.Blamed.Of == 0 || f.Blamed.percent() > b.blamed {
		list = append(list, fmt.Sprintf("blamed %v, %.1f %%, is more than %v %%", f.Blamed, f.Blamed.percent(), b.blamed))
	}
	return list
}

// notDiagnosed says what was counted apart.
func (f figures) notDiagnosed() string {
	return fmt.Sprintf("not diagnosed: %d, left unbuffered (event streams and the like) and so without headers; diag405-log explains these", f.NotDiagnosed)
}
