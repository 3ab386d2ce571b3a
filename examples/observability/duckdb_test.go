package observability

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// runSQL prints the rows of the query on stdin as JSON.
const runSQL = `
const {DuckDBInstance} = require('@duckdb/node-api');
(async () => {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const rows = await connection.runAndReadAll(require('fs').readFileSync(0, 'utf8'));
  console.log(JSON.stringify(rows.getRowObjectsJson()));
})();`

// duckDBModules is where npm has put DuckDB.
func duckDBModules(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("DIAG405_DUCKDB")
	if dir == "" {
		t.Skip("no DuckDB here: npm install @duckdb/node-api in some folder, and name it in DIAG405_DUCKDB")
	}
	return filepath.Join(dir, "node_modules")
}

// duckDB runs report.sql over the records of each node.
func duckDB(t *testing.T, modules string, nodes []*node) []map[string]string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "records"), 0o755))
	for i, n := range nodes {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "records", strconv.Itoa(i)+".jsonl"), n.recorded(t), 0o644))
	}
	sql, err := os.Open("report.sql")
	require.NoError(t, err)
	defer sql.Close()
	cmd := exec.Command("node", "-e", runSQL)
	cmd.Dir, cmd.Stdin, cmd.Stderr = dir, sql, os.Stderr
	cmd.Env = append(os.Environ(), "NODE_PATH="+modules)
	out, err := cmd.Output()
	require.NoError(t, err)
	var rows []map[string]string
	require.NoError(t, json.Unmarshal(out, &rows), string(out))
	return rows
}
