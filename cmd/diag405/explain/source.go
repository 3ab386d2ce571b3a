package explain

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"diag405/cmd/diag405/cli"
	"diag405/kong/config"
)

// Bounds of what is read from an Admin API.
const (
	adminTimeout  = 10 * time.Second // of one request
	adminPages    = 10_000           // of one collection
	adminPageSize = "1000"           // Kong's largest
	adminMaxBody  = 64 << 20
)

// readConfig reads a declarative configuration from a file, "-" being stdin.
func readConfig(file string, in io.Reader) (*config.Config, error) {
	data, err := cli.ReadInput(file, in)
	if err != nil {
		return nil, err
	}
	cfg, err := config.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%q: %s", file, cli.OneLine(err))
	}
	return cfg, nil
}

// admin reads from Kong's Admin API. It only sends GET.
type admin struct {
	base   *url.URL
	header http.Header
	client *http.Client
}

func newAdmin(base string, headers []string) (*admin, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("-admin %q is not an address such as http://localhost:8001", base)
	}
	h, err := headersOf("-admin-header", headers)
	if err != nil {
		return nil, err
	}
	u.Path, u.RawQuery = strings.TrimSuffix(u.Path, "/"), ""
	return &admin{base: u, header: h, client: &http.Client{
		Timeout: adminTimeout,
		// A redirect could lead the token to somebody else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// read reads what routing needs.
func (a *admin) read(ctx context.Context) (*config.Config, error) {
	var all config.Admin
	for _, c := range []struct {
		path string
		into *[]json.RawMessage
	}{
		{"/services", &all.Services}, {"/routes", &all.Routes}, {"/plugins", &all.Plugins}, {"/upstreams", &all.Upstreams},
	} {
		var err error
		if *c.into, err = a.list(ctx, c.path); err != nil {
			return nil, err
		}
	}
	for _, raw := range all.Upstreams {
		var u struct{ ID string }
		if err := json.Unmarshal(raw, &u); err != nil || u.ID == "" {
			return nil, a.fail("/upstreams", errors.New("lists an upstream without an id"))
		}
		targets, err := a.list(ctx, "/upstreams/"+url.PathEscape(u.ID)+"/targets")
		if err != nil {
			return nil, err
		}
		all.Targets = append(all.Targets, targets...)
	}
	cfg, err := config.FromAdmin(all)
	if err != nil {
		return nil, fmt.Errorf("-admin %q: %s", a.base, cli.OneLine(err))
	}
	return cfg, nil
}

// adminPage is a page of a collection.
type adminPage struct {
	Data []json.RawMessage `json:"data"`
	Next string            `json:"next"`
}

// list reads a collection, page by page.
func (a *admin) list(ctx context.Context, path string) ([]json.RawMessage, error) {
	var all []json.RawMessage
	query := url.Values{"size": {adminPageSize}}
	for range adminPages {
		var page adminPage
		if err := a.get(ctx, path, query, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Data...)
		if page.Next == "" {
			return all, nil
		}
		// Of next only the query counts: its path is Kong's own, and the Admin API may
		// be published under another one.
		next, err := url.Parse(page.Next)
		if err != nil || next.Query().Get("offset") == "" || next.Query().Get("offset") == query.Get("offset") {
			return nil, a.fail(path, fmt.Errorf("has %q as its next page", page.Next))
		}
		query = next.Query()
		query.Set("size", adminPageSize)
	}
	return nil, a.fail(path, fmt.Errorf("has more than %d pages", adminPages))
}

func (a *admin) fail(path string, err error) error {
	return fmt.Errorf("-admin %q: GET %s %w", a.base, path, err)
}

func (a *admin) get(ctx context.Context, path string, query url.Values, page *adminPage) error {
	u := *a.base
	u.Path, u.RawPath, u.RawQuery = a.base.Path+path, "", query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return a.fail(path, err)
	}
	req.Header = a.header.Clone()
	res, err := a.client.Do(req)
	if err != nil {
		var inner *url.Error
		if errors.As(err, &inner) {
			err = inner.Err
		}
		return fmt.Errorf("nothing answers at -admin %q: %w", a.base, err)
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusUnauthorized, res.StatusCode == http.StatusForbidden:
		return a.fail(path, fmt.Errorf("answered %s; -admin-header 'Kong-Admin-Token: ...' sends a token", res.Status))
	case res.StatusCode != http.StatusOK:
		return a.fail(path, fmt.Errorf("answered %s; is this Kong's Admin API?", res.Status))
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, adminMaxBody))
	if err != nil {
		return a.fail(path, fmt.Errorf("broke off: %w", err))
	}
	if json.Unmarshal(body, page) != nil || page.Data == nil {
		return a.fail(path, fmt.Errorf("answered with %s and not with a list in JSON; is this Kong's Admin API?",
			cmp.Or(res.Header.Get("Content-Type"), "something")))
	}
	return nil
}

// headersOf reads headers as people write them: Name: value.
func headersOf(flag string, lines []string) (http.Header, error) {
	h := http.Header{}
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" || strings.ContainsAny(name, " \t") || strings.ContainsAny(line, "\r\n") {
			return nil, fmt.Errorf("%s %q is not a header such as 'Name: value'", flag, line)
		}
		h.Add(name, strings.TrimSpace(value))
	}
	return h, nil
}
