package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
)

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

// PrintJSON prints one value, indented, as people and machines read it.
func PrintJSON(out io.Writer, v any) error {
	e := newEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// Compact is a value in one line of JSON.
func Compact(v any) string {
	var out strings.Builder
	if err := newEncoder(&out).Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSuffix(out.String(), "\n")
}

// newEncoder leaves <, > and & as they are, which are common in URLs.
func newEncoder(out io.Writer) *json.Encoder {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	return e
}

// Printable takes what moves a cursor out of text that came from a log, a
// configuration or the network.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
