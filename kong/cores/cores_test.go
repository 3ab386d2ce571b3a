package cores

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMap(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	for _, tt := range []struct {
		n, least int
		want     string
	}{
		{0, 1, "[0-0]"},
		{1, 1, "[0-1]"},
		{5, 10, "[0-5]"},
		{19, 10, "[0-19]"},
		{20, 10, "[0-10 10-20]"},
		{11, 4, "[0-5 5-11]"},
		{17, 1, "[0-2 2-4 4-6 6-8 8-10 10-12 12-14 14-17]"},
	} {
		got := Map(tt.n, tt.least, func(from, to int) string { return fmt.Sprintf("%d-%d", from, to) })
		assert.Equal(t, tt.want, fmt.Sprint(got), "%d in spans of %d and more", tt.n, tt.least)
	}
}

func TestMapPanics(t *testing.T) {
	for _, n := range []int{1, 100} {
		assert.PanicsWithValue(t, "bug", func() {
			Map(n, 1, func(_, to int) bool {
				if to == n {
					panic("bug")
				}
				return true
			})
		})
	}
}
