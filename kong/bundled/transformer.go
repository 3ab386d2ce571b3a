package bundled

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

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

// step is one change of a table, by the five lists of the configuration.
type step struct {
	list  func(targets) []string
	t     targets
	apply func(p pair)
}

// newEnv makes what templates see: the request when the first template asks.
func newEnv(r *Request) *env {
	lazy := func(f func() any) func() any { return sync.OnceValue(f) }
	return &env{variables: map[string]func() any{
		"headers":      lazy(func() any { return headerTable(r.Header.Clone()) }),
		"query_params": lazy(func() any { return DecodeArgs(r.Query) }),
		"uri_captures": func() any { return captureTable(r) },
		"shared":       func() any { return r.Shared },
	}}
}

// headerTable is ngx.req.get_headers(): any case, underscores for dashes, a
// list for several values.
func headerTable(f wire.Fields) luaTable {
	return func(key any) any {
		name, _ := key.(string)
		values := f.Values(name)
		if values == nil {
			values = f.Values(strings.ReplaceAll(name, "_", "-"))
		}
		switch len(values) {
		case 0:
			return nil
		case 1:
			return values[0]
		}
		list := make([]any, len(values))
		for i, v := range values {
			list[i] = v
		}
		return list
	}
}

// captureTable has groups by number, the whole match at 0, and by name.
func captureTable(r *Request) luaTable {
	return func(key any) any {
		switch k := key.(type) {
		case float64:
			if n := int(k); n >= 0 && n < len(r.Captures.Numbered) {
				return r.Captures.Numbered[n]
			}
		case string:
			if v, ok := r.Captures.Named[k]; ok {
				return v
			}
		}
		return nil
	}
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

// methods are those that kong.service.request.set_method takes.
var methods = []string{
	"GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "MKCOL", "COPY", "MOVE",
	"PROPFIND", "PROPPATCH", "LOCK", "UNLOCK", "PATCH", "TRACE",
}

func (c *Transformer) transformMethod(r *Request, _ *env) error {
	if c.HTTPMethod == "" {
		return nil
	}
	method := strings.ToUpper(c.HTTPMethod)
	if !slices.Contains(methods, method) {
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

// transformHeaders works on a table of lower-case names to values, as Kong
// does, and writes the whole table back.
func (c *Transformer) transformHeaders(r *Request, e *env) error {
	table := map[string][]string{}
	for _, name := range r.Header.Names() {
		if name != "host" {
			table[name] = r.Header.Values(name)
		}
	}
	headers := func(t targets) []string { return t.Headers }
	removed := []string{}
	lower := strings.ToLower
	steps := []step{
		{headers, c.Remove, func(p pair) {
			if _, ok := table[lower(p.name)]; ok {
				delete(table, lower(p.name))
				removed = append(removed, p.name)
			}
		}},
		{headers, c.Rename, func(p pair) {
			if v, ok := table[lower(p.name)]; ok && lower(p.name) != lower(p.value) {
				delete(table, lower(p.name))
				table[lower(p.value)] = v
				removed = append(removed, p.name)
			}
		}},
		{headers, c.Replace, func(p pair) {
			if _, ok := table[lower(p.name)]; ok || lower(p.name) == "host" {
				table[lower(p.name)] = []string{p.value}
			}
		}},
		{headers, c.Add, func(p pair) {
			if _, ok := table[lower(p.name)]; !ok && lower(p.name) != "host" {
				table[lower(p.name)] = []string{p.value}
			}
		}},
		{headers, c.Append, func(p pair) {
			table[lower(p.name)] = append(table[lower(p.name)], p.value)
		}},
	}
	if err := run(steps, e); err != nil {
		return err
	}
	for _, name := range removed {
		r.Header.Del(name)
	}
	for _, name := range sortedNames(table) {
		if name == "host" {
			r.UpstreamHost = table[name][0]
		}
		r.Header.Set(name, table[name]...)
	}
	return nil
}

func sortedNames[T any](m map[string]T) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// run applies the pairs of each step in order.
func run(steps []step, e *env) error {
	for _, s := range steps {
		pairs, err := rendered(s.list(s.t), e)
		if err != nil {
			return err
		}
		for _, p := range pairs {
			s.apply(p)
		}
	}
	return nil
}

func (c *Transformer) transformQuery(r *Request, e *env) error {
	list := func(t targets) []string { return t.Querystring }
	if !c.touches(list) {
		return nil
	}
	args := map[string]any{}
	for k, v := range e.variables["query_params"]().(map[string]any) {
		args[k] = v
	}
	if err := run(c.tableSteps(list, args, true, new(bool)), e); err != nil {
		return err
	}
	r.Query = EncodeArgs(args)
	return nil
}

// touches tells whether any of the lists has an entry.
func (c *Transformer) touches(list func(targets) []string) bool {
	return slices.ContainsFunc([]targets{c.Remove, c.Rename, c.Replace, c.Add, c.Append}, func(t targets) bool { return len(list(t)) > 0 })
}

// tableSteps are the changes of a table of arguments or of a JSON object. A
// body that is empty is only added to. changed is set when something was done
// that makes Kong write the table back.
func (c *Transformer) tableSteps(list func(targets) []string, table map[string]any, filled bool, changed *bool) []step {
	add := []step{
		{list, c.Add, func(p pair) {
			if !truthy(table[p.name]) {
				table[p.name], *changed = p.value, true
			}
		}},
		{list, c.Append, func(p pair) {
			*changed = true
			switch old := table[p.name].(type) {
			case string:
				table[p.name] = []any{old, p.value}
			case []any:
				table[p.name] = append(slices.Clone(old), p.value)
			default:
				table[p.name] = []any{p.value}
			}
		}},
	}
	if !filled {
		return add
	}
	return append([]step{
		{list, c.Remove, func(p pair) {
			delete(table, p.name)
			*changed = true
		}},
		{list, c.Rename, func(p pair) {
			if v := table[p.name]; truthy(v) && p.name != p.value {
				delete(table, p.name)
				table[p.value], *changed = v, true
			}
		}},
		{list, c.Replace, func(p pair) {
			if truthy(table[p.name]) {
				table[p.name], *changed = p.value, true
			}
		}},
	}, add...)
}

const (
	jsonType      = "application/json"
	multipartType = "multipart/form-data"
	formType      = "application/x-www-form-urlencoded"
)

// contentType is which of the three types of body a request has, or "".
func contentType(r *Request) string {
	value := strings.ToLower(r.Header.Get("Content-Type"))
	for _, t := range []string{jsonType, multipartType, formType} {
		if strings.Contains(value, t) {
			return t
		}
	}
	return ""
}

func (c *Transformer) transformBody(r *Request, e *env) error {
	list := func(t targets) []string { return t.Body }
	kind := contentType(r)
	if kind == "" || !c.touches(list) {
		return nil
	}
	transform := map[string]func(*Request, *env) ([]byte, bool, error){
		jsonType: c.transformJSON, formType: c.transformForm, multipartType: c.transformMultipart,
	}[kind]
	body, changed, err := transform(r, e)
	if err != nil || !changed {
		return err
	}
	r.Body, r.HasBody = body, true
	r.Header.Set("content-length", strconv.Itoa(len(body)))
	return nil
}

func (c *Transformer) transformForm(r *Request, e *env) (body []byte, changed bool, err error) {
	args := DecodeArgs(string(r.Body))
	err = run(c.tableSteps(func(t targets) []string { return t.Body }, args, len(r.Body) > 0, &changed), e)
	// ngx.encode_args alone does not sort; this order is one of those possible.
	return []byte(EncodeArgs(args)), changed, err
}

func (c *Transformer) transformJSON(r *Request, e *env) (body []byte, changed bool, err error) {
	object := map[string]any{}
	if len(r.Body) > 0 {
		value, err := decodeJSON(r.Body)
		if err != nil {
			return nil, false, nil // Kong leaves it alone
		}
		var ok bool
		if object, ok = value.(map[string]any); !ok {
			return nil, false, errors.New("the stand-in transforms JSON objects only")
		}
	}
	if err := run(c.tableSteps(func(t targets) []string { return t.Body }, object, len(r.Body) > 0, &changed), e); err != nil {
		return nil, false, err
	}
	body, err = JSON(object)
	return body, changed, err
}
