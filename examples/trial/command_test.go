//go:build unix

package trial

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCommand(t *testing.T) {
	bad, good := errors.New("it is bad"), true
	for _, test := range []struct {
		prepare        error
		good           bool
		run            error
		code           int
		stdout, stderr string
	}{
		{nil, good, nil, ExitOK, "ran", ""},
		{nil, !good, nil, ExitFailed, "ran", ""},
		{nil, good, bad, ExitFailed, "ran", "try: it is bad\n"},
		{bad, good, nil, ExitCannot, "", "try: it is bad; try -h shows the usage\n"},
		{flag.ErrHelp, good, nil, ExitOK, "Usage: try", ""},
	} {
		var stdout, stderr bytes.Buffer
		code := Command{
			Name: "try", Usage: "Usage: try",
			Prepare: func([]string) error { return test.prepare },
			Run: func(_ context.Context, stdout, _ io.Writer) (bool, error) {
				_, err := io.WriteString(stdout, "ran")
				return test.good, errors.Join(test.run, err)
			},
		}.Main(nil, &stdout, &stderr)
		assert.Equal(t, test.code, code)
		assert.Equal(t, test.stdout, stdout.String())
		assert.Equal(t, test.stderr, stderr.String())
	}
}

func TestFlags(t *testing.T) {
	for _, test := range []struct {
		args    string
		want    Flags
		message string
	}{
		{"-kong go -probe -json", Flags{Kong: "go", Probe: true, JSON: true}, ""},
		{"-own x -probe", Flags{Probe: true}, ""},
		{"-colour", Flags{}, "not defined: -colour"},
		{"-kong /gone", Flags{}, "-kong: "},
		{"-plugin /gone", Flags{}, "-plugin: "},
	} {
		flags := flag.NewFlagSet("try", flag.ContinueOnError)
		own := flags.String("own", "", "")
		var got Flags
		err := got.Parse(flags, strings.Fields(test.args))
		if test.message != "" {
			assert.ErrorContains(t, err, test.message)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, test.want, got)
		assert.Equal(t, strings.Contains(test.args, "-own"), *own == "x")
	}
}

// A socket that a peer has closed is nothing to the run.
func TestBrokenPipeIsNoSignalToEnd(t *testing.T) {
	ctx, stop := untilSignal()
	defer stop()
	seen := make(chan os.Signal, 1)
	signal.Notify(seen, syscall.SIGPIPE)
	defer signal.Stop(seen)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, r.Close())
	defer w.Close()
	_, err = w.WriteString("x")
	require.ErrorIs(t, err, syscall.EPIPE)
	<-seen // and whoever else is told
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGTERM))
	<-ctx.Done()
	assert.ErrorContains(t, context.Cause(ctx), "terminated")
}
