package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"diag405/kong/config"
	"diag405/kong/lint"
	"diag405/kong/lint/deck"
	"diag405/plugin/openapi"
)

const lintUsage = `Usage: diag405 lint [flags] FILE

Finds what in a declarative configuration (Kong's or decK's, YAML or JSON; - is
stdin) sends requests to the wrong place, or very likely does. docs/lint.md
explains each finding.

  -openapi FILE          also prove for every operation of this document (OpenAPI 3,
                         Swagger 2) which request leads to it
  -service NAME          the service that the document describes (default: the only one)
  -o FORMAT              text, json or sarif (default text)
  -fail-on SEVERITY      the least that makes the exit code 1: error, warning or info
                         (default warning)
  -ignore ID[:OBJECT]    leave out a finding, of one object by name or id; repeatable.
                         The tag diag405:ignore=ID on a route or service does the same
  -response-phase NAME   a plugin of yours with a response phase; repeatable

Exit code: 0 nothing found, 1 findings, 2 it cannot run.

Examples:
  diag405 lint kong.yml
  diag405 lint kong.yml -openapi openapi.yaml -service weather -o sarif
`

// lintOptions are the command's flags.
type lintOptions struct {
	file             string
	openapi, service string
	format           string
	failOn           lint.Severity
	ignore           []lint.Ignore
	responsePhase    []string
}

// lintResult is everything that is shown.
type lintResult struct {
	file       string
	findings   []lint.Finding
	lines      map[lint.Object]int // where objects begin in the file, as far as known
	proofs     []lint.Proof
	openapi    string
	service    string
	operations bool // there is a document
}

func runLint(args []string, std streams) int {
	o, err := lintFlags(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(std.out, lintUsage)
		return exitOK
	}
	if err != nil {
		return cannot(std, "lint: %v; diag405 lint -h shows the usage", err)
	}
	result, err := o.run(std.in)
	if err != nil {
		return cannot(std, "lint: %v", err)
	}
	if err := lintFormats[o.format](result, newScreen(std.out)); err != nil {
		return cannot(std, "lint: writing the findings: %v", err)
	}
	for _, f := range result.findings {
		if f.Severity.AtLeast(o.failOn) {
			return exitFailed
		}
	}
	return exitOK
}

// lintFormats are what -o takes.
var lintFormats = map[string]func(*lintResult, *screen) error{
	"text":  lintText,
	"json":  lintJSON,
	"sarif": lintSARIF,
}

// lintFlags reads flags before and behind the file.
func lintFlags(args []string) (lintOptions, error) {
	o := lintOptions{format: "text", failOn: lint.Warning}
	flags := newFlags("lint")
	flags.StringVar(&o.openapi, "openapi", "", "")
	flags.StringVar(&o.service, "service", "", "")
	flags.StringVar(&o.format, "o", o.format, "")
	flags.StringVar((*string)(&o.failOn), "fail-on", string(o.failOn), "")
	flags.Func("ignore", "", func(s string) error {
		i, err := lint.ParseIgnore(s)
		o.ignore = append(o.ignore, i)
		return err
	})
	flags.Func("response-phase", "", func(s string) error {
		o.responsePhase = append(o.responsePhase, s)
		return nil
	})
	files, err := parseAround(flags, args)
	if err != nil {
		return o, err
	}
	switch {
	case len(files) == 0:
		return o, errors.New("which file?")
	case len(files) > 1:
		return o, fmt.Errorf("unexpected argument %q", files[1])
	case lintFormats[o.format] == nil:
		return o, fmt.Errorf("-o %q should be text, json or sarif", o.format)
	case o.failOn != lint.Error && o.failOn != lint.Warning && o.failOn != lint.Info:
		return o, fmt.Errorf("-fail-on %q should be error, warning or info", string(o.failOn))
	case o.service != "" && o.openapi == "":
		return o, errors.New("-service needs -openapi")
	case o.openapi == "-" && files[0] == "-":
		return o, errors.New("only one of the two files can be stdin")
	}
	o.file = files[0]
	return o, nil
}

// parseAround parses flags that stand before and behind other arguments, which it
// returns.
func parseAround(flags *flag.FlagSet, args []string) ([]string, error) {
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

func (o lintOptions) run(stdin io.Reader) (*lintResult, error) {
	data, err := readLintFile(o.file, stdin)
	if err != nil {
		return nil, err
	}
	cfg, err := parseLintConfig(data)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", o.name(), err)
	}
	options := lint.Options{Ignore: o.ignore, ResponsePhase: o.responsePhase}
	result := &lintResult{
		file:     o.name(),
		findings: lint.Lint(cfg, options),
		lines:    objectLines(data, cfg),
	}
	if o.openapi == "" {
		return result, nil
	}
	return result, o.prove(result, cfg, options, stdin)
}

// name is what to call the file.
func (o lintOptions) name() string {
	if o.file == "-" {
		return "stdin"
	}
	return o.file
}

// prove adds what becomes of the operations of the document.
func (o lintOptions) prove(result *lintResult, cfg *config.Config, options lint.Options, stdin io.Reader) error {
	service := o.service
	if service == "" && len(cfg.Services) == 1 {
		service = cfg.Services[0].ID
	}
	if service == "" {
		return errors.New("which -service does the document describe?")
	}
	operations, err := lintOperationsOf(o.openapi, stdin)
	if err != nil {
		return err
	}
	proofs, findings, err := lint.Prove(cfg, service, operations, options)
	if err != nil {
		return fmt.Errorf("-service: %w", err)
	}
	result.operations, result.openapi, result.service = true, o.openapi, lintServiceName(cfg, service)
	result.proofs = proofs
	result.findings = lint.Merge(result.findings, findings)
	return nil
}

func lintServiceName(cfg *config.Config, service string) string {
	for _, s := range cfg.Services {
		if s.ID == service && s.Name != "" {
			return s.Name
		}
	}
	return service
}

func lintOperationsOf(file string, stdin io.Reader) ([]lint.Operation, error) {
	data, err := readLintFile(file, stdin)
	if err != nil {
		return nil, err
	}
	endpoints, err := openapi.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", file, err)
	}
	var operations []lint.Operation
	for _, e := range endpoints {
		for _, method := range e.Methods {
			operations = append(operations, lint.Operation{Method: method, Path: e.Path})
		}
	}
	return operations, nil
}

// readLintFile reads a file, or stdin for "-".
func readLintFile(file string, stdin io.Reader) ([]byte, error) {
	data, err := readInput(file, stdin)
	var pathError *os.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err // without the path, which is named once
	}
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", file, err)
	}
	return data, nil
}

// parseLintConfig reads a configuration of Kong's or decK's.
func parseLintConfig(data []byte) (*config.Config, error) {
	data, err := deck.Expand(data, os.LookupEnv)
	if err != nil {
		return nil, err
	}
	cfg, err := config.Parse(data)
	if err != nil {
		return nil, errors.New(oneLine(err))
	}
	return cfg, nil
}
