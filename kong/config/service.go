package config

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
)

const maxTimeout = 1<<31 - 2 // in milliseconds, kong/db/schema/entities/services.lua

// readService reads a service (kong/db/schema/entities/services.lua) with the
// routes and plugins in it.
func (d *document) readService(o *object) {
	id, name := d.identify("services", o)
	s := &Service{
		ID:             id,
		Name:           name,
		Retries:        o.integer("retries", 5, 0, 32767),
		ConnectTimeout: o.integer("connect_timeout", 60000, 1, maxTimeout),
		WriteTimeout:   o.integer("write_timeout", 60000, 1, maxTimeout),
		ReadTimeout:    o.integer("read_timeout", 60000, 1, maxTimeout),
		Enabled:        o.boolean("enabled", true),
		Tags:           o.set("tags", nil),
	}
	d.config.Services = append(d.config.Services, s)
	d.nodes[s] = o.node
	readAddress(o, s)
	o.skip("client_certificate", "tls_verify", "tls_verify_depth", "ca_certificates", "filter_chains")
	o.skip(common...)
	for _, r := range o.objects("routes", "name") {
		d.readRoute(r, s)
	}
	for _, p := range o.objects("plugins", "name") {
		d.readPlugin(p, Scope{Service: s})
	}
	o.refuseUnknown()
}

// readAddress fills in where a service is: from url, and then from the fields
// that stand beside it.
func readAddress(o *object, s *Service) {
	s.Protocol, s.Port = "http", 80
	if raw := o.str("url", ""); raw != "" {
		if err := s.setURL(raw); err != nil {
			o.fail("url", err)
		}
	}
	s.Protocol = o.str("protocol", s.Protocol)
	s.Host = o.str("host", s.Host)
	s.Port = o.integer("port", s.Port, 0, 65535)
	if o.has("path") {
		s.Path = o.str("path", "")
		o.check("path", s.Path, checkServicePath)
	}
	o.check("protocol", s.Protocol, checkProtocol)
	if s.Host == "" && !o.has("url") {
		o.fail("host", errors.New("is required (or url)"))
	} else if s.Host != "" {
		o.check("host", s.Host, checkHost)
	}
	if s.Path != "" && s.Protocol != "http" && s.Protocol != "https" && subsystems[s.Protocol] != "" {
		o.fail("path", fmt.Errorf("%q cannot be set when protocol is %q", s.Path, s.Protocol))
	}
}

// setURL spreads a url over protocol, host, port and path. The port defaults to
// 443 for https and to 80 for everything else, as in Kong.
func (s *Service) setURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return fmt.Errorf("%q is not a url: %w", raw, errors.Unwrap(err))
	}
	if u.Scheme == "" || u.Hostname() == "" {
		return fmt.Errorf("%q should be scheme://host[:port][/path]", raw)
	}
	s.Protocol, s.Host, s.Path = u.Scheme, u.Hostname(), u.EscapedPath()
	s.Port = 80
	if u.Scheme == "https" {
		s.Port = 443
	}
	if port := u.Port(); port != "" {
		if s.Port, err = strconv.Atoi(port); err != nil || s.Port > 65535 {
			return fmt.Errorf("%q has a port outside 0..65535", raw)
		}
	}
	if s.Path == "" {
		return nil
	}
	return checkServicePath(s.Path)
}
