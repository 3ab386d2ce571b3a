package cost

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestCall(t *testing.T) {
	for function, want := range map[string]time.Duration{
		"kong.nginx.get_var":           5 * time.Microsecond,
		"kong.request.get_method":      10 * time.Microsecond,
		"kong.router.get_route":        20 * time.Microsecond,
		"kong.log.notice":              80 * time.Microsecond,
		"kong.log.set_serialize_value": 30 * time.Microsecond,
		"kong.response.set_header":     10 * time.Microsecond,
		"kong.response.set_headers":    20 * time.Microsecond,
	} {
		assert.Equal(t, want, Call(function), function)
	}
}

// Nothing makes the time shorter that is spent, and nothing is spent of none.
func TestSpend(t *testing.T) {
	const d = 2 * time.Millisecond
	Spend(0) // finds out how fast the machine is
	start := time.Now()
	Spend(d)
	assert.GreaterOrEqual(t, time.Since(start), d*8/10)
	start = time.Now()
	Spend(-time.Hour)
	assert.Less(t, time.Since(start), time.Minute)
}
