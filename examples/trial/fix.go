package trial

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	"diag405/kong/config"
)

// Change is a fix as data: one of its fields is set.
type Change struct {
	Set    map[string]any `json:"set,omitempty"`    // the gateway's configuration
	Client map[string]any `json:"client,omitempty"` // the request
	App    string         `json:"app,omitempty"`    // the application, in words
}

// ErrApp says that a fix is a change of the application, which nobody but its
// developers can make.
var ErrApp = errors.New("a change of the application")

// Apply makes the change that a diagnosis suggests: to a configuration, which is
// declarative, or to a request. It returns both.
func (d *Diagnosis) Apply(doc []byte, r Request) ([]byte, Request, error) {
	switch {
	case len(d.Change.Set) > 0:
		doc, err := config.Patch(doc, config.Change{
			RouteID: d.Route.ID, RouteName: d.Route.Name,
			ServiceID: d.Service.ID, ServiceName: d.Service.Name,
			Set: d.Change.Set,
		})
		return doc, r, err
	case len(d.Change.Client) > 0:
		r, err := changed(r, d.Change.Client)
		return doc, r, err
	case d.Change.App != "":
		return doc, r, ErrApp
	}
	return doc, r, errors.New("no fix as data")
}

// changed is a request with a change of its method, path, host, scheme or
// headers. A path without a query keeps the request's; a header that is null is
// left out.
func changed(r Request, change map[string]any) (Request, error) {
	r.Headers = maps.Clone(r.Headers)
	for key, value := range change {
		if headers, ok := value.(map[string]any); ok && key == "headers" {
			if err := r.changeHeaders(headers); err != nil {
				return r, err
			}
			continue
		}
		text, ok := value.(string)
		if !ok {
			return r, fmt.Errorf("client.%s: %v is not a string", key, value)
		}
		switch key {
		case "method":
			r.Method = text
		case "path":
			r.Path = withQuery(text, r.Path)
		case "host":
			r.Host = text
		case "scheme":
			r.Scheme = text
		default:
			return r, fmt.Errorf("client.%s: unknown key", key)
		}
	}
	return r, nil
}

func withQuery(path, old string) string {
	_, query, found := strings.Cut(old, "?")
	if found && !strings.Contains(path, "?") {
		return path + "?" + query
	}
	return path
}

func (r *Request) changeHeaders(change map[string]any) error {
	if r.Headers == nil {
		r.Headers = map[string]string{}
	}
	for name, value := range change {
		maps.DeleteFunc(r.Headers, func(key, _ string) bool { return strings.EqualFold(key, name) })
		if value == nil {
			continue
		}
		text, ok := value.(string)
		if !ok {
			return fmt.Errorf("client.headers.%s: %v is not a string", name, value)
		}
		r.Headers[name] = text
	}
	return nil
}
