package atc

// A Need is something that a field of a request has to be: == or begin or end with
// Text, or match it where it is a regular expression.
type Need struct {
	Op   Operator // Equals, Prefix, Postfix or Regex
	Text string   // of Regex in Go's dialect
}

// Needs are what the field of a request has to be for the expression to hold, one of
// them; none where the expression may hold whatever the field is, or where that is
// not easy to tell. It helps to find expressions that a request may match.
//
//	http.path ^= "/a" && http.method == "GET"   http.path: ^= "/a"
//	http.path == "/a" || http.path == "/b"      http.path: == "/a", == "/b"
//	http.path ^= "/a" || http.method == "GET"   http.path: none
func (e *Expression) Needs(field string) []Need { return needs(e.root, field) }

func needs(n node, field string) []Need {
	switch n := n.(type) {
	case *logical:
		left, right := needs(n.left, field), needs(n.right, field)
		if n.or && (len(left) == 0 || len(right) == 0) {
			return nil
		}
		if n.or {
			return append(left, right...)
		}
		return telling(left, right)
	case *predicate:
		return n.needs(field)
	}
	return nil
}

// telling is the list that says more: what the shortest text in it is goes by.
func telling(a, b []Need) []Need {
	if len(a) == 0 || len(b) > 0 && shortest(b) > shortest(a) {
		return b
	}
	return a
}

func shortest(list []Need) int {
	n := len(list[0].Text)
	for _, one := range list[1:] {
		n = min(n, len(one.Text))
	}
	return n
}

func (p *predicate) needs(field string) []Need {
	if p.field != field || p.lower {
		return nil
	}
	switch {
	case p.op == Regex:
		return []Need{{Regex, p.value.regex.String()}}
	case p.op == Equals && p.value.Type == String, p.op == Prefix, p.op == Postfix:
		return []Need{{p.op, p.value.Text}}
	}
	return nil
}
