// Package atc is the language of Kong's expressions router: what a route writes
// into its field "expression".
//
//	http.path ^= "/api" && (http.method == "GET" || any(http.headers.x_tier) == "gold")
//
// [Parse] reads an expression, [Expression.Check] holds it against the fields of
// one of Kong's subsystems, [Expression.Match] against a request, and
// [Expression.Trace] says of each of its parts whether it held and why.
//
// It is atc-router 1.6.2, which Kong 3.9.1 is built with: the grammar of
// src/atc_grammar.pest, the tree of src/parser.rs, the types of src/semantics.rs
// and the evaluation of src/interpreter.rs. Three things in it surprise:
//
//   - "||" binds tighter than "&&": a && b || c is a && (b || c).
//   - A field that the request has not got makes every predicate false, "!=" and
//     "not in" included; only "!( )" turns that round.
//   - A field with several values (a repeated header) wants all of them to match,
//     unless it stands in any().
package atc

import (
	"net/netip"
	"regexp"
	"strconv"
)

// An Expression is one route's condition.
type Expression struct {
	source string
	root   node
}

// String is the expression as it was written.
func (e *Expression) String() string { return e.source }

// A node is an expression or a part of one.
type node interface {
	where() span
}

// span is where in the source something stands: bytes from start to end.
type span struct{ start, end int }

func (s span) where() span { return s }

// logical is two nodes with "&&" or "||" between them.
type logical struct {
	span
	or          bool
	left, right node
}

// not is "!( )".
type not struct {
	span
	inner node
}

// predicate compares a field with a constant.
type predicate struct {
	span
	field      string
	lower, any bool // transformations, in whatever order they were nested
	op         Operator
	value      Value
}

// Operator is what stands between a field and a constant.
type Operator string

// The operators of the language (binary_operator in atc_grammar.pest).
const (
	Equals         Operator = "=="
	NotEquals      Operator = "!="
	Regex          Operator = "~"  // of Rust's regex crate, see [CompileRegex]; anchored nowhere
	Prefix         Operator = "^=" // the field starts with the constant
	Postfix        Operator = "=^" // the field ends with the constant
	GreaterOrEqual Operator = ">="
	Greater        Operator = ">"
	LessOrEqual    Operator = "<="
	Less           Operator = "<"
	In             Operator = "in" // an address in a CIDR block
	NotIn          Operator = "not in"
	Contains       Operator = "contains"
)

// Type is what a field holds, or what a constant is.
type Type string

// The types of src/ast.rs.
const (
	String  Type = "String"
	Int     Type = "Int"
	IPAddr  Type = "IpAddr"
	IPCIDR  Type = "IpCidr"
	Pattern Type = "Regex"
)

// Value is a constant of an expression, or a value that a request has for a field.
// Only what its type says is set.
type Value struct {
	Type   Type
	Text   string // of a String, and the source of a Pattern
	Number int64
	Addr   netip.Addr
	Block  netip.Prefix
	regex  *regexp.Regexp
}

// Text is a value of type String.
func Text(s string) Value { return Value{Type: String, Text: s} }

// Number is a value of type Int.
func Number(n int64) Value { return Value{Type: Int, Number: n} }

// Addr is a value of type IpAddr.
func Addr(a netip.Addr) Value { return Value{Type: IPAddr, Addr: a} }

// String is the value as it is written in an expression, text without its quotes.
func (v Value) String() string {
	switch v.Type {
	case Int:
		return strconv.FormatInt(v.Number, 10)
	case IPAddr:
		return v.Addr.String()
	case IPCIDR:
		return v.Block.String()
	}
	return v.Text
}
