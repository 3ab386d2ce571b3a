package main

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"

	"diag405/examples/trial"
)

// found makes an outcome: in a set-up with a mistake for which strip-path is right,
// the diagnosis "CAUSE;CERTAINTY" and the status of the request with the fix.
type found struct {
	mistake, cause, certainty string
	underivable               bool
	fix                       int // 0: none to try
}

func (f found) outcome() outcome {
	derivable := !f.underivable
	w := &world{World: "w", Mistake: f.mistake, Truth: []string{"strip-path", "trailing-slash"}, Derivable: &derivable, Request: trial.Request{Method: "GET"}}
	return outcome{
		pair: pair{&application{App: "a"}, w}, refused: true, diagnosis: trial.Diagnosis{Cause: f.cause, Certainty: f.certainty},
		fix: fixOutcome{tried: f.fix != 0, status: f.fix},
	}
}

func TestWhatIsCounted(t *testing.T) {
	for _, test := range []struct {
		name  string
		found found
		want  string
	}{
		{"right and proven", found{mistake: "gateway", cause: "strip-path", certainty: "confirmed", fix: 200}, "said 1 of 1, confirmed 1 of 1, blamed 0 of 0, found 1 of 1, fix 1 of 1"},
		{"right as well", found{mistake: "gateway", cause: "trailing-slash", certainty: "likely", fix: 422}, "said 1 of 1, confirmed 0 of 0, blamed 0 of 0, found 1 of 1, fix 1 of 1"},
		{"right, but only possible", found{mistake: "gateway", cause: "strip-path", certainty: "possible"}, "said 0 of 0, confirmed 0 of 0, blamed 0 of 0, found 0 of 1, fix 0 of 0"},
		{"wrong and said to be proven", found{mistake: "gateway", cause: "prefix-kept", certainty: "confirmed", fix: 404}, "said 0 of 1, confirmed 0 of 1, blamed 0 of 0, found 0 of 1, fix 0 of 1"},
		{"nobody could tell", found{mistake: "gateway", cause: "unknown", certainty: "possible", underivable: true}, "said 0 of 0, confirmed 0 of 0, blamed 0 of 0, found 0 of 0, fix 0 of 0"},
		{"a gateway that is right", found{mistake: "none", cause: "prefix-kept", certainty: "likely", fix: 500}, "said 0 of 1, confirmed 0 of 0, blamed 1 of 1, found 0 of 0, fix 0 of 1"},
		{"a gateway that may be wrong", found{mistake: "none", cause: "prefix-kept", certainty: "possible"}, "said 0 of 0, confirmed 0 of 0, blamed 0 of 1, found 0 of 0, fix 0 of 0"},
		{"the client's mistake", found{mistake: "client", cause: "trailing-slash", certainty: "likely", fix: 405}, "said 1 of 1, confirmed 0 of 0, blamed 0 of 1, found 0 of 0, fix 0 of 1"},
	} {
		var f figures
		f.add(test.found.outcome())
		assert.Equal(t, test.want, f.short(), test.name)
		assert.Equal(t, 1, f.Refused)
	}
}

var percentages = regexp.MustCompile(` \([^)]*\)`)

// short are the shares without percentages.
func (f figures) short() string {
	return percentages.ReplaceAllString(f.shares(), "")
}

func TestWhatIsCountedApart(t *testing.T) {
	var f figures
	passed := found{mistake: "none", cause: "strip-path", certainty: "confirmed", fix: 200}.outcome()
	passed.refused = false
	f.add(passed)
	assert.Equal(t, figures{}, f, "no 405, nothing to explain")
	failed := passed
	failed.fail = assert.AnError
	f.add(failed)
	f.add(found{mistake: "gateway"}.outcome())
	assert.Equal(t, figures{Refused: 1, NotDiagnosed: 1, NotRun: 1}, f)
}

// A fix that cannot be made is one that fails.
func TestFixThatCannotBeMade(t *testing.T) {
	o := found{mistake: "gateway", cause: "strip-path", certainty: "likely"}.outcome()
	o.fix = fixOutcome{tried: true, fail: assert.AnError}
	var f figures
	f.add(o)
	assert.Equal(t, share{0, 1}, f.Fix)
}

// Where the application does not have the API, a write met the wrong program.
func TestTruth(t *testing.T) {
	w := &world{Mistake: "gateway", Truth: []string{"strip-path"}}
	with, without := measuredAs(t, "", "POST /api/v1/orders"), measuredAs(t, "", "GET /")
	for _, test := range []struct {
		app     *application
		method  string
		causes  []string
		gateway bool
	}{
		{with, "POST", []string{"strip-path"}, true},
		{without, "GET", []string{"strip-path"}, true},
		{without, "DELETE", []string{"wrong-upstream", "method-not-allowed"}, false},
	} {
		w.Request.Method = test.method
		causes, gateway := w.truth(test.app)
		assert.Equal(t, test.causes, causes)
		assert.Equal(t, test.gateway, gateway)
	}
}

func TestBounds(t *testing.T) {
	good := figures{Refused: 200, Said: share{95, 100}, Confirmed: share{99, 100}, Blamed: share{1, 200}, Found: share{9, 10}, Fix: share{97, 100}}
	assert.Empty(t, good.misses(withProbe))
	assert.Equal(t, "frameworks: 405s 200, said 95 of 100, confirmed 99 of 100, blamed 1 of 200, found 9 of 10, fix 97 of 100", good.String())
	for _, worse := range []func(*figures){
		func(f *figures) { f.Said.Part-- },
		func(f *figures) { f.Confirmed.Part-- },
		func(f *figures) { f.Blamed.Part++ },
		func(f *figures) { f.Found.Part-- },
		func(f *figures) { f.Fix.Part-- },
		func(f *figures) { f.Said = share{} },
		func(f *figures) { f.Blamed = share{} },
	} {
		f := good
		worse(&f)
		assert.Len(t, f.misses(withProbe), 1, "%v", f)
	}
}
