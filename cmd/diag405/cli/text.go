package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode"
)

// Plural is a count with its noun: 1 line, 2 lines, 2 diagnoses.
func Plural(n int, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case strings.HasSuffix(noun, "is"):
		return fmt.Sprintf("%d %ses", n, strings.TrimSuffix(noun, "is"))
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// ReadInput reads a file whole; "-" is stdin.
func ReadInput(file string, stdin io.Reader) ([]byte, error) {
	if file != "-" {
		return os.ReadFile(file)
	}
	data, err := io.ReadAll(stdin)
	if err != nil {
		return nil, fmt.Errorf("reading stdin: %w", err)
	}
	return data, nil
}

// WithoutPath leaves the files' names out of an error of package os, for who names a file
// himself: the error may name a temporary one.
func WithoutPath(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

// PrintJSON prints one value, indented, as people and machines read it. What moves a
// cursor is escaped.
func PrintJSON(out io.Writer, v any) error {
	text, err := encode(v, "  ")
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, text)
	return err
}

// Compact is a value in one line of JSON, escaped in the same way.
func Compact(v any) string {
	text, err := encode(v, "")
	if err != nil {
		return Printable(fmt.Sprint(v))
	}
	return strings.TrimSuffix(text, "\n")
}

// encode leaves <, > and & as they are, which are common in URLs. What the encoder
// leaves of what is not printable stands in texts, where it can be escaped (RFC 8259
// section 7).
func encode(v any, indent string) (string, error) {
	var out strings.Builder
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return "", err
	}
	if strings.IndexFunc(out.String(), isUnseen) < 0 {
		return out.String(), nil
	}
	var escaped strings.Builder
	for _, r := range out.String() {
		if isUnseen(r) {
			fmt.Fprintf(&escaped, `\u%04x`, r)
		} else {
			escaped.WriteRune(r)
		}
	}
	return escaped.String(), nil
}

// isUnseen reports what the encoder of JSON leaves and a terminal does not show.
func isUnseen(r rune) bool { return r != '\n' && isUnprintable(r) }

// isUnprintable reports what a terminal does instead of showing it: the control
// characters of ASCII and of Latin-1, which begin its commands, those that turn the
// direction of text (bidi controls, Unicode annex 9), and the line ends of Unicode.
func isUnprintable(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// Printable takes what moves a cursor, or has text read in another order than it stands,
// out of text that came from a log, a configuration or the network.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if isUnprintable(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// printableLines is text of several lines, each printable.
func printableLines(s string) string {
	return strings.Map(func(r rune) rune {
		if isUnprintable(r) && r != '\n' && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
