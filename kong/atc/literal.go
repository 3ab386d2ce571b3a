package atc

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// constant is what stands behind an operator: a string, a raw string, an address,
// a CIDR block or a whole number, tried in this order.
func (p *parser) constant() Value {
	at := p.pos
	rest := p.src[at:]
	switch {
	case strings.HasPrefix(rest, `"`):
		return p.quoted()
	case strings.HasPrefix(rest, `r#"`):
		return p.raw()
	}
	for _, form := range []struct {
		shape *regexp.Regexp
		read  func(string) (Value, error)
	}{
		{ipv4Block, readBlock}, {ipv6Block, readBlock}, {ipv4, readAddr}, {ipv6, readAddr}, {integer, readInt},
	} {
		text := form.shape.FindString(rest)
		if text == "" {
			continue
		}
		v, err := form.read(text)
		if err != nil {
			p.fail(at, "%q %v", text, err)
		}
		p.pos += len(text)
		p.space()
		return v
	}
	p.fail(at, "expected a string, a number, an address or a CIDR block, found %s", p.found())
	return Value{}
}

// quoted reads "…" with the escapes \" \\ \n \r \t.
func (p *parser) quoted() Value {
	var out strings.Builder
	for i := p.pos + 1; i < len(p.src); i++ {
		switch c := p.src[i]; c {
		case '"':
			p.pos = i + 1
			p.space()
			return Text(out.String())
		case '\\':
			i++
			if i == len(p.src) || escapes[p.src[i]] == 0 {
				p.fail(i-1, `expected one of \" \\ \n \r \t: a regular expression goes best into r#"…"#`)
			}
			out.WriteByte(escapes[p.src[i]])
		default:
			out.WriteByte(c)
		}
	}
	p.fail(p.pos, `the string has no end: expected "`)
	return Value{}
}

var escapes = [256]byte{'"': '"', '\\': '\\', 'n': '\n', 'r': '\r', 't': '\t'}

// raw reads r#"…"#, in which nothing is an escape.
func (p *parser) raw() Value {
	const open, end = `r#"`, `"#`
	start := p.pos + len(open)
	n := strings.Index(p.src[start:], end)
	if n < 0 {
		p.fail(p.pos, `the raw string has no end: expected "#`)
	}
	p.pos = start + n + len(end)
	p.space()
	return Text(p.src[start : start+n])
}

// The shapes of atc_grammar.pest. What has the shape of an address and is none is
// an error, not the beginning of something else.
var (
	ipv4      = regexp.MustCompile(`^[0-9]{1,3}(?:\.[0-9]{1,3}){3}`)
	ipv6      = regexp.MustCompile(`^(?::|[0-9a-fA-F]{1,4}):(?:[0-9a-fA-F]{1,4}|:)*`)
	ipv4Block = regexp.MustCompile(ipv4.String() + `/[0-9]{1,2}`)
	ipv6Block = regexp.MustCompile(ipv6.String() + `/[0-9]{1,3}`)
	integer   = regexp.MustCompile(`^-?(?:0[0-7]+|0x[0-9a-fA-F]+|[0-9]+)`)
)

func readAddr(text string) (Value, error) {
	a, err := netip.ParseAddr(text)
	if err != nil {
		return Value{}, errors.New("is not an address")
	}
	return Addr(a), nil
}

// readBlock refuses a block with bits behind its mask, as the cidr crate does.
func readBlock(text string) (Value, error) {
	host, length, _ := strings.Cut(text, "/")
	a, err := netip.ParseAddr(host)
	bits, _ := strconv.Atoi(length)
	if err != nil || bits > a.BitLen() {
		return Value{}, errors.New("is not a CIDR block")
	}
	block := netip.PrefixFrom(a, bits)
	if block.Masked() != block {
		return Value{}, fmt.Errorf("has bits set behind its mask: write %s", block.Masked())
	}
	return Value{Type: IPCIDR, Block: block}, nil
}

// readInt takes decimal, hexadecimal (0x) and, behind a leading zero, octal
// numbers.
func readInt(text string) (Value, error) {
	digits, negative := strings.CutPrefix(text, "-")
	base := 10
	if hex, ok := strings.CutPrefix(digits, "0x"); ok {
		digits, base = hex, 16
	} else if len(digits) > 1 && digits[0] == '0' && strings.Trim(digits, "01234567") == "" {
		base = 8
	}
	n, err := strconv.ParseInt(digits, base, 64)
	if err != nil {
		return Value{}, errors.New("does not fit into 64 bits")
	}
	if negative {
		n = -n
	}
	return Number(n), nil
}

// pattern makes a regular expression of a string.
func (p *parser) pattern(at int, v Value) Value {
	if v.Type != String {
		p.fail(at, "expected a regular expression in a string behind ~")
	}
	re, err := CompileRegex(v.Text)
	if err != nil {
		problem := p.problem(at, err.Error())
		problem.cause = err
		panic(problem)
	}
	return Value{Type: Pattern, Text: v.Text, regex: re}
}
