package adminapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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
	}
	header, err := c.get(ctx, "/", nil, &root)
	if isFatal(err) {
		return nil, err
	}
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
	case errors.As(err, &answer):
		k.Notes = append(k.Notes, fmt.Sprintf("GET / of the Admin API answered %d, so the router flavour is not known", answer.status))
	default:
		k.Notes = append(k.Notes, "the Admin API does not tell the router flavour")
	}
	if major, _, _ := strings.Cut(k.Version, "."); major != "" && major != "3" {
		k.Notes = append(k.Notes, "this is Kong "+k.Version+"; what is said here is true of Kong 3")
	}
}
