package lua

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Patterns that have no regular expression here are refused, not passed over.
func TestPatterns(t *testing.T) {
	for _, pattern := range []string{"%b()", "%f[%w]", "[%W]", "%1"} {
		_, err := Pattern(pattern)
		assert.ErrorContains(t, err, "is not modelled", pattern)
	}
	tests := []struct {
		pattern, text string
		want          bool
	}{
		{"^x*$", "xxx", true}, {"a-b", "aab", true}, {"^[^,]+$", "a,b", false}, {"^[a-c]$", "b", true},
		{"^[a%-c]$", "b", false}, {"^[%a_]$", "_", true}, {"^.$", "\n", true}, {"%%", "5%", true}, {"^%s$", "\v", true},
		{"a$b", "a$b", true}, {"^%p$", "`", true}, {"^{}$", "{}", true}, {"^%D$", "1", false},
	}
	for _, tt := range tests {
		p, err := Pattern(tt.pattern)
		require.NoError(t, err, tt.pattern)
		assert.Equal(t, tt.want, p.MatchString(tt.text), "%s on %q", tt.pattern, tt.text)
	}
}
