package sample

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/atc"
	"diag405/kong/config"
)

func TestSamples(t *testing.T) {
	assert.Equal(t, []string{"zz9.test", "a.zz9", "b"}, Concrete([]string{"*.test", "a.*", "b"}))
	r := &config.Route{Headers: map[string][]string{"x_a": {"1", "2"}, "b": {"c"}, "none": nil}}
	assert.Equal(t, []http.Header{{"X-A": {"1"}, "B": {"C"}}, {"X-A": {"2"}, "B": {"C"}}}, Headers(r, strings.ToUpper))
}

func TestPredicates(t *testing.T) {
	e, err := atc.Parse(`http.path ^= "/a" && !(http.method == "GET" || http.host == "h")`)
	require.NoError(t, err)
	var fields []string
	for _, p := range Predicates(e.Trace(nothing{})) {
		fields = append(fields, p.Field)
	}
	assert.Equal(t, []string{"http.path", "http.method", "http.host"}, fields)
	assert.Empty(t, Predicates(nil))
}

type nothing struct{}

func (nothing) Values(string) []atc.Value { return nil }
