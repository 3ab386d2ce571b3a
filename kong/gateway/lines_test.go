package gateway

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLines(t *testing.T) {
	var l Lines
	is := func(want string) func(string) bool { return func(line string) bool { return line == want } }
	io.WriteString(&l, "one\ntw")
	line, err := l.Find(t.Context(), is("one"))
	require.NoError(t, err)
	assert.Equal(t, "one", line)

	found := make(chan string)
	go func() {
		line, _ := l.Find(t.Context(), func(line string) bool { return strings.HasPrefix(line, "t") })
		found <- line
	}()
	io.WriteString(&l, "o\n")
	assert.Equal(t, "two", <-found, "a line is one when it is whole")
	assert.Equal(t, "one\ntwo", l.String())

	over, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = l.Find(over, is("three"))
	assert.ErrorIs(t, err, context.Canceled)
}
