package standin

import (
	"testing"

	"diag405/kong/gateway"

	"github.com/stretchr/testify/assert"
)

// Behind a load balancer that ends TLS, a route for https alone takes what the
// balancer says was https, if the balancer is trusted.
func TestTrustedClientsSayTheirScheme(t *testing.T) {
	up := echo(t)
	doc := declare(up.URL, `{"name":"r","paths":["/p"],"protocols":["https"],"https_redirect_status_code":301}`, "")
	for _, trust := range []bool{true, false} {
		g := standInFor(t, gateway.Options{TrustClients: trust}, doc)
		got := send(t, g, "GET /p HTTP/1.1\nX-Forwarded-Proto: https\nX-Forwarded-Host: shop.example")
		if !trust {
			assert.Equal(t, "HTTP/1.1 301 Moved Permanently", got.Line)
			continue
		}
		seen := got.seen(t)
		assert.Equal(t, "https", seen.Header.Get("X-Forwarded-Proto"))
		assert.Equal(t, "shop.example", seen.Header.Get("X-Forwarded-Host"))
	}
}
