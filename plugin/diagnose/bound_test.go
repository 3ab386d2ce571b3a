//go:build !race

package diagnose

import "time"

// explainBound is how long Explain may take, whatever it is given.
const explainBound = 5 * time.Millisecond
