package plugin

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"diag405/plugin/diagnose"
	"diag405/plugin/server"
	"diag405/plugin/token"
)

// setting is all that is known of one setting. The field of [Config], [LogConfig] or
// [Common] that has its name in JSON takes its value; its default, what Kong and the
// plugin check and what README says come from here.
type setting struct {
	name     string
	in       plugins
	standard any    // the default, as an operator would write it; "" is none
	rule     rule   // beside the type, which is the field's
	sentence string // for Kong and README, 10 to 500 bytes
	more     string // for README
}

// plugins are the plugins that have a setting.
type plugins uint8

const (
	annotates plugins = 1 << iota // diag405
	logs                          // diag405-log
	both      = annotates | logs
)

// settings are those of both plugins, in the order in which Kong lists them.
var settings = []setting{
	{"expose", annotates, "full", oneOf("full", "code", "none"),
		"Which headers a client gets on an explained answer.",
		"`code`: only X-Diag."},
	{"token", annotates, "", secret,
		"When set, all headers only for requests that carry it in X-Diag-Token.",
		"The others get what `code` gives. The header goes neither upstream nor into a log."},
	{"token_key", annotates, "", secretOf(token.MinKey),
		"The key of the credentials that X-Diag-Token carries, each of which ends.",
		"`diag405 token` makes one: see [SECURITY](docs/SECURITY.md#on-a-public-route). Beside `token`, either is taken."},
	{"show_upstream_address", annotates, false, anything,
		"Whether X-Diag-Upstream has the upstream's scheme, host and port.", ""},
	{"statuses", both, []int{405}, each(oneOf(diagnose.Statuses()...)),
		"The statuses of the upstream to explain.",
		"A wrong path is a 404 as often as a 405."},
	{"log_requests", both, "all", oneOf("all", "changed", "errors", "none"),
		"For which requests to log the original against the upstream-bound one.",
		"`changed`: only when method or path differ, or the Host from what route and service explain. `errors`: only those that end in one of `statuses`."},
	// The default is the level from which Kong writes by default.
	{"log_level", both, "notice", oneOf("debug", "info", "notice", "warn", "err"),
		"The level of that line; a diagnosis is logged at warn.", ""},
	{"log_format", both, "text", oneOf("text", "json"),
		"The form of both lines: logfmt or JSON.", ""},
	{"log_query", both, false, anything,
		"Whether the values of query parameters are logged, too.",
		"Otherwise only their names are."},
	{"buffering", annotates, "auto", oneOf("auto", "always"),
		"Whether requests that buffering would break are left unbuffered.",
		"`always`: none is, see [Limits](docs/limits.md)."},
	{"header_prefix", annotates, standardPrefix, headerName,
		"What the names of the headers begin with: X-, then letters, digits and dashes.",
		"No name that is used: `X-Kong`, `X-Frame-Options` and the like."},
	{"proxy_status", annotates, false, anything,
		"Whether to add a member to the answer's Proxy-Status header.",
		"It is that of RFC 9209: `kong;received-status=405`."},
	{"probe", annotates, "off", oneOf("off", "options", "safe"),
		"Whether to ask the upstream with OPTIONS about the paths in question.",
		"`safe`: also with HEAD or GET, where one of them was refused."},
	{"probe_timeout", annotates, 300, between(10, maxProbeTimeout),
		"How long an answer may be held back to learn more, in milliseconds.",
		"By the probe; of it, 100 ms at most by a document that was never read."},
	{"openapi", both, "", anything,
		"The path of the application's OpenAPI document, a file on this machine.",
		"The plugin server has to be able to read it, and reads it again when it changes: at most 2 MiB of YAML, 16 of JSON."},
}

// settings are those that one of the plugins has.
func (p plugins) settings() []setting {
	return slices.DeleteFunc(slices.Clone(settings), func(s setting) bool { return s.in&p == 0 })
}

// describe is what Kong is told of a plugin's settings. One that has a default is
// never null.
func (p plugins) describe() server.Fields {
	var out server.Fields
	for _, s := range p.settings() {
		field := s.rule.field
		field.Description, field.Required = s.sentence, s.standard != ""
		out = append(out, server.NamedField{Name: s.name, Field: field})
	}
	return out
}

// reset gives every setting of a configuration, a pointer to a struct, its default.
func (p plugins) reset(config any) {
	fields := fieldsOf(config)
	for _, s := range p.settings() {
		if s.standard == "" { // none, which no rule is about
			fields[s.name].SetZero()
			continue
		}
		raw, err := json.Marshal(s.standard)
		if err == nil {
			err = s.store(raw, fields[s.name])
		}
		if err != nil {
			panic(fmt.Sprintf("bug: the default of %s: %v", s.name, err))
		}
	}
}

// maxUnknown is how many names that are no settings are told.
const maxUnknown = 10

// decode lays what an operator has set, a JSON object, over the defaults, and returns
// what could not be used. It fails only on what is not an object, and leaves the
// configuration as it was then.
func (p plugins) decode(data []byte, config any) (wrong, err error) {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(data, &given); err != nil {
		return nil, fmt.Errorf("decoding the plugin's config: %w", err)
	}
	maps.DeleteFunc(given, func(name string, raw json.RawMessage) bool {
		return string(raw) == "null" || isKongs(name)
	})
	p.reset(config)
	fields := fieldsOf(config)
	var errs []error
	for _, s := range p.settings() {
		raw, ok := given[s.name]
		if !ok {
			continue
		}
		delete(given, s.name)
		if err := s.store(raw, fields[s.name]); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w; %s", s.name, err, cmp.Or(s.rule.otherwise, "the default holds")))
		}
	}
	for i, name := range slices.Sorted(maps.Keys(given)) {
		if i == maxUnknown {
			errs = append(errs, fmt.Errorf("and %d more that are no settings", len(given)-i))
			break
		}
		errs = append(errs, fmt.Errorf("%s: no such setting", name))
	}
	return errors.Join(errs...), nil
}

// isKongs reports the fields that Kong adds to a configuration for itself
// (get_plugin_config in kong/runloop/plugins_iterator.lua).
func isKongs(name string) bool {
	switch name {
	case "ordering", "route_id", "service_id", "consumer_id", "consumer_group_id", "plugin_instance_name":
		return true
	}
	return strings.HasPrefix(name, "__") // __key__, __seq__, __plugin_id
}

// store decodes a value into its field, unless the rule refuses it.
func (s setting) store(raw json.RawMessage, field reflect.Value) error {
	value := reflect.New(field.Type())
	if json.Unmarshal(raw, value.Interface()) != nil {
		return fmt.Errorf("%s is not a %s", kindOf(raw), field.Type())
	}
	if s.rule.check != nil {
		if err := s.rule.check(value.Elem().Interface()); err != nil {
			return err
		}
	}
	field.Set(value.Elem())
	return nil
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

// fieldsOf are the fields of a configuration that take settings, by their names in
// JSON, with those of what it embeds.
func fieldsOf(config any) map[string]reflect.Value {
	out := map[string]reflect.Value{}
	v := reflect.ValueOf(config).Elem()
	for _, f := range reflect.VisibleFields(v.Type()) {
		if name := f.Tag.Get("json"); name != "" {
			out[name] = v.FieldByIndex(f.Index)
		}
	}
	return out
}
