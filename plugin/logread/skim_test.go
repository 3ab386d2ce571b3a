package logread

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/plugin/diagnose"
)

// randomRecord is a record of a 405, of few enough kinds that many are alike.
func randomRecord(r *rand.Rand) map[string]any {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	id := func() string { return pick("7", "18", "2026-11-25", "x", "9f8b2c1d-1a2b-4c3d-8e9f-0123456789ab") }
	method, path := pick("GET", "POST", "PUT", "OPTIONS", "HEAD"), pick("/api/items/", "/api//items/", "/api/")+id()
	upstream := path
	if r.IntN(2) == 0 {
		upstream = pick("/items/", "/", "/v1/items/") + id()
	}
	asked := map[string]any{"host": pick("a.example", "b.example"), "user-agent": pick("curl", "x")}
	answer := map[string]any{"date": pick("now", "then")}
	for name, value := range map[string]string{
		"content-type": "application/grpc", "origin": "https://ui.example", "access-control-request-method": "PUT",
		"x-http-method-override": "PATCH", "sec-websocket-key": "k", "accept": "text/event-stream",
	} {
		if r.IntN(6) == 0 {
			asked[name] = value
		}
	}
	for _, name := range []string{"allow", "server", "x-powered-by", "x-amz-request-id"} {
		if r.IntN(2) == 0 {
			answer[name] = pick("GET", "GET, HEAD", "POST", "nginx/1.25", "uvicorn", "")
		}
	}
	return map[string]any{
		"request":      map[string]any{"id": fmt.Sprintf("%032x", r.Uint64()), "method": method, "uri": path + pick("", "?a=1", "?_method=PUT", "?a=2"), "headers": asked},
		"upstream_uri": upstream, "source": pick("upstream", "kong"),
		"response": map[string]any{"status": 405, "headers": answer},
		"route":    map[string]any{"id": pick("r1", "r2"), "name": pick("one", "two"), "paths": []any{pick("/api", "/")}, "strip_path": r.IntN(2) == 0, "methods": map[string]any{}},
		"service":  map[string]any{"id": "s", "name": "s", "path": pick("", "/v1"), "protocol": "http"},
		"tries":    []any{map[string]any{"ip": "127.0.0.1", "port": r.IntN(9)}}, "started_at": 1795421163000 + r.IntN(1000),
	}
}

// A record that is only skimmed has the verdict that it has when it is decoded.
func TestSkimmedAsDecoded(t *testing.T) {
	r := rand.New(rand.NewPCG(405, 0))
	for _, api := range []*diagnose.API{nil, diagnose.NewAPI([]diagnose.Endpoint{{Path: "/items/{id}", Methods: []string{"POST"}}})} {
		warm, kinds := scannerFor(t, Options{API: api}), 0
		for range 1000 {
			data, err := json.Marshal(randomRecord(r))
			require.NoError(t, err)
			before := len(warm.verdicts)
			got := warm.Scan(data).Failures
			kinds += len(warm.verdicts) - before
			want := scannerFor(t, Options{API: api}).Scan(data).Failures
			require.Len(t, got, 1)
			require.Len(t, want, 1)
			g, w := got[0], want[0]
			gx, wx := g.Entry().Fields, w.Entry().Fields
			require.Equal(t, []any{*w.group, w.time, w.id, wx["certainty"]}, []any{plainShape(*g.group), g.time, g.id, gx["certainty"]}, "%s", data)
		}
		assert.Greater(t, kinds, 150, "different ones")
		assert.Less(t, kinds, 970, "and many alike")
	}
}

func plainShape(s shape) shape {
	s.tally = nil
	return s
}

func TestEachMember(t *testing.T) {
	members := func(s string) ([]string, bool) {
		var got texts
		rest, ok := eachMember([]byte(s), &got)
		return got, ok && len(rest) == 0
	}
	for s, want := range map[string][]string{
		`{}`:                                   nil,
		` { "a" : 1 , "b":"x,}\"" }`:           {"a=1", `b="x,}\""`},
		`{"a":{"b":[1,{"c":"}"}]},"d":null}`:   {`a={"b":[1,{"c":"}"}]}`, "d=null"},
		`{"in":{"a":1,"b":{}},"in":2,"c":3}`:   {"a=1", "b={}", "in=2", "c=3"},
		`{"a":{"long":"}"},"b":{"long":"}}"}}`: {`a={"long":"}"}`, `b={"long":"}}"}`},
		`{"a":-1.5e3,"b":true}`:                {"a=-1.5e3", "b=true"},
	} {
		got, ok := members(s)
		assert.True(t, ok, s)
		assert.Equal(t, want, got, s)
	}
	for _, s := range []string{``, `[]`, `{`, `{"a`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{"a" 1}`, `{"a":{`, `{"a":"x`, `{"a":[}`, `{a:1}`} {
		_, ok := members(s)
		assert.False(t, ok, s)
	}
}

// texts are the members of an object, and of one in it named in.
type texts []string

func (t *texts) object(name []byte) reader {
	if string(name) == "in" {
		return t
	}
	return nil
}

func (t *texts) guess(name []byte) []byte { return []byte(`{"long":"}"}`) }

func (t *texts) member(name, value []byte) { *t = append(*t, string(name)+"="+string(value)) }

// Skimming a record takes no memory.
func TestSkimAllocates(t *testing.T) {
	s := scannerFor(t, Options{})
	data, err := json.Marshal(randomRecord(rand.New(rand.NewPCG(1, 1))))
	require.NoError(t, err)
	s.Scan(data)
	assert.Zero(t, testing.AllocsPerRun(100, func() { s.skim(data) }))
}

func BenchmarkRecords(b *testing.B) {
	r := rand.New(rand.NewPCG(405, 0))
	var log []byte
	for range 1000 {
		record := randomRecord(r)
		data, err := json.Marshal(record)
		require.NoError(b, err)
		log = append(append(log, data...), '\n')
	}
	b.SetBytes(int64(len(log)))
	for b.Loop() {
		NewAggregate(time.Time{}, time.UTC).Add(scannerFor(b, Options{}).Scan(log))
	}
}
