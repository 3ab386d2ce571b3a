package trial

import (
	"encoding/json"
	"io"
	"strings"
)

// OneLine is an error's text in a line.
func OneLine(err error) string {
	return strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; ")
}

// PrintJSON prints a value as JSON in a line.
func PrintJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
