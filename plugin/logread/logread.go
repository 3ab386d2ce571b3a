// Package logread reads what diag405 wrote into Kong's error log: line by line, or a
// whole log counted by what went wrong. It reads what package report writes, and takes
// nothing for it that a client put there.
package logread

import (
	"bytes"
	"encoding/json"
	"fmt"

	"diag405/kong/errorlog"
	"diag405/plugin/report"
)

// Entry is a line of ours.
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

// Parse reads our part of a line of Kong's error log, in text or JSON. What nginx
// and Kong put around it is passed over. ok is false for a line that is not ours or
// is cut short.
func Parse(line string) (e Entry, ok bool) {
	_, own, ok := ownPart([]byte(line))
	if !ok {
		return Entry{}, false
	}
	e, whole := entryOf(own)
	if !whole || e.Event == "" {
		return Entry{}, false
	}
	return e, true
}

// Times is for how many diagnoses the line stands: those alike are written once a second.
func (e Entry) Times() int { return timesOf([]byte(e.Fields["times"])) }

// entryOf reads our part of a line, or what is left of it.
func entryOf(own []byte) (e Entry, whole bool) {
	e.Fields = map[string]string{}
	whole = eachField(own, func(key []byte, v value) { e.Fields[string(key)] = v.String() })
	e.Event = e.Fields["event"]
	return e, whole
}

var prefix = []byte(report.Prefix)

// ownPart is what diag405 wrote in a line of an error log, and nginx's time, nil
// when the line begins with our part.
func ownPart(line []byte) (time, own []byte, ok bool) {
	at := bytes.Index(line, prefix)
	if at < 0 {
		return nil, nil, false
	}
	own = line[at+len(prefix):]
	if at == 0 {
		return nil, own, true
	}
	time, ok = errorlog.Head(line[:at])
	return time, own, ok
}
