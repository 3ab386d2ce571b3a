package config

import (
	"errors"
	"fmt"
)

const maxTimeout = 1<<31 - 2 // in milliseconds, kong/db/schema/entities/services.lua

// readService reads a service (kong/db/schema/entities/services.lua) with the
// routes and plugins in it.
func (d *document) readService(o *object) {
	s := &Service{}
	o.addDefaults("service")
	id, name := d.identify("services", o, s)
	*s = Service{
		ID:             id,
		Name:           name,
		Retries:        o.integer("retries", 5, 0, 32767),
		ConnectTimeout: o.integer("connect_timeout", 60000, 1, maxTimeout),
		WriteTimeout:   o.integer("write_timeout", 60000, 1, maxTimeout),
		ReadTimeout:    o.integer("read_timeout", 60000, 1, maxTimeout),
		Enabled:        o.boolean("enabled", true),
		Tags:           o.tags(),
		Workspace:      o.workspace(),
	}
	d.add(s, o)
	d.readAddress(o, s)
	if !isWebSocket([]string{s.Protocol}) {
		d.config.Services = append(d.config.Services, s)
	}
	o.skip("client_certificate", "tls_verify", "tls_verify_depth", "ca_certificates", "filter_chains")
	o.skip(common...)
	o.skipOfDeck("services")
	d.readList(o, "routes", "name", func(d *document, r *object) { d.readRoute(r, s) })
	for _, p := range o.objects("plugins", "name") {
		d.readPlugin(p, Scope{Service: s})
	}
	o.refuseUnknown()
}

// readAddress fills in where a service is: from url, and then from the fields
// that stand beside it.
func (d *document) readAddress(o *object, s *Service) {
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
	o.check("protocol", s.Protocol, d.checkProtocol())
	if s.Host == "" && !o.isWritten("url") && !o.isWritten("host") {
		o.fail("host", errors.New("is required (or url)"))
	} else if s.Host != "" {
		o.check("host", s.Host, checkHost)
	}
	if s.Path != "" && s.Protocol != "http" && s.Protocol != "https" && subsystems[s.Protocol] != "" {
		o.fail("path", fmt.Errorf("%q cannot be set when protocol is %q", s.Path, s.Protocol))
	}
}
