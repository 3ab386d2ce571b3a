// Package lint is the command that finds what in a configuration leads to 405s.
package lint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"diag405/cmd/diag405/cli"
	"diag405/cmd/diag405/source"
	"diag405/kong/config"
	"diag405/kong/lint"
	"diag405/kong/mend"
	"diag405/plugin/openapi"
)

var usage = `Usage: diag405 lint [flags] FILE...
       diag405 lint [flags] -admin ADDRESS

Finds what in a configuration sends requests to the wrong place, or very likely
does. docs/lint.md explains each finding. A FILE is Kong's own, decK's, or an ingress
controller's dump, in YAML or JSON; a folder, a URL, or - for stdin. Several are
parts of one configuration.

` + source.Usage + `
  -openapi FILE          also prove for every operation of this document (OpenAPI 3,
                         Swagger 2) which request leads to it
  -service NAME          the service that the document describes (default: the only one)
  -fix                   change the files where a fix is certain, the finding is gone after
                         it, and no request changes but those that it is about
  -o FORMAT              text, json, sarif, github (annotations of a workflow) or
                         deck-patch (what -fix would change, for deck file patch)
                         (default text)
  -fail-on SEVERITY      the least that makes the exit code 1: error, warning or info
                         (default warning)
  -ignore ID[:OBJECT]    leave out a finding, of one object by name or id; repeatable.
                         The tag diag405:ignore=ID on a route or service does the same
  -response-phase NAME   a plugin of yours with a response phase; repeatable

Exit code: 0 nothing found (or nothing left by -fix), 1 findings, 2 it cannot run.

Examples:
  diag405 lint kong.yml
  diag405 lint kong.yml -openapi openapi.yaml -service weather -o sarif
`

// options are the flags.
type options struct {
	files            []string
	source           source.Flags
	openapi, service string
	fix              bool
	format           string
	failOn           lint.Severity
	ignore           []lint.Ignore
	responsePhase    cli.Texts
}

// result is everything that is shown.
type result struct {
	from       *source.Source
	findings   []lint.Finding
	places     map[lint.Object]config.Place // where objects begin, as far as known
	proofs     []lint.Proof
	openapi    string
	service    string
	operations bool // there is a document
	mended     *mend.Result
	wrote      bool // what was mended, into the files
}

// Run lints a file, and returns the exit code.
func Run(args []string, std cli.Streams) int {
	o, err := parse(args)
	if err != nil {
		return std.BadArguments("lint", usage, err)
	}
	ctx, stop := cli.Interruptible()
	defer stop()
	r, err := o.run(ctx, std.In)
	if err != nil {
		return std.Fail("lint", err)
	}
	if err := formats[o.format](r, cli.NewScreen(std.Out)); err != nil {
		return std.Cannot("lint: writing the findings: %v", err)
	}
	for _, f := range r.findings {
		if f.Severity.AtLeast(o.failOn) {
			return cli.Failed
		}
	}
	return cli.OK
}

// formats are what -o takes.
var formats = map[string]func(*result, *cli.Screen) error{
	"text":       printText,
	"json":       printJSON,
	"sarif":      printSARIF,
	"github":     printGitHub,
	"deck-patch": printDeckPatch,
}

// parse reads flags before and behind the file.
func parse(args []string) (options, error) {
	o := options{format: "text", failOn: lint.Warning}
	flags := cli.NewFlags("lint")
	o.source.Add(flags)
	flags.StringVar(&o.openapi, "openapi", "", "")
	flags.StringVar(&o.service, "service", "", "")
	flags.BoolVar(&o.fix, "fix", false, "")
	flags.StringVar(&o.format, "o", o.format, "")
	flags.StringVar((*string)(&o.failOn), "fail-on", string(o.failOn), "")
	flags.Func("ignore", "", func(s string) error {
		i, err := lint.ParseIgnore(s)
		o.ignore = append(o.ignore, i)
		return err
	})
	flags.Var(&o.responsePhase, "response-phase", "")
	files, err := cli.Parse(flags, args)
	if err != nil {
		return o, err
	}
	if err := o.source.Check(); err != nil {
		return o, err
	}
	switch {
	case len(files) == 0 && o.source.Admin == "":
		return o, errors.New("which file?")
	case len(files) > 0 && o.source.Admin != "":
		return o, fmt.Errorf("unexpected argument %q: -admin has a configuration, too", files[0])
	case formats[o.format] == nil:
		return o, fmt.Errorf("-o %q should be text, json, sarif, github or deck-patch", o.format)
	case o.failOn != lint.Error && o.failOn != lint.Warning && o.failOn != lint.Info:
		return o, fmt.Errorf("-fail-on %q should be error, warning or info", string(o.failOn))
	case o.service != "" && o.openapi == "":
		return o, errors.New("-service needs -openapi")
	case o.openapi == "-" && slices.Contains(files, "-"):
		return o, errors.New("only one of the two files can be stdin")
	}
	o.files = files
	return o, o.checkMend(files)
}

func (o options) run(ctx context.Context, stdin io.Reader) (*result, error) {
	from, err := o.source.Load(ctx, o.files, stdin, "")
	if err != nil {
		return nil, err
	}
	options := lint.Options{Ignore: o.ignore, ResponsePhase: o.responsePhase}
	r := &result{from: from}
	operations, err := o.operations(r, from.Config, stdin)
	if err != nil {
		return nil, err
	}
	if o.fix || o.format == "deck-patch" {
		if err := o.mend(r, options, operations); err != nil {
			return nil, err
		}
	}
	r.findings, r.places = lint.Lint(r.from.Config, options), Places(r.from.Config)
	return r, r.prove(options, operations)
}

// Places are where in the files the objects begin that findings are about.
func Places(cfg *config.Config) map[lint.Object]config.Place {
	places := map[lint.Object]config.Place{}
	for _, s := range cfg.Services {
		places[lint.Object{Kind: "service", Name: s.Name, ID: s.ID}] = cfg.Place(s)
	}
	for _, r := range cfg.Routes {
		places[lint.Object{Kind: "route", Name: r.Name, ID: r.ID}] = cfg.Place(r)
	}
	for _, p := range cfg.Plugins {
		places[lint.Object{Kind: "plugin", Name: p.Name, ID: p.ID}] = cfg.Place(p)
	}
	return places
}

// place is where an object is: FILE:LINE, or what it is from.
func (r *result) place(o lint.Object) config.Place {
	if at := r.places[o]; at.File != "" {
		return at
	}
	return config.Place{File: r.from.Name()}
}

// operations are those of the document, if there is one, and the service that it
// describes.
func (o options) operations(r *result, cfg *config.Config, stdin io.Reader) ([]lint.Operation, error) {
	if o.openapi == "" {
		return nil, nil
	}
	r.operations, r.openapi, r.service = true, o.openapi, o.service
	if r.service == "" && len(cfg.Services) == 1 {
		r.service = cmp.Or(cfg.Services[0].Name, cfg.Services[0].ID)
	}
	if r.service == "" {
		return nil, errors.New("which -service does the document describe?")
	}
	return operationsOf(o.openapi, stdin)
}

// prove adds what becomes of the operations of the document.
func (r *result) prove(options lint.Options, operations []lint.Operation) error {
	if !r.operations {
		return nil
	}
	proofs, findings, err := lint.Prove(r.from.Config, r.service, operations, options)
	if err != nil {
		return fmt.Errorf("-service: %w", err)
	}
	r.proofs = proofs
	r.findings = lint.Merge(r.findings, findings)
	return nil
}

func operationsOf(file string, stdin io.Reader) ([]lint.Operation, error) {
	data, err := readFile(file, stdin)
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

// readFile reads a file, or stdin for "-".
func readFile(file string, stdin io.Reader) ([]byte, error) {
	data, err := cli.ReadInput(file, stdin)
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", file, cli.WithoutPath(err))
	}
	return data, nil
}
