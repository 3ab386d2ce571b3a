// Package cost is the time that Kong takes for a request and for what a plugin
// server asks of it, as measured on a real Kong 3.9.1 (docs/performance.md): one
// worker, one connection, median. A gateway or a peer of a plugin server that takes
// none to speak of takes as long with [Spend], and then a plugin costs what it costs
// on Kong.
package cost

import (
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// Request is what a request takes without plugins.
	Request = 150 * time.Microsecond
	// Event is what one phase of a plugin takes beside what the plugin does: with
	// go-pdk's server and empty handlers a request with two phases takes 0.44 to 0.48
	// ms.
	Event = 105 * time.Microsecond
	// Wait is what it takes Kong to go on when something comes that it waited for,
	// beside the way of it: ten asks one by one take 1.26 ms, in two writes 0.72.
	Wait = 15 * time.Microsecond
)

// calls are what single functions take, by what their names begin with; the first
// that fits holds. Measured by themselves were a line of the log (80 µs), the route (20),
// the service (15) and six variables together (30, so 5 each); any other call was about
// 10. The sum is held against what was measured as a whole: six variables, route, service,
// a line and the status took 1.50 to 1.64 times as long as empty handlers, and with these
// BenchmarkCost/typical in plugin/server does. (With 10 for a variable it was 1.64 to
// 1.66.) On another machine the same calls took 1.36 times as long: these are the dearer.
//
// The record and the tables of headers were not measured by themselves: the record is long
// and encoded anew for each call, so it counts as a line of the log, and a table as two
// values.
var calls = []struct {
	prefix string
	takes  time.Duration
}{
	{"kong.log.serialize", 80 * time.Microsecond},
	{"kong.log.set_serialize_value", 30 * time.Microsecond},
	{"kong.log.", 80 * time.Microsecond},
	{"kong.nginx.get_var", 5 * time.Microsecond},
	{"kong.router.get_route", 20 * time.Microsecond},
	{"kong.router.get_service", 15 * time.Microsecond},
	{"kong.request.get_headers", 20 * time.Microsecond},
	{"kong.response.get_headers", 20 * time.Microsecond},
	{"kong.response.set_headers", 20 * time.Microsecond},
}

// Call is what Kong takes for a call of a function of its PDK.
func Call(function string) time.Duration {
	for _, c := range calls {
		if strings.HasPrefix(function, c.prefix) {
			return c.takes
		}
	}
	return 10 * time.Microsecond
}

// Spend takes time as Kong does, at work: a timer would not wake up in time, and would
// leave the processor to others. It is the work of that long on a machine with nothing
// else to do, so that what else this one does slows it down as it slows a plugin.
func Spend(d time.Duration) { work(int(float64(max(d, 0)) * rate())) }

// rate is how much work a nanosecond takes: the most that was done in any of many tries,
// most of which others may have got in the way of.
var rate = sync.OnceValue(func() float64 {
	const tries, amount = 200, 20_000
	best := time.Duration(math.MaxInt64)
	for range tries {
		start := time.Now()
		work(amount)
		best = min(best, time.Since(start))
	}
	return amount / float64(best)
})

// result keeps the work from being left out.
var result atomic.Uint64

func work(n int) {
	x := uint64(n)
	for range n {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	result.Store(x)
}
