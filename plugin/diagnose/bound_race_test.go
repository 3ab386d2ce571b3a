//go:build race

package diagnose

import "time"

// explainBound leaves room for the race detector.
const explainBound = 100 * time.Millisecond
