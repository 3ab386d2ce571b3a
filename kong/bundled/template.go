package bundled

import (
	"fmt"
	"strconv"
	"strings"
)

// A template is text with Lua expressions in it, $(like this), as Kong's
// request-transformer renders it (pl.template). Expressions may use headers,
// query_params, uri_captures and shared, with .name, ["name"] and [1]; string
// and number literals; "or", "and", "not", "==", "~=", ".." and parentheses.
// Other Lua is refused when the template is compiled.
type template []piece

type piece struct {
	text string
	expr expr // nil for text
}

// expr is a compiled expression.
type expr func(e *env) (any, error)

// env is what expressions see.
type env struct{ variables map[string]func() any }

func compile(source string) (template, error) {
	var t template
	for {
		at := strings.Index(source, "$(")
		if at < 0 {
			return append(t, piece{text: source}), nil
		}
		end := balanced(source[at+1:])
		if end < 0 {
			return append(t, piece{text: source}), nil
		}
		t = append(t, piece{text: source[:at]})
		x, err := parseExpr(source[at+2 : at+end])
		if err != nil {
			return nil, fmt.Errorf("value '%s' is not in supported format, error: %w", source, err)
		}
		t = append(t, piece{expr: x})
		source = source[at+1+end:]
	}
}

// balanced is the length of the parenthesis that s starts with, -1 when it does
// not end.
func balanced(s string) int {
	depth := 0
	for i, c := range []byte(s) {
		switch c {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

func (t template) render(e *env) (string, error) {
	var out strings.Builder
	for _, p := range t {
		out.WriteString(p.text)
		if p.expr == nil {
			continue
		}
		v, err := p.expr(e)
		if err != nil {
			return "", err
		}
		out.WriteString(luaText(v))
	}
	return out.String(), nil
}

// luaText is what a template shows of a value: nothing for nil and false. A
// table shows its address, which is of no use to anybody, in Kong too.
func luaText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		if v {
			return "true"
		}
		return ""
	case float64:
		return strconv.FormatFloat(v, 'g', 14, 64)
	}
	return "table: 0x7f0000000000"
}

// parser reads an expression by precedence: or, and, comparison, concatenation,
// not, and what is in one piece.
type parser struct{ rest string }

func parseExpr(source string) (expr, error) {
	p := &parser{source}
	x, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.space(); p.rest != "" {
		return nil, fmt.Errorf("the stand-in does not know the Lua in %q", source)
	}
	return x, nil
}

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// take removes token from what is left, if that starts with it.
func (p *parser) take(token string) bool {
	p.space()
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok && isWord(token[0]) && rest != "" && isWord(rest[0]) {
		return false
	}
	if ok {
		p.rest = rest
	}
	return ok
}

func isWord(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// binary reads a chain of operators of one precedence, from the left.
func (p *parser) binary(operand func() (expr, error), operators map[string]func(a, b expr) expr) (expr, error) {
	left, err := operand()
	for err == nil {
		var join func(a, b expr) expr
		for token, f := range operators {
			if p.take(token) {
				join = f
				break
			}
		}
		if join == nil {
			return left, nil
		}
		var right expr
		if right, err = operand(); err == nil {
			left = join(left, right)
		}
	}
	return nil, err
}

func (p *parser) or() (expr, error) {
	return p.binary(p.and, map[string]func(a, b expr) expr{"or": func(a, b expr) expr {
		return func(e *env) (any, error) {
			v, err := a(e)
			if err != nil || truthy(v) {
				return v, err
			}
			return b(e)
		}
	}})
}

func (p *parser) and() (expr, error) {
	return p.binary(p.comparison, map[string]func(a, b expr) expr{"and": func(a, b expr) expr {
		return func(e *env) (any, error) {
			v, err := a(e)
			if err != nil || !truthy(v) {
				return v, err
			}
			return b(e)
		}
	}})
}

func (p *parser) comparison() (expr, error) {
	equal := func(want bool) func(a, b expr) expr {
		return func(a, b expr) expr {
			return both(a, b, func(v, w any) (any, error) { return isEqual(v, w) == want, nil })
		}
	}
	return p.binary(p.concatenation, map[string]func(a, b expr) expr{"==": equal(true), "~=": equal(false)})
}

func (p *parser) concatenation() (expr, error) {
	return p.binary(p.unary, map[string]func(a, b expr) expr{"..": func(a, b expr) expr {
		return both(a, b, func(v, w any) (any, error) {
			for _, part := range []any{v, w} {
				switch part.(type) {
				case string, float64:
				default:
					return nil, fmt.Errorf("attempt to concatenate a %T value", part)
				}
			}
			return luaText(v) + luaText(w), nil
		})
	}})
}

func both(a, b expr, f func(v, w any) (any, error)) expr {
	return func(e *env) (any, error) {
		v, err := a(e)
		if err != nil {
			return nil, err
		}
		w, err := b(e)
		if err != nil {
			return nil, err
		}
		return f(v, w)
	}
}

func (p *parser) unary() (expr, error) {
	if !p.take("not") {
		return p.primary()
	}
	x, err := p.unary()
	if err != nil {
		return nil, err
	}
	return func(e *env) (any, error) {
		v, err := x(e)
		return !truthy(v), err
	}, nil
}

func (p *parser) primary() (expr, error) {
	x, err := p.atom()
	for err == nil {
		var key expr
		switch {
		case strings.HasPrefix(strings.TrimLeft(p.rest, " "), ".."):
			return x, nil
		case p.take("."):
			var name string
			if name, err = p.word(); err == nil {
				key = constant(name)
			}
		case p.take("["):
			if key, err = p.or(); err == nil && !p.take("]") {
				err = fmt.Errorf("']' expected near %q", p.rest)
			}
		default:
			return x, nil
		}
		if err == nil {
			x = indexed(x, key)
		}
	}
	return nil, err
}

func (p *parser) atom() (expr, error) {
	p.space()
	switch {
	case p.rest == "":
		return nil, fmt.Errorf("unexpected end of an expression")
	case p.take("("):
		x, err := p.or()
		if err == nil && !p.take(")") {
			err = fmt.Errorf("')' expected near %q", p.rest)
		}
		return x, err
	case p.rest[0] == '"' || p.rest[0] == '\'':
		return p.quoted(p.rest[0])
	case p.rest[0] >= '0' && p.rest[0] <= '9':
		digits := p.rest[:len(p.rest)-len(strings.TrimLeft(p.rest, "0123456789."))]
		p.rest = p.rest[len(digits):]
		n, err := strconv.ParseFloat(digits, 64)
		return constant(n), err
	}
	name, err := p.word()
	if err != nil {
		return nil, err
	}
	switch name {
	case "nil":
		return constant(nil), nil
	case "true", "false":
		return constant(name == "true"), nil
	case "headers", "query_params", "uri_captures", "shared":
		return func(e *env) (any, error) { return e.variables[name](), nil }, nil
	}
	return nil, fmt.Errorf("the stand-in does not know the Lua name %q", name)
}

func constant(v any) expr { return func(*env) (any, error) { return v, nil } }

func (p *parser) word() (string, error) {
	p.space()
	n := 0
	for n < len(p.rest) && isWord(p.rest[n]) {
		n++
	}
	if n == 0 {
		return "", fmt.Errorf("a name was expected near %q", p.rest)
	}
	word := p.rest[:n]
	p.rest = p.rest[n:]
	return word, nil
}

func (p *parser) quoted(quote byte) (expr, error) {
	var out strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; c {
		case quote:
			p.rest = p.rest[i+1:]
			return constant(out.String()), nil
		case '\\':
			if i++; i < len(p.rest) {
				out.WriteByte(p.rest[i])
			}
		default:
			out.WriteByte(c)
		}
	}
	return nil, fmt.Errorf("unfinished string near %q", p.rest)
}

// luaTable is a value that can be indexed.
type luaTable func(key any) any

func indexed(table, key expr) expr {
	return both(table, key, func(v, k any) (any, error) {
		switch t := v.(type) {
		case luaTable:
			return t(k), nil
		case map[string]any:
			name, _ := k.(string)
			return t[name], nil
		case []any:
			if n, ok := k.(float64); ok && n >= 1 && int(n) <= len(t) {
				return t[int(n)-1], nil
			}
			return nil, nil
		case string: // string methods are not modelled
			return nil, nil
		}
		return nil, fmt.Errorf("attempt to index a %s value", luaText(v))
	})
}

func truthy(v any) bool { return v != nil && v != false }

func isEqual(a, b any) bool {
	switch a.(type) {
	case nil, string, float64, bool:
		return a == b
	}
	return false
}
