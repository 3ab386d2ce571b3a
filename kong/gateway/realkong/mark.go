package realkong

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"go.yaml.in/yaml/v3"
)

// mark is the route of our own that every configuration gets, to see when it
// is in force. It is the same for the life of a gateway, so that while a
// configuration is being replaced the request for it ends in the old one's route
// and never in somebody's application.
type mark struct {
	secret string
	path   string
}

const markHeader = "X-Diag405-Ready"

func newToken() string { return strings.ToLower(rand.Text()) }

func newMark() mark {
	secret := newToken()
	return mark{secret: secret, path: "/diag405-ready/" + secret}
}

func (m mark) host() string { return m.secret + ".diag405.invalid" }

// route answers the mark's request with the token. It names method, host, header
// and path, because the router prefers a route with more of them, whatever the
// others' paths (get_priority in kong/router/transform.lua). The answer is
// pre-function's: with priority 1000000 it comes before every other plugin, so
// that a global one neither refuses, counts nor logs the request in its access
// phase, and a global pre-function gives way to the route's own.
func (m mark) route(token string) map[string]any {
	return map[string]any{
		"name":    "diag405-ready-" + m.secret,
		"methods": []string{http.MethodGet},
		"hosts":   []string{m.host()},
		"headers": map[string]any{markHeader: []string{m.secret}},
		"paths":   []string{m.path},
		"plugins": []any{map[string]any{
			"name": "pre-function",
			"config": map[string]any{
				"access": []string{fmt.Sprintf("kong.response.exit(204, nil, { [%q] = %q })", markHeader, token)},
			},
		}},
	}
}

func (m mark) request(address string) *http.Request {
	return &http.Request{
		Method: http.MethodGet,
		URL:    urlOf(address, m.path),
		Host:   m.host(),
		Header: http.Header{markHeader: {m.secret}},
	}
}

// addRoute puts a route at the end of a configuration's routes, and leaves
// all else to be read by Kong as it was written.
func addRoute(document []byte, route map[string]any) ([]byte, error) {
	if json.Valid(document) {
		return addRouteJSON(document, route)
	}
	return addRouteYAML(document, route)
}

func addRouteJSON(document []byte, route map[string]any) ([]byte, error) {
	var top map[string]json.RawMessage
	if err := json.Unmarshal(document, &top); err != nil || top == nil {
		return nil, errors.New("expected an object")
	}
	var routes []json.RawMessage
	if text, ok := top["routes"]; ok {
		if err := json.Unmarshal(text, &routes); err != nil {
			return nil, errors.New("routes: expected a list")
		}
	}
	ours, err := json.Marshal(route)
	if err != nil {
		return nil, err
	}
	if top["routes"], err = json.Marshal(append(routes, ours)); err != nil {
		return nil, err
	}
	return json.Marshal(top)
}

// addRouteYAML works on nodes, not values: Kong reads YAML 1.1, and a scalar
// such as "on" or "010" is for Kong to interpret.
func addRouteYAML(document []byte, route map[string]any) ([]byte, error) {
	var root, ours yaml.Node
	if err := yaml.Unmarshal(document, &root); err != nil {
		return nil, err
	}
	if len(root.Content) != 1 || root.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("expected an object")
	}
	routes, err := routesNode(root.Content[0])
	if err != nil {
		return nil, err
	}
	if err := ours.Encode(route); err != nil {
		return nil, err
	}
	routes.Content = append(routes.Content, &ours)
	return yaml.Marshal(&root)
}

// routesNode is the list under "routes", made when there is none.
func routesNode(top *yaml.Node) (*yaml.Node, error) {
	for i := 0; i+1 < len(top.Content); i += 2 {
		value := top.Content[i+1]
		switch {
		case top.Content[i].Value != "routes":
			continue
		case value.Kind == yaml.ScalarNode && value.Tag == "!!null":
			*value = yaml.Node{Kind: yaml.SequenceNode}
		case value.Kind != yaml.SequenceNode:
			return nil, errors.New("routes: expected a list")
		}
		return value, nil
	}
	routes := &yaml.Node{Kind: yaml.SequenceNode}
	top.Content = append(top.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: "routes"}, routes)
	return routes, nil
}
