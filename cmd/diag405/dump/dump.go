// Package dump is the command that writes the files with which the plugins are
// described to Kong.
package dump

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"diag405/cmd/diag405/cli"
	"diag405/cmd/diag405/plugins"
	"diag405/plugin/server"
)

const usage = `Usage: diag405 dump -dir DIR [-name NAME]

Writes what Kong asks for at its start, of each plugin into a file of its own:
DIR/diag405.json and DIR/diag405-log.json. Kong needs no more than that and the
socket, with cat for its query command. The files are replaced at one go.

  -dir DIR     the folder, such as one that two containers share; made where it is missing
  -name NAME   diag405, diag405-log or both (default both)

diag405 -dump prints one of them instead.

Example:
  diag405 dump -dir /run/diag405
`

// Run writes the files, and returns the exit code.
func Run(args []string, std cli.Streams) int {
	var dir, name string
	flags := cli.NewFlags("dump")
	flags.StringVar(&dir, "dir", "", "")
	flags.StringVar(&name, "name", plugins.Both, "")
	err := cli.ParseFlags(flags, args)
	if err == nil && dir == "" {
		err = errors.New("want -dir, the folder for the files")
	}
	var names []string
	if err == nil {
		names, err = plugins.Chosen(name)
	}
	if err != nil {
		return std.BadArguments("dump", usage, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { // Kong may be another user
		return std.Cannot("dump: making the folder: %v", err)
	}
	for _, name := range names {
		file := filepath.Join(dir, name+".json")
		if err := write(file, name); err != nil {
			return std.Cannot("dump: %v", err)
		}
		fmt.Fprintln(std.Out, file)
	}
	return cli.OK
}

// write replaces a file: Kong may be reading it.
func write(file, name string) error {
	var dump bytes.Buffer
	if err := plugins.Named(name, "").Dump(&dump, server.DefaultPrefix); err != nil {
		return fmt.Errorf("describing %s: %w", name, err)
	}
	if err := replace(file, dump.Bytes()); err != nil {
		return fmt.Errorf("writing %q: %w", file, cli.WithoutPath(err))
	}
	return nil
}

func replace(file string, data []byte) (err error) {
	next, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(next.Name())
		}
	}()
	_, err = next.Write(data)
	err = errors.Join(err, next.Chmod(0o644), next.Close()) // Kong may be another user
	if err != nil {
		return err
	}
	return os.Rename(next.Name(), file)
}
