package examples

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every module that is required is listed with its version and licence.
func TestDependenciesAreListed(t *testing.T) {
	listed := read(t, "../docs/dependencies.md")
	modules := regexp.MustCompile(`(?m)^(?:require )?\s*([a-z][\w./-]+\.[\w./-]+) (v[\w.-]+)`).FindAllStringSubmatch(read(t, "../go.mod"), -1)
	require.NotEmpty(t, modules)
	for _, m := range modules {
		assert.Contains(t, listed, "| `"+m[1]+"` | "+m[2]+" |")
	}
}
