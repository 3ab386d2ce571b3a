package completion

import (
	"net/http"
	"slices"
	"strings"

	"diag405/cmd/diag405/cli"
	"diag405/docs"
)

// Candidate is what a word may become.
type Candidate struct{ Word, Meaning string }

// String is the candidate as the scripts read it.
func (c Candidate) String() string { return strings.TrimSuffix(c.Word+"\t"+c.Meaning, "\t") }

// files stands for the names of files, which a shell knows best.
var files = Candidate{Word: ":files"}

// Complete returns what the last of the words may become; the others are those before
// it on the command line, behind the program.
func Complete(commands []cli.Command, root cli.Command, words []string) []Candidate {
	if len(words) == 0 {
		return nil
	}
	at := slices.IndexFunc(commands, func(c cli.Command) bool { return c.Name == words[0] })
	switch {
	case len(words) == 2 && words[0] == "help":
		return beginning(words[1], named(commands))
	case len(words) > 1 && at >= 0:
		return beginning(words[len(words)-1], within(cli.Describe(commands[at].Run), words[1:]))
	case strings.HasPrefix(words[0], "-"):
		return beginning(words[len(words)-1], within(cli.Describe(root.Run), words))
	case len(words) == 1:
		return beginning(words[0], named(commands))
	}
	return nil
}

func named(commands []cli.Command) []Candidate {
	var list []Candidate
	for _, c := range commands {
		list = append(list, Candidate{c.Name, c.Summary})
	}
	return list
}

// beginning are the candidates that go on from what is typed.
func beginning(typed string, list []Candidate) []Candidate {
	return slices.DeleteFunc(list, func(c Candidate) bool { return c != files && !strings.HasPrefix(c.Word, typed) })
}

// within is what the last of a command's words may be, whatever of it is typed.
func within(d cli.Description, words []string) []Candidate {
	place, value := 0, ""
	for _, word := range words[:len(words)-1] {
		switch flag, isFlag := flagOf(d, word); {
		case value != "":
			value = "" // this was the value
		case word == "--", word == "curl":
			return nil // what comes is curl's
		case isFlag && !strings.Contains(word, "="):
			value = flag.Value
		case !isFlag:
			place++
		}
	}
	typed := words[len(words)-1]
	name, _, hasValue := strings.Cut(typed, "=")
	flag, isFlag := flagOf(d, name)
	switch {
	case value != "":
		return valued("", value)
	case hasValue && isFlag:
		return valued(name+"=", flag.Value)
	case strings.HasPrefix(typed, "-"):
		return flagged(d, typed)
	}
	word := strings.TrimSuffix(wordAt(d, place), "...")
	if word == "PATH" {
		return nil // a request's, and no file's
	}
	return valued("", word)
}

// flagOf is the flag that a word names, with one dash or two, and maybe a value.
func flagOf(d cli.Description, word string) (cli.Flag, bool) {
	name, _, _ := strings.Cut(word, "=")
	for _, f := range d.Flags {
		if name == "-"+f.Name || name == "--"+f.Name {
			return f, true
		}
	}
	return cli.Flag{}, strings.HasPrefix(word, "-") && word != "-"
}

func flagged(d cli.Description, typed string) []Candidate {
	dash := "-"
	if strings.HasPrefix(typed, "--") {
		dash = "--"
	}
	var list []Candidate
	for _, f := range d.Flags {
		list = append(list, Candidate{dash + f.Name, f.Meaning})
	}
	return append(list, Candidate{dash + "h", "the usage"})
}

// wordAt is the word of a usage at a place: the last one again and again, when that
// ends in an ellipsis.
func wordAt(d cli.Description, place int) string {
	last := len(d.Words) - 1
	switch {
	case place <= last:
		return d.Words[place]
	case last >= 0 && strings.HasSuffix(d.Words[last], "..."):
		return d.Words[last]
	}
	return ""
}

// kinds are what usages call something that is one of a few.
var kinds = map[string]func() []string{
	"CAUSE": docs.CauseNames,
	"METHOD": func() []string {
		return []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}
	},
}

// valued are the candidates for what a usage calls a value or a word: FILE, CAUSE,
// text|json. They are put behind what is typed already.
func valued(before, value string) []Candidate {
	var list []Candidate
	switch {
	case slices.Contains([]string{"FILE", "DIR", "PATH"}, value):
		return []Candidate{files}
	case kinds[value] != nil:
		for _, word := range kinds[value]() {
			list = append(list, Candidate{Word: before + word})
		}
	case strings.Contains(value, "|"):
		for word := range strings.SplitSeq(value, "|") {
			list = append(list, Candidate{Word: before + word})
		}
	}
	return list
}
