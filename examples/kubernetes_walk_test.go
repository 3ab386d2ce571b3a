//go:build unix

package examples

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"diag405/cmd/diag405/diag405test"
	"diag405/kong/config"
)

// weatherObjects are the objects of weather.yaml that Kong's ingress controller reads.
func weatherObjects(t *testing.T) (k kongPlugin, in ingress) {
	t.Helper()
	docs := documents(t, "kubernetes/weather.yaml")
	strict(t, docs["KongPlugin/diag405"], &k)
	strict(t, docs["Ingress/weather"], &in)
	return k, in
}

// kubernetesConfiguration is what the ingress controller 3.5 makes of weather.yaml for
// Kong: names, paths and fields as in translateIntoKongRoute, intoKongRouteName and
// PathsFromIngressPaths of internal/dataplane/translator/subtranslator/ingress.go, and
// overrideStripPath of internal/dataplane/kongstate/route.go.
func kubernetesConfiguration(t *testing.T, host, port string) []byte {
	t.Helper()
	k, in := weatherObjects(t)
	path := in.Spec.Rules[0].HTTP.Paths[0]
	require.Equal(t, "Exact", path.PathType)
	to := path.Backend.Service
	return controllerConfiguration(t, host, port, k, map[string]any{
		"name":          fmt.Sprintf("%s.%s.%s.%s.%d", in.Metadata.Namespace, in.Metadata.Name, to.Name, in.Spec.Rules[0].Host, to.Port.Number),
		"paths":         []string{"~" + path.Path + "$"},
		"methods":       strings.Split(in.Metadata.Annotations["konghq.com/methods"], ","),
		"strip_path":    in.Metadata.Annotations["konghq.com/strip-path"] == "true",
		"preserve_host": true,
	})
}

// controllerConfiguration is a configuration with one route, of the service that both the
// Ingress and the HTTPRoute lead to.
func controllerConfiguration(t *testing.T, host, port string, k kongPlugin, route map[string]any) []byte {
	t.Helper()
	route["plugins"] = []any{map[string]any{"name": k.Plugin, "config": k.Config}}
	data, err := json.Marshal(map[string]any{
		"_format_version": "3.0",
		"services": []any{map[string]any{
			"name": "weather.weather.80", "url": "http://" + host + ":" + port + "/", "routes": []any{route},
		}},
	})
	require.NoError(t, err)
	return data
}

// certainWithDocument checks that the application's document makes the diagnosis certain.
func certainWithDocument(t *testing.T, bin string) {
	t.Helper()
	document := filepath.Join(t.TempDir(), "openapi.yaml")
	require.NoError(t, os.WriteFile(document, []byte(`{openapi: 3.0.3, info: {title: weather, version: "1"},
		paths: {/: {get: {}}, /api/sendWeather: {post: {}}}}`), 0o600))
	c := filepath.Join(t.TempDir(), "kong.json")
	require.NoError(t, os.WriteFile(c, kubernetesConfiguration(t, "weather", "8900"), 0o600))
	got := diag405test.Run(t, bin, "explain", "-config", c, "-openapi", document, "-status", "405", "-allow", "GET", "POST", "/api/sendWeather")
	assert.Equal(t, 0, got.Code, got.Stderr)
	assert.Contains(t, got.Stdout, "cause     strip-path (confirmed)")
	assert.Contains(t, read(t, "kubernetes/README.md"), "`strip-path;certainty=confirmed`")
}

// The HTTPRoute of gateway.yaml makes the same route as the Ingress but for its name
// (translateToKongRouteName and generateKongRoutePathFromHTTPRouteMatch of httproute.go).
func TestKubernetesGatewayIsTheSame(t *testing.T) {
	k, _ := weatherObjects(t)
	docs := documents(t, "kubernetes/gateway.yaml")
	var route httpRoute
	strict(t, docs["HTTPRoute/weather"], &route)
	match := route.Spec.Rules[0].Matches[0]
	require.Equal(t, "Exact", match.Path.Type)
	parse := func(data []byte) *config.Route {
		c, err := config.Parse(data)
		require.NoError(t, err)
		return c.Routes[0]
	}
	ofRoute := parse(controllerConfiguration(t, "weather", "8900", k, map[string]any{
		"name":          fmt.Sprintf("httproute.%s.%s.0.0", route.Metadata.Namespace, route.Metadata.Name),
		"paths":         []string{"~" + match.Path.Value + "$"},
		"methods":       []string{match.Method},
		"strip_path":    route.Metadata.Annotations["konghq.com/strip-path"] == "true",
		"preserve_host": true,
	}))
	ofIngress := parse(kubernetesConfiguration(t, "weather", "8900"))
	assert.Equal(t, ofIngress.Paths, ofRoute.Paths)
	assert.Equal(t, ofIngress.StripPath, ofRoute.StripPath)
	assert.Equal(t, ofIngress.Methods, ofRoute.Methods)

	ref := route.Spec.Rules[0].Filters[0].ExtensionRef
	assert.Equal(t, [3]string{"configuration.konghq.com", k.Kind, k.Metadata.Name}, [3]string{ref.Group, ref.Kind, ref.Name})
	var class, gateway struct {
		head `yaml:",inline"`
		Spec struct {
			ControllerName   string `yaml:"controllerName"`
			GatewayClassName string `yaml:"gatewayClassName"`
			Listeners        []struct {
				Name, Protocol string
				Port           int
			}
		}
	}
	strict(t, docs["GatewayClass/kong"], &class)
	strict(t, docs["Gateway/kong"], &gateway)
	assert.Equal(t, "konghq.com/kic-gateway-controller", class.Spec.ControllerName)
	assert.Equal(t, "true", class.Metadata.Annotations["konghq.com/gatewayclass-unmanaged"])
	assert.Equal(t, class.Metadata.Name, gateway.Spec.GatewayClassName)
	assert.Equal(t, gateway.Metadata.Name, route.Spec.ParentRefs[0].Name)
	for _, m := range []meta{gateway.Metadata, route.Metadata} {
		assert.Equal(t, k.Metadata.Namespace, m.Namespace, "listeners let in routes of their own namespace")
	}
}

// weather.yaml hangs together: the Ingress names the plugin and the Service, and that leads
// to the application of examples/fastapi.
func TestKubernetesWeather(t *testing.T) {
	k, in := weatherObjects(t)
	assert.Empty(t, k.problems())
	assert.Equal(t, k.Metadata.Name, in.Metadata.Annotations["konghq.com/plugins"])
	docs := documents(t, "kubernetes/weather.yaml")
	var d deployment
	strict(t, docs["Deployment/weather"], &d)
	var s service
	strict(t, docs["Service/weather"], &s)
	for _, m := range []meta{in.Metadata, d.Metadata, s.Metadata} {
		assert.Equal(t, k.Metadata.Namespace, m.Namespace)
	}
	to := in.Spec.Rules[0].HTTP.Paths[0].Backend.Service
	app := d.Spec.Template.Spec.Containers[0]
	assert.Equal(t, s.Metadata.Name, to.Name)
	assert.Equal(t, s.Spec.Ports[0].Port, to.Port.Number)
	assert.Equal(t, app.Ports[0].Name, s.Spec.Ports[0].TargetPort)
	assert.Equal(t, d.Spec.Template.Metadata.Labels, s.Spec.Selector)
	assert.Equal(t, []string{fmt.Sprint(app.Ports[0].ContainerPort)}, readCompose(t, "fastapi").Services["weather"].Expose)
	assert.Contains(t, read(t, "kubernetes/weather.yaml"), "docker build -t "+app.Image+" ../fastapi")
}

// The values for kong/ingress are those for kong/kong, where it has its Kong.
func TestKubernetesValuesForBothChartsAreTheSame(t *testing.T) {
	var alone, parts map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(read(t, "kubernetes/values.yaml")), &alone))
	require.NoError(t, yaml.Unmarshal([]byte(read(t, "kubernetes/values-ingress.yaml")), &parts))
	assert.Equal(t, map[string]any{"gateway": alone}, parts)
}
