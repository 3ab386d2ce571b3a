package cli

import (
	"flag"
	"io"
	"strings"
)

// NewFlags returns a flag set that leaves it to the caller to say what was wrong.
func NewFlags(name string) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return flags
}

// Parse parses flags before, between and behind the other arguments, which it
// returns; package flag stops at the first of those.
func Parse(flags *flag.FlagSet, args []string) ([]string, error) {
	var others []string
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return others, nil
		}
		others = append(others, flags.Arg(0))
		args = flags.Args()[1:]
	}
}

// Texts is a flag that may be given several times.
type Texts []string

func (t *Texts) String() string { return strings.Join(*t, ", ") }

// Set adds one more.
func (t *Texts) Set(s string) error {
	*t = append(*t, s)
	return nil
}
