package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"diag405/cmd/diag405/plugins"
	"diag405/kong/adminapi"
	"diag405/kong/config"
	"diag405/kong/forecast"
	"diag405/plugin"
)

// installation is what was found out so far.
type installation struct {
	kong     *adminapi.Kong
	config   *config.Config // nil when it cannot be read
	prefixes []string       // of the headers that explain
}

// askAdmin asks the Admin API which Kong it is, what it can run and what is in force.
func (k *installation) askAdmin(ctx context.Context, c *adminapi.Client) []finding {
	kong, all, err := c.Read(ctx, "")
	if err != nil {
		return []finding{noAdmin(c, err)}
	}
	k.kong = kong
	out := []finding{k.version(), k.root()}
	out = append(out, k.loaded(ctx, c)...)
	cfg, err := config.FromAdmin(all, config.For(kong.Flavor))
	if err != nil {
		return append(out, finding{"configuration", look, "the configuration cannot be read: " + strings.ReplaceAll(err.Error(), "\n", "; "), "diag405 lint says more, from a file"})
	}
	k.config = cfg
	return append(out, slices.Concat(k.inForce(), k.http2(), k.beside())...)
}

func noAdmin(c *adminapi.Client, err error) finding {
	fix := "name the Admin API with -admin; Kong listens there when admin_listen says so"
	if errors.Is(err, adminapi.ErrRefused) {
		fix = "send a token: -admin-header 'Kong-Admin-Token: ...'"
	}
	return finding{"admin-api", wrong, fmt.Sprintf("the Admin API at %s cannot be asked: %v", c.Address(), err), fix}
}

// oldest is the first Kong for which all was read that this program knows.
const oldest = "3.4"

func (k *installation) version() finding {
	f := finding{Check: "kong", Status: right, Says: "Kong " + k.kong.String()}
	switch {
	case k.kong.Version == "":
		f.Status, f.Fix = look, "is this Kong's Admin API? It does not tell its version"
	case before(k.kong.Version, oldest):
		f.Status, f.Fix = look, "use Kong "+oldest+" or newer: nothing is known of diag405 on an older one"
	}
	return f
}

// before compares versions by their first two numbers. What is no version is before
// none.
func before(version, than string) bool {
	v, ok := minor(version)
	t, _ := minor(than)
	return ok && slices.Compare(v, t) < 0
}

func minor(version string) (out []int, ok bool) {
	parts := strings.SplitN(version, ".", 3)
	for _, part := range parts[:min(2, len(parts))] {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil, false
		}
		out = append(out, n)
	}
	return out, len(out) == 2
}

// root is GET /, which ingress controllers and monitors ask. It answers 500 where Kong
// has started a plugin server (Kong issue 14260; measured on 3.9.1, read in 3.9.0 to
// 3.9.3).
func (k *installation) root() finding {
	switch k.kong.Root {
	case 200:
		return finding{Check: "admin-root", Status: right, Says: "GET / of the Admin API answers 200"}
	case 500:
		return finding{"admin-root", wrong, "GET / of the Admin API answers 500, as it does where Kong starts a plugin server by itself: ingress controllers and monitors ask for it",
			"run diag405 serve beside Kong, take KONG_PLUGINSERVER_*_START_CMD out, and have no diag405 in /usr/local/bin"}
	}
	return finding{"admin-root", wrong, fmt.Sprintf("GET / of the Admin API answers %d", k.kong.Root), "is this Kong's Admin API, and may you ask it?"}
}

// loaded tells which of the plugins Kong can run, and that they are of this version.
func (k *installation) loaded(ctx context.Context, c *adminapi.Client) (out []finding) {
	for _, name := range plugins.Names {
		can, err := c.CanRun(ctx, name)
		switch {
		case err != nil:
			return append(out, finding{"plugin-loaded", look, fmt.Sprintf("whether Kong can run %s is not known: %v", name, err), "ask with another token, or as somebody who may read schemas"})
		case can:
			out = append(out, k.loadedVersion(name))
		}
	}
	if out == nil {
		return []finding{{"plugin-loaded", wrong, "Kong can run neither diag405 nor diag405-log",
			"KONG_PLUGINS=bundled,diag405 and KONG_PLUGINSERVER_NAMES=diag405 with its QUERY_CMD and SOCKET, then restart Kong: docs/install.md"}}
	}
	return out
}

func (k *installation) loadedVersion(name string) finding {
	version := k.kong.Plugins[name]
	switch version {
	case "":
		return finding{Check: "plugin-loaded", Status: right, Says: "Kong can run " + name}
	case plugin.Version:
		return finding{Check: "plugin-loaded", Status: right, Says: "Kong can run " + name + " " + version}
	}
	return finding{"plugin-loaded", wrong, fmt.Sprintf("Kong was told of %s %s, and this is %s", name, version, plugin.Version),
		"write the file again with diag405 dump, and restart Kong"}
}

func isOwn(p *config.Plugin) bool { return slices.Contains(plugins.Names, p.Name) }

// inForce tells where the plugins are.
func (k *installation) inForce() (out []finding) {
	on, off := map[string][]string{}, map[string][]string{}
	for _, p := range k.config.Plugins {
		switch {
		case !isOwn(p):
		case !p.Enabled:
			off[p.Name] = append(off[p.Name], where(p))
		default:
			on[p.Name] = append(on[p.Name], where(p))
			if prefix, ok := p.Config["header_prefix"].(string); ok && !slices.Contains(k.prefixes, prefix) {
				k.prefixes = append(k.prefixes, prefix)
			}
		}
	}
	for _, name := range plugins.Names {
		if on[name] != nil {
			out = append(out, finding{Check: "plugin-enabled", Status: right, Says: name + " is on " + someOf(on[name])})
		}
		if off[name] != nil {
			out = append(out, finding{"plugin-enabled", look, name + " is switched off on " + someOf(off[name]), "set enabled=true on it"})
		}
	}
	if len(on) == 0 {
		out = append(out, finding{"plugin-enabled", wrong, "neither plugin is in force anywhere", k.enable()})
	}
	return out
}

func (k *installation) enable() string {
	if k.kong.IsDBLess() {
		return "put plugins: [{name: diag405}] into the declarative configuration, on a route, a service or at the top"
	}
	return "curl -X POST " + k.kong.Address + "/routes/ROUTE/plugins -d name=diag405"
}

// shown is how many places are listed.
const shown = 5

func someOf(places []string) string {
	if len(places) <= shown {
		return strings.Join(places, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(places[:shown], ", "), len(places)-shown)
}

// where is what a plugin is bound to.
func where(p *config.Plugin) string {
	var words []string
	if p.Route != nil {
		words = append(words, "route "+named(p.Route.Name, p.Route.ID))
	}
	if p.Service != nil {
		words = append(words, "service "+named(p.Service.Name, p.Service.ID))
	}
	if p.Consumer != "" {
		words = append(words, "consumer "+p.Consumer)
	}
	if p.ConsumerGroup != "" {
		words = append(words, "consumer group "+p.ConsumerGroup)
	}
	if words == nil {
		return "all requests"
	}
	return strings.Join(words, " with ")
}

func named(name, id string) string {
	if name != "" {
		return name
	}
	return id
}

// http2 tells of a Kong that skips the response phase for HTTP/2 clients (until 3.9.0;
// Kong.response in kong/init.lua).
func (k *installation) http2() []finding {
	if !before(k.kong.Version, "3.9") || !slices.ContainsFunc(k.config.Plugins, annotates) {
		return nil
	}
	return []finding{{"http2", look, "Kong " + k.kong.Version + " has no response phase for HTTP/2 clients: their answers are not explained in headers",
		"use Kong 3.9.0 or newer, or diag405-log, whose phase runs for them"}}
}

func annotates(p *config.Plugin) bool { return p.Enabled && p.Name == plugin.Name }

// beside tells of plugins that buffer answers or stream them on requests that diag405
// buffers, too.
func (k *installation) beside() (out []finding) {
	for _, p := range k.config.Plugins {
		known, ok := forecast.Known(p.Name)
		if !p.Enabled || isOwn(p) || !ok || known.Buffers == forecast.Streams || !k.meets(p) {
			continue
		}
		f := finding{Check: "buffering-beside", Status: look}
		if known.Buffers == forecast.BuffersUnasked {
			f.Says = fmt.Sprintf("%s on %s streams an answer when the request's body asks for that, and diag405 makes Kong read all of it first", p.Name, where(p))
			f.Fix = "use diag405-log there, which buffers nothing"
		} else {
			f.Says = fmt.Sprintf("%s on %s buffers answers, too; for requests that diag405 leaves unbuffered (event streams, gRPC, other methods) its part in the answer is left out", p.Name, where(p))
			f.Fix = "set buffering=always on diag405 there, or use diag405-log"
		}
		out = append(out, f)
	}
	return out
}

// meets tells whether there is a route on which a plugin and diag405 both run.
func (k *installation) meets(p *config.Plugin) bool {
	return slices.ContainsFunc(k.config.Routes, func(r *config.Route) bool {
		own := func(d *config.Plugin) bool { return annotates(d) && d.MayApply(r, r.Service) }
		return p.MayApply(r, r.Service) && slices.ContainsFunc(k.config.Plugins, own)
	})
}
