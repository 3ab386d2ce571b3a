package forecast_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"diag405/kong/config"
	"diag405/kong/forecast"
	"diag405/kong/measured"
)

// BenchmarkOf says what becomes of one request to a configuration of many routes,
// which are compiled for it each time.
func BenchmarkOf(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 50_000} {
		cfg, err := config.Parse(measured.Mixed(n))
		require.NoError(b, err)
		b.Run(fmt.Sprintf("mixed/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f, err := forecast.Of(cfg, forecast.Request{Method: "GET", Target: "/team-20/api/x", Host: "a.example", Scheme: "http"})
				require.NoError(b, err)
				require.NotNil(b, f.Match)
			}
		})
	}
}
