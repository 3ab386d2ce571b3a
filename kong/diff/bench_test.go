package diff

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"diag405/kong/config"
	"diag405/kong/measured"
)

// With many routes: one that changes, one that all others come near, a new host behind
// every service, and a plugin for everything.
func BenchmarkCompare(b *testing.B) {
	const routes = 5000
	mixed, regexes := measured.Mixed(routes), measured.Regexes(routes)
	for _, bb := range []struct {
		name          string
		before, after []byte
	}{
		{"one", mixed, bytes.Replace(mixed, []byte("/team-70/api]"), []byte("/team-70/apis]"), 1)},
		{"one of expressions", regexes, bytes.Replace(regexes, []byte("docs-2'"), []byte("docs-2$'"), 1)},
		{"catch-all", mixed, append(bytes.Clone(mixed), "routes: [{name: all, paths: [/], service: {name: service-1}}]\n"...)},
		{"all services", mixed, bytes.ReplaceAll(mixed, []byte(".internal:8080"), []byte(".internal:8081"))},
		{"all routes", mixed, append(bytes.Clone(mixed), "plugins: [{name: request-transformer, config: {http_method: PUT}}]\n"...)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			before, err := config.Parse(bb.before)
			require.NoError(b, err)
			after, err := config.Parse(bb.after)
			require.NoError(b, err)
			for b.Loop() {
				r, err := Compare(before, after, Options{})
				require.NoError(b, err)
				b.ReportMetric(float64(r.Asked), "requests")
				b.ReportMetric(float64(len(r.Changes)), "changes")
			}
		})
	}
}
