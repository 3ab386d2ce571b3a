package curl

import (
	"errors"
	"os"
	"regexp"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// prompt is what stands in front of a command that is copied from a document.
var prompt = regexp.MustCompile(`^\s*[$#>]\s+`)

// split takes a command apart as a shell does, with its quotes, line breaks and
// variables. Of a pipeline it is the curl in it; nothing is run, and a variable that is
// not set or a command within the command is an error.
func split(line string) ([]string, error) {
	file, err := syntax.NewParser().Parse(strings.NewReader(prompt.ReplaceAllString(line, "")), "")
	if err != nil {
		return nil, err
	}
	var call *syntax.CallExpr
	syntax.Walk(file, func(n syntax.Node) bool {
		if c, ok := n.(*syntax.CallExpr); ok && call == nil && len(c.Args) > 0 && isCurl(c.Args[0].Lit()) {
			call = c
		}
		return true
	})
	if call == nil {
		return nil, errors.New("there is no curl in it")
	}
	var words []string
	environment := &expand.Config{Env: expand.FuncEnviron(os.Getenv), NoUnset: true}
	for _, arg := range call.Args {
		// Not Fields, which would split a variable, and makes many words of {1..9}.
		word, err := expand.Literal(environment, arg)
		if err != nil {
			return nil, err
		}
		words = append(words, word)
	}
	return words, nil
}
