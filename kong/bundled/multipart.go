package bundled

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/textproto"
	"slices"
)

// part is one part of a multipart form.
type part struct {
	name   string
	header textproto.MIMEHeader
	body   []byte
}

func (c *Transformer) transformMultipart(r *Request, e *env) (body []byte, changed bool, err error) {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || params["boundary"] == "" {
		return nil, false, fmt.Errorf("reading a multipart body: no boundary in %q", r.Header.Get("Content-Type"))
	}
	parts, err := readParts(r.Body, params["boundary"])
	if err != nil {
		return nil, false, err
	}
	index := func(name string) int { return slices.IndexFunc(parts, func(p part) bool { return p.name == name }) }
	drop := func(name string) { parts = slices.DeleteFunc(parts, func(p part) bool { return p.name == name }) }
	set := func(name, value string) {
		drop(name)
		parts = append(parts, simplePart(name, []byte(value)))
		changed = true
	}
	list := func(t targets) []string { return t.Body }
	steps := []step{
		{list, c.Rename, func(p pair) {
			if at := index(p.name); at >= 0 && p.name != p.value {
				value := string(parts[at].body)
				drop(p.name)
				set(p.value, value)
			}
		}},
		{list, c.Remove, func(p pair) {
			drop(p.name)
			changed = true
		}},
		{list, c.Replace, func(p pair) {
			if index(p.name) >= 0 {
				set(p.name, p.value)
			}
		}},
		{list, c.Add, func(p pair) {
			if index(p.name) < 0 {
				set(p.name, p.value)
			}
		}},
	}
	if len(r.Body) == 0 {
		steps = steps[len(steps)-1:]
	}
	if err := run(steps, e); err != nil {
		return nil, false, err
	}
	body, err = writeParts(parts, params["boundary"])
	return body, changed, err
}

func simplePart(name string, body []byte) part {
	h := textproto.MIMEHeader{}
	h.Set("Content-Disposition", fmt.Sprintf(`form-data; name="%s"`, name))
	return part{name, h, body}
}

func readParts(body []byte, boundary string) ([]part, error) {
	if len(body) == 0 {
		return nil, nil
	}
	var out []part
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading a multipart body: %w", err)
		}
		data, err := io.ReadAll(p)
		if err != nil {
			return nil, fmt.Errorf("reading a multipart body: %w", err)
		}
		out = append(out, part{p.FormName(), p.Header, data})
	}
}

func writeParts(parts []part, boundary string) ([]byte, error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.SetBoundary(boundary); err != nil {
		return nil, fmt.Errorf("writing a multipart body: %w", err)
	}
	for _, p := range parts {
		pw, err := w.CreatePart(p.header)
		if err != nil {
			return nil, fmt.Errorf("writing a multipart body: %w", err)
		}
		pw.Write(p.body)
	}
	err := w.Close()
	return b.Bytes(), err
}
