package plugin

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"diag405/plugin/diagnose"
)

func TestUntil(t *testing.T) {
	for name, tt := range map[string]struct {
		explain func() diagnose.Diagnosis
		fails   string
	}{
		"at once": {func() diagnose.Diagnosis { return diagnose.Diagnosis{Cause: "c"} }, ""},
		"panic":   {func() diagnose.Diagnosis { panic("oh") }, "bug: oh, in plugin.TestUntil"},
		"error": {func() diagnose.Diagnosis {
			var none *diagnose.Endpoint
			return diagnose.Diagnosis{Cause: diagnose.Code(none.Path)}
		}, "bug: runtime error"},
	} {
		d, err := until(t.Context(), tt.explain)
		if tt.fails == "" {
			assert.NoError(t, err, name)
			assert.EqualValues(t, "c", d.Cause, name)
		} else {
			assert.ErrorContains(t, err, tt.fails, name)
		}
	}
}

// On a machine without a free processor a diagnosis is late, and comes.
func TestLateDiagnosis(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		d, err := until(ctx, func() diagnose.Diagnosis {
			time.Sleep(900 * time.Millisecond)
			return diagnose.Diagnosis{Cause: "c"}
		})
		assert.NoError(t, err)
		assert.EqualValues(t, "c", d.Cause)
	})
}

// A diagnosis that does not end delays an answer for a second more than it may be, and
// after some of those no other.
func TestDiagnosisThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		hang := func() (time.Duration, error) {
			begun := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := until(ctx, func() diagnose.Diagnosis { <-release; return diagnose.Diagnosis{} })
			return time.Since(begun), err
		}
		for range maxOverdue {
			took, err := hang()
			assert.EqualError(t, err, "it took too long")
			assert.Equal(t, 2*time.Second, took)
		}
		took, err := hang()
		assert.EqualError(t, err, "bug: others do not come to an end")
		assert.Zero(t, took)
		close(release)
		synctest.Wait()
		assert.Zero(t, overdue.Load())
		_, err = hang()
		assert.NoError(t, err)
	})
}
