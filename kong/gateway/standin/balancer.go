package standin

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"diag405/kong/config"
)

// balance is Kong's balancer_data: where a request goes, as of the access phase.
type balance struct {
	host    string // an address, a name, or an upstream's name
	port    int
	retries int

	connectTimeout, writeTimeout, readTimeout time.Duration

	peer  peer // the address of the next try
	tries []try
}

// peer is an address to try, and the name to call it by in Host.
type peer struct {
	ip       string
	port     int
	hostname string
}

func (p peer) address() string { return net.JoinHostPort(p.ip, strconv.Itoa(p.port)) }

// try is one attempt, as log plugins see it.
type try struct {
	ip    string
	port  int
	start time.Time
	took  time.Duration
	state string // failed, or "" for the one that answered
	code  int
}

func newBalance(s *config.Service) balance {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	return balance{
		host: s.Host, port: s.Port, retries: s.Retries,
		connectTimeout: ms(s.ConnectTimeout), writeTimeout: ms(s.WriteTimeout), readTimeout: ms(s.ReadTimeout),
	}
}

// A ring hands out an upstream's targets by weight: each stands in the wheel as
// often as its weight over the greatest common divisor of all says, shuffled
// (kong/runloop/balancer/round_robin.lua).
type ring struct {
	hostHeader string
	mu         sync.Mutex
	wheel      []config.Target
	next       int
}

func newRing(u *config.Upstream) *ring {
	r := &ring{hostHeader: u.HostHeader}
	divisor := 0
	for _, t := range u.Targets {
		divisor = gcd(divisor, t.Weight)
	}
	for _, t := range u.Targets {
		for range points(t.Weight, divisor) {
			r.wheel = append(r.wheel, t)
		}
	}
	rand.Shuffle(len(r.wheel), func(i, j int) { r.wheel[i], r.wheel[j] = r.wheel[j], r.wheel[i] })
	return r
}

func points(weight, divisor int) int {
	if divisor == 0 {
		return 0
	}
	return weight / divisor
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// pick returns the next target; false when there is none.
func (r *ring) pick() (config.Target, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.wheel) == 0 {
		return config.Target{}, false
	}
	r.next = (r.next + 1) % len(r.wheel)
	return r.wheel[r.next], true
}

// balancerError is why no peer was found, and the status it makes.
type balancerError struct {
	status  int
	message string
}

func (e *balancerError) Error() string { return e.message }

// choose finds the next peer (execute in kong/runloop/balancer/init.lua).
func (g *standIn) choose(ctx context.Context, st *state, b *balance) (peer, error) {
	if _, err := netip.ParseAddr(b.host); err == nil {
		return peer{ip: b.host, port: b.port, hostname: b.host}, nil
	}
	ring, ok := st.rings[b.host]
	if !ok {
		return g.resolve(ctx, b.host, b.port)
	}
	target, ok := ring.pick()
	if !ok {
		return peer{}, &balancerError{503, "failure to get a peer from the ring-balancer"}
	}
	p, err := g.resolve(ctx, target.Host, target.Port)
	if ring.hostHeader != "" {
		p.hostname = ring.hostHeader
	}
	return p, err
}

// resolve looks a host name up, first in gateway.Options.Hosts.
func (g *standIn) resolve(ctx context.Context, host string, port int) (peer, error) {
	p := peer{ip: host, port: port, hostname: host}
	if _, err := netip.ParseAddr(host); err == nil {
		return p, nil
	}
	if ip, ok := g.options.Hosts[host]; ok {
		p.ip = ip
		return p, nil
	}
	ips, err := net.DefaultResolver.LookupHost(ctx, host)
	if err == nil && len(ips) > 0 {
		p.ip = ips[0]
		return p, nil
	}
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return p, &balancerError{503, "name resolution failed"}
	}
	return p, &balancerError{500, fmt.Sprintf("dns server error: %v", err)}
}
