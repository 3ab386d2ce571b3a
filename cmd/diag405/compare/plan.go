package compare

import (
	"context"
	"maps"
	"slices"

	"diag405/cmd/diag405/cli"
	"diag405/cmd/diag405/curl"
	"diag405/cmd/diag405/explain"
	"diag405/kong/forecast"
)

// way is where a request goes, and as whose.
type way string

// Ways. A request that is the same as Kong's and as the client's is sent once.
const (
	throughKong way = "through Kong"
	asKong      way = "directly, as Kong sends it"
	asClient    way = "directly, as the client asks"
	asBoth      way = "directly" // what Kong sends is what the client asks
	asNamed     way = "directly, as -direct says"
)

// plan says what is to be sent, and sends nothing. "Directly" can mean two things: what
// Kong makes of the request, which is what the application refuses, and what the client
// asks for, which is what people try by hand. Where the two differ both tell something.
func (o *options) plan(ctx context.Context, std cli.Streams) (*comparison, error) {
	c := &comparison{exchanges: []*exchange{{way: throughKong, request: o.asked}}, notes: slices.Clone(o.asked.Notes)}
	if o.isConfigured() {
		if err := o.predict(ctx, c, std); err != nil {
			return nil, err
		}
	}
	c.exchanges = append(c.exchanges, o.directly(c)...)
	return c, nil
}

func (o *options) predict(ctx context.Context, c *comparison, std cli.Streams) error {
	from, err := o.source.Load(ctx, o.config, std.In, o.consumer)
	if err != nil {
		return err
	}
	asked := o.asked.Asked()
	if asked.Consumer, err = from.Asking(o.consumer); err != nil {
		return err
	}
	if c.inquiry, err = explain.Predict(from, asked); err != nil {
		return err
	}
	for _, n := range from.Notes {
		c.notes = append(c.notes, n.At.String()+": "+n.Words)
	}
	if u := c.inquiry.Forecast().Upstream; u != nil {
		c.notes = append(c.notes, u.Uncertain...)
	}
	return nil
}

// directly are the requests to the application itself.
func (o *options) directly(c *comparison) []*exchange {
	var upstream *forecast.Upstream
	if c.inquiry != nil {
		kong := c.inquiry.Forecast()
		if upstream = kong.Upstream; upstream == nil && kong.Answer != nil {
			c.notes = append(c.notes, "with this configuration the request reaches no application: "+kong.Answer.By+" answers, "+kong.Answer.Words)
		}
	}
	switch {
	case o.app != nil && o.app.Target != "/": // the one URL that was named
		return []*exchange{o.to(c, asNamed, *o.app)}
	case o.app == nil && upstream == nil:
		return nil
	}
	app := o.app
	if app == nil {
		app = &curl.URL{Scheme: upstream.Scheme, Address: explain.AddressOf(upstream)}
	}
	client := o.to(c, asClient, curl.URL{Scheme: app.Scheme, Address: app.Address, Target: o.asked.URL.Target})
	if upstream == nil {
		return []*exchange{client}
	}
	kong := o.to(c, asKong, curl.URL{Scheme: app.Scheme, Address: app.Address, Target: upstream.URI})
	kong.request.Method, kong.request.Host = upstream.Method, upstream.Host
	switch {
	case kong.request.Method == client.request.Method && kong.request.URL == client.request.URL:
		kong.way = asBoth
		return []*exchange{kong}
	case o.as == "kong":
		return []*exchange{kong}
	case o.as == "client":
		return []*exchange{client}
	}
	return []*exchange{kong, client}
}

// to is the client's request, sent to another URL.
func (o *options) to(c *comparison, w way, u curl.URL) *exchange {
	r := *o.asked
	r.URL, r.Host, r.Header = u, u.Address, o.asked.Header.Clone()
	for _, prefix := range c.prefixes() {
		r.Header.Del(prefix + "-Token") // is for diag405, which does not pass it on
	}
	return &exchange{way: w, request: &r}
}

// prefixes are those of diag405's headers.
func (c *comparison) prefixes() []string {
	found := map[string]bool{"X-Diag": true}
	if c.inquiry != nil {
		for _, p := range c.inquiry.Plugins(forecast.Own) {
			if prefix, ok := p.Config["header_prefix"].(string); ok {
				found[prefix] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}
