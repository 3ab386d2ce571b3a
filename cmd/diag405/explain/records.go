package explain

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"diag405/kong/config"
	"diag405/plugin/logread"
	"diag405/plugin/record"
	"diag405/plugin/report"
)

// maxRecords bounds what is read of records, in bytes.
const maxRecords = 64 << 20

// records are what was read of logs: what is explained, each kind of failure once, and
// how much is not.
type records struct {
	failures []*failure
	kinds    map[string]*failure
	read     int   // all of them
	other    int   // not a 405 or 404
	bad      int   // no record at all
	problem  error // of the first that cannot be explained
}

// readRecords reads records of log plugins, one after the other or in lists (http-log's
// queue sends those), or the diagnoses in lines of Kong's error log.
func readRecords(in io.Reader) (*records, error) {
	data, err := io.ReadAll(io.LimitReader(in, maxRecords+1))
	if err != nil {
		return nil, fmt.Errorf("reading records from stdin: %w", err)
	}
	data = bytes.TrimSpace(data)
	r := &records{kinds: map[string]*failure{}}
	switch {
	case len(data) > maxRecords:
		return nil, fmt.Errorf("stdin has more than %d MB of records; diag405 report adds up such logs", maxRecords>>20)
	case len(data) == 0:
		return nil, errors.New("stdin is empty; -record wants a log plugin's record or a line of Kong's error log")
	case bytes.HasPrefix(data, []byte(report.Prefix)): // [diag405], as grep leaves it, and no list
		r.readLines(data)
	case data[0] == '{', data[0] == '[':
		r.readJSON(data)
	default:
		r.readLines(data)
	}
	switch {
	case len(r.failures) > 0:
		return r, nil
	case r.read > 1:
		return nil, fmt.Errorf("none of %d records on stdin can be explained; the first: %w", r.read, r.problem)
	case r.read == 1:
		return nil, r.problem
	}
	return nil, errors.New("stdin has neither a log plugin's record nor a diagnosis of diag405")
}

// readJSON reads values one after the other. Behind one that is cut short it goes on
// with the next line.
func (r *records) readJSON(data []byte) {
	for len(data) > 0 {
		d := json.NewDecoder(bytes.NewReader(data))
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			r.add(nil, fmt.Errorf("stdin is not a record in JSON: %w", err))
			_, data, _ = bytes.Cut(data, []byte("\n"))
		} else {
			data = data[d.InputOffset():]
			r.addValue(value)
		}
		data = bytes.TrimSpace(data)
	}
}

func (r *records) addValue(value json.RawMessage) {
	if value[0] != '[' {
		r.add(decodeRecord(value))
		return
	}
	var list []json.RawMessage
	if err := json.Unmarshal(value, &list); err != nil || len(list) == 0 {
		r.add(nil, errors.New("stdin is not a record in JSON"))
		return
	}
	for _, one := range list {
		r.add(decodeRecord(one))
	}
}

func (r *records) readLines(data []byte) {
	for line := range bytes.Lines(data) {
		if e, ok := logread.Parse(strings.TrimRight(string(line), "\r\n")); ok && e.Event == "diagnosis" {
			r.add(lineFailure(e))
		}
	}
}

// errStatus is that of a record which is no failure.
var errStatus = errors.New("diag405 explains 405 and 404")

// add counts what was read, failures that are alike once.
func (r *records) add(f *failure, err error) {
	r.read++
	switch {
	case err == nil:
		if like := r.kinds[f.kind()]; like != nil {
			like.times += f.times
			return
		}
		r.kinds[f.kind()] = f
		r.failures = append(r.failures, f)
		return
	case errors.Is(err, errStatus):
		r.other++
	default:
		r.bad++
	}
	if r.problem == nil {
		r.problem = err
	}
}

// kind tells failures apart that have explanations of their own: by request, upstream,
// route and answer.
func (f *failure) kind() string {
	x := f.exchange
	return fmt.Sprintf("%q", []string{
		x.Client.Line().String(), x.Client.Host, x.Upstream.Line().String(), x.Upstream.Host, nameOf(x.Route), x.Source, x.Target,
		strconv.Itoa(x.Response.Status), strings.Join(x.Response.Header.Values("Allow"), ","), causeOf(f.told),
	})
}

func nameOf(r *config.Route) string {
	if r == nil {
		return ""
	}
	return cmp.Or(r.ID, r.Name)
}

func causeOf(v *Verdict) string {
	if v == nil {
		return ""
	}
	return v.Cause
}

// String says how many there were, where that is not one.
func (r *records) String() string {
	var parts []string
	explained := r.read - r.other - r.bad
	switch {
	case len(r.failures) == explained:
		parts = append(parts, fmt.Sprintf("%d explained", explained))
	default:
		parts = append(parts, fmt.Sprintf("%d explained (%d kinds)", explained, len(r.failures)))
	}
	if r.other > 0 {
		parts = append(parts, fmt.Sprintf("%d with another status than 405 and 404", r.other))
	}
	if r.bad > 0 {
		parts = append(parts, fmt.Sprintf("%d that cannot be read", r.bad))
	}
	return fmt.Sprintf("%d on stdin: %s", r.read, strings.Join(parts, ", "))
}

func decodeRecord(data []byte) (*failure, error) {
	r, err := record.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("stdin is not a record in JSON: %w", err)
	}
	if err := r.Check(); errors.Is(err, record.ErrForeign) {
		return nil, fmt.Errorf("stdin is %w", err)
	} else if err != nil {
		return nil, fmt.Errorf("the record's status is %d: %w", r.Response.Status, errStatus)
	}
	x := r.Exchange("")
	return &failure{asked: logread.Asked(x.Client), exchange: x, times: 1}, nil
}
