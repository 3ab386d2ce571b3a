package adminapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"diag405/kong/config"
)

// Kong is the one that answers, as far as it tells.
type Kong struct {
	Address    string        `json:"address"`
	Version    string        `json:"version,omitempty"`
	Flavor     config.Flavor `json:"router_flavor,omitempty"`
	Database   string        `json:"database,omitempty"` // postgres, or off
	Role       string        `json:"role,omitempty"`     // traditional, control_plane or data_plane
	Workspaces []string      `json:"workspaces,omitempty"`
	Notes      []string      `json:"-"` // what to know of it, a clause each

	Root    int               `json:"-"` // the status of GET /
	Plugins map[string]string `json:"-"` // the versions of those that it can run, by name; nil where GET / does not tell
}

// IsDBLess reports a Kong that takes a whole configuration only: its Admin API
// answers any other change with 405.
func (k *Kong) IsDBLess() bool { return k.Database == "off" || k.Role == "data_plane" }

// String says which Kong it is.
func (k *Kong) String() string {
	words := []string{"of an unknown version"}
	if k.Version != "" {
		words[0] = k.Version
	}
	words[0] += " at " + k.Address
	if k.Flavor != "" {
		words = append(words, "router "+string(k.Flavor))
	}
	switch {
	case k.Role == "data_plane":
		words = append(words, "a data plane")
	case k.Database == "off":
		words = append(words, "without a database")
	case k.Database != "":
		words = append(words, "database "+k.Database)
	}
	if len(k.Workspaces) > 0 {
		words = append(words, "workspaces "+strings.Join(k.Workspaces, " "))
	}
	return strings.Join(words, ", ")
}

// about asks GET / and, where that does not answer, GET /status: a Kong 3.9 that
// starts a plugin server by itself answers GET / with 500, with one worker always.
func (c *Client) about(ctx context.Context) (*Kong, error) {
	k := &Kong{Address: c.Address()}
	var root struct {
		Version       string
		Configuration struct {
			RouterFlavor string `json:"router_flavor"`
			Database     string
			Role         string
		}
		Plugins struct {
			// Up to Kong 3.3 the value of a plugin is true.
			Available map[string]json.RawMessage `json:"available_on_server"`
		}
	}
	header, err := c.get(ctx, "/", nil, &root)
	if isFatal(err) {
		return nil, err
	}
	k.Root, k.Plugins = statusOf(err), versionsOf(root.Plugins.Available)
	flavor, unknown := config.ParseFlavor(root.Configuration.RouterFlavor)
	if err == nil && unknown == nil && root.Configuration.RouterFlavor != "" {
		k.Flavor = flavor
	}
	k.Database, k.Role, k.Version = root.Configuration.Database, root.Configuration.Role, root.Version
	if k.Version == "" {
		k.Version = versionIn(header)
	}
	if k.Database == "" {
		if err := c.askStatus(ctx, k); err != nil {
			return nil, err
		}
	}
	c.noteUnknown(k, err)
	return k, nil
}

// statusOf is the status of an answer that get returned with this error.
func statusOf(err error) int {
	var answer errAnswer
	if errors.As(err, &answer) {
		return answer.status
	}
	return http.StatusOK
}

func versionsOf(plugins map[string]json.RawMessage) map[string]string {
	if plugins == nil {
		return nil
	}
	out := map[string]string{}
	for name, raw := range plugins {
		var plugin struct{ Version string }
		_ = json.Unmarshal(raw, &plugin) // without one it has none
		out[name] = plugin.Version
	}
	return out
}

// CanRun tells whether Kong can run a plugin: whether it has a schema of it.
func (c *Client) CanRun(ctx context.Context, plugin string) (bool, error) {
	var schema struct{}
	_, err := c.get(ctx, "/schemas/plugins/"+url.PathEscape(plugin), nil, &schema)
	var answer errAnswer
	if errors.As(err, &answer) && answer.status == http.StatusNotFound {
		return false, nil
	}
	return err == nil, err
}

// askStatus learns what GET /status tells: it has a configuration_hash where there is
// no database.
func (c *Client) askStatus(ctx context.Context, k *Kong) error {
	var status struct {
		ConfigurationHash *string   `json:"configuration_hash"`
		Database          *struct{} `json:"database"`
	}
	header, err := c.get(ctx, "/status", nil, &status)
	if isFatal(err) {
		return err
	}
	if k.Version == "" {
		k.Version = versionIn(header)
	}
	if err == nil && status.ConfigurationHash != nil {
		k.Database = "off"
	}
	return nil
}

// versionIn reads a header such as Server: kong/3.9.1.
func versionIn(header http.Header) string {
	version, ok := strings.CutPrefix(strings.ToLower(header.Get("Server")), "kong/")
	if !ok {
		return ""
	}
	version, _, _ = strings.Cut(version, " ")
	return version
}

func (c *Client) noteUnknown(k *Kong, err error) {
	var answer errAnswer
	switch {
	case k.Flavor != "":
	case errors.As(err, &answer) && answer.status == http.StatusOK:
		k.Notes = append(k.Notes, "GET / of the Admin API answered with something else than Kong does, so the router flavour is not known")
	case errors.As(err, &answer):
		k.Notes = append(k.Notes, fmt.Sprintf("GET / of the Admin API answered %d, so the router flavour is not known", answer.status))
	default:
		k.Notes = append(k.Notes, "the Admin API does not tell the router flavour")
	}
	if major, _, _ := strings.Cut(k.Version, "."); major != "" && major != "3" {
		k.Notes = append(k.Notes, "this is Kong "+k.Version+"; what is said here is true of Kong 3")
	}
}
