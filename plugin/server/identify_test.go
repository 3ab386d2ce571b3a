package server

import (
	"context"
	"net"
	"path/filepath"
	"testing"

	"github.com/Kong/go-pdk"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestIdentify(t *testing.T) {
	p := script(func(*pdk.PDK) {})
	p.Name, p.Version, p.Priority = "scripted", "1.2.3", -7
	l, err := p.Listen(filepath.Join(t.TempDir(), "s"))
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Serve(ctx) }()
	got, err := Identify(t.Context(), l.Path)
	require.NoError(t, err)
	assert.Equal(t, Identity{Name: "scripted", Version: "1.2.3", Priority: -7, Phases: phaseNames(p.New())}, got)
	stop()
	assert.NoError(t, <-ended)
	_, err = Identify(t.Context(), l.Path)
	assert.ErrorContains(t, err, "no such file")
}

// A server that answers nothing, or something else, is told from one that is away.
func TestIdentifyAnother(t *testing.T) {
	for _, answer := range []string{"", "\x02\x00\x00\x00\x08\x01", "\x03\x00\x00\x00\xff\xff\xff"} {
		socket := filepath.Join(t.TempDir(), "s")
		l, err := net.Listen("unix", socket)
		require.NoError(t, err)
		go func() {
			if conn, err := l.Accept(); err == nil {
				conn.Read(make([]byte, 64))
				conn.Write([]byte(answer))
				conn.Close()
			}
		}()
		_, err = Identify(t.Context(), socket)
		assert.ErrorIs(t, err, ErrNotOurs, "%q", answer)
		l.Close()
	}
}
