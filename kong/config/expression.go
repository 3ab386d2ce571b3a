package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"diag405/kong/atc"
)

// maxPriority is the highest priority of a route with an expression
// (kong/db/schema/entities/routes.lua).
const maxPriority = 1<<46 - 1

// CompileExpression reads the expression of a route in the expressions flavour,
// and holds it against the fields that the route's protocols have. The field
// net.port of Kong's first releases counts as net.dst.port, so places in an error
// are those behind that change.
func CompileExpression(r *Route) (*atc.Expression, error) {
	e, err := atc.Parse(amend(r.Expression))
	if err != nil {
		return nil, err
	}
	fields := atc.HTTP
	if len(r.Protocols) > 0 && subsystems[r.Protocols[0]] == "stream" {
		fields = atc.Stream
	}
	if err := e.Check(fields); err != nil {
		return nil, err
	}
	return e, nil
}

var oldPort = regexp.MustCompile(`(net\.port)(\s*)([=><!])`)

// amend is amending_expression of kong/router/transform.lua. It changes text, be
// it inside a string.
func amend(expression string) string {
	return oldPort.ReplaceAllString(expression, "net.dst.port$2$3")
}

// checkExpression reports what an expression says by itself and against the fields
// that it stands beside (validate_route in kong/db/schema/entities/routes.lua).
func checkExpression(o *object, r *Route) {
	var beside []string
	for _, field := range []string{"methods", "hosts", "paths", "headers", "snis", "sources", "destinations"} {
		if n := o.get(field); n != nil && len(n.Content) > 0 {
			beside = append(beside, field)
		}
	}
	switch {
	case r.Expression == "":
		if len(beside) > 0 && r.Priority != 0 {
			o.fail("priority", fmt.Errorf("cannot be set together with %s: it is for routes with an expression", strings.Join(beside, ", ")))
		}
		return
	case len(beside) > 0:
		o.fail("expression", fmt.Errorf("cannot be set together with %s", strings.Join(beside, ", ")))
		return
	case r.RegexPriority != 0:
		o.fail("regex_priority", errors.New("cannot be set together with expression: set priority"))
	}
	e, err := CompileExpression(r)
	if err != nil {
		o.fail("expression", err)
		return
	}
	for _, field := range e.Fields() {
		o.check("expression", field, checkSegments)
	}
}

var segmentRange = regexp.MustCompile(`^(0|[1-9]\d*)(?:_([1-9]\d*))?$`)

// checkSegments takes http.path.segments.N and .N_M with N less than M, and every
// other field.
func checkSegments(field string) error {
	i := strings.Index(field, "http.path.segments.")
	if i < 0 {
		return nil
	}
	suffix := field[i+len("http.path.segments."):]
	m := segmentRange.FindStringSubmatch(suffix)
	if suffix != "len" && (m == nil || m[2] != "" && !lessNumber(m[1], m[2])) {
		return fmt.Errorf("%s should end in len, a segment such as 0, or a range such as 0_2", field)
	}
	return nil
}

// lessNumber compares numbers without leading zeros, of any length.
func lessNumber(a, b string) bool { return len(a) < len(b) || len(a) == len(b) && a < b }
