package trial

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/gateway"
)

const (
	recordLine = `{"request":{"id":"aa"},"route":{"id":"1","name":"r"},"service":{"id":"2","name":"s"},"diag405":{"cause":"strip-path","certainty":"likely","fixes":[{"words":"set it","change":"{\"set\":{\"route.strip_path\":false}}"}]}}` + "\n"
	errorLine  = `2026/01/02 03:04:05 [warn] 1#0: *1 [kong] pb_rpc.lua:233 [diag405-log] [diag405] event=diagnosis phase=log request_id=aa cause=strip-path certainty=likely route=r service=s fix="set it" change="{\"set\":{\"route.strip_path\":false}}", context: ngx.timer, client: 127.0.0.1` + "\n"
)

func TestFindDiagnosis(t *testing.T) {
	recordTimeout, errorLogTimeout = 50*time.Millisecond, 50*time.Millisecond
	t.Cleanup(func() { recordTimeout, errorLogTimeout = defaultRecordTimeout, defaultErrorLogTimeout })
	want := &Diagnosis{
		Cause: "strip-path", Certainty: "likely", Words: "set it", Change: Change{Set: map[string]any{"route.strip_path": false}},
		Route: Entity{"1", "r"}, Service: Entity{"2", "s"},
	}
	got := find(t, recordLine, errorLine, "strip-path;certainty=likely")
	assert.Equal(t, want, got)
	assert.Equal(t, want.Change, find(t, "", errorLine, "").Change, "without a record the error log has it")
	assert.Equal(t, want, find(t, `{"request":{"id":"bb"}}`+"\n"+recordLine, "some other line\n"+errorLine, ""))

	got = find(t, recordLine, errorLine, "host-header;certainty=confirmed")
	assert.Equal(t, "host-header;confirmed", got.Cause+";"+got.Certainty, "what the client saw counts")
	got = find(t, recordLine, errorLine, "host-header;certainty=possible")
	assert.Equal(t, "strip-path;likely", got.Cause+";"+got.Certainty, "unless diag405-log is more certain")

	// Of diagnoses alike one is logged: the last about an earlier request stands for it.
	other := strings.ReplaceAll(strings.ReplaceAll(errorLine, "request_id=aa", "request_id=bb"), "strip-path", "target-divergence")
	assert.Equal(t, "target-divergence", find(t, "", other, "", "cc", "bb").Cause)
	assert.Equal(t, "strip-path", find(t, "", other+errorLine, "", "bb").Cause, "its own counts")
	assert.Empty(t, find(t, "", other, "").Cause, "not about another request")

	assert.Equal(t, &Diagnosis{Route: Entity{"1", ""}}, find(t, `{"request":{"id":"aa"},"route":{"id":"1"}}`+"\n", "", ""))
}

// find looks for the diagnosis of the request with id aa.
func find(t *testing.T, record, errors, header string, earlier ...string) *Diagnosis {
	t.Helper()
	file := filepath.Join(t.TempDir(), "record")
	require.NoError(t, os.WriteFile(file, []byte(record), 0o644))
	log := &gateway.Lines{}
	_, _ = log.Write([]byte(errors))
	a := Answer{Status: 405, Header: http.Header{"X-Kong-Request-Id": {"aa"}}}
	if header != "" {
		a.Header.Set("X-Diag", header)
	}
	d, err := FindDiagnosis(t.Context(), a, file, log, earlier...)
	require.NoError(t, err)
	return d
}

func TestRecordIsReadWhenItsLineIsWhole(t *testing.T) {
	file := filepath.Join(t.TempDir(), "record")
	line, err := findRecord(file, "aa")
	require.NoError(t, err, "no file yet")
	assert.Nil(t, line)
	require.NoError(t, os.WriteFile(file, []byte(recordLine[:40]), 0o644))
	line, err = findRecord(file, "aa")
	require.NoError(t, err)
	assert.Nil(t, line)
	require.NoError(t, os.WriteFile(file, []byte(recordLine), 0o644))
	line, err = findRecord(file, "aa")
	require.NoError(t, err)
	assert.NotNil(t, line)
}
