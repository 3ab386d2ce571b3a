package report

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Entry is a line of ours as it is read back from an error log.
type Entry struct {
	Event  string            // access or diagnosis
	Fields map[string]string // all fields by their names in the line
}

// Change is the first fix's data: an object with set, client or app. Nil where
// the line has none.
func (e Entry) Change() (map[string]any, error) {
	raw, ok := e.Fields["change"]
	if !ok {
		return nil, nil
	}
	var out map[string]any
	if err := json.Unmarshal([]byte(raw), &out); err != nil {
		return nil, fmt.Errorf("reading the field change=%q: %w", raw, err)
	}
	return out, nil
}

// ParseLine reads our part of a line of Kong's error log, in text or JSON. What
// nginx and Kong put around it is passed over. ok is false for a line that is not
// ours or is cut short.
func ParseLine(line string) (e Entry, ok bool) {
	_, own, found := ownPart([]byte(line))
	if !found {
		return Entry{}, false // not ours, or in what a client sent
	}
	ours := string(own)
	fields := map[string]string{}
	if strings.HasPrefix(ours, "{") {
		if json.NewDecoder(strings.NewReader(ours)).Decode(&fields) != nil {
			return Entry{}, false
		}
	} else if !parseLogfmt(ours, fields) {
		return Entry{}, false
	}
	e = Entry{Event: fields["event"], Fields: fields}
	return e, e.Event != ""
}

// parseLogfmt reads key=value fields up to what nginx appended: text that is not
// a field, or the comma in front of it.
func parseLogfmt(s string, into map[string]string) bool {
	for s != "" {
		key, rest, found := strings.Cut(s, "=")
		if !found || !isKey(key) {
			break
		}
		value, rest, ok := logfmtValue(rest)
		if !ok {
			return false
		}
		into[key] = value
		if !strings.HasPrefix(rest, " ") {
			break
		}
		s = rest[1:]
	}
	return len(into) > 0
}

func isKey(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && r != '_' }) < 0
}

// logfmtValue reads one value and returns what follows it.
func logfmtValue(s string) (value, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexByte(s, ' ')
		if end < 0 {
			end = len(s)
		}
		// nginx puts a comma right behind the message; a value of ours that ends
		// with one is in quotes.
		value = strings.TrimSuffix(s[:end], ",")
		return value, s[len(value):], true
	}
	quotedPart, err := strconv.QuotedPrefix(s)
	if err != nil {
		return "", "", false
	}
	value, err = strconv.Unquote(quotedPart)
	return value, s[len(quotedPart):], err == nil
}
