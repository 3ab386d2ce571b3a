package report

import (
	"context"

	"diag405/cmd/diag405/cli"
	"diag405/plugin/logread"
)

// Watch returns what follows logs as -f does, through rotation too, until its context
// ends or, of stdin alone, until that does. It hands every line to add, one after the
// other, also those that are there at the start; a line may be used again afterwards.
// A file that is not there, and stdin that is a terminal, are errors.
func Watch(files []string, std cli.Streams, add func(line []byte)) (follow func(context.Context) error, err error) {
	judge, err := logread.NewJudge(logread.Options{})
	if err != nil {
		return nil, err
	}
	r := newReader(&options{follow: true, files: files}, judge, std)
	r.add = add
	return r.followAll, r.check()
}
