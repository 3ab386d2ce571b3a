package curl

import (
	"bytes"
	"errors"
	"fmt"
	"mime/multipart"
	"net/textproto"
	"net/url"
	"path/filepath"
	"strings"
)

// How -d and --data-binary read a file: without its line breaks, or as it is.
func trimmed(data []byte) string {
	return strings.NewReplacer("\r", "", "\n", "", "\x00", "").Replace(string(data))
}
func whole(data []byte) string { return string(data) }

func (r *reader) addText(text string) error {
	r.data, r.isData = append(r.data, text), true
	return nil
}

// addData takes data, or @FILE.
func (r *reader) addData(value string, read func([]byte) string) error {
	file, isFile := strings.CutPrefix(value, "@")
	if !isFile {
		return r.addText(value)
	}
	data, err := r.file(file)
	if err != nil {
		return err
	}
	return r.addText(read(data))
}

// addEncoded takes CONTENT, =CONTENT, NAME=CONTENT, @FILE or NAME@FILE.
func (r *reader) addEncoded(value string) error {
	at := strings.IndexAny(value, "=@")
	if at < 0 {
		return r.addText(url.QueryEscape(value))
	}
	name, content := value[:at], value[at+1:]
	if value[at] == '@' {
		data, err := r.file(content)
		if err != nil {
			return err
		}
		content = string(data)
	}
	if name != "" {
		name += "="
	}
	return r.addText(name + strings.ReplaceAll(url.QueryEscape(content), "+", "%20"))
}

func (r *reader) addJSON(value string) error {
	before := len(r.data)
	if err := r.addData(value, whole); err != nil {
		return err
	}
	if r.isJSON && before > 0 { // of several, the parts are put together as they are
		r.data = append(r.data[:before-1], r.data[before-1]+r.data[before])
	}
	r.isJSON = true
	return nil
}

func (r *reader) setUpload(file string) (err error) {
	r.upload, err = r.file(file)
	r.isUpload = true
	return err
}

// body is what is sent behind the headers, nil for nothing, and its media type. With -G
// the data goes into the URL.
func (r *reader) body(u *URL) (body []byte, kind string, err error) {
	if r.isData && len(r.form) > 0 || r.isUpload && (r.isData || len(r.form) > 0) {
		return nil, "", errors.New("curl can send one of -d, -F and -T")
	}
	data := strings.Join(r.data, "&")
	switch {
	case r.isData && r.get:
		u.Target += map[bool]string{true: "&", false: "?"}[strings.Contains(u.Target, "?")] + data
		return nil, "", nil
	case r.isData && r.head:
		return nil, "", errors.New("curl sends no data with -I; -G puts it into the URL, -X HEAD sends it")
	case r.isJSON:
		return []byte(data), "application/json", nil
	case r.isData:
		return []byte(data), "application/x-www-form-urlencoded", nil
	case len(r.form) > 0:
		return r.multipart()
	}
	return r.upload, "", nil
}

// multipart is the body of -F: NAME=TEXT, NAME=@FILE or NAME=<FILE, maybe with ;type= and
// ;filename= behind it.
func (r *reader) multipart() (body []byte, kind string, err error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, field := range r.form {
		if err := r.addPart(w, field); err != nil {
			return nil, "", fmt.Errorf("curl's -F %q: %w", field, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, "", err
	}
	return b.Bytes(), w.FormDataContentType(), nil
}

func (r *reader) addPart(w *multipart.Writer, field string) error {
	name, content, ok := strings.Cut(field, "=")
	if !ok || name == "" {
		return errors.New("want NAME=CONTENT")
	}
	if text, isText := strings.CutPrefix(content, "\x00"); isText { // --form-string
		return w.WriteField(name, text)
	}
	content, more, _ := strings.Cut(content, ";")
	kind, file := "", ""
	for part := range strings.SplitSeq(more, ";") {
		switch key, value, _ := strings.Cut(part, "="); strings.TrimSpace(key) {
		case "type":
			kind = value
		case "filename":
			file = value
		}
	}
	data := []byte(content)
	if content != "" && (content[0] == '@' || content[0] == '<') {
		var err error
		if data, err = r.file(content[1:]); err != nil {
			return err
		}
		if content[0] == '@' && file == "" {
			file = filepath.Base(content[1:])
		}
		if content[0] == '@' && kind == "" {
			kind = "application/octet-stream"
		}
	}
	return writePart(w, name, file, kind, data)
}

func writePart(w *multipart.Writer, name, file, kind string, data []byte) error {
	disposition := fmt.Sprintf("form-data; name=%q", name)
	if file != "" {
		disposition += fmt.Sprintf("; filename=%q", file)
	}
	h := textproto.MIMEHeader{"Content-Disposition": {disposition}}
	if kind != "" {
		h.Set("Content-Type", kind)
	}
	part, err := w.CreatePart(h)
	if err != nil {
		return err
	}
	_, err = part.Write(data)
	return err
}
