package trial

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestOneLine(t *testing.T) {
	assert.Equal(t, "a; b", OneLine(errors.Join(errors.New("a"), errors.New("b\n"))))
}
