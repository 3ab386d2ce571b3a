package openapi

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// rootBases are the base paths for paths that have no servers of their own. A base
// has no slash at its end, so "" stands for /.
func (r *reader) rootBases() ([]string, error) {
	if !r.swagger {
		return r.basesOf(r.root, []string{""})
	}
	base, err := r.root.text("basePath")
	if err != nil {
		return nil, err
	}
	if len(base) > maxPath {
		return nil, wrong("basePath", "is longer than %d bytes", maxPath)
	}
	return []string{cleanBase(base)}, nil
}

// basesOf are the base paths by the servers of an object. Without any those of
// what it is in count (OpenAPI 3.1.1 sections 4.8.9 and 4.8.10); Swagger 2 has
// them at the root only.
func (r *reader) basesOf(o object, inherited []string) ([]string, error) {
	if r.swagger {
		return inherited, nil
	}
	servers, err := o.list("servers")
	if err != nil || len(servers) == 0 {
		return inherited, err
	}
	if len(servers) > maxServers {
		return nil, within("servers", fmt.Errorf("more than %d", maxServers))
	}
	bases := map[string]bool{}
	for i, value := range servers {
		urls, err := serverURLs(value)
		if err != nil {
			return nil, within("servers", element(i, err))
		}
		for _, url := range urls {
			bases[cleanBase(urlPath(url))] = true
		}
		if len(bases) > maxServers {
			return nil, within("servers", fmt.Errorf("more than %d with their variables filled in", maxServers))
		}
	}
	return slices.Sorted(maps.Keys(bases)), nil
}

// serverURLs are the URLs that a server object stands for: one for each value that
// a variable can have by its enum, else with its default. A variable that the
// server does not describe stays as it is, which makes it a placeholder.
func serverURLs(value any) ([]string, error) {
	server, ok := asObject(value)
	if !ok {
		return nil, fmt.Errorf("should be a mapping, not %s", describe(value))
	}
	url, err := server.text("url")
	if err != nil {
		return nil, err
	}
	if len(url) > maxPath {
		return nil, wrong("url", "is longer than %d bytes", maxPath)
	}
	variables, err := server.object("variables")
	if err != nil {
		return nil, err
	}
	// Only the path counts; what varies before it does not multiply.
	urls := []string{urlPath(url)}
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		placeholder := "{" + name + "}"
		if !strings.Contains(urls[0], placeholder) {
			continue
		}
		variable, err := variables.object(name)
		if err != nil {
			return nil, within("variables", err)
		}
		values, err := variableValues(variable, placeholder)
		if err != nil {
			return nil, within("variables", within(name, err))
		}
		if urls, err = fill(urls, placeholder, values); err != nil {
			return nil, within("variables", within(name, err))
		}
	}
	return urls, nil
}

// variableValues are the values of a server variable (OpenAPI 3.1.1 section
// 4.8.6); the placeholder itself when it names none.
func variableValues(variable object, placeholder string) ([]string, error) {
	enum, err := variable.list("enum")
	if err != nil {
		return nil, err
	}
	if len(enum) > maxServers {
		return nil, within("enum", fmt.Errorf("more than %d", maxServers))
	}
	values := map[string]bool{}
	for _, v := range enum {
		values[fmt.Sprint(v)] = true
	}
	if _, ok := variable["default"]; ok {
		value, err := variable.text("default")
		if err != nil {
			return nil, err
		}
		values[value] = true
	}
	if len(values) == 0 {
		values[placeholder] = true
	}
	return slices.Sorted(maps.Keys(values)), nil
}

// fill is every text with every value in the place of a placeholder.
func fill(texts []string, placeholder string, values []string) ([]string, error) {
	var filled []string
	for _, text := range texts {
		for _, value := range values {
			if len(text)+strings.Count(text, placeholder)*len(value) > maxPath || len(filled) == maxServers {
				return nil, fmt.Errorf("stands for more than %d servers, or for one of more than %d bytes", maxServers, maxPath)
			}
			filled = append(filled, strings.ReplaceAll(text, placeholder, value))
		}
	}
	return filled, nil
}

// urlPath is the path of a server's URL, absolute or relative. It is cut out by
// hand, as a variable can stand in a port or a scheme, where no parser takes one.
func urlPath(url string) string {
	url, _, _ = strings.Cut(url, "#")
	url, _, _ = strings.Cut(url, "?")
	_, rest, absolute := strings.Cut(url, "://")
	if !absolute {
		rest, absolute = strings.CutPrefix(url, "//")
	}
	if !absolute {
		return url
	}
	i := strings.Index(rest, "/")
	if i < 0 {
		return ""
	}
	return rest[i:]
}

// cleanBase is a base path from the root and without a slash at its end. One that
// is relative to where the document was served from (OpenAPI 3.1.1 section 4.6) is
// taken from the root, as nothing says where that was.
func cleanBase(base string) string {
	return strings.TrimSuffix(encode(path.Clean("/"+base)), "/")
}
