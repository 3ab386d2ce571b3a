package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A File is a text that holds a configuration or a part of it, and what to call it.
type File struct {
	Name string
	Data []byte
}

// Load reads a configuration as people keep it, in one file or several that are
// parts of the same:
//
//   - Kong's declarative one, also as kong config db_export and GET /config write it
//   - decK's, Konnect's included: variables, _info.defaults and select_tags,
//     _plugin_configs with a plugin's _config
//   - what Kong's ingress controller shows as /debug/config/successful, with its
//     wrapper or without
//
// Each may be YAML, several documents in a file included, or JSON. What has no part
// in routing and is not known is passed over with a note ([Config.Notes]); what
// looks like a slip of the pen for something known is a problem. An error joins all
// problems, each a [*Problem] with its file and line.
func Load(files []File, options ...Option) (*Config, error) {
	d := loadDocument(files, options...)
	if err := d.problem(); err != nil {
		return nil, err
	}
	return d.config, nil
}

// loadDocument reads files as [Load] does. What is wrong is in its problems.
func loadDocument(files []File, options ...Option) *document {
	d := newDocument(options...)
	d.lenient = true
	d.config.places = &places{}
	for _, f := range files {
		d.addFile(f)
	}
	d.keepKongs()
	if len(d.problems) > 0 {
		return d
	}
	d.read()
	for _, f := range d.files {
		d.noteUnset(f)
	}
	for _, n := range d.notes {
		d.config.Notes = append(d.config.Notes, n.Note)
	}
	slices.SortStableFunc(d.config.Notes, func(a, b Note) int { return d.inOrder(a.At, b.At) })
	return d
}

// Variables says where the values of decK's variables come from, as
// [os.LookupEnv] does. Without it none is set.
func Variables(lookup func(name string) (string, bool)) Option {
	return func(d *document) { d.lookup = lookup }
}

// file is a text while it is being read.
type file struct {
	name      string
	json      bool
	text      string // with tokens in the place of variables
	documents []*yaml.Node
	variables *variables
}

// A source is one document of a file.
type source struct {
	d         *document
	file      *file
	index     int   // among all
	text      *text // that it is in, nil for none
	node      *yaml.Node
	root      *object
	workspace string
	version   string // its _format_version
}

func (d *document) addFile(in File) {
	f := &file{name: in.Name}
	d.files = append(d.files, f)
	f.text, f.variables = d.hideVariables(in.Name, utf8Of(in.Data))
	d.addText(f, f.text, nil)
}

// utf8Of is a file's text in UTF-8, without the mark at its beginning.
func utf8Of(data []byte) string {
	return string(bytes.TrimPrefix(EncodingOf(data).Decode(data), mark))
}

// addText adds the documents of a text, which may be in another one. One that is empty
// is none.
func (d *document) addText(f *file, text string, in *text) {
	pieces := numberOfPieces(text)
	if d.whole {
		pieces = 1
	}
	documents, json, err := parseDocuments(text, pieces)
	if err != nil {
		d.reportText(in.place(f.name, 0), text, err)
	}
	if in == nil {
		f.documents, f.json = documents, json
	}
	documents = slices.DeleteFunc(slices.Clone(documents), isEmptyDocument)
	for _, doc := range documents {
		f.variables.fillIn(doc)
		d.addSource(f, doc.Content[0], in)
	}
	if len(documents) > 1 {
		d.note(in.place(f.name, documents[1].Content[0].Line), "the file has %d documents; Kong and decK load only the first", len(documents))
	}
	if len(documents) == 0 && err == nil {
		d.report(Place{f.name, 0}, errNoMapping)
	}
}

var errNoMapping = errors.New("declarative configuration should be a mapping with _format_version and entities")

func isEmptyDocument(doc *yaml.Node) bool {
	return doc.Kind != yaml.DocumentNode || len(doc.Content) == 0 || doc.Content[0].Tag == "!!null"
}

// hasKongs reports a mapping with a key of Kong's configuration.
func hasKongs(n *yaml.Node) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := n.Content[i].Value; key == "_format_version" || slices.Contains(kinds, key) || slices.Contains(skipped, key) {
			return true
		}
	}
	return false
}

// keepKongs drops documents that are something else, as folders have them. There
// has to be one of Kong's.
func (d *document) keepKongs() {
	isOther := func(s *source) bool { return !hasKongs(s.node) && len(s.node.Content) > 0 }
	others := slices.DeleteFunc(slices.Clone(d.sources), func(s *source) bool { return !isOther(s) })
	none := len(others) == len(d.sources)
	for _, s := range others {
		at, words := Place{s.file.name, s.node.Line}, otherWords(s.node)
		if none {
			d.report(at, errors.New(words))
		} else {
			d.note(at, "%s: it is passed over", words)
		}
	}
	if !none {
		d.sources = slices.DeleteFunc(d.sources, isOther)
	}
}

// otherWords says what a document is that is not a configuration of Kong's.
func otherWords(n *yaml.Node) string {
	if kind := nameOf(n, "kind"); kind != "" && nameOf(n, "apiVersion") != "" {
		return fmt.Sprintf("the document is a Kubernetes %s, not a configuration of Kong", kind)
	}
	return "the document is not a configuration of Kong: it has neither _format_version nor services, routes or plugins"
}

// parseDocuments are the documents of a text, which may be parsed in some pieces.
// Those before a mistake are there beside the error.
func parseDocuments(text string, pieces int) (documents []*yaml.Node, json bool, err error) {
	if doc, ok := parseJSONPieces(text, pieces); ok {
		return []*yaml.Node{doc}, true, nil
	}
	if isJSON(text) {
		return []*yaml.Node{parseJSON(text)}, true, nil
	}
	if doc, ok := parsePieces(text, pieces); ok {
		return []*yaml.Node{doc}, false, nil
	}
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for {
		doc := &yaml.Node{}
		err := decoder.Decode(doc)
		if errors.Is(err, io.EOF) {
			return documents, false, nil
		}
		if err != nil {
			return documents, false, fmt.Errorf("reading declarative configuration: %w", err)
		}
		documents = append(documents, doc)
	}
}

var yamlError = regexp.MustCompile(`yaml: (?:line (\d+): )?(.*)`)

// ofParser are the errors in which the YAML reader counts lines from 0: those of its
// parser, not of its scanner.
var ofParser = regexp.MustCompile(`^did not find expected (node content|<document start>|key|'-' indicator|',' or )`)

// reportText reports what is wrong with a text, with the line out of the error.
func (d *document) reportText(at Place, text string, err error) {
	if m := yamlError.FindStringSubmatch(err.Error()); m != nil {
		line, _ := strconv.Atoi(m[1])
		if ofParser.MatchString(m[2]) {
			line = min(line+1, strings.Count(strings.TrimRight(text, "\n"), "\n")+1)
		}
		at.Line += line
		err = fmt.Errorf("reading declarative configuration: %s", m[2])
	}
	d.report(at, err)
}
