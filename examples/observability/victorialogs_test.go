package observability

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/gateway"
)

// victoriaLogs is a running VictoriaLogs, as one of its tenants sees it.
type victoriaLogs struct{ url, account string }

// tenant is another one, who sees nothing of the others'.
func (v victoriaLogs) tenant(n int) victoriaLogs { return victoriaLogs{v.url, strconv.Itoa(n)} }

// startVictoriaLogs runs the binary that DIAG405_VICTORIALOGS names, or one in the PATH.
func startVictoriaLogs(t *testing.T) victoriaLogs {
	t.Helper()
	binary := os.Getenv("DIAG405_VICTORIALOGS")
	if binary == "" {
		var err error
		if binary, err = exec.LookPath("victoria-logs"); err != nil {
			t.Skip("no victoria-logs here: go install github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs@v1.52.1, and name it in DIAG405_VICTORIALOGS")
		}
	}
	address := freeAddress(t)
	said := &gateway.Lines{}
	// Records older than that are refused, and the times in a log are of any day.
	cmd := exec.Command(binary, "-httpListenAddr="+address, "-storageDataPath="+t.TempDir(), "-retentionPeriod=100y")
	cmd.Stderr = said
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Signal(os.Interrupt); _ = cmd.Wait() })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err := said.Find(ctx, func(line string) bool { return strings.Contains(line, "started server at http://"+address) })
	require.NoError(t, err, said.String())
	return victoriaLogs{"http://" + address, "0"}
}

// insert sends a body to the path of an endpoint, whichever host that is on.
func (v victoriaLogs) insert(t *testing.T, endpoint string, header map[string]string, body []byte) {
	t.Helper()
	at, err := url.Parse(endpoint)
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), "POST", v.url+at.Path, bytes.NewReader(body))
	require.NoError(t, err)
	for name, value := range header {
		req.Header.Set(name, value)
	}
	v.do(t, req)
}

// insertRecord sends the record of a request as http-log does, where and how the example
// says.
func (v victoriaLogs) insertRecord(t *testing.T, record []byte) {
	t.Helper()
	settings := plugin(t, "kong-http-log.yml", "http-log").Config
	header := map[string]string{"Content-Type": "application/json"}
	for name, value := range settings["headers"].(map[string]any) {
		header[name] = value.(string)
	}
	v.insert(t, settings["http_endpoint"].(string), header, record)
}

// insertLines sends an error log, a line a message.
func (v victoriaLogs) insertLines(t *testing.T, node, log string) {
	t.Helper()
	var b bytes.Buffer
	for line := range strings.Lines(log) {
		require.NoError(t, json.NewEncoder(&b).Encode(map[string]string{"_msg": strings.TrimSuffix(line, "\n"), "node": node}))
	}
	v.insert(t, "/insert/jsonline", map[string]string{"Content-Type": "application/stream+json", "VL-Stream-Fields": "node"}, b.Bytes())
}

func (v victoriaLogs) do(t *testing.T, req *http.Request) []byte {
	t.Helper()
	req.Header.Set("AccountID", v.account)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Less(t, res.StatusCode, 300, string(body))
	return body
}

// query runs a query of a file, over all days, and returns its rows.
func (v victoriaLogs) query(t *testing.T, file string) []map[string]string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", v.url+"/internal/force_flush", nil)
	require.NoError(t, err)
	v.do(t, req)
	form := url.Values{"query": {strings.Replace(read(t, file), "_time:1d", "_time:99y", 1)}}
	req, err = http.NewRequestWithContext(t.Context(), "POST", v.url+"/select/logsql/query", strings.NewReader(form.Encode()))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var rows []map[string]string
	for d := json.NewDecoder(bytes.NewReader(v.do(t, req))); ; {
		var row map[string]string
		err := d.Decode(&row)
		if err == io.EOF {
			return rows
		}
		require.NoError(t, err)
		rows = append(rows, row)
	}
}

// A log of many causes gives the table of report, with lines that nginx cut short and one
// in which a client pretends to be diag405.
func TestVictoriaLogsReadsAnErrorLog(t *testing.T) {
	v := startVictoriaLogs(t)
	log := read(t, "../../cmd/diag405/report/testdata/cases.log")
	require.Contains(t, log, "cause=forged")
	v.insertLines(t, "a", log)
	rows := v.query(t, "logsql/errorlog.logsql")
	want := reported(t, log)
	assert.GreaterOrEqual(t, len(want), 30)
	assert.Equal(t, want, table(t, rows))
	assert.Equal(t, "2026/11/23 15:49:00", rows[0]["first"])
	assert.Contains(t, rows[0]["fix"], "set strip_path=false on route internal-weather-route-POST")
}
