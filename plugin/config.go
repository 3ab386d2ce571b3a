package plugin

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Config is what an operator writes under the plugin's "config" key. A field
// that is absent or null keeps its default; one that cannot be used is reported
// once in the error log and keeps its default too: a mistake here costs the
// operator a setting, never the route's traffic.
type Config struct {
	// Expose says which headers a client gets on an explained answer: "full" (all
	// of them), "code" (only the first, the cause and its certainty) or "none".
	// Default full.
	Expose string `json:"expose"`

	// Token, when it is set, keeps the full headers for requests that carry it in
	// X-Diag-Token; the others get what "code" gives. The header goes neither to the
	// upstream nor into a log. Default none.
	Token string `json:"token"`

	// ShowUpstreamAddress adds scheme, host and port of the upstream to
	// X-Diag-Upstream. Default false.
	ShowUpstreamAddress bool `json:"show_upstream_address"`

	// Statuses are the statuses to explain, each from 400 to 599. Default 405.
	Statuses []int `json:"statuses"`

	// LogRequests says for which requests the access phase logs the original
	// against the upstream-bound request: "all", "changed" (the method, the path or
	// the host differ) or "none". Default all.
	LogRequests string `json:"log_requests"`

	// LogLevel is the level of that line: debug, info, notice, warn or err. A
	// diagnosis is always logged at warn. Default notice, which is also the level
	// from which Kong writes by default.
	LogLevel string `json:"log_level"`

	// LogFormat is the form of both lines: "text" (logfmt) or "json". Default text.
	LogFormat string `json:"log_format"`

	// LogQuery logs the values of query parameters; otherwise only their names are
	// logged. Default false.
	LogQuery bool `json:"log_query"`

	// Buffering is "auto" or "always". A response phase makes Kong read each answer
	// whole before it passes it on. With auto the requests which that would break
	// (event streams, gRPC, methods that Kong's buffered hop would turn into GET) are
	// left unbuffered, and are then logged but not explained. Default auto.
	Buffering string `json:"buffering"`

	// HeaderPrefix begins the headers' names: letters, digits and dashes. Default
	// X-Diag.
	HeaderPrefix string `json:"header_prefix"`

	// ProxyStatus adds a member to the answer's Proxy-Status (RFC 9209): that the 405
	// was received, not made, by Kong. Default false.
	ProxyStatus bool `json:"proxy_status"`

	// Probe is "off" or "options": on a 405, ask the same upstream with OPTIONS which
	// methods the paths in question take. Default off.
	Probe string `json:"probe"`

	// ProbeTimeout is how long the answer may be held back for that, in milliseconds,
	// from 10 to 5000. Default 300.
	ProbeTimeout int `json:"probe_timeout"`

	// OpenAPI is the path of the application's OpenAPI document, in a file that the
	// plugin server can read. It is read again when it changes. Default none.
	OpenAPI string `json:"openapi"`

	problems *problems // what decoding found; told once
	sources  *sources  // where more is learned about an upstream
}

// defaults is the one source of defaults.
func defaults() Config {
	return Config{
		Expose:       "full",
		Statuses:     []int{405},
		LogRequests:  "all",
		LogLevel:     "notice",
		LogFormat:    "text",
		Buffering:    "auto",
		HeaderPrefix: "X-Diag",
		Probe:        "off",
		ProbeTimeout: 300,
		problems:     &problems{},
	}
}

// New returns a configuration with every default, into which the plugin server
// decodes what Kong sends. It is called for each instance.
func New() any { return Constructor("")() }

// Constructor makes a [New] for a plugin server in the given Kong prefix, where it
// finds out how Kong looks up host names; "" when there is none.
func Constructor(prefix string) func() any {
	return func() any {
		c := defaults()
		c.sources = newSources(prefix, &c)
		return &c
	}
}

// UnmarshalJSON lays an operator's settings over the defaults, field by field.
// It fails only on what is not a JSON object. Fields that Kong adds for itself
// (__seq__, __plugin_id) and fields that are not known are passed over.
func (c *Config) UnmarshalJSON(data []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return fmt.Errorf("decoding the plugin's config: %w", err)
	}
	prefix := c.sources.prefix
	*c = defaults()
	var errs []error
	for _, s := range c.settings() {
		raw, ok := fields[s.name]
		if !ok || string(raw) == "null" {
			continue
		}
		if err := s.decode(raw); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.name, err))
		}
	}
	c.problems.err = errors.Join(errs...)
	c.sources = newSources(prefix, c)
	return nil
}

// setting is one field of the configuration: its name as the operator types it,
// and how it is taken from JSON.
type setting struct {
	name   string
	decode func(json.RawMessage) error
}

func (c *Config) settings() []setting {
	return []setting{
		{"expose", into(&c.Expose, oneOf(exposeValues...))},
		{"token", into(&c.Token, nil)},
		{"show_upstream_address", into(&c.ShowUpstreamAddress, nil)},
		{"statuses", into(&c.Statuses, statuses)},
		{"log_requests", into(&c.LogRequests, oneOf(requestsValues...))},
		{"log_level", into(&c.LogLevel, oneOf(levelValues...))},
		{"log_format", into(&c.LogFormat, oneOf(formatValues...))},
		{"log_query", into(&c.LogQuery, nil)},
		{"buffering", into(&c.Buffering, oneOf(bufferingValues...))},
		{"header_prefix", into(&c.HeaderPrefix, headerPrefix)},
		{"proxy_status", into(&c.ProxyStatus, nil)},
		{"probe", into(&c.Probe, oneOf(probeValues...))},
		{"probe_timeout", into(&c.ProbeTimeout, between(minTimeout, maxTimeout))},
		{"openapi", into(&c.OpenAPI, nil)},
	}
}

// into decodes a value and stores it when check, if there is one, accepts it.
func into[T any](field *T, check func(T) error) func(json.RawMessage) error {
	return func(raw json.RawMessage) error {
		var value T
		if err := json.Unmarshal(raw, &value); err != nil {
			return fmt.Errorf("%s is not a %T; the default holds", kindOf(raw), value)
		}
		if check != nil {
			if err := check(value); err != nil {
				return fmt.Errorf("%w; the default holds", err)
			}
		}
		*field = value
		return nil
	}
}

// kindOf names what a value is, and not what it says: it may be a secret in the
// wrong place.
func kindOf(raw json.RawMessage) string {
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	}
	return "a number"
}

func oneOf(allowed ...string) func(string) error {
	return func(value string) error {
		if slices.Contains(allowed, value) {
			return nil
		}
		return fmt.Errorf("%q is not one of %s", value, strings.Join(allowed, ", "))
	}
}

func between(low, high int) func(int) error {
	return func(value int) error {
		if value < low || value > high {
			return fmt.Errorf("%d is outside %d..%d", value, low, high)
		}
		return nil
	}
}

func statuses(values []int) error {
	if len(values) == 0 {
		return errors.New("the list is empty")
	}
	for _, status := range values {
		if err := between(400, 599)(status); err != nil {
			return err
		}
	}
	return nil
}

// Bounds of settings.
const (
	maxPrefix  = 64   // bytes
	minTimeout = 10   // ms
	maxTimeout = 5000 // ms
)

func headerPrefix(value string) error {
	bad := func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}
	if value == "" || len(value) > maxPrefix || strings.IndexFunc(value, bad) >= 0 {
		return fmt.Errorf("%q is not 1 to %d letters, digits and dashes", value, maxPrefix)
	}
	return nil
}
