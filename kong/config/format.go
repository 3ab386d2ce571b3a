package config

import (
	"bytes"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// rewrite is a file's text after a change: as it was, where formatting shows none.
func (f *file) rewrite(original, plain, changed []byte) []byte {
	if bytes.Equal(plain, changed) {
		return original
	}
	if f.json {
		changed = []byte(keepJSONLayout(f.text, string(changed)))
	} else {
		changed = []byte(keepLayout(f.text, string(plain), string(changed)))
	}
	return endedLike(original, []byte(f.variables.show(string(changed))))
}

// endedLike gives a text the byte order mark and the ends of lines of another.
func endedLike(original, text []byte) []byte {
	bare, marked := bytes.CutPrefix(original, mark)
	if ends := bytes.Count(bare, []byte("\r\n")); ends > 0 && ends == bytes.Count(bare, []byte("\n")) {
		text = bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
	}
	if marked {
		text = append(bytes.Clone(mark), text...)
	}
	return text
}

// mark is the byte order mark that editors on Windows write.
var mark = []byte("\ufeff")

// formatAll writes the files, each in its language.
func (p *patch) formatAll() ([][]byte, error) {
	out := make([][]byte, len(p.doc.files))
	for i, f := range p.doc.files {
		var err error
		if out[i], err = f.format(); err != nil {
			return nil, fmt.Errorf("writing declarative configuration: %w", err)
		}
	}
	return out, nil
}

// format writes the documents in the language and the layout of the original.
func (f *file) format() ([]byte, error) {
	if f.json {
		return formatJSON(f.documents[0], strings.Contains(strings.TrimSpace(f.text), "\n"))
	}
	var out bytes.Buffer
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if len(f.documents) > 0 && hasFlushLists(f.documents[0]) {
		e.CompactSeqIndent()
	}
	for _, doc := range f.documents {
		if err := e.Encode(doc); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), e.Close()
}

// hasFlushLists reports whether the dashes of the document's first block list
// stand right under its key.
func hasFlushLists(doc *yaml.Node) bool {
	root := doc.Content[0]
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		if value.Kind == yaml.SequenceNode && value.Line > key.Line {
			return value.Column == key.Column
		}
	}
	return false
}
