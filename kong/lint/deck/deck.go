// Package deck brings a decK state file into the form that Kong itself loads.
//
// A state file is a declarative configuration with a few things that decK does to
// it on the way to Kong: ${{ env "DECK_X" }} stands for a variable, _info.defaults
// for fields that entities leave out, and a plugin's _config for a named part of
// _plugin_configs. A file without any of them comes back as it was.
package deck

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"
)

// variable is decK's notation: ${{ env "DECK_HOST" }}, with a filter at most.
var variable = regexp.MustCompile(`\$\{\{\s*env\s+"([^"]*)"\s*(?:\|\s*\w+\s*)?\}\}`)

// Expand does what decK does. Lookup is where variables come from, as
// [os.LookupEnv]. Lines stay where they were only in a file without defaults and
// shared plugin configurations.
func Expand(data []byte, lookup func(string) (string, bool)) ([]byte, error) {
	data, err := expandVariables(data, lookup)
	if err != nil {
		return nil, err
	}
	if !bytes.Contains(data, []byte("_info")) && !bytes.Contains(data, []byte("_plugin_configs")) {
		return data, nil
	}
	var doc yaml.Node
	if yaml.Unmarshal(data, &doc) != nil || len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		return data, nil // what is wrong with it is for its reader to say
	}
	root := doc.Content[0]
	changed := addDefaults(root)
	if sharePluginConfigs(root) || changed {
		return yaml.Marshal(&doc)
	}
	return data, nil
}

func expandVariables(data []byte, lookup func(string) (string, bool)) ([]byte, error) {
	var missing string
	out := variable.ReplaceAllFunc(data, func(match []byte) []byte {
		name := string(variable.FindSubmatch(match)[1])
		value, ok := lookup(name)
		if !ok && missing == "" {
			missing = name
		}
		return []byte(value)
	})
	if missing != "" {
		return nil, fmt.Errorf("decK variable %q is not set in the environment", missing)
	}
	return out, nil
}

// entities are where defaults go, by the name under _info.defaults.
var entities = map[string]string{"service": "services", "route": "routes", "upstream": "upstreams", "target": "targets"}

// addDefaults puts the fields of _info.defaults into entities that lack them.
func addDefaults(root *yaml.Node) (changed bool) {
	defaults := get(get(root, "_info"), "defaults")
	for kind, key := range entities {
		fields := get(defaults, kind)
		if fields == nil || fields.Kind != yaml.MappingNode {
			continue
		}
		for _, entity := range all(root, key) {
			changed = fill(entity, fields) || changed
		}
	}
	return changed
}

// sharePluginConfigs puts the parts of _plugin_configs into the plugins that name
// one with _config.
func sharePluginConfigs(root *yaml.Node) (changed bool) {
	shared := get(root, "_plugin_configs")
	for _, plugin := range all(root, "plugins") {
		name := get(plugin, "_config")
		if name == nil {
			continue
		}
		remove(plugin, "_config")
		changed = true
		part := get(shared, name.Value)
		if part == nil {
			continue
		}
		if own := get(plugin, "config"); own != nil {
			fill(own, part)
			continue
		}
		plugin.Content = append(plugin.Content, key("config"), part)
	}
	return changed
}

// all are the entities in every list of that name, at any depth.
func all(n *yaml.Node, name string) []*yaml.Node {
	n = resolve(n)
	var list []*yaml.Node
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		value := resolve(n.Content[i+1])
		if value.Kind != yaml.SequenceNode {
			continue
		}
		for _, entity := range value.Content {
			entity = resolve(entity)
			if entity.Kind != yaml.MappingNode {
				continue
			}
			if n.Content[i].Value == name {
				list = append(list, entity)
			}
			list = append(list, all(entity, name)...)
		}
	}
	return list
}

// fill adds the fields that an entity does not have. A url stands for the fields
// of an address.
func fill(entity, fields *yaml.Node) (changed bool) {
	for i := 0; i+1 < len(fields.Content); i += 2 {
		name := fields.Content[i].Value
		if get(entity, name) != nil || get(entity, "url") != nil && slices.Contains([]string{"protocol", "host", "port", "path"}, name) {
			continue
		}
		entity.Content = append(entity.Content, key(name), fields.Content[i+1])
		changed = true
	}
	return changed
}

func key(name string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name}
}

func remove(n *yaml.Node, name string) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			n.Content = slices.Delete(n.Content, i, i+2)
			return
		}
	}
}

// get is the value of a mapping's key, nil when it has none.
func get(n *yaml.Node, name string) *yaml.Node {
	if n == nil {
		return nil
	}
	n = resolve(n)
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return resolve(n.Content[i+1])
		}
	}
	return nil
}

func resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}
