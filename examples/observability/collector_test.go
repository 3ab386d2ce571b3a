package observability

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/gateway"
)

// startCollector runs an OpenTelemetry Collector with the example's file, to read a log
// and to send to VictoriaLogs. It returns where it takes OTLP.
func startCollector(t *testing.T, binary string, v victoriaLogs, log string) (endpoint string) {
	t.Helper()
	address := freeAddress(t)
	settings := read(t, "otelcol.yml")
	for from, to := range map[string]string{"0.0.0.0:4318": address, "/var/log/kong/error.log": log, "http://victorialogs:9428": v.url} {
		require.Contains(t, settings, from)
		settings = strings.Replace(settings, from, to, 1)
	}
	// Its own metrics listen on a port that may be somebody else's.
	settings = strings.Replace(settings, "service:\n", "service:\n  telemetry: {metrics: {level: none}}\n", 1)
	file := filepath.Join(t.TempDir(), "otelcol.yml")
	require.NoError(t, os.WriteFile(file, []byte(settings), 0o644))
	said := &gateway.Lines{}
	cmd := exec.Command(binary, "--config", file)
	cmd.Stdout, cmd.Stderr = said, said
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Signal(os.Interrupt); _ = cmd.Wait() })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err := said.Find(ctx, func(line string) bool { return strings.Contains(line, "Everything is ready") })
	require.NoError(t, err, said.String())
	return "http://" + address
}

// What the collector reads of an error log, and what Kong sends it as OTLP, gives the
// table of report.
func TestCollectorSendsOn(t *testing.T) {
	binary := os.Getenv("DIAG405_OTELCOL")
	if binary == "" {
		t.Skip("no OpenTelemetry Collector here: DIAG405_OTELCOL names one with filelog, otlp and otlphttp")
	}
	v := startVictoriaLogs(t)
	file := filepath.Join(t.TempDir(), "error.log")
	f, err := os.Create(file)
	require.NoError(t, err)
	defer f.Close()
	endpoint := startCollector(t, binary, v, file)

	// It begins where the log ends, and does not say when.
	const first = `2026/11/23 15:49:00 [warn] 1443#0: *1 [kong] pb_rpc.lua:233 [diag405] event=diagnosis status=405 cause=first upstream="GET /"`
	ask := func() map[failure]int { return table(t, v.query(t, "logsql/errorlog.logsql")) }
	for deadline := time.Now().Add(20 * time.Second); len(ask()) == 0; time.Sleep(50 * time.Millisecond) {
		require.True(t, time.Now().Before(deadline), "nothing of the log arrives")
		_, err := f.WriteString(first + "\n")
		require.NoError(t, err)
	}
	log := read(t, "../../cmd/diag405/report/testdata/cases.log")
	_, err = f.WriteString(log)
	require.NoError(t, err)
	lines := []string{`[diag405] event=diagnosis status=405 cause=sent-as-otlp route=r upstream="POST http://a.example/p?q=*" times=7`}
	res, err := http.Post(endpoint+"/v1/logs", "application/x-protobuf", bytes.NewReader(otlp(lines)))
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusOK, res.StatusCode)

	want := reported(t, log)
	want[failure{"sent-as-otlp", "r", "POST /p"}] = 7
	var got map[failure]int
	for deadline := time.Now().Add(20 * time.Second); len(got) < len(want) && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		got = ask()
		delete(got, failure{"first", "", "GET /"})
	}
	assert.Equal(t, want, got)
}
