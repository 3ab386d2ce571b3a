package logread

import (
	"bytes"
	"encoding/json"
	"hash/maphash"
	"net/http"
	"slices"

	"diag405/kong/errorlog"
	"diag405/plugin/diagnose"
	"diag405/plugin/record"
)

// Source is what a failure is known from.
type Source string

// The sources, the one that knows least first.
const (
	AccessLog Source = "access log" // the client's request and the status
	LogRecord Source = "record"     // of a log plugin: both requests and the answer's headers
	Diagnosis Source = "diag405"    // which saw the exchange itself
)

// sources order them.
var sources = []Source{AccessLog, LogRecord, Diagnosis}

func (s Source) rank() int { return slices.Index(sources, s) }

// Block is what a part of a log tells.
type Block struct {
	Lines    int
	Access   int // access lines of diag405
	Cut      int // diagnoses that the log cut short
	Failures []Failure
}

// Failure is a request that failed.
type Failure struct {
	group  *shape
	from   Source
	logged bool     // by diag405-log, in the log phase
	told   []byte   // the diagnosis as diag405 wrote it, a part of the log; nil with a verdict
	judged *verdict // nil with told
	time   int64    // in seconds since 1970, 0 where it is not known
	times  int      // for how many the line stands
	id     uint64   // of the request, 0 where it is not known
}

// shape is what failures are counted by.
type shape struct {
	cause, route, upstream string
	client                 string // the client's method and path

	tally *tally // of the aggregate that counts it
}

// maxKept bounds the shapes and verdicts that a scanner keeps.
const maxKept = 20_000

// Scanner finds failures in a log. It is for one goroutine; several scanners may ask
// the same judge.
type Scanner struct {
	judge    *Judge
	shapes   map[string]*shape
	verdicts map[string]*verdict
	clock    clock
	block    *Block
	expected int // failures in a block, by the one before

	// Scratch, so that a line of a known kind takes no memory.
	key, upstream, client, text []byte
	fields                      fields
	skimmer                     *skimmer
}

// NewScanner returns a scanner.
func NewScanner(j *Judge) *Scanner {
	return &Scanner{judge: j, shapes: map[string]*shape{}, verdicts: map[string]*verdict{}, clock: clock{zone: j.Zone}, skimmer: &skimmer{}}
}

// must405 is in every line that tells of a 405, and in diag405's own.
var must405 = []byte("405")

// Scan reads whole lines. The failures are good for as long as data is.
func (s *Scanner) Scan(data []byte) *Block {
	s.block = &Block{Lines: bytes.Count(data, []byte("\n")), Failures: make([]Failure, 0, s.expected)}
	defer func() { s.expected = len(s.block.Failures) }()
	if len(data) > 0 && data[len(data)-1] != '\n' {
		s.block.Lines++
	}
	for {
		i := bytes.Index(data, must405)
		if i < 0 {
			return s.block
		}
		start := bytes.LastIndexByte(data[:i], '\n') + 1
		end := bytes.IndexByte(data[i:], '\n')
		if end < 0 {
			end = len(data) - i
		}
		s.line(bytes.TrimRight(data[start:i+end], "\r"), 0, false)
		if data = data[i+end:]; len(data) > 0 {
			data = data[1:]
		}
	}
}

// line reads one line. Time is what something that carried it says, 0 for nothing, and
// carried that the line was inside another one.
func (s *Scanner) line(line []byte, time int64, carried bool) {
	at, own, ok := ownPart(line)
	switch {
	case ok && carried:
		s.ours(at, bytes.Clone(own), line, time)
	case ok:
		s.ours(at, own, line, time)
	case !bytes.Contains(line, prefix) && !is405(line), errorlog.Begins(line):
	default:
		if object := objectIn(line); object != nil {
			s.object(object, carried)
			return
		}
		s.access(line, time)
	}
}

// objectIn is the JSON object or list that a line is, be there a collector's words in
// front of it; nil for any other line. A line's quotes come with what a client sent.
func objectIn(line []byte) []byte {
	for i, c := range line[:min(len(line), maxForeign)] {
		switch {
		case c == '"':
			return nil
		case c == '{', c == '[' && bytes.HasPrefix(bytes.TrimLeft(line[i+1:], " "), []byte(`{"`)):
			return line[i:]
		}
	}
	return nil
}

// maxForeign bounds what a collector may put in front of an object, in bytes.
const maxForeign = 200

// object reads a line of JSON: one that another line is in, a record, or a list of
// records, as http-log's queue sends them.
func (s *Scanner) object(object []byte, carried bool) {
	if w, ok := unwrapDocker(object, s.text); ok {
		s.text = w.text[:0]
		s.unwrapped(w, carried)
		return
	}
	if object[0] == '[' {
		var list []json.RawMessage
		if json.Unmarshal(object, &list) == nil {
			for _, one := range list {
				s.record(one, carried)
			}
		}
		return
	}
	s.record(object, carried)
}

func (s *Scanner) unwrapped(w wrapped, carried bool) {
	if !carried { // nobody wraps twice
		s.line(w.text, s.clock.rfc3339(w.time), true)
	}
}

func (s *Scanner) record(data []byte, carried bool) {
	short, ok := s.skim(data)
	if v := s.verdicts[string(s.key)]; ok && v != nil {
		s.add(Failure{group: v.group, from: v.from, judged: v, time: short.started, times: 1, id: requestID(short.id)})
		return
	}
	key := string(s.key)
	v := s.decode(data, carried)
	if ok && v != nil {
		s.keep(key, v)
	}
}

// decode reads a record, and returns the verdict on it; nil where there is none.
func (s *Scanner) decode(data []byte, carried bool) *verdict {
	r, err := record.Parse(data)
	if err != nil {
		return nil
	}
	if err := r.Check(); err != nil {
		if w, ok := unwrapAny(data); ok {
			s.unwrapped(w, carried)
		}
		return nil
	}
	if r.Response.Status != http.StatusMethodNotAllowed {
		return nil
	}
	v := s.ofRecord(r)
	s.add(Failure{group: v.group, from: v.from, judged: v, time: int64(r.StartedAt) / 1000, times: 1, id: requestID([]byte(r.Request.ID))})
	return v
}

// ofRecord is the verdict on a record: diag405's own where it is in there.
func (s *Scanner) ofRecord(r *record.Record) *verdict {
	x := s.judge.ofRecord(r)
	if d, ok := r.Diagnosis(); ok {
		v := newVerdict(x, d, Diagnosis)
		v.group = s.shapeOf(x, d.Cause)
		return v
	}
	d := diagnose.Explain(x, diagnose.Offers{API: s.judge.API})
	v := newVerdict(x, d, LogRecord)
	v.group = s.shapeOf(x, d.Cause)
	return v
}

func (s *Scanner) keep(key string, v *verdict) {
	if len(s.verdicts) >= maxKept {
		clear(s.verdicts)
	}
	s.verdicts[key] = v
}

func (s *Scanner) appendUpstream(to []byte, x diagnose.Exchange) []byte {
	if x.Upstream.Method == "" {
		return to
	}
	return appendRequest(to, []byte(x.Upstream.Line().String()), s.judge.API)
}

func (s *Scanner) shapeOf(x diagnose.Exchange, cause diagnose.Code) *shape {
	route := ""
	if r := x.Route; r != nil {
		if route = r.Name; route == "" {
			route = r.ID
		}
	}
	s.upstream = s.appendUpstream(s.upstream[:0], x)
	s.client = appendRequest(s.client[:0], []byte(x.Client.Line().String()), nil)
	return s.shape([]byte(cause), []byte(route))
}

// access reads a line of an access log.
func (s *Scanner) access(line []byte, time int64) {
	a, ok := readAccess(line)
	if !ok {
		return
	}
	if time == 0 {
		time = s.clock.accessLog(a.time)
	}
	v := s.ofAccess(a)
	s.add(Failure{group: v.group, from: AccessLog, judged: v, time: time, times: 1, id: requestID(a.id)})
}

// ofAccess is the verdict on a line: the same for all with the same method and shape of
// path for which the same routes may be.
func (s *Scanner) ofAccess(a accessLine) *verdict {
	method, target, _ := bytes.Cut(a.request, []byte(" "))
	ways := s.judge.ways(string(method), string(target))
	s.key = appendRequest(append(s.key[:0], 'a'), a.request, nil)
	for _, w := range ways {
		s.key = append(append(append(s.key, 0), w.match.Route.ID...), w.match.Route.Name...)
		s.key = append(append(s.key, 0), w.match.Prefix...)
	}
	if v := s.verdicts[string(s.key)]; v != nil {
		return v
	}
	key := string(s.key)
	v := s.judge.ofLine(string(method), string(target), ways)
	f := fields{}
	eachField(v.told, f.take)
	v.group = s.shapeOf(*v.x, diagnose.Code(f.cause.bytes()))
	s.keep(key, v)
	return v
}

// ours reads a line that diag405 wrote.
func (s *Scanner) ours(at, own, line []byte, time int64) {
	f := &s.fields
	*f = fields{}
	whole := eachField(own, f.take)
	switch {
	case string(f.event.raw) == "access":
		s.block.Access++
		return
	case string(f.event.raw) != "diagnosis" || len(f.cause.raw) == 0:
		return
	}
	if !whole {
		s.block.Cut++
	}
	if time == 0 {
		time = s.clock.errorLog(at)
	}
	id := requestID(f.id.raw)
	if id == 0 {
		id = requestID(idBehind(line, "request_id: "))
	}
	s.upstream = appendRequest(s.upstream[:0], f.upstream.bytes(), s.judge.API)
	s.client = appendRequest(s.client[:0], f.client.bytes(), nil)
	s.add(Failure{
		group: s.shape(f.cause.bytes(), f.route.bytes()), from: Diagnosis, logged: string(f.phase.raw) == "log",
		told: own, time: time, times: f.count(), id: id,
	})
}

func (s *Scanner) add(f Failure) { s.block.Failures = append(s.block.Failures, f) }

// shape is the one of a cause and a route, and of the requests in the scratch buffers.
func (s *Scanner) shape(cause, route []byte) *shape {
	s.key = s.key[:0]
	for _, p := range [][]byte{cause, route, s.upstream, s.client} {
		s.key = append(append(s.key, p...), 0)
	}
	if known := s.shapes[string(s.key)]; known != nil {
		return known
	}
	if len(s.shapes) >= maxKept {
		clear(s.shapes)
	}
	made := &shape{cause: safe(string(cause)), route: safe(string(route)), upstream: safe(string(s.upstream)), client: safe(string(s.client))}
	s.shapes[string(s.key)] = made
	return made
}

// fields are those of a line that every diagnosis is counted by.
type fields struct {
	event, phase, id, cause, times, route, upstream, client value
}

func (f *fields) take(key []byte, v value) {
	switch string(key) {
	case "event":
		f.event = v
	case "phase":
		f.phase = v
	case "request_id":
		f.id = v
	case "cause":
		f.cause = v
	case "times":
		f.times = v
	case "route":
		f.route = v
	case "upstream":
		f.upstream = v
	case "client":
		f.client = v
	}
}

// maxTimes bounds for how many diagnoses a line is taken to stand.
const maxTimes = 1 << 30

// count is for how many diagnoses the line stands.
func (f *fields) count() int { return timesOf(f.times.raw) }

// timesOf reads for how many diagnoses a line says that it stands: one, where it says
// nothing or no number.
func timesOf(text []byte) int {
	n := 0
	for _, c := range text {
		if c < '0' || c > '9' || n > maxTimes {
			return 1
		}
		n = 10*n + int(c-'0')
	}
	return max(1, n)
}

var seed = maphash.MakeSeed()

// requestID is a request's id as a number, 0 for none.
func requestID(id []byte) uint64 {
	if len(id) == 0 {
		return 0
	}
	return max(1, maphash.Bytes(seed, id))
}
