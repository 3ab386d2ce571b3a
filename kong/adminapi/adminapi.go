// Package adminapi reads a configuration from Kong's Admin API, and finds out which
// Kong it is that answers. It only sends GET.
package adminapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"diag405/kong/config"
)

// Bounds of what is read in all.
const (
	maxTime  = 2 * time.Minute
	maxBytes = 64 << 20
	maxPages = 10_000 // of one collection
	pageSize = "1000" // Kong's largest
)

// defaultPort is where the Admin API listens by default.
const defaultPort = "8001"

// ErrRefused is that the Admin API wants to know who asks.
var ErrRefused = errors.New("it wants a token")

// A Client asks one Admin API.
type Client struct {
	base   *url.URL
	header http.Header
	client *http.Client
	left   int64 // bytes that may still be read
}

// New is a client for an address such as http://localhost:8001, where the scheme may
// be left out, and the port with it. The header goes with each request.
func New(address string, header http.Header) (*Client, error) {
	whole := address
	switch {
	case strings.HasPrefix(address, ":"): // as Kong's admin_listen and lsof have it
		whole = "http://localhost" + address
	case !strings.Contains(address, "://"):
		whole = "http://" + address
	}
	u, err := url.Parse(whole)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, fmt.Errorf("%q is not an address such as http://localhost:8001", address)
	}
	if whole != address && u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), defaultPort)
	}
	u.Path, u.RawPath, u.RawQuery, u.Fragment = strings.TrimSuffix(u.Path, "/"), "", "", ""
	return &Client{base: u, header: header, left: maxBytes, client: &http.Client{
		// A redirect could lead the token to somebody else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Address is that of the Admin API, without a slash at its end and without a password.
func (c *Client) Address() string {
	u := *c.base
	u.User = nil
	return u.String()
}

// Read asks which Kong it is, and reads what routing needs, of all workspaces. Of
// consumers it reads the one named; "" is nobody.
func (c *Client) Read(ctx context.Context, consumer string) (*Kong, config.Admin, error) {
	ctx, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	var all config.Admin
	kong, err := c.about(ctx)
	if err != nil {
		return nil, all, err
	}
	workspaces, err := c.workspaces(ctx, kong)
	if err != nil {
		return nil, all, err
	}
	for _, workspace := range workspaces {
		if err := c.readWorkspace(ctx, workspace, consumer, &all); err != nil {
			return nil, all, err
		}
	}
	if len(workspaces) > 1 {
		kong.Workspaces = workspaces
	}
	return kong, all, nil
}

// workspaces are those of Kong Enterprise. Other Kongs have none, which is one
// without a name.
func (c *Client) workspaces(ctx context.Context, k *Kong) ([]string, error) {
	var names []string
	list, err := c.list(ctx, "/workspaces")
	if isFatal(err) {
		return nil, err
	}
	if errors.Is(err, ErrRefused) {
		k.Notes = append(k.Notes, "the Admin API does not show its workspaces without another token, so this is the default one alone")
	}
	for _, raw := range list {
		var w struct{ Name string }
		if json.Unmarshal(raw, &w) == nil && w.Name != "" {
			names = append(names, w.Name)
		}
	}
	if len(names) < 2 {
		return []string{""}, nil
	}
	return names, nil
}

func (c *Client) readWorkspace(ctx context.Context, workspace, consumer string, all *config.Admin) error {
	prefix := ""
	if workspace != "" {
		prefix = "/" + url.PathEscape(workspace)
	}
	var upstreams []json.RawMessage
	for _, k := range []struct {
		path string
		into *[]json.RawMessage
	}{
		{"/services", &all.Services}, {"/routes", &all.Routes}, {"/plugins", &all.Plugins}, {"/upstreams", &upstreams},
	} {
		list, err := c.list(ctx, prefix+k.path)
		if err != nil {
			return err
		}
		*k.into = append(*k.into, inWorkspace(list, workspace)...)
	}
	all.Upstreams = append(all.Upstreams, upstreams...)
	for _, raw := range upstreams {
		var u struct{ ID string }
		if err := json.Unmarshal(raw, &u); err != nil || u.ID == "" {
			return c.fail(prefix+"/upstreams", errors.New("lists an upstream without an id"))
		}
		targets, err := c.list(ctx, prefix+"/upstreams/"+url.PathEscape(u.ID)+"/targets")
		if err != nil {
			return err
		}
		all.Targets = append(all.Targets, targets...)
	}
	return c.readConsumer(ctx, prefix, consumer, all)
}

// inWorkspace notes in objects where they stand, which the Admin API leaves out.
func inWorkspace(list []json.RawMessage, workspace string) []json.RawMessage {
	if workspace == "" {
		return list
	}
	name, _ := json.Marshal(workspace)
	out := slices.Clone(list)
	for i, raw := range list {
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil || object == nil {
			continue
		}
		object["ws_id"] = name
		out[i], _ = json.Marshal(object)
	}
	return out
}

// readConsumer adds a consumer with the groups that it is in, if it is there.
func (c *Client) readConsumer(ctx context.Context, prefix, name string, all *config.Admin) error {
	if name == "" {
		return nil
	}
	var found map[string]any
	path := prefix + "/consumers/" + url.PathEscape(name)
	if _, err := c.get(ctx, path, nil, &found); err != nil || found["id"] == nil {
		return onlyFatal(err)
	}
	var groups struct {
		ConsumerGroups []struct{ ID, Name string } `json:"consumer_groups"`
	}
	if _, err := c.get(ctx, path+"/consumer_groups", nil, &groups); isFatal(err) {
		return err
	}
	for _, g := range groups.ConsumerGroups {
		all.Groups = append(all.Groups, config.AdminGroup{ID: g.ID, Name: g.Name, Consumer: fmt.Sprint(found["id"])})
	}
	raw, err := json.Marshal(found)
	all.Consumers = append(all.Consumers, raw)
	return err
}

// page is a page of a collection.
type page struct {
	Data entities `json:"data"`
	Next string   `json:"next"`
}

// entities are a list, of which Lua writes an empty one as an object where nothing told
// it otherwise.
type entities []json.RawMessage

func (e *entities) UnmarshalJSON(data []byte) error {
	if string(data) == "{}" {
		*e = entities{}
		return nil
	}
	return json.Unmarshal(data, (*[]json.RawMessage)(e))
}

// list reads a collection, page by page.
func (c *Client) list(ctx context.Context, path string) ([]json.RawMessage, error) {
	var all []json.RawMessage
	query := url.Values{"size": {pageSize}}
	for range maxPages {
		var p page
		header, err := c.get(ctx, path, query, &p)
		if err != nil {
			return nil, err
		}
		if p.Data == nil {
			return nil, c.notJSON(path, header)
		}
		all = append(all, p.Data...)
		if p.Next == "" {
			return all, nil
		}
		// Of next only the query counts: its path is Kong's own, and the Admin API may
		// be published under another one.
		next, err := url.Parse(p.Next)
		if err != nil || next.Query().Get("offset") == "" || next.Query().Get("offset") == query.Get("offset") {
			return nil, c.fail(path, fmt.Errorf("has %q as its next page", p.Next))
		}
		query = next.Query()
		query.Set("size", pageSize)
	}
	return nil, c.fail(path, fmt.Errorf("has more than %d pages", maxPages))
}

func (c *Client) fail(path string, err error) error {
	return fmt.Errorf("%q: GET %s %w", c.Address(), path, err)
}

func (c *Client) notJSON(path string, header http.Header) error {
	kind := header.Get("Content-Type")
	if kind == "" {
		kind = "something"
	}
	return c.fail(path, fmt.Errorf("answered with %s and not with a list in JSON; is this Kong's Admin API?", kind))
}

// errAnswer is an answer that is no success. Where it can be done without, it is no
// reason to stop; that nothing answers is.
type errAnswer struct {
	error
	status int
}

func (e errAnswer) Unwrap() error { return e.error }

func isFatal(err error) bool {
	var answer errAnswer
	return err != nil && !errors.As(err, &answer)
}

func onlyFatal(err error) error {
	if isFatal(err) {
		return err
	}
	return nil
}

// get reads one object, at a path in which names are escaped. Its header is there for
// every answer.
func (c *Client) get(ctx context.Context, path string, query url.Values, into any) (http.Header, error) {
	u := *c.base
	u.RawPath, u.RawQuery = c.base.EscapedPath()+path, query.Encode()
	var err error
	if u.Path, err = url.PathUnescape(u.RawPath); err != nil {
		return nil, c.fail(path, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, c.fail(path, err)
	}
	req.Header = c.header.Clone()
	res, err := c.client.Do(req)
	if err != nil {
		return nil, c.noAnswer(ctx, err)
	}
	defer res.Body.Close()
	body, err := c.readAll(res.Body)
	switch {
	case err != nil && ctx.Err() != nil:
		return res.Header, c.noAnswer(ctx, err)
	case err != nil:
		return res.Header, c.fail(path, err)
	case res.StatusCode == http.StatusUnauthorized, res.StatusCode == http.StatusForbidden:
		return res.Header, errAnswer{c.fail(path, fmt.Errorf("answered %s: %w", res.Status, ErrRefused)), res.StatusCode}
	case res.StatusCode == http.StatusBadRequest && bytes.Contains(body, []byte("plain HTTP request was sent to HTTPS port")): // nginx's words
		return res.Header, c.fail(path, errors.New("was answered that this port wants https://"))
	case res.StatusCode != http.StatusOK:
		return res.Header, errAnswer{c.fail(path, fmt.Errorf("answered %s; is this Kong's Admin API?", res.Status)), res.StatusCode}
	case json.Unmarshal(body, into) != nil:
		return res.Header, errAnswer{c.notJSON(path, res.Header), res.StatusCode}
	}
	return res.Header, nil
}

func (c *Client) readAll(from io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(from, c.left+1))
	if err != nil {
		return nil, fmt.Errorf("broke off: %w", err)
	}
	if c.left -= int64(len(body)); c.left < 0 {
		return nil, fmt.Errorf("gives more than the %d MB that are read in all", maxBytes>>20)
	}
	return body, nil
}

func (c *Client) noAnswer(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("%q: reading took longer than %s in all", c.Address(), maxTime)
	}
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err
	}
	return fmt.Errorf("nothing answers at %q: %w", c.Address(), err)
}
