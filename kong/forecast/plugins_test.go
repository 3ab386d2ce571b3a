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
