package deck

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/config"
)

func none(string) (string, bool) { return "", false }

func expand(t *testing.T, doc string) *config.Config {
	t.Helper()
	data, err := Expand([]byte(doc), none)
	require.NoError(t, err)
	cfg, err := config.Parse(data)
	require.NoError(t, err, "%s", data)
	return cfg
}

func TestDefaults(t *testing.T) {
	cfg := expand(t, `
_format_version: "3.0"
_info:
  select_tags: [team]
  defaults:
    route: {strip_path: false, protocols: [https]}
    service: {path: /base, retries: 1}
_konnect: {control_plane_name: default}
services:
- name: s
  host: a.example
  routes:
  - {name: r, paths: [/x]}
  - {name: q, paths: [/y], strip_path: true}
- {name: u, url: "http://a.example"}
`)
	assert.False(t, cfg.Routes[0].StripPath)
	assert.Equal(t, []string{"https"}, cfg.Routes[0].Protocols)
	assert.True(t, cfg.Routes[1].StripPath, "what is written counts")
	assert.Equal(t, "/base", cfg.Services[0].Path)
	assert.Empty(t, cfg.Services[1].Path, "a url has its path")
	assert.Equal(t, 1, cfg.Services[1].Retries)
}

func TestPluginConfigs(t *testing.T) {
	cfg := expand(t, `
_format_version: "3.0"
_plugin_configs:
  shared: {preflight_continue: true, origins: ["*"]}
plugins:
- {name: cors, _config: shared, config: {origins: ["https://a.example"]}}
services:
- name: s
  url: http://a.example
  plugins: [{name: cors, _config: shared}]
`)
	assert.Equal(t, map[string]any{"preflight_continue": true, "origins": []any{"*"}}, cfg.Plugins[0].Config)
	assert.Equal(t, map[string]any{"preflight_continue": true, "origins": []any{"https://a.example"}}, cfg.Plugins[1].Config)
}

func TestVariables(t *testing.T) {
	lookup := func(name string) (string, bool) { return "a.example", name == "DECK_HOST" }
	got, err := Expand([]byte(`host: ${{ env "DECK_HOST" }}`), lookup)
	require.NoError(t, err)
	assert.Equal(t, "host: a.example", string(got))

	_, err = Expand([]byte(`port: ${{ env "DECK_PORT" | toInt }}`), lookup)
	assert.EqualError(t, err, `decK variable "DECK_PORT" is not set in the environment`)
}

func TestOthersStayAsTheyAre(t *testing.T) {
	for _, doc := range []string{"", "[", "a: b\n", "_info: {select_tags: [x]}\n# remark\n", "_plugin_configs: {}\n"} {
		got, err := Expand([]byte(doc), none)
		require.NoError(t, err)
		assert.Equal(t, doc, string(got))
	}
}
