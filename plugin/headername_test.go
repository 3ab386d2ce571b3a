package plugin

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/gateway/standin/schema"
	"diag405/plugin/server"
)

// Content-Length turned the 405 into Kong's 500. A prefix makes no name that somebody
// else reads, and Kong refuses what the plugin would.
func TestHeaderPrefixMakesNoUsedName(t *testing.T) {
	var dump bytes.Buffer
	require.NoError(t, server.Plugin{New: Constructor("")}.Dump(&dump, "/p"))
	var told struct {
		Plugins []struct{ Schema schema.Schema }
	}
	require.NoError(t, json.Unmarshal(dump.Bytes(), &told))

	taken := map[string]bool{
		"X-Diag": true, "x-diag": true, "X-Why": true, "X-405": true, "X-a-b": true, "X-K": true, "X-Requests": true,
		"X-" + strings.Repeat("a", 62): true, "X-" + strings.Repeat("a", 63): false,
		"": false, "X": false, "X-": false, "X--": false, "X-Diag-": false, "X Diag": false, "X-Diag\n": false, "X-Di_ag": false, "X-Diäg": false, "XX-Diag": false,
		"Content-Length": false, "Transfer-Encoding": false, "Connection": false, "Location": false, "Set-Cookie": false, "Allow": false, "Status": false, "Diag": false,
		"X-Kong": false, "X-Kong-Upstream": false, "x-kong-request": false, "X-Accel-Redirect": false, "X-Frame-Options": false, "X-FORWARDED": false,
	}
	for _, name := range usedNames {
		taken[name], taken[strings.ToLower(name)], taken[name+"-Fix"] = false, false, false
	}
	for name, want := range taken {
		_, err := told.Plugins[0].Schema.Complete(map[string]any{"header_prefix": name})
		assert.Equal(t, want, err == nil, "Kong: %q: %v", name, err)
		assert.Equal(t, want, checkHeaderName(name) == nil, "plugin: %q", name)
	}
}
