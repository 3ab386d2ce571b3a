package router_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"diag405/kong/config"
	"diag405/kong/measured"
	"diag405/kong/router"
)

var flavours = map[string]measured.Set{
	"traditional_compatible": measured.Routing, "traditional": measured.Traditional, "expressions": measured.Expressions,
}

// BenchmarkMatch replays everything that was measured of a flavour: one operation
// is all its requests, each to its own configuration.
func BenchmarkMatch(b *testing.B) {
	type pair struct {
		router *router.Router
		req    router.Request
	}
	for name, set := range flavours {
		var all []pair
		for _, s := range scenarios(b, set) {
			r := newMeasured(b, s)
			for _, one := range s.Requests {
				all = append(all, pair{r, request(one)})
			}
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				for _, p := range all {
					p.router.Match(p.req)
				}
			}
		})
	}
}

// BenchmarkNew compiles all configurations of a flavour.
func BenchmarkNew(b *testing.B) {
	for name, set := range flavours {
		var all []*config.Config
		for _, s := range scenarios(b, set) {
			cfg, err := config.Parse(s.Kong, config.For(config.Flavor(s.Flavor)))
			require.NoError(b, err)
			all = append(all, cfg)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				for _, cfg := range all {
					if _, err := router.New(cfg); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
