package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ascii makes any string visible ASCII: what is not is percent-encoded, as in a
// URL. A space stays a space, except at the ends.
func ascii(s string) string {
	s = strings.Trim(s, " ")
	if strings.IndexFunc(s, hidden) < 0 {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func hidden(r rune) bool { return r < ' ' || r > '~' }

// cut shortens visible ASCII to at most n bytes and marks the cut.
func cut(s string, n int) string {
	const mark = "..."
	if len(s) <= n {
		return s
	}
	return strings.TrimRight(s[:n-len(mark)], " ") + mark
}

// Clean makes any string valid UTF-8 without control characters, which is what
// the PDK takes and what keeps a line one line. Replaced bytes show as U+FFFD.
func Clean(s string) string {
	if utf8.ValidString(s) && strings.IndexFunc(s, control) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if control(r) {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
}

// cleanLines is Clean for text of several lines.
func cleanLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = Clean(lines[i])
	}
	return strings.Join(lines, "\n")
}

// control reports the characters that break a line or move a terminal's cursor:
// C0, DEL, C1, and the separators of lines and paragraphs.
func control(r rune) bool {
	return r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029'
}

// cleanAll applies told to every string inside a value made of maps, slices and
// plain values.
func cleanAll(v any) any {
	switch v := v.(type) {
	case string:
		return told(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = cleanAll(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[Clean(k)] = cleanAll(v[k])
		}
		return out
	}
	return v
}

// compactJSON is v on one line. Every value that gets here can be encoded.
func compactJSON(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // log readers are not browsers; "<" and "&" are common in URLs
	if err := e.Encode(v); err != nil {
		return ""
	}
	return strings.TrimSuffix(b.String(), "\n")
}
