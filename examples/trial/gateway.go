package trial

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"

	"diag405/kong/gateway"
	"diag405/kong/gateway/realkong"
	"diag405/kong/gateway/standin"
)

// Gateway is a running gateway that takes one configuration after the other. It is
// not safe for concurrent use.
type Gateway struct {
	Errors *gateway.Lines // its error log

	running gateway.Gateway
	address string
	inForce []byte
}

// Start starts the stand-in, or the real Kong whose kong command is at a path. The
// options' error log is the gateway's own.
func Start(ctx context.Context, kong string, o gateway.Options) (*Gateway, error) {
	g := &Gateway{Errors: &gateway.Lines{}}
	o.ErrorLog = g.Errors
	start := standin.Start
	if kong != "" {
		start = realkong.Command(kong).Start
	}
	var err error
	if g.running, err = start(ctx, o); err != nil {
		return nil, fmt.Errorf("starting the gateway: %w", err)
	}
	at, err := url.Parse(g.running.URL())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading the gateway's address: %w", err), g.Close())
	}
	g.address = at.Host
	return g, nil
}

// Send sends a request with a declarative configuration in force, which is loaded
// where it is not.
func (g *Gateway) Send(ctx context.Context, doc []byte, r Request) (Answer, error) {
	if !bytes.Equal(doc, g.inForce) {
		if err := g.running.Load(ctx, doc); err != nil {
			return Answer{}, fmt.Errorf("loading the configuration: %w", err)
		}
		g.inForce = doc
	}
	return Send(ctx, g.address, r)
}

// Close stops the gateway.
func (g *Gateway) Close() error { return g.running.Close() }
