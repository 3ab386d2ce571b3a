package cli

import (
	"cmp"
	"flag"
	"io"
	"regexp"
	"slices"
	"strings"
)

// Description is what a command may be given, as its -h says.
type Description struct {
	Flags []Flag
	// Words are what may stand beside the flags, by place, as the first line of the
	// usage has them: METHOD, PATH. The last one may come again when it ends in an
	// ellipsis.
	Words []string
}

// Flag is one that a command takes.
type Flag struct {
	Name    string
	Value   string // what its usage calls the value: FILE, text|json; "" for a switch
	Meaning string // the first line of what its usage says
}

// Describe asks a command for its -h, and returns what it may be given: the flags are
// those that it parses, the words for them those that it prints. All that it takes is
// a command that reads its arguments with [Parse] or [ParseFlags], and ends with
// [Streams.BadArguments] or [Streams.Help] where that fails.
func Describe(run func(args []string, std Streams) int) Description {
	var d Description
	std := Streams{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard}
	std.describe = func(flags *flag.FlagSet, usage string) {
		explained := explainedFlags(usage)
		flags.VisitAll(func(f *flag.Flag) {
			known := explained[f.Name]
			if known.Name = f.Name; known.Value == "" && !isSwitch(f) {
				known.Value = "VALUE"
			}
			d.Flags = append(d.Flags, known)
		})
		d.Words = usageWords(usage)
	}
	run([]string{"-h"}, std)
	return d
}

func isSwitch(f *flag.Flag) bool {
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}

// flagLine is a flag in a usage: its name, another one, its value and what it means.
var flagLine = regexp.MustCompile(`(?m)^  -([\w-]+)(?:, -([\w-]+))?(?: ('[^']*'|\S+))?(?: {2,}(\S.*))?$`)

// explainedFlags are the flags in a usage, by name: those of its first line, and those
// that have a line of their own.
func explainedFlags(usage string) map[string]Flag {
	found := map[string]Flag{}
	for _, group := range usageGroups(usage) {
		if name, value, _ := strings.Cut(strings.TrimPrefix(group, "-"), " "); strings.HasPrefix(group, "-") {
			found[name] = Flag{Name: name, Value: value}
		}
	}
	for _, m := range flagLine.FindAllStringSubmatch(usage, -1) {
		for _, name := range m[1:3] {
			found[name] = Flag{name, m[3], strings.TrimRight(m[4], ";,:")}
		}
	}
	return found
}

// usageWords are the words of a usage's first line that are no flags.
func usageWords(usage string) []string {
	return slices.DeleteFunc(usageGroups(usage), func(group string) bool { return group == "flags" || strings.HasPrefix(group, "-") })
}

var (
	// usageLine is the first line of a usage, without the program and the command.
	usageLine = regexp.MustCompile(`^Usage: diag405 \S+ ?(.*)`)
	// grouped is [what may be left out], a flag with its value, or a word.
	grouped = regexp.MustCompile(`\[([^\]]*)\]|-\S+ \S+|\S+`)
)

// usageGroups are what a usage's first line says that there may be, one after the other.
func usageGroups(usage string) []string {
	m := usageLine.FindStringSubmatch(usage)
	if m == nil {
		return nil
	}
	var list []string
	for _, m := range grouped.FindAllStringSubmatch(m[1], -1) {
		list = append(list, cmp.Or(m[1], m[0]))
	}
	return list
}
