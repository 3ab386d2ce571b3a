package forecast

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"diag405/kong/config"
)

func TestInOrder(t *testing.T) {
	var list []*config.Plugin
	for _, name := range []string{"diag405", "request-termination", "ours", "also-ours", "cors", "post-function", "pre-function"} {
		list = append(list, &config.Plugin{Name: name})
	}
	inOrder(list)
	var got []string
	for _, p := range list {
		got = append(got, p.Name)
	}
	assert.Equal(t, []string{"pre-function", "cors", "request-termination", "ours", "also-ours", "post-function", "diag405"}, got)
}

// The tables name a plugin once, with where it is known from.
func TestTables(t *testing.T) {
	seen := map[string]bool{}
	for _, list := range [][]Plugin{plugins, enterprise} {
		for _, p := range list {
			assert.False(t, seen[p.Name], "%s is there twice", p.Name)
			seen[p.Name] = true
			assert.NotEmpty(t, p.Source, p.Name)
			if p.Ends == Always {
				assert.NotEmpty(t, p.Does, "%s: an answer is said to be what it does", p.Name)
			}
		}
	}
}
