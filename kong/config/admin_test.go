package config_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/config"
)

func raw(objects ...string) []json.RawMessage {
	var out []json.RawMessage
	for _, o := range objects {
		out = append(out, json.RawMessage(o))
	}
	return out
}

const (
	serviceID  = "5a7d2c3e-0000-4000-8000-000000000001"
	routeID    = "5a7d2c3e-0000-4000-8000-000000000002"
	upstreamID = "5a7d2c3e-0000-4000-8000-000000000003"
	pluginID   = "5a7d2c3e-0000-4000-8000-000000000004"
	consumerID = "5a7d2c3e-0000-4000-8000-000000000005"
)

func TestFromAdmin(t *testing.T) {
	c, err := config.FromAdmin(config.Admin{
		Services: raw(`{"id": "` + serviceID + `", "name": "weather", "protocol": "http", "host": "apps", "port": 80, "path": null,
			"retries": 5, "connect_timeout": 60000, "read_timeout": 60000, "write_timeout": 60000, "enabled": true,
			"tags": null, "client_certificate": null, "tls_verify": null, "tls_sans": null, "a_field_of_the_future": 1, "created_at": 1}`),
		Routes: raw(`{"id": "` + routeID + `", "name": "post", "service": {"id": "` + serviceID + `"}, "protocols": ["http", "https"],
			"methods": ["POST"], "hosts": null, "paths": ["/api/sendWeather"], "headers": null, "snis": null, "sources": null,
			"destinations": null, "strip_path": true, "preserve_host": false, "path_handling": "v0", "regex_priority": 0,
			"https_redirect_status_code": 426, "request_buffering": true, "response_buffering": true, "tags": {}, "updated_at": 2}`),
		Plugins: raw(
			`{"id": "`+pluginID+`", "name": "request-transformer", "route": {"id": "`+routeID+`"}, "service": null, "consumer": null,
				"enabled": true, "protocols": ["http"], "config": {"http_method": "PUT", "add": {"headers": {}}}, "ordering": null}`,
			`{"id": "`+upstreamID+`", "name": "cors", "route": null, "service": null, "consumer": null, "consumer_group": {"id": "`+consumerID+`"},
				"enabled": true, "config": {}}`),
		Upstreams: raw(`{"id": "` + upstreamID + `", "name": "apps", "algorithm": "round-robin", "slots": 10000, "host_header": null}`),
		Targets:   raw(`{"id": "` + pluginID + `", "target": "10.0.0.1:8900", "weight": 100, "failover": true, "upstream": {"id": "` + upstreamID + `"}, "tags": null}`),
	})
	require.NoError(t, err)
	route := c.Routes[0]
	assert.Equal(t, routeID, route.ID)
	assert.Equal(t, serviceID, route.Service.ID)
	assert.Equal(t, "apps", route.Service.Host)
	assert.True(t, route.StripPath)
	assert.Same(t, route, c.Plugins[0].Route)
	assert.Equal(t, "PUT", c.Plugins[0].Config["http_method"])
	assert.Equal(t, consumerID, c.Plugins[1].ConsumerGroup, "not for every request")
	assert.Equal(t, []config.Target{{Host: "10.0.0.1", Port: 8900, Weight: 100, Failover: true}}, c.Upstreams[0].Targets)
}

func TestFromAdminRefuses(t *testing.T) {
	for _, tt := range []struct {
		admin config.Admin
		want  string
	}{
		{config.Admin{Services: raw(`1`)}, "services: [0]: should be an object"},
		{config.Admin{Routes: raw(`null`)}, "routes: [0]: should be an object"},
		{config.Admin{Routes: raw(`{"id": "` + routeID + `", "paths": ["/a"], "service": {"id": "` + serviceID + `"}}`)}, `"` + serviceID + `" is not among the services`},
	} {
		_, err := config.FromAdmin(tt.admin)
		assert.ErrorContains(t, err, tt.want)
	}
}
