package plugin

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"diag405/plugin/server"
)

// rule is what a setting's values have to be: Kong refuses others when they are set,
// and check those that get through all the same. A nil check takes every value of the
// field's type.
type rule struct {
	field server.Field
	check func(value any) error
	// otherwise is what holds where a value is refused, "" for the default.
	otherwise string
}

var (
	anything = rule{}
	// secret is a text that Kong keeps encrypted, or takes out of a vault.
	secret = secretOf(0)
)

// secretOf takes a secret of so many bytes or more. None is too short for a reference;
// and one that leads nowhere comes from Kong as an empty text (resolve_reference in
// kong/db/schema/init.lua).
func secretOf(least int) rule {
	return rule{
		field: server.Field{Encrypted: true, Referenceable: true, LenMin: least},
		check: func(value any) error {
			switch n := len(value.(string)); {
			case n == 0:
				return errors.New("it is empty, as where a reference into a vault leads nowhere")
			case strings.HasPrefix(value.(string), "{vault://"):
				return errors.New("it is a reference into a vault, and not what is there")
			case n < least:
				return fmt.Errorf("it has %d bytes, and needs %d", n, least)
			}
			return nil
		},
		otherwise: "nobody has it, and only who has another gets all headers",
	}
}

// oneOf takes one of a few values.
func oneOf[T comparable](values ...T) rule {
	words := make([]string, len(values))
	for i, value := range values {
		words[i] = fmt.Sprint(value)
	}
	return rule{field: server.Field{OneOf: server.List(values...)}, check: func(value any) error {
		if slices.Contains(values, value.(T)) {
			return nil
		}
		return fmt.Errorf("%#v is not one of %s", value, strings.Join(words, ", "))
	}}
}

// maxProbeTimeout is the longest time that a client waits for a probe, in milliseconds.
const maxProbeTimeout = 5000

// between takes the numbers from low to high.
func between(low, high int) rule {
	return rule{field: server.Field{Between: []float64{float64(low), float64(high)}}, check: func(value any) error {
		if n := value.(int); n < low || n > high {
			return fmt.Errorf("%d is outside %d..%d", n, low, high)
		}
		return nil
	}}
}

// each takes numbers of which each keeps to a rule, at least one.
func each(r rule) rule {
	return rule{field: server.Field{LenMin: 1, Elements: &r.field}, check: func(value any) error {
		if len(value.([]int)) == 0 {
			return errors.New("the list is empty")
		}
		for _, n := range value.([]int) {
			if err := r.check(n); err != nil {
				return err
			}
		}
		return nil
	}}
}
