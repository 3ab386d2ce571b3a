package server

import (
	"encoding/binary"
	"net/http"

	"google.golang.org/protobuf/encoding/protowire"
)

// RequestHeaders is kong.Request.GetHeaders for the first 100, by their canonical names.
func (d Direct) RequestHeaders() (http.Header, error) {
	if d.e == nil {
		return canonical(d.kong.Request.GetHeaders(-1))
	}
	return d.e.headers(requestHeadersAsk)
}

// ResponseHeaders is kong.Response.GetHeaders for the first 100, by their canonical
// names.
func (d Direct) ResponseHeaders() (http.Header, error) {
	if d.e == nil {
		return canonical(d.kong.Response.GetHeaders(-1))
	}
	return d.e.headers(responseHeadersAsk)
}

// canonical are headers by the names that http.Header has; Kong gives them in lower
// case.
func canonical(raw map[string][]string, err error) (http.Header, error) {
	if err != nil {
		return nil, err
	}
	out := make(http.Header, len(raw))
	for name, values := range raw {
		key := http.CanonicalHeaderKey(name)
		out[key] = append(out[key], values...)
	}
	return out, nil
}

// Header is a header of an answer.
type Header struct{ Name, Value string }

// SetHeaders is kong.Response.SetHeaders, with a value for each header. Kong sets them
// in an order of its own. What is not UTF-8 is replaced by U+FFFD.
func (d Direct) SetHeaders(headers []Header) error {
	if d.e == nil {
		m := map[string][]string{}
		for _, h := range headers {
			m[valid(h.Name)] = []string{valid(h.Value)}
		}
		return d.kong.Response.SetHeaders(m)
	}
	_, err := d.e.send(func(in []byte) []byte {
		in = appendFrame(in, []byte("kong.response.set_headers"))
		at := len(in)
		in = append(in, emptyFrame...)
		for _, h := range headers {
			in = appendHeader(in, valid(h.Name), valid(h.Value))
		}
		binary.LittleEndian.PutUint32(in[at:], uint32(len(in)-at-frameHead))
		return in
	})
	return err
}

// appendHeader appends an entry of a Struct whose value is a text.
func appendHeader(b []byte, name, value string) []byte {
	b = protowire.AppendTag(b, 1, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(sizeOf(len(name))+sizeOf(sizeOf(len(value)))))
	b = protowire.AppendTag(b, 1, protowire.BytesType)
	b = protowire.AppendString(b, name)
	b = protowire.AppendTag(b, 2, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(sizeOf(len(value))))
	b = protowire.AppendTag(b, 3, protowire.BytesType)
	return protowire.AppendString(b, value)
}

// headers asks for a table of headers, which is a Struct of texts and lists of them.
func (e *event) headers(a Ask) (http.Header, error) {
	reply, err := e.send(func(in []byte) []byte { return append(in, a.frames...) })
	if err != nil {
		return nil, err
	}
	out := http.Header{}
	err = eachBytes(reply, 1, func(entry []byte) error {
		name, values, err := headerEntry(entry)
		key := http.CanonicalHeaderKey(name)
		out[key] = append(out[key], values...)
		return err
	})
	return out, err
}

func headerEntry(entry []byte) (name string, values []string, err error) {
	err = fields(entry, func(number protowire.Number, kind protowire.Type, _, value []byte) error {
		switch {
		case number == 1 && kind == protowire.BytesType:
			name = string(value)
		case number == 2 && kind == protowire.BytesType:
			values, err = appendTexts(values, value)
			return err
		}
		return nil
	})
	return name, values, err
}

// appendTexts appends the text of a Value, or the texts of the list in it.
func appendTexts(to []string, value []byte) ([]string, error) {
	err := fields(value, func(number protowire.Number, kind protowire.Type, _, v []byte) error {
		switch {
		case number == 3 && kind == protowire.BytesType:
			to = append(to, string(v))
		case number == 6 && kind == protowire.BytesType:
			return eachBytes(v, 1, func(element []byte) (err error) {
				to, err = appendTexts(to, element)
				return err
			})
		}
		return nil
	})
	return to, err
}

// eachBytes calls visit with each value of a field that is a text or a message.
func eachBytes(message []byte, field protowire.Number, visit func(value []byte) error) error {
	return fields(message, func(number protowire.Number, kind protowire.Type, _, value []byte) error {
		if number != field || kind != protowire.BytesType {
			return nil
		}
		return visit(value)
	})
}
