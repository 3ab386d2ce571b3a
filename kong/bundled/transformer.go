package bundled

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"diag405/kong/wire"
)

// Transformer is the configuration of request-transformer
// (kong/plugins/request-transformer).
type Transformer struct {
	HTTPMethod string  `json:"http_method"`
	Remove     targets `json:"remove"`
	Rename     targets `json:"rename"`
	Replace    targets `json:"replace"`
	Add        targets `json:"add"`
	Append     targets `json:"append"`
}

// targets are "name:value" pairs by what they apply to.
type targets struct {
	URI         string   `json:"uri"`
	Body        []string `json:"body"`
	Headers     []string `json:"headers"`
	Querystring []string `json:"querystring"`
}

// Check compiles all templates and refuses pairs without a value.
func (c *Transformer) Check() error {
	var errs []error
	fail := func(record, what string, err error) {
		errs = append(errs, fmt.Errorf("in 'config': in '%s': in '%s': %w", record, what, err))
	}
	if c.HTTPMethod != "" && strings.Trim(c.HTTPMethod, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		errs = append(errs, fmt.Errorf("in 'config': in 'http_method': invalid value: %s", c.HTTPMethod))
	}
	if _, err := compile(c.Replace.URI); err != nil {
		fail("replace", "uri", err)
	}
	for _, r := range []struct {
		name string
		t    targets
	}{{"rename", c.Rename}, {"replace", c.Replace}, {"add", c.Add}, {"append", c.Append}} {
		for what, list := range map[string][]string{"headers": r.t.Headers, "querystring": r.t.Querystring, "body": r.t.Body} {
			for _, p := range list {
				if err := checkPair(p); err != nil {
					fail(r.name, what, err)
				}
			}
		}
	}
	return errors.Join(errs...)
}

func checkPair(s string) error {
	name, value := splitPair(s)
	if value == "" {
		return fmt.Errorf("key '%s' has no value", name)
	}
	_, err := compile(value)
	return err
}

// splitPair is the pattern ^([^:]+):*(.-)$: any number of colons divides.
func splitPair(s string) (name, value string) {
	name, value, _ = strings.Cut(s, ":")
	return name, strings.TrimLeft(value, ":")
}

// pair is a configured pair with its value rendered.
type pair struct{ name, value string }

// rendered are the pairs of a list.
func rendered(list []string, e *env) ([]pair, error) {
	var out []pair
	for _, s := range list {
		name, value := splitPair(s)
		text, err := render(value, e)
		if err != nil {
			return nil, err
		}
		out = append(out, pair{name, text})
	}
	return out, nil
}

func render(source string, e *env) (string, error) {
	t, err := compile(source)
	if err != nil {
		return "", err
	}
	text, err := t.render(e)
	if err != nil {
		return "", fmt.Errorf("[request-transformer] failed to render the template %s, error:%w", source, err)
	}
	return text, nil
}

// Access changes the request, in Kong's order: path, method, headers, body,
// query.
func (c *Transformer) Access(r *Request) error {
	e := newEnv(r)
	for _, f := range []func(*Request, *env) error{c.transformURI, c.transformMethod, c.transformHeaders, c.transformBody, c.transformQuery} {
		if err := f(r, e); err != nil {
			return err
		}
	}
	return nil
}

func (c *Transformer) transformURI(r *Request, e *env) error {
	if c.Replace.URI == "" {
		return nil
	}
	path, err := render(c.Replace.URI, e)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(path, "/") {
		return errors.New("path must start with /")
	}
	r.UpstreamURI = EscapePath(path)
	return nil
}

func (c *Transformer) transformMethod(r *Request, _ *env) error {
	if c.HTTPMethod == "" {
		return nil
	}
	method := strings.ToUpper(c.HTTPMethod)
	if !wire.HasNumber(method) {
		return fmt.Errorf("invalid method: %s", method)
	}
	r.Method = method
	if slices.Contains([]string{"GET", "HEAD", "TRACE"}, method) && contentType(r) == formType {
		c.bodyToQuery(r)
	}
	return nil
}

// bodyToQuery copies the arguments of a form into the query, for methods whose
// body nobody reads.
func (c *Transformer) bodyToQuery(r *Request) {
	form := DecodeArgs(string(r.Body))
	if len(form) == 0 {
		return
	}
	args := DecodeArgs(r.Query)
	for name, value := range form {
		args[name] = appendValue(args[name], value)
	}
	r.Query = EncodeArgs(args)
}
