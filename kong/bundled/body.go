package bundled

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

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

// jsonNull is null inside a JSON value: in Lua it is something, unlike nil.
type jsonNull struct{}

func (jsonNull) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// decodeJSON keeps null apart from absence.
func decodeJSON(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("more than one JSON value")
	}
	return withNulls(v), nil
}

func withNulls(v any) any {
	switch v := v.(type) {
	case nil:
		return jsonNull{}
	case json.Number:
		n, err := v.Float64()
		if err != nil {
			return v
		}
		return json.Number(strconv.FormatFloat(n, 'g', 14, 64)) // as cjson writes numbers
	case map[string]any:
		for k, e := range v {
			v[k] = withNulls(e)
		}
	case []any:
		for i, e := range v {
			v[i] = withNulls(e)
		}
	}
	return v
}
