package cli

import (
	"errors"
	"flag"
	"fmt"
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
		if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
			return nil, &helpError{flags}
		} else if err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return others, nil
		}
		others = append(others, flags.Arg(0))
		args = flags.Args()[1:]
	}
}

// ParseFlags parses flags where there are to be no other arguments.
func ParseFlags(flags *flag.FlagSet, args []string) error {
	others, err := Parse(flags, args)
	if err == nil && len(others) > 0 {
		err = fmt.Errorf("unexpected argument %q", others[0])
	}
	return err
}

// helpError is [flag.ErrHelp] with the flags for which it was asked.
type helpError struct{ flags *flag.FlagSet }

func (*helpError) Error() string { return flag.ErrHelp.Error() }
func (*helpError) Unwrap() error { return flag.ErrHelp }

// TextOrJSON checks what a command was given as -o.
func TextOrJSON(form string) error {
	if form != "text" && form != "json" {
		return fmt.Errorf("-o %q is not text or json", form)
	}
	return nil
}

// Texts is a flag that may be given several times.
type Texts []string

func (t *Texts) String() string { return strings.Join(*t, ", ") }

// Set adds one more.
func (t *Texts) Set(s string) error {
	*t = append(*t, s)
	return nil
}

// Own takes apart what a command is given: the flags that are its own, with their
// values, and everything else, both in order. From "--" on, which is in neither, or from
// the first words on that end accepts, nothing is a flag of the command's.
func Own(flags *flag.FlagSet, args []string, end func(words []string) bool) (own, others []string) {
	for i := 0; i < len(args); i++ {
		name, _, hasValue := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(args[i], "-"), "-"), "=")
		f := flags.Lookup(name)
		switch isHelp := name == "h" || name == "help"; {
		case args[i] == "--":
			return own, append(others, args[i+1:]...)
		case end(args[i:]):
			return own, append(others, args[i:]...)
		case !strings.HasPrefix(args[i], "-") || f == nil && !isHelp:
			others = append(others, args[i])
		case f == nil || hasValue || isSwitch(f):
			own = append(own, args[i])
		default:
			own = append(own, args[i:min(i+2, len(args))]...)
			i++
		}
	}
	return own, others
}
