package ui

import (
	"crypto/rand"
	"crypto/subtle"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
)

// A guard lets through only who has the token, from the page itself.
//
// Everything on this machine can reach a loopback port, pages of other sites in the
// user's browser included. So the Host has to be this address, which a name that was
// pointed here after the fact is not (DNS rebinding); another page's request tells
// itself by Origin and Sec-Fetch-Site; and nothing is answered without the token. It
// comes with the page's address once, and in a cookie from then on, which a browser
// sends for this page's own requests only and shows to no script.
type guard struct {
	host   string // host:port of the address
	hosts  []string
	token  string
	cookie string // its name: cookies know no ports, so the port is part of it
	once   atomic.Pointer[string]
	next   http.Handler
}

// newGuard guards what is served on an address, host:port.
func newGuard(address string, next http.Handler) *guard {
	g := &guard{host: address, hosts: []string{address}, token: rand.Text(), next: next}
	if _, port, err := net.SplitHostPort(address); err == nil {
		g.cookie = "diag405-" + port
		g.hosts = append(g.hosts, "localhost:"+port)
		if port == "80" { // which browsers leave out
			g.hosts = append(g.hosts, "localhost", address[:len(address)-len(":80")])
		}
	}
	return g
}

// address is where a browser finds the page.
func (g *guard) address() string { return "http://" + g.host + "/?token=" + g.token }

// addressOnce is one that holds once. A browser is started with it, and who else is on
// this machine can read the arguments of processes.
func (g *guard) addressOnce() string {
	once := rand.Text()
	g.once.Store(&once)
	return "http://" + g.host + "/?token=" + once
}

// policy lets the page load its own files, and talk to where it came from. Scripts
// cannot make markup out of text, but for the picture, which comes from here.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types picture"

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	switch {
	case !slices.Contains(g.hosts, r.Host):
		http.Error(w, "this is not the address that diag405 ui printed", http.StatusMisdirectedRequest)
	case !g.isOwn(r):
		http.Error(w, "the request comes from another page", http.StatusForbidden)
	case !g.admits(w, r):
		http.Error(w, "open the whole address that diag405 ui printed: its token is missing or wrong", http.StatusForbidden)
	default:
		g.next.ServeHTTP(w, r)
	}
}

// isOwn reports a request that no other page made. To go to the page is for all,
// since a link to it may stand anywhere; it shows nothing by itself.
func (g *guard) isOwn(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" && origin != "http://"+r.Host {
		return false
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return true
	}
	return isArrival(r) && r.Header.Get("Sec-Fetch-Mode") == "navigate"
}

// isArrival reports a browser that goes to the page.
func isArrival(r *http.Request) bool { return r.Method == http.MethodGet && r.URL.Path == "/" }

// admits reports a request with the token. One that arrives with it in the address
// gets it as a cookie.
func (g *guard) admits(w http.ResponseWriter, r *http.Request) bool {
	if c, err := r.Cookie(g.cookie); err == nil && isSame(c.Value, g.token) {
		return true
	}
	if !isArrival(r) || !g.takes(r.URL.Query().Get("token")) {
		return false
	}
	http.SetCookie(w, &http.Cookie{Name: g.cookie, Value: g.token, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	return true
}

// takes reports a token that is right, and uses up the one that holds once.
func (g *guard) takes(token string) bool {
	if isSame(token, g.token) {
		return true
	}
	once := g.once.Load()
	return once != nil && isSame(token, *once) && g.once.CompareAndSwap(once, nil)
}

// isSame compares in a time that tells nothing.
func isSame(got, want string) bool { return subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 1 }
