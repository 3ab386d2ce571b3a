package lint

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"diag405/kong/config"
	"diag405/kong/measured"
)

// sizes are how many routes the benchmarks have.
var sizes = []int{1_000, 10_000, 50_000}

// BenchmarkLint lints routes of mixed kinds, and routes with regular expressions alone.
func BenchmarkLint(b *testing.B) {
	for name, doc := range map[string]func(int) []byte{"mixed": measured.Mixed, "regex": measured.Regexes} {
		for _, n := range sizes {
			cfg, err := config.Parse(doc(n))
			require.NoError(b, err)
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				for range b.N {
					Lint(cfg, Options{})
				}
			})
		}
	}
}
