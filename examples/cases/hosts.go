package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"diag405/kong/config"
)

// addressPlan gives symbolic hosts addresses of the loopback network, each its
// own, so that every application can listen on the port that its case names.
type addressPlan struct {
	given  int
	single bool // this machine has 127.0.0.1 only
}

func newAddressPlan() *addressPlan {
	l, err := net.Listen("tcp", "127.0.4.1:0")
	if err != nil {
		return &addressPlan{single: true}
	}
	l.Close()
	return &addressPlan{}
}

// forHosts is a hosts table for the names.
func (p *addressPlan) forHosts(names []string) map[string]string {
	table := map[string]string{}
	for _, name := range names {
		if table[name] == "" {
			table[name] = p.next()
		}
	}
	return table
}

func (p *addressPlan) next() string {
	if p.single {
		return "127.0.0.1"
	}
	n := p.given
	p.given++
	return fmt.Sprintf("127.0.%d.%d", 4+n/250%200, 1+n%250)
}

// hosts are the symbolic hosts of a case, in order: those of its applications,
// and those that its configuration names, where nobody listens then.
func (c *Case) hosts() []string {
	names := map[string]bool{}
	for at := range c.Apps {
		host, _, _ := splitAddress(at) // checked when it was parsed
		names[host] = true
	}
	cfg, err := config.Parse(c.Kong)
	if err != nil {
		return slices.Sorted(maps.Keys(names))
	}
	upstreams := map[string]bool{}
	for _, u := range cfg.Upstreams {
		upstreams[u.Name] = true
		for _, t := range u.Targets {
			names[t.Host] = true
		}
	}
	for _, s := range cfg.Services {
		names[s.Host] = true
	}
	maps.DeleteFunc(names, func(name string, _ bool) bool {
		_, err := netip.ParseAddr(name)
		return err == nil || upstreams[name] || name == ""
	})
	return slices.Sorted(maps.Keys(names))
}

// stage is the running applications of a case.
type stage struct {
	moved   map[string]int // host:port -> the port, where that had to be another
	journal *journal
	servers []*http.Server
}

// startApps starts every application of a case at its host's address.
func startApps(c *Case, hosts map[string]string) (*stage, error) {
	s := &stage{moved: map[string]int{}, journal: &journal{}}
	secure := secureAddresses(c)
	for _, at := range slices.Sorted(maps.Keys(c.Apps)) {
		if err := s.start(newApplication(at, c.Apps[at], s.journal), hosts, secure[at]); err != nil {
			s.stop()
			return nil, fmt.Errorf("starting the application at %q: %w", at, err)
		}
	}
	return s, nil
}

func (s *stage) start(a *application, hosts map[string]string, secure bool) error {
	host, port, err := splitAddress(a.at)
	if err != nil {
		return err
	}
	l, err := listen(hosts[host], port)
	if err != nil {
		return err
	}
	if got := l.Addr().(*net.TCPAddr).Port; got != port {
		s.moved[a.at] = got
	}
	server := &http.Server{Handler: a, DisableGeneralOptionsHandler: true, Protocols: new(http.Protocols)}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true) // what Kong speaks to a service of protocol grpc
	if secure {
		certificate, err := selfSigned()
		if err != nil {
			return errors.Join(err, l.Close())
		}
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{certificate}})
	}
	s.servers = append(s.servers, server)
	go func() { _ = server.Serve(l) }() // ends with stop
	return nil
}

func (s *stage) stop() {
	for _, server := range s.servers {
		_ = server.Close()
	}
}

// listen listens on the port, or on a free one where that is privileged or taken.
func listen(ip string, port int) (net.Listener, error) {
	l, err := net.Listen("tcp", joinHostPort(ip, port))
	for _, why := range []error{syscall.EACCES, syscall.EPERM, syscall.EADDRINUSE} {
		if errors.Is(err, why) {
			return net.Listen("tcp", net.JoinHostPort(ip, "0"))
		}
	}
	return l, err
}

// secureAddresses are those that a service reaches with TLS.
func secureAddresses(c *Case) map[string]bool {
	secure := map[string]bool{}
	cfg, err := config.Parse(c.Kong)
	if err != nil {
		return secure
	}
	for _, s := range cfg.Services {
		if s.Protocol != "https" && s.Protocol != "grpcs" {
			continue
		}
		for _, at := range addressesOf(cfg, s) {
			secure[at] = true
		}
	}
	return secure
}

// addressesOf are the addresses behind a service: its own, or its targets'.
func addressesOf(cfg *config.Config, s *config.Service) []string {
	for _, u := range cfg.Upstreams {
		if u.Name != s.Host {
			continue
		}
		var list []string
		for _, t := range u.Targets {
			list = append(list, joinHostPort(t.Host, t.Port))
		}
		return list
	}
	return []string{joinHostPort(s.Host, s.Port)}
}

// selfSigned is a certificate for any name. Kong does not verify an upstream's
// unless it is told to.
var selfSigned = sync.OnceValues(func() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
})
