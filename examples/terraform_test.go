//go:build unix

package examples

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"diag405/cmd/diag405/diag405test"
)

// terraformTypes are the attributes that providers take, as far as the examples use them:
// one that is not here is refused. From docs/resources of kevholditch/kong 6.5.1 (and
// kong/resource_kong_plugin.go), kong/kong-gateway 1.1.0 and kong/konnect 3.19.0.
var terraformTypes = map[string][]string{
	"kong_service":                         {"name", "protocol", "host", "port"},
	"kong_route":                           {"name", "protocols", "methods", "paths", "strip_path", "service_id"},
	"kong_plugin":                          {"name", "route_id", "service_id", "enabled", "config_json", "tags"},
	"kong-gateway_service":                 {"name", "protocol", "host", "port", "workspace"},
	"kong-gateway_route":                   {"name", "protocols", "methods", "paths", "strip_path", "service", "workspace"},
	"kong-gateway_custom_plugin":           {"name", "route", "service", "enabled", "config", "tags", "workspace"},
	"konnect_gateway_service":              {"control_plane_id", "name", "protocol", "host", "port"},
	"konnect_gateway_route":                {"control_plane_id", "name", "protocols", "methods", "paths", "strip_path", "service"},
	"konnect_gateway_custom_plugin":        {"control_plane_id", "name", "route", "service", "enabled", "config", "tags"},
	"konnect_gateway_custom_plugin_schema": {"control_plane_id", "lua_schema"},
}

// module is what is read of a module of Terraform: its blocks, and what its expressions
// may name.
type module struct {
	blocks  hclsyntax.Blocks
	context *hcl.EvalContext
}

// readModule reads the main.tf of a folder. An id of an entity is its name, with which
// Kong's declarative form refers to it.
func readModule(t *testing.T, folder, lua, host string, port int64) module {
	t.Helper()
	file, problems := hclparse.NewParser().ParseHCLFile(filepath.Join(folder, "main.tf"))
	require.False(t, problems.HasErrors(), problems.Error())
	m := module{blocks: file.Body.(*hclsyntax.Body).Blocks}
	variables, resources := map[string]cty.Value{}, map[string]map[string]cty.Value{}
	for _, b := range m.blocks {
		switch b.Type {
		case "variable":
			variables[b.Labels[0]] = cty.StringVal("the " + b.Labels[0])
		case "resource":
			if resources[b.Labels[0]] == nil {
				resources[b.Labels[0]] = map[string]cty.Value{}
			}
			id := cty.StringVal(b.Labels[1])
			if name := b.Body.Attributes["name"]; name != nil {
				id, problems = name.Expr.Value(nil)
				require.False(t, problems.HasErrors(), problems.Error())
			}
			resources[b.Labels[0]][b.Labels[1]] = cty.ObjectVal(map[string]cty.Value{"id": id})
		}
	}
	variables["weather"] = cty.ObjectVal(map[string]cty.Value{"host": cty.StringVal(host), "port": cty.NumberIntVal(port)})
	readFile := func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		assert.Equal(t, "./diag405.lua", args[0].AsString())
		return cty.StringVal(lua), nil
	}
	m.context = &hcl.EvalContext{
		Variables: map[string]cty.Value{
			"var":  cty.ObjectVal(variables),
			"path": cty.ObjectVal(map[string]cty.Value{"module": cty.StringVal(".")}),
		},
		Functions: map[string]function.Function{
			"jsonencode": stdlib.JSONEncodeFunc,
			"file": function.New(&function.Spec{
				Params: []function.Parameter{{Name: "path", Type: cty.String}},
				Type:   function.StaticReturnType(cty.String),
				Impl:   readFile,
			}),
		},
	}
	for kind, named := range resources {
		m.context.Variables[kind] = cty.ObjectVal(named)
	}
	return m
}

// resources are the resources of a kind, with the values of their attributes.
func (m module) resources(t *testing.T, kind string) (out []map[string]any) {
	t.Helper()
	for _, b := range m.blocks {
		if b.Type != "resource" || b.Labels[0] != kind {
			continue
		}
		r := map[string]any{}
		for name, attribute := range b.Body.Attributes {
			if name == "depends_on" {
				continue
			}
			assert.Contains(t, terraformTypes[kind], name, "%s has no such attribute", kind)
			value, problems := attribute.Expr.Value(m.context)
			require.False(t, problems.HasErrors(), problems.Error())
			data, err := json.Marshal(ctyjson.SimpleJSONValue{Value: value})
			require.NoError(t, err)
			var plain any
			require.NoError(t, json.Unmarshal(data, &plain))
			r[name] = plain
		}
		out = append(out, r)
	}
	return out
}

// terraformKinds are what a provider calls what Kong has.
var terraformKinds = map[string]struct{ service, route, plugin string }{
	"kong":         {"kong_service", "kong_route", "kong_plugin"},
	"kong-gateway": {"kong-gateway_service", "kong-gateway_route", "kong-gateway_custom_plugin"},
	"konnect":      {"konnect_gateway_service", "konnect_gateway_route", "konnect_gateway_custom_plugin"},
}

// declared is what a module makes of Kong, in Kong's declarative form.
func declared(t *testing.T, provider, host, port string) []byte {
	t.Helper()
	n, err := strconv.ParseInt(port, 10, 64)
	require.NoError(t, err)
	m := readModule(t, "terraform/"+provider, "", host, n)
	kinds := terraformKinds[provider]
	doc := map[string]any{
		"_format_version": "3.0",
		"services":        m.resources(t, kinds.service),
		"routes":          m.resources(t, kinds.route),
		"plugins":         m.resources(t, kinds.plugin),
	}
	for _, list := range doc {
		entities, _ := list.([]map[string]any)
		for _, entity := range entities {
			plain(t, entity)
		}
	}
	data, err := json.Marshal(doc)
	require.NoError(t, err)
	return data
}

// plain makes a provider's words for an entity Kong's.
func plain(t *testing.T, entity map[string]any) {
	t.Helper()
	delete(entity, "control_plane_id")
	for _, to := range []string{"service", "route"} {
		if object, ok := entity[to].(map[string]any); ok {
			entity[to] = object["id"]
		}
		if id, ok := entity[to+"_id"]; ok {
			entity[to] = id
			delete(entity, to+"_id")
		}
	}
	if text, ok := entity["config_json"].(string); ok {
		var settings any
		require.NoError(t, json.Unmarshal([]byte(text), &settings))
		entity["config"] = settings
		delete(entity, "config_json")
	}
}

func terraformConfiguration(t *testing.T, host, port string) []byte {
	t.Helper()
	return declared(t, "kong-gateway", host, port)
}

// terraformSaid is the schema that the module for Konnect sends.
func terraformSaid(t *testing.T, said map[string]diag405test.Result) {
	t.Helper()
	require.Len(t, said, 1)
	for line, got := range said {
		require.Equal(t, 0, got.Code, "%s\n%s", line, got.Stderr)
		schemas := readModule(t, "terraform/konnect", got.Stdout, "weather", 8900).resources(t, "konnect_gateway_custom_plugin_schema")
		require.Len(t, schemas, 1)
		assert.Equal(t, got.Stdout, schemas[0]["lua_schema"])
		assert.Contains(t, got.Stdout, `name = "diag405"`)
	}
}

// The three modules make the same of a Kong, each with its own provider.
func TestTerraformModulesAgree(t *testing.T) {
	want := declared(t, "kong-gateway", "weather", "8900")
	for provider := range terraformKinds {
		assert.JSONEq(t, string(want), string(declared(t, provider, "weather", "8900")), provider)
	}
}

// A resource is of the provider that the module requires, in one version, and the README
// names that version.
func TestTerraformProviders(t *testing.T) {
	page := read(t, "terraform/README.md")
	for provider := range terraformKinds {
		m := readModule(t, "terraform/"+provider, "", "weather", 8900)
		required := m.blocks[slices.IndexFunc(m.blocks, func(b *hclsyntax.Block) bool { return b.Type == "terraform" })].Body.Blocks[0]
		require.Len(t, required.Body.Attributes, 1)
		value, problems := required.Body.Attributes[provider].Expr.Value(nil)
		require.False(t, problems.HasErrors(), problems.Error())
		assert.Contains(t, page, "`"+value.GetAttr("source").AsString()+"` | "+value.GetAttr("version").AsString()+" |")
		for _, b := range m.blocks {
			if b.Type == "resource" {
				assert.Contains(t, terraformTypes, b.Labels[0])
				assert.True(t, strings.HasPrefix(b.Labels[0], provider+"_"), b.Labels[0])
			}
		}
	}
}

// Konnect gets the schema before the plugin that is checked by it.
func TestTerraformKonnectOrder(t *testing.T) {
	m := readModule(t, "terraform/konnect", "", "weather", 8900)
	i := slices.IndexFunc(m.blocks, func(b *hclsyntax.Block) bool {
		return b.Type == "resource" && b.Labels[0] == "konnect_gateway_custom_plugin"
	})
	require.GreaterOrEqual(t, i, 0)
	after, problems := hcl.ExprList(m.blocks[i].Body.Attributes["depends_on"].Expr)
	require.False(t, problems.HasErrors(), problems.Error())
	require.Len(t, after, 1)
	path, problems := hcl.AbsTraversalForExpr(after[0])
	require.False(t, problems.HasErrors(), problems.Error())
	assert.Equal(t, "konnect_gateway_custom_plugin_schema", path.RootName())
}
