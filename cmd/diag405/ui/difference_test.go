package ui

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestPlaces(t *testing.T) {
	for _, tt := range []struct{ old, changed, want string }{
		{"a b c", "a b c", ""},
		{"a b c", "a x c", "2 -b +x"},
		{"a b c", "a b c d", "4 - +d"},
		{"a b c", "b c", "1 -a +"},
		{"", "a b", "1 - +a b"},
		{"a b c d e f", "a x c d e y", "2 -b +x; 6 -f +y"}, // two places, with what is between them kept
		{"a a a", "a a", "3 -a +"},
	} {
		var got []string
		for _, d := range placesOf(strings.Fields(tt.old), strings.Fields(tt.changed)) {
			got = append(got, fmt.Sprintf("%d -%s +%s", d.Line, strings.Join(d.Removed, " "), strings.Join(d.Added, " ")))
		}
		assert.Equal(t, tt.want, strings.Join(got, "; "), "%q to %q", tt.old, tt.changed)
	}
}
