// Package source is where the commands get Kong's configuration from: files, folders,
// stdin, a URL, or Kong's Admin API.
package source

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime/debug"
	"strings"

	"diag405/cmd/diag405/cli"
	"diag405/kong/adminapi"
	"diag405/kong/config"
	"diag405/plugin/diagnose"
	"diag405/plugin/openapi"
)

// Usage is the part of a command's usage that its [Flags] have.
const Usage = `  -admin ADDRESS          Kong's Admin API, such as localhost:8001; only read
  -admin-header 'N: V'    a header for it, such as a token (repeatable)
  -router-flavor NAME     traditional_compatible, traditional or expressions; without it
                          what the Admin API says, or what the configuration hints at
  -var NAME=VALUE         a variable of decK's, before the environment's (repeatable)
`

// Flags say where the configuration comes from, beside the files.
type Flags struct {
	Admin        string
	AdminHeaders cli.Texts
	flavor       config.Flavor
	variables    map[string]string
	client       *adminapi.Client
}

// Add adds the flags to a command's.
func (f *Flags) Add(flags *flag.FlagSet) {
	f.variables = map[string]string{}
	flags.StringVar(&f.Admin, "admin", "", "")
	flags.Var(&f.AdminHeaders, "admin-header", "")
	flags.Func("router-flavor", "", func(s string) (err error) {
		f.flavor, err = config.ParseFlavor(s)
		return err
	})
	flags.Func("var", "", func(s string) error {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return errors.New("want NAME=VALUE")
		}
		f.variables[name] = value
		return nil
	})
}

// Check checks the flags against each other.
func (f *Flags) Check() error {
	if f.Admin == "" {
		if len(f.AdminHeaders) > 0 {
			return errors.New("-admin-header is for -admin")
		}
		return nil
	}
	header, err := Headers("-admin-header", f.AdminHeaders)
	if err != nil {
		return err
	}
	f.client, err = adminapi.New(f.Admin, header)
	if err != nil {
		return fmt.Errorf("-admin %w", err)
	}
	return nil
}

// Source is a configuration, and where it is from.
type Source struct {
	*config.Config
	Names []string       // of files; none with -admin
	Kong  *adminapi.Kong // that answered, nil without -admin
	// Files are what was read; with -admin one without a name, made of the answers.
	Files []config.File

	options []config.Option
}

// With is the configuration with changes, one after the other. They are made in
// memory: the files and Kong stay as they are.
func (s *Source) With(changes ...config.Change) (*Source, error) {
	out := *s
	for _, change := range changes {
		files, err := config.PatchFiles(out.Files, change, s.options...)
		if err != nil {
			return nil, err
		}
		out.Files = files
	}
	cfg, err := config.Load(out.Files, s.options...)
	if err != nil {
		return nil, err
	}
	out.Config = cfg
	return &out, nil
}

// Name is what to call it.
func (s *Source) Name() string {
	switch {
	case s.Kong != nil:
		return s.Kong.Address
	case len(s.Names) == 1:
		return s.Names[0]
	}
	return fmt.Sprintf("%d files", len(s.Names))
}

// LeaveGarbage lets five times the memory that is needed be used, until what it returns
// is called. It is for reading a configuration, and for a command that does little else:
// nearly all that is made there stays, and looking for the rest takes longer.
func LeaveGarbage() (stop func()) {
	before := debug.SetGCPercent(400)
	return func() { debug.SetGCPercent(before) }
}

// Asking is the consumer who asks, by name; nil for "", which is nobody.
func (s *Source) Asking(name string) (*config.Consumer, error) {
	if name == "" {
		return nil, nil
	}
	c := s.Consumer(name)
	if c == nil {
		return nil, fmt.Errorf("-consumer %q is not among the consumers of %s", name, s.Name())
	}
	return c, nil
}

// Load loads the configuration from files, folders, URLs, and "-" for stdin; with
// -admin from there. Consumer is one whose groups are of interest, "" is nobody.
// Problems of the configuration come as they are, a line each.
func (f *Flags) Load(ctx context.Context, names []string, stdin io.Reader, consumer string) (*Source, error) {
	defer LeaveGarbage()()
	if f.client != nil {
		return f.ask(ctx, consumer)
	}
	return f.LoadFiles(ctx, names, stdin)
}

// LoadFiles is [Flags.Load] for what does not come from the Admin API. What that said of
// Kong's router before holds for it, too.
func (f *Flags) LoadFiles(ctx context.Context, names []string, stdin io.Reader) (*Source, error) {
	files, err := readFiles(ctx, names, stdin)
	if err != nil {
		return nil, err
	}
	s := &Source{Files: files, options: f.Options()}
	if s.Config, err = config.Load(files, s.options...); err != nil {
		return nil, hinted(err)
	}
	for _, file := range files {
		s.Names = append(s.Names, file.Name)
	}
	return s, nil
}

// Options are how files are read.
func (f *Flags) Options() []config.Option {
	return []config.Option{config.For(f.flavor), config.Variables(f.lookup)}
}

// hinted adds how to set a variable, where one is missing.
func hinted(err error) error {
	if errors.Is(err, config.ErrUnset) {
		return errors.Join(err, errors.New("a variable's value comes from the environment, or from -var NAME=VALUE"))
	}
	return err
}

func (f *Flags) lookup(name string) (string, bool) {
	if value, ok := f.variables[name]; ok {
		return value, true
	}
	if !strings.HasPrefix(name, "DECK_") {
		return "", false // decK reads no other, and a file is not to ask for one
	}
	return os.LookupEnv(name)
}

// ask reads from the Admin API.
func (f *Flags) ask(ctx context.Context, consumer string) (*Source, error) {
	kong, all, err := f.client.Read(ctx, consumer)
	if errors.Is(err, adminapi.ErrRefused) {
		return nil, fmt.Errorf("-admin %w; -admin-header 'Kong-Admin-Token: ...' sends one", err)
	}
	if err != nil {
		return nil, fmt.Errorf("-admin: %w", err)
	}
	options := []config.Option{config.For(cmp.Or(f.flavor, kong.Flavor))}
	cfg, data, err := fromAdmin(all, options)
	if err != nil {
		return nil, fmt.Errorf("-admin %q: %w", f.client.Address(), err)
	}
	for _, words := range kong.Notes {
		if kong.Flavor == "" && f.flavor == "" {
			words += "; it is taken for " + string(cfg.Flavor) + ", and -router-flavor says another"
		}
		cfg.Notes = append(cfg.Notes, config.Note{At: config.Place{File: kong.Address}, Words: words})
	}
	kong.Flavor = cmp.Or(f.flavor, kong.Flavor)
	f.flavor = kong.Flavor
	return &Source{Config: cfg, Kong: kong, Files: []config.File{{Data: data}}, options: options}, nil
}

func fromAdmin(all config.Admin, options []config.Option) (*config.Config, []byte, error) {
	data, err := all.Document()
	if err != nil {
		return nil, nil, err
	}
	cfg, err := config.Load([]config.File{{Data: data}}, options...)
	return cfg, data, err
}

// API reads the application's document, of a flag -openapi; nil for "", which is none.
func API(file string) (*diagnose.API, error) {
	if file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	endpoints, err := openapi.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("-openapi %q: %w", file, err)
	}
	return diagnose.NewAPI(endpoints), nil
}

// Headers reads headers as people write them on a command line: Name: value.
func Headers(flag string, lines []string) (http.Header, error) {
	h := http.Header{}
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" || strings.ContainsAny(name, " \t") || strings.ContainsAny(line, "\r\n") {
			return nil, fmt.Errorf("%s %q is not a header such as 'Name: value'", flag, line)
		}
		h.Add(name, strings.TrimSpace(value))
	}
	return h, nil
}
