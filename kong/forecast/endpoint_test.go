package forecast

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"diag405/kong/config"
)

func TestForEndpoint(t *testing.T) {
	tests := []struct {
		methods []string
		want    bool
	}{
		{nil, false},
		{[]string{"POST"}, true},
		{[]string{"POST", "OPTIONS"}, true},
		{[]string{"PUT", "DELETE"}, true},
		{[]string{"GET", "POST"}, false},
		{[]string{"GET"}, false},
		{[]string{"OPTIONS"}, false}, // for preflights, whatever they ask for
	}
	for _, tt := range tests {
		// What a path is called makes no difference.
		for _, path := range []string{"/hook", "/team/v1", "/api", "/a/b/c"} {
			assert.Equal(t, tt.want, ForEndpoint(&config.Route{Paths: []string{path}, Methods: tt.methods}), "%v %s", tt.methods, path)
		}
	}
	assert.False(t, ForEndpoint(nil))
}
