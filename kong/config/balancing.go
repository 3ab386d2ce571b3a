package config

import (
	"fmt"
	"slices"
)

// hashKinds is what an upstream can hash on, with the fields that say which of
// several: for hash_on, and for hash_fallback. There is one cookie for both
// (kong/db/schema/entities/upstreams.lua).
var hashKinds = []struct{ kind, field, fallbackField string }{
	{"none", "", ""},
	{"consumer", "", ""},
	{"ip", "", ""},
	{"header", "hash_on_header", "hash_fallback_header"},
	{"cookie", "hash_on_cookie", "hash_on_cookie"},
	{"path", "", ""},
	{"query_arg", "hash_on_query_arg", "hash_fallback_query_arg"},
	{"uri_capture", "hash_on_uri_capture", "hash_fallback_uri_capture"},
}

// checkHashing reports what an upstream's hash_on and hash_fallback lack. How they
// choose a target is not modelled.
func checkHashing(o *object) {
	var kinds []string
	for _, k := range hashKinds {
		kinds = append(kinds, k.kind)
		for _, field := range []string{k.field, k.fallbackField} {
			if field != "" {
				o.str(field, "")
			}
		}
	}
	o.skip("hash_on_cookie_path")
	on, fallback := o.oneOf("hash_on", kinds...), o.oneOf("hash_fallback", kinds...)
	for _, k := range hashKinds {
		if k.kind == on {
			o.needs("hash_on", on, k.field)
		}
		if k.kind == fallback {
			o.needs("hash_fallback", fallback, k.fallbackField)
		}
		if k.field != k.fallbackField && o.str(k.field, "") != "" && o.str(k.field, "") == o.str(k.fallbackField, "") {
			o.fail(k.fallbackField, fmt.Errorf("has to differ from %s", k.field))
		}
	}
	checkFallback(o, on, fallback)
}

// needs reports a field that another one's value asks for.
func (o *object) needs(field, value, needed string) {
	if needed != "" && !o.has(needed) {
		o.fail(needed, fmt.Errorf("is required with %s = %s", field, value))
	}
}

func checkFallback(o *object, on, fallback string) {
	switch {
	case fallback == "none":
	case on == "none", on == "cookie":
		o.fail("hash_fallback", fmt.Errorf("%q has to be none with hash_on = %s", fallback, on))
	case on == fallback && slices.Contains([]string{"consumer", "ip", "path"}, on):
		o.fail("hash_fallback", fmt.Errorf("%q has to differ from hash_on", fallback))
	}
}

// checkHealthchecks reports numbers that Kong refuses. Health checks themselves
// are not modelled.
func checkHealthchecks(o *object) {
	if !o.has("healthchecks") {
		return
	}
	checks := o.inner("healthchecks")
	checks.number("threshold", 0, 100)
	for _, kind := range []string{"active", "passive"} {
		if !checks.has(kind) {
			continue
		}
		check := checks.inner(kind)
		check.number("timeout", 0, 65535)
		check.number("concurrency", 1, 1<<31)
		for _, state := range []string{"healthy", "unhealthy"} {
			if check.has(state) {
				checkThresholds(check.inner(state))
			}
		}
	}
}

func checkThresholds(o *object) {
	o.number("interval", 0, 65535)
	for _, field := range []string{"successes", "tcp_failures", "timeouts", "http_failures"} {
		o.integer(field, 0, 0, 255)
	}
}

// inner is the object in a field.
func (o *object) inner(field string) *object {
	return newObject(position{in: &o.at, field: field}, o.get(field), o.src)
}

// number checks a number that need not be whole; an absent one is fine.
func (o *object) number(field string, low, high float64) {
	n := o.get(field)
	if n == nil {
		return
	}
	var f float64
	switch {
	case n.Tag != "!!int" && n.Tag != "!!float" || n.Decode(&f) != nil:
		o.fail(field, fmt.Errorf("%s should be a number", describe(n)))
	case f < low || f > high:
		o.fail(field, fmt.Errorf("%v is outside %v..%v", f, low, high))
	}
}
