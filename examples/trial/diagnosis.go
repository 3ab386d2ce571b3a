package trial

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"diag405/kong/gateway"
	"diag405/plugin/logread"
)

// Diagnosis is what the plugins said about one request. Without a cause they said
// nothing.
type Diagnosis struct {
	Cause     string
	Certainty string
	Words     string // the first fix
	Change    Change // the first fix as data
	Route     Entity // that matched
	Service   Entity
}

// Entity is an object of Kong in the record.
type Entity struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// logLine is the part of file-log's record that is read here.
type logLine struct {
	Request struct {
		ID string `json:"id"`
	} `json:"request"`
	Route     Entity `json:"route"`
	Service   Entity `json:"service"`
	Diagnosis *struct {
		Cause     string `json:"cause"`
		Certainty string `json:"certainty"`
		Fixes     []struct {
			Words  string `json:"words"`
			Change string `json:"change"` // JSON
		} `json:"fixes"`
	} `json:"diag405"`
}

// How long to wait for what a gateway writes after it has answered.
const (
	defaultRecordTimeout   = 3 * time.Second
	defaultErrorLogTimeout = time.Second
	pollInterval           = 5 * time.Millisecond
)

// Tests of what is missing wait less.
var (
	recordTimeout   = defaultRecordTimeout
	errorLogTimeout = defaultErrorLogTimeout
)

// errNoRecord says that the log plugin wrote nothing about the request.
var errNoRecord = errors.New("no record of the request")

// FindDiagnosis collects what the plugins said about the request that got the
// answer: diag405 in the answer's header and in the record that file-log wrote, and
// diag405-log in the error log, nil where it does not run. The second sees more: it
// alone knows of what was left unbuffered, and where it is more certain its word
// counts. Of diagnoses alike it logs one a second: where it has none about this request,
// the last one about those with the ids in earlier stands for it.
func FindDiagnosis(ctx context.Context, a Answer, recordFile string, log *gateway.Lines, earlier ...string) (*Diagnosis, error) {
	id := a.Header.Get("X-Kong-Request-Id")
	record, err := waitForRecord(ctx, recordFile, id)
	if err != nil && !errors.Is(err, errNoRecord) {
		return nil, err
	}
	d, err := record.diagnosis()
	if err != nil {
		return nil, err
	}
	cause, params, _ := strings.Cut(a.Header.Get("X-Diag"), ";")
	if cause != "" {
		d.Cause, d.Certainty = cause, strings.TrimPrefix(params, "certainty=")
	}
	if log == nil {
		return d, nil
	}
	entry, ok := findLine(ctx, log, id)
	for i := len(earlier) - 1; !ok && i >= 0; i-- {
		entry, ok = lineOf(log, earlier[i])
	}
	if !ok || d.Words != "" && rank(entry.Fields["certainty"]) <= rank(d.Certainty) {
		return d, nil
	}
	return d, d.add(entry)
}

// rank orders certainties.
func rank(certainty string) int {
	return slices.Index([]string{"possible", "likely", "confirmed"}, certainty)
}

func (l *logLine) diagnosis() (*Diagnosis, error) {
	if l == nil {
		return &Diagnosis{}, nil
	}
	d := &Diagnosis{Route: l.Route, Service: l.Service}
	if l.Diagnosis == nil || len(l.Diagnosis.Fixes) == 0 {
		return d, nil
	}
	d.Cause, d.Certainty = l.Diagnosis.Cause, l.Diagnosis.Certainty
	first := l.Diagnosis.Fixes[0]
	d.Words = first.Words
	if err := json.Unmarshal([]byte(first.Change), &d.Change); err != nil {
		return nil, fmt.Errorf("reading the fix %q in the record: %w", first.Change, err)
	}
	return d, nil
}

// add puts the diagnosis of an error log's line in place of what is known.
func (d *Diagnosis) add(e logread.Entry) error {
	d.Cause, d.Certainty, d.Words = e.Fields["cause"], e.Fields["certainty"], e.Fields["fix"]
	if d.Route == (Entity{}) {
		d.Route = Entity{e.Fields["route"], e.Fields["route"]}
	}
	if d.Service == (Entity{}) {
		d.Service = Entity{e.Fields["service"], e.Fields["service"]}
	}
	raw, err := e.Change()
	if err != nil || raw == nil {
		return nil // cut short: the record's has to do
	}
	data, err := json.Marshal(raw)
	if err != nil {
		return fmt.Errorf("reading the fix in the error log: %w", err)
	}
	d.Change = Change{}
	if err := json.Unmarshal(data, &d.Change); err != nil {
		return fmt.Errorf("reading the fix %s in the error log: %w", data, err)
	}
	return nil
}

// waitForRecord waits until file-log has written its line about a request.
func waitForRecord(ctx context.Context, file, id string) (*logLine, error) {
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	for {
		line, err := findRecord(file, id)
		if line != nil || err != nil {
			return line, err
		}
		if !pause(ctx) {
			return nil, errNoRecord
		}
	}
}

// findRecord reads the lines that are complete.
func findRecord(file, id string) (*logLine, error) {
	data, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("reading the record: %w", err)
	}
	for text := range bytes.Lines(data[:bytes.LastIndexByte(data, '\n')+1]) {
		line := new(logLine)
		if err := json.Unmarshal(text, line); err != nil {
			return nil, fmt.Errorf("reading the record: %w", err)
		}
		if line.Request.ID == id {
			return line, nil
		}
	}
	return nil, nil
}

// pause waits for the next look; false when there is no time for one.
func pause(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(pollInterval):
		return true
	}
}

// findLine waits for diag405-log's line about a request in a gateway's error log.
func findLine(ctx context.Context, log *gateway.Lines, id string) (logread.Entry, bool) {
	ctx, cancel := context.WithTimeout(ctx, errorLogTimeout)
	defer cancel()
	var entry logread.Entry
	_, err := log.Find(ctx, func(line string) bool {
		var ok bool
		entry, ok = isAbout(line, id)
		return ok
	})
	return entry, err == nil
}

// lineOf is such a line where it was written already.
func lineOf(log *gateway.Lines, id string) (logread.Entry, bool) {
	for line := range strings.Lines(log.String()) {
		if entry, ok := isAbout(strings.TrimSuffix(line, "\n"), id); ok {
			return entry, true
		}
	}
	return logread.Entry{}, false
}

func isAbout(line, id string) (logread.Entry, bool) {
	entry, ok := logread.Parse(line)
	return entry, ok && entry.Event == "diagnosis" && entry.Fields["request_id"] == id && id != ""
}
