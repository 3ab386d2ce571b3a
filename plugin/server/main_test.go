package server

import (
	"context"
	"flag"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	gopdk "github.com/Kong/go-pdk/server"
	"github.com/stretchr/testify/require"
)

// The test binary is a plugin server itself when it is started under one of these
// names, which spares building one.
const (
	oursName    = "ours"
	goPDKName   = "go-pdk"
	emptyName   = "empty"
	diag405Name = "diag405"
	logName     = "diag405-log"
)

func TestMain(m *testing.M) {
	var err error
	switch filepath.Base(os.Args[0]) {
	case oursName:
		err = startOurs(newTalker, os.Args[1:])
	case goPDKName:
		err = gopdk.StartServer(newTalker, "0.1.0", 5)
	case emptyName:
		err = gopdk.StartServer(newEmpty, "0.1.0", 5)
	case diag405Name:
		err = startOurs(annotating, os.Args[1:])
	case logName:
		err = startOurs(logging, os.Args[1:])
	default:
		os.Setenv("GORACE", "atexit_sleep_ms=0") // for processes that end
		code := m.Run()
		removeGoPDK()
		os.Exit(code)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// startOurs is what go-pdk's StartServer does, with this package's server.
func startOurs(constructor func() any, args []string) error {
	flags := flag.NewFlagSet(oursName, flag.ExitOnError)
	prefix := flags.String("kong-prefix", DefaultPrefix, "")
	dump := flags.Bool("dump", false, "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	p := Plugin{New: constructor, Version: "0.1.0", Priority: 5}
	if *dump {
		return p.Dump(os.Stdout, *prefix)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	return p.Serve(ctx, *prefix)
}

// executable is a plugin server's executable: a hard link, since go-pdk looks through
// others.
func executable(t testing.TB, name string) string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), name)
	if os.Link(self, path) == nil {
		return path
	}
	data, err := os.ReadFile(self)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, data, 0o755))
	return path
}
