package plugin

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMethodsAreRemembered(t *testing.T) {
	var m methods
	id := func(n int) string { return fmt.Sprintf("%032x", n) }
	for n := range 3 * maxMethods {
		m.keep(id(n), "PUT")
	}
	assert.Len(t, m.byID, maxMethods)
	assert.Empty(t, m.of(id(2*maxMethods-1)), "the oldest is forgotten")
	assert.Equal(t, "PUT", m.of(id(2*maxMethods)))

	m.keep(id(2*maxMethods), "GET")
	assert.Equal(t, "GET", m.of(id(2*maxMethods)))
	assert.Equal(t, "PUT", m.of(id(2*maxMethods+1)), "kept again, it takes no other's room")
	m.keep(id(1), "PURGE")
	assert.Equal(t, "PURGE", m.of(id(1)))
	assert.Empty(t, m.of(id(2*maxMethods)))
	for _, bad := range []string{"", "aa", fmt.Sprintf("%031xg", 1)} {
		m.keep(bad, "GET")
		assert.Empty(t, m.of(bad), bad)
	}
	m.keep(id(2), "A-METHOD-THAT-IS-FAR-TOO-LONG-TO-BE-ONE")
	assert.Empty(t, m.of(id(2)))
}
