//go:build unix

package examples

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"diag405/cmd/diag405/diag405test"
	"diag405/kong/config"
	"diag405/kong/gateway"
	"diag405/kong/gateway/standin"
	"diag405/plugin"
)

// strict decodes a document and refuses fields that its type does not have.
func strict(t *testing.T, data []byte, into any) {
	t.Helper()
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	require.NoError(t, d.Decode(into), string(data))
}

// documents are those of a file, by kind and name.
func documents(t *testing.T, file string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	d := yaml.NewDecoder(strings.NewReader(read(t, file)))
	for {
		var n yaml.Node
		err := d.Decode(&n)
		if errors.Is(err, io.EOF) {
			return out
		}
		require.NoError(t, err, file)
		var h head
		require.NoError(t, n.Decode(&h))
		data, err := yaml.Marshal(&n)
		require.NoError(t, err)
		out[h.Kind+"/"+h.Metadata.Name] = data
	}
}

func TestKubernetesPlugins(t *testing.T) {
	docs := documents(t, "kubernetes/plugin.yaml")
	require.ElementsMatch(t, []string{"KongPlugin/diag405", "KongClusterPlugin/diag405-log"}, slices.Collect(maps.Keys(docs)))
	var plugins []string
	for name, data := range docs {
		var k kongPlugin
		strict(t, data, &k)
		assert.Empty(t, k.problems(), name)
		for _, p := range k.ConfigPatch {
			k.Config[strings.TrimPrefix(p.Path, "/")] = "from the secret"
		}
		settings, err := yaml.Marshal(map[string]any{"name": k.Plugin, "config": k.Config})
		require.NoError(t, err)
		plugins = append(plugins, string(settings))
	}
	loads(t, plugins...)
}

// Each thing that is refused in a plugin is noticed.
func TestKubernetesPluginProblems(t *testing.T) {
	for _, tt := range []struct {
		document, change, to string
		want                 string
	}{
		{"KongPlugin/diag405", "plugin: diag405", "plugin: ''", "no plugin"},
		{"KongPlugin/diag405", "/v1", "/v1beta1", "apiVersion"},
		{"KongPlugin/diag405", "config:", "protocols: [ftp]\nconfig:", "protocols"},
		{"KongPlugin/diag405", "path: /token", "path: token", "a patch's path is a JSON pointer"},
		{"KongPlugin/diag405", "key: token", "key: ''", "a patch's secret"},
		{"KongPlugin/diag405", "config:", "configFrom: {secretKeyRef: {name: a, key: b}}\nconfig:", "config beside configFrom"},
		{"KongPlugin/diag405", "namespace: shop", "labels: {global: 'true'}", "only a KongClusterPlugin is global"},
		{"KongClusterPlugin/diag405-log", "name: diag405-log", "name: diag405-log\n    namespace: shop", "a KongClusterPlugin has no namespace"},
		{"KongClusterPlugin/diag405-log", "kubernetes.io/ingress.class", "class", "the controller passes over a KongClusterPlugin without its class"},
	} {
		document := string(documents(t, "kubernetes/plugin.yaml")[tt.document])
		require.Contains(t, document, tt.change)
		var k kongPlugin
		strict(t, []byte(strings.Replace(document, tt.change, tt.to, 1)), &k)
		assert.Contains(t, k.problems(), tt.want)
	}
	var k kongPlugin
	d := yaml.NewDecoder(strings.NewReader("kind: KongPlugin\nplugins: diag405\n"))
	d.KnownFields(true)
	assert.ErrorContains(t, d.Decode(&k), "field plugins not found")
}

// loads loads plugins with their settings, as Kong would take them.
func loads(t *testing.T, plugins ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	i := newInstalled(t)
	gw, err := standin.Start(ctx, gateway.Options{Servers: i})
	require.NoError(t, err)
	defer gw.Close()
	doc := "_format_version: \"3.0\"\nplugins:\n"
	for _, p := range plugins {
		doc += "  - " + strings.ReplaceAll(strings.TrimSpace(p), "\n", "\n    ") + "\n"
	}
	require.NoError(t, gw.Load(ctx, []byte(doc)), doc)
}

// newInstalled are both plugins as they are described, with nobody who serves them.
func newInstalled(t *testing.T) (out []gateway.Server) {
	t.Helper()
	dir := t.TempDir()
	got := diag405test.Run(t, diag405test.Build(t), "dump", "-dir", dir)
	require.Equal(t, 0, got.Code, got.Stderr)
	for _, name := range []string{plugin.Name, plugin.LogName} {
		out = append(out, gateway.Server{Name: name, QueryCmd: "cat " + path.Join(dir, name+".json"), Socket: path.Join(dir, name)})
	}
	return out
}

// The Ingress and the HTTPRoute name the plugin of plugin.yaml, in its namespace.
func TestKubernetesRoutes(t *testing.T) {
	var k kongPlugin
	strict(t, documents(t, "kubernetes/plugin.yaml")["KongPlugin/diag405"], &k)
	docs := documents(t, "kubernetes/ingress.yaml")

	var in ingress
	strict(t, docs["Ingress/orders"], &in)
	assert.Equal(t, "networking.k8s.io/v1", in.APIVersion)
	assert.Equal(t, k.Metadata.Namespace, in.Metadata.Namespace)
	assert.Contains(t, strings.Split(in.Metadata.Annotations["konghq.com/plugins"], ","), k.Metadata.Name)
	assert.Equal(t, "kong", in.Spec.IngressClassName)
	for _, p := range in.Spec.Rules[0].HTTP.Paths {
		assert.Contains(t, []string{"Prefix", "Exact", "ImplementationSpecific"}, p.PathType)
		assert.NotZero(t, p.Backend.Service.Port.Number)
	}

	var route httpRoute
	strict(t, docs["HTTPRoute/orders"], &route)
	assert.Equal(t, "gateway.networking.k8s.io/v1", route.APIVersion)
	assert.Equal(t, k.Metadata.Namespace, route.Metadata.Namespace, "an extension is of the route's own namespace")
	filter := route.Spec.Rules[0].Filters[0]
	assert.Equal(t, "ExtensionRef", filter.Type)
	assert.Equal(t, "configuration.konghq.com/"+k.Kind+"/"+k.Metadata.Name, filter.ExtensionRef.Group+"/"+filter.ExtensionRef.Kind+"/"+filter.ExtensionRef.Name)
	assert.Contains(t, []string{"PathPrefix", "Exact", "RegularExpression"}, route.Spec.Rules[0].Matches[0].Path.Type)
	assert.NotEmpty(t, route.Spec.ParentRefs)
}

// checkSidecar checks that Kong finds what the sidecar puts somewhere: env are Kong's
// settings, in the environment's spelling.
func checkSidecar(t *testing.T, env map[string]string, init []container, volumes []volume, kongs []mount) {
	t.Helper()
	folder := ""
	for _, m := range kongs {
		if m.Name == "diag405" {
			folder = m.MountPath
		}
	}
	require.NotEmpty(t, folder, "Kong has the folder")
	assert.True(t, slices.ContainsFunc(volumes, func(v volume) bool { return v.Name == "diag405" && v.EmptyDir != nil }))
	checkBeside(t, env, folder)
	require.Len(t, init, 2)
	assert.Equal(t, []string{"dump", "-dir", folder}, init[0].Args, "before the server, and before Kong")
	assert.Empty(t, init[0].RestartPolicy)
	assert.Equal(t, []string{"serve", "-socket", folder}, init[1].Args)
	assert.Equal(t, "Always", init[1].RestartPolicy, "it ends after Kong")
	for _, c := range init {
		assert.Equal(t, "diag405:"+plugin.Version, c.Image)
		assert.Equal(t, []mount{{"diag405", folder}}, c.VolumeMounts)
		assert.True(t, c.Security.ReadOnlyRootFilesystem)
		assert.Equal(t, []string{"ALL"}, c.Security.Capabilities.Drop)
		require.NotNil(t, c.Security.AllowPrivilegeEscalation)
		assert.False(t, *c.Security.AllowPrivilegeEscalation)
	}
	health := readDockerfile(t, "../Dockerfile").stage(t, "sidecar").command(t, "HEALTHCHECK")
	assert.Equal(t, health, init[1].StartupProbe.Exec.Command)
	assert.Equal(t, health, init[1].LivenessProbe.Exec.Command)
}

func TestKubernetesValues(t *testing.T) {
	var v values
	strict(t, []byte(read(t, "kubernetes/values.yaml")), &v)
	assert.Equal(t, "kong:3.9.1", v.Image.Repository+":"+v.Image.Tag)
	_, err := config.ParseFlavor(v.Env["router_flavor"])
	assert.NoError(t, err)
	env := map[string]string{"KONG_PLUGINS": "bundled," + v.Plugins.PreInstalled} // the chart's
	for name, value := range v.Env {
		env["KONG_"+strings.ToUpper(name)] = value
	}
	checkSidecar(t, env, v.Deployment.InitContainers, v.Deployment.Volumes, v.Deployment.Mounts)
	for _, c := range v.Deployment.InitContainers {
		assert.Equal(t, 1000, c.Security.RunAsUser, "Kong's in the chart")
		assert.True(t, c.Security.RunAsNonRoot)
	}

	var image values
	strict(t, []byte(read(t, "kubernetes/values-image.yaml")), &image)
	inImage := readDockerfile(t, "../Dockerfile").stage(t, "kong").pairs("ENV")
	assert.Equal(t, inImage["KONG_PLUGINS"], "bundled,"+image.Plugins.PreInstalled)
	assert.Equal(t, "kong-diag405", image.Image.Repository)
}

func TestKubernetesManifests(t *testing.T) {
	t.Parallel()
	docs := documents(t, "kubernetes/manifests.yaml")
	var d deployment
	strict(t, docs["Deployment/kong"], &d)
	assert.Equal(t, "apps/v1", d.APIVersion)
	spec := d.Spec.Template.Spec
	assert.Equal(t, d.Spec.Selector.MatchLabels, d.Spec.Template.Metadata.Labels)
	require.Len(t, spec.Containers, 1)
	kong, env := spec.Containers[0], map[string]string{}
	for _, v := range kong.Env {
		env[v.Name] = v.Value
	}
	checkSidecar(t, env, spec.InitContainers, spec.Volumes, kong.VolumeMounts)
	assert.True(t, spec.Security.RunAsNonRoot)
	assert.NotZero(t, spec.Security.RunAsUser, "one user for both: the sockets are for it alone")
	assert.True(t, strings.HasPrefix(env["KONG_ADMIN_LISTEN"], "127.0.0.1:"))
	for _, m := range kong.VolumeMounts {
		assert.True(t, slices.ContainsFunc(spec.Volumes, func(v volume) bool { return v.Name == m.Name }), m.Name)
	}
	for _, written := range []string{env["KONG_PREFIX"], "/tmp"} {
		assert.True(t, slices.ContainsFunc(kong.VolumeMounts, func(m mount) bool { return m.MountPath == written }), "the root is read-only, and %s is written to", written)
	}

	var m struct {
		head `yaml:",inline"`
		Data map[string]string
	}
	strict(t, docs["ConfigMap/kong"], &m)
	c, err := config.Parse([]byte(m.Data[path.Base(env["KONG_DECLARATIVE_CONFIG"])]))
	require.NoError(t, err)
	require.Len(t, c.Plugins, 1)
	settings, err := yaml.Marshal(map[string]any{"name": c.Plugins[0].Name, "config": c.Plugins[0].Config})
	require.NoError(t, err)
	loads(t, string(settings))

	var s service
	strict(t, docs["Service/kong"], &s)
	assert.Equal(t, d.Spec.Selector.MatchLabels, s.Spec.Selector)
	assert.Equal(t, kong.Ports[0].Name, s.Spec.Ports[0].TargetPort)
	assert.Equal(t, fmt.Sprintf("0.0.0.0:%d", kong.Ports[0].ContainerPort), env["KONG_PROXY_LISTEN"])
}
