package atc_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/atc"
)

// request is what a request has for its fields.
type request map[string][]atc.Value

func (r request) Values(field string) []atc.Value { return r[field] }

func texts(values ...string) []atc.Value {
	var out []atc.Value
	for _, v := range values {
		out = append(out, atc.Text(v))
	}
	return out
}

var sample = request{
	"http.path":              texts("/api/V1/users"),
	"http.method":            texts("GET"),
	"http.headers.x_tier":    texts("Gold", "silver"),
	"http.headers.x_empty":   texts(""),
	"http.path.segments.len": {atc.Number(3)},
	"net.dst.port":           {atc.Number(8000)},
	"net.src.ip":             {atc.Addr(netip.MustParseAddr("10.1.2.3"))},
	"net.dst.ip":             {atc.Addr(netip.MustParseAddr("2001:db8::1"))},
}

// TestMatch has a row for each rule of src/interpreter.rs and src/atc_grammar.pest:
// an expression, whether it takes the sample, and what of http.path it matched.
func TestMatch(t *testing.T) {
	for _, row := range []struct {
		expression string
		want       bool
		path       string
	}{
		{`http.path == "/api/V1/users"`, true, "/api/V1/users"},
		{`http.path == "/api"`, false, ""},
		{`http.path != "/api"`, true, ""},
		{`http.path ^= "/api"`, true, "/api"},
		{`http.path ^= ""`, true, ""},
		{`http.path =^ "users"`, true, "users"},
		{`http.path contains "V1"`, true, ""},
		{`http.path ~ "V\\d"`, true, "V1"},
		{`http.path ~ r#"^/api/(?<v>V\d)/"#`, true, "/api/V1/"},
		{`lower(http.path) ^= "/api/v1"`, true, "/api/v1"},
		{`lower(http.path) ^= "/api/V1"`, false, ""},
		{`http.path~"^/api"&&http.method=="GET"`, true, "/api"},
		{"\t http.path\r\n^=\n\"/api\" ", true, "/api"},

		{`net.dst.port == 8000`, true, ""},
		{`net.dst.port == 0x1f40`, true, ""},
		{`net.dst.port == 017500`, true, ""},
		{`net.dst.port > -1 && net.dst.port >= 8000 && net.dst.port < 8001 && net.dst.port <= 8000`, true, ""},
		{`net.dst.port > 8000 || net.dst.port < 8000`, false, ""},
		{`http.path.segments.len == 3`, true, ""},
		{`net.src.ip == 10.1.2.3`, true, ""},
		{`net.src.ip != 10.1.2.4`, true, ""},
		{`net.src.ip in 10.0.0.0/8`, true, ""},
		{`net.src.ip not in 10.0.0.0/8`, false, ""},
		{`net.src.ip in 2001:db8::/32`, false, ""},
		{`net.dst.ip in 2001:db8::/32 && net.dst.ip == 2001:db8::1`, true, ""},

		// A field that is not there makes all but !( ) false.
		{`http.headers.x_none == "a"`, false, ""},
		{`http.headers.x_none != "a"`, false, ""},
		{`any(http.headers.x_none) != "a"`, false, ""},
		{`!(http.headers.x_none == "a")`, true, ""},
		{`http.headers.x_empty == ""`, true, ""},

		// All values, or with any() one of them.
		{`http.headers.x_tier == "Gold"`, false, ""},
		{`http.headers.x_tier ~ "^[Gs]"`, true, ""},
		{`any(http.headers.x_tier) == "Gold"`, true, ""},
		{`any(http.headers.x_tier) == "gold"`, false, ""},
		{`any(lower(http.headers.x_tier)) == "gold"`, true, ""},
		{`lower(any(http.headers.x_tier)) == "gold"`, true, ""},
		{`lower(lower(any(any(http.headers.x_tier)))) == "gold"`, true, ""},
		{`any(http.headers.x_tier) != "Gold"`, true, ""},

		// || before &&.
		{`http.method == "X" && http.method == "X" || http.method == "GET"`, false, ""},
		{`(http.method == "X" && http.method == "X") || http.method == "GET"`, true, ""},
		{`http.method == "GET" || http.method == "X" && http.method == "X"`, false, ""},

		// What was matched stays, whatever became of the branch.
		{`(http.path ^= "/a" && http.method == "X") || http.method == "GET"`, true, "/a"},
		{`!(http.path ^= "/ap" && http.method == "X")`, true, "/ap"},
		{`http.path ^= "/api" && http.path ^= "/a"`, true, "/a"},
		{`http.path ^= "/api" || http.path ^= "/a"`, true, "/api"},
	} {
		e, err := atc.Parse(row.expression)
		require.NoError(t, err, row.expression)
		require.NoError(t, e.Check(atc.HTTP), row.expression)
		got, ok := e.Match(sample)
		assert.Equal(t, row.want, ok, row.expression)
		if row.want {
			assert.Equal(t, row.path, got.Matched["http.path"], row.expression)
		}
		assert.Equal(t, row.want, e.Trace(sample).Holds, row.expression)
	}
}

func TestCaptures(t *testing.T) {
	for expression, want := range map[string]map[string]string{
		`http.path ^= "/"`:                                                  nil,
		`http.path ~ "^/(api)/(?<v>V.)(/none)?"`:                            {"0": "/api/V1", "1": "api", "2": "V1", "v": "V1"},
		`http.path ~ "(p)" && http.method ~ "E(T)"`:                         {"0": "ET", "1": "T"},
		`(http.path ~ "(p)(i)" && http.method == "X") || http.method ~ "E"`: {"0": "E", "1": "p", "2": "i"},
	} {
		e, err := atc.Parse(expression)
		require.NoError(t, err, expression)
		got, ok := e.Match(sample)
		assert.True(t, ok, expression)
		assert.Equal(t, want, got.Captures, expression)
	}
}

// TestParseRefuses compares whole messages, position included.
func TestParseRefuses(t *testing.T) {
	for _, row := range [][2]string{
		{"", `1:1: expected a field, found the end`},
		{"  ", `1:3: expected a field, found the end`},
		{`http.path`, `1:10: expected an operator, found the end`},
		{`http.path = "/"`, `1:11: expected an operator, found "= \"/\""`},
		{`http.path ==`, `1:13: expected a string, a number, an address or a CIDR block, found the end`},
		{`http.path == /a`, `1:14: expected a string, a number, an address or a CIDR block, found "/a"`},
		{`http.path == "/a`, `1:14: the string has no end: expected "`},
		{`http.path == r#"/a"`, `1:14: the raw string has no end: expected "#`},
		{`http.path ~ "\d"`, `1:14: expected one of \" \\ \n \r \t: a regular expression goes best into r#"…"#`},
		{`http.path ~ "("`, "1:13: error parsing regexp: missing closing ): `(`"},
		{`http.path ~ 5`, `1:13: expected a regular expression in a string behind ~`},
		{`http.path == "/" &`, `1:18: expected "&&", "||" or the end, found "&"`},
		{`http.path == "/" && `, `1:21: expected a field, found the end`},
		{`http.path == "/" and http.method == "GET"`, `1:18: expected "&&", "||" or the end, found "and http.met"`},
		{`(http.path == "/"`, `1:18: expected "&&", "||" or ")", found the end`},
		{`http.path == "/")`, `1:17: expected "&&", "||" or the end, found ")"`},
		{`!http.path == "/"`, `1:2: expected "(" behind "!", found "http.path =="`},
		{`http-path == "/"`, `1:5: expected an operator, found "-path == \"/\""`},
		{`upper(http.path) == "/"`, `1:1: "upper" is not a function: there are lower and any`},
		{`lower(http.path == "/"`, `1:17: expected ")", found "== \"/\""`},
		{`net.src.ip not 10.0.0.0/8`, `1:16: expected "in" behind "not", found "10.0.0.0/8"`},
		{`net.src.ip notin 10.0.0.0/8`, `1:12: "not in" has to have exactly one blank: Kong's worker ends at anything else`},
		{`net.src.ip not  in 10.0.0.0/8`, `1:12: "not in" has to have exactly one blank: Kong's worker ends at anything else`},
		{`net.src.ip in 10.0.0.1/8`, `1:15: "10.0.0.1/8" has bits set behind its mask: write 10.0.0.0/8`},
		{`net.src.ip in 10.0.0.0/33`, `1:15: "10.0.0.0/33" is not a CIDR block`},
		{`net.src.ip == 10.0.0.256`, `1:15: "10.0.0.256" is not an address`},
		{`net.src.ip == 10.0.0.01`, `1:15: "10.0.0.01" is not an address`},
		{`net.src.ip == ::ffff:10.0.0.1`, `1:24: expected "&&", "||" or the end, found ".0.0.1"`},
		{`net.dst.port == 018`, `1:19: expected "&&", "||" or the end, found "8"`},
		{`net.dst.port == 9223372036854775808`, `1:17: "9223372036854775808" does not fit into 64 bits`},
		{"http.path == \"é\"\n  && x", `2:7: expected an operator, found the end`},
		{"http.path == \"\xff\"", `1:15: is not UTF-8`},
		{strings.Repeat("(", 501) + "a", `1:501: is nested more than 500 deep`},
	} {
		_, err := atc.Parse(row[0])
		assert.EqualError(t, err, row[1], row[0])
	}
}

func TestCheckRefuses(t *testing.T) {
	for _, row := range [][2]string{
		{`http.path ^= "/" && http.paht == "/"`, `1:21: there is no field http.paht`},
		{`http.headers.x.y == "a"`, `1:1: there is no field http.headers.x.y`},
		{`net.port == 80`, `1:1: there is no field net.port`},
		{`http.path == 5`, `1:1: http.path is of type String and cannot be compared with Int`},
		{`net.dst.port == "80"`, `1:1: net.dst.port is of type Int and cannot be compared with String`},
		{`net.src.ip == 10.0.0.0/8`, `1:1: net.src.ip is of type IpAddr and cannot be compared with IpCidr`},
		{`net.src.ip in 10.0.0.1`, `1:1: in wants a CIDR block behind it`},
		{`http.path in "/a"`, `1:1: in is for fields of type IpAddr, and http.path is of type String`},
		{`net.dst.port ~ "8"`, `1:1: ~ is for fields of type String, and net.dst.port is of type Int`},
		{`net.dst.port ^= 8`, `1:1: ^= is for fields of type String, and net.dst.port is of type Int`},
		{`http.path > "/"`, `1:1: > is for fields of type Int, and http.path is of type String`},
		{`lower(net.dst.port) == 80`, `1:1: lower() is for text, and net.dst.port is of type Int`},
	} {
		e, err := atc.Parse(row[0])
		require.NoError(t, err, row[0])
		assert.EqualError(t, e.Check(atc.HTTP), row[1], row[0])
	}
	e, err := atc.Parse(`http.path == "/"`)
	require.NoError(t, err)
	assert.EqualError(t, e.Check(atc.Stream), `1:1: there is no field http.path`)
}

func TestFields(t *testing.T) {
	e, err := atc.Parse(`http.path ^= "/" && (http.method == "A" || !(any(http.headers.x) == "b")) && http.path =^ "z"`)
	require.NoError(t, err)
	assert.Equal(t, []string{"http.path", "http.method", "http.headers.x"}, e.Fields())
}

// TestBlame names the predicates that decided, as they are written.
func TestBlame(t *testing.T) {
	for expression, want := range map[string][]string{
		`http.path ^= "/x" && http.method == "POST" && net.dst.port == 8000`: {`http.path ^= "/x"`, `http.method == "POST"`},
		`http.path ^= "/x" || http.method == "GET"`:                          {`http.method == "GET"`},
		`(http.path ^= "/x" || http.method == "POST") && net.dst.port == 1`:  {`http.path ^= "/x"`, `http.method == "POST"`, `net.dst.port == 1`},
		`!(http.path ^= "/api" && http.method == "GET")`:                     {`http.path ^= "/api"`, `http.method == "GET"`},
		`!(http.path ^= "/api" && http.method == "POST")`:                    {`http.method == "POST"`},
		`any( lower(http.headers.x_tier) ) == "bronze"`:                      {`any( lower(http.headers.x_tier) ) == "bronze"`},
	} {
		e, err := atc.Parse(expression)
		require.NoError(t, err, expression)
		var got []string
		for _, p := range e.Trace(sample).Blame() {
			assert.Equal(t, p.Source, expression[p.Offset:p.Offset+len(p.Source)])
			got = append(got, p.Source)
		}
		assert.Equal(t, want, got, expression)
	}
}

func TestLower(t *testing.T) {
	for in, want := range map[string]string{
		"ABC-É": "abc-é",
		"İ":     "i\u0307",
		"ΟΔΟΣ":  "οδος",
		"ΣΑΣ Σ": "σας σ",
		"ΑΣ'Α":  "ασ'α",
		"Α'Σ":   "α'ς",
		"Σ.Σ":   "σ.ς",
	} {
		assert.Equal(t, want, atc.Lower(in), in)
	}
}

// FuzzParse: whatever goes in, either an error with a place inside the source comes
// out, or an expression that can be checked, evaluated and traced, whose trace
// agrees with its match, and which says the same in parentheses.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`http.path ^= "/api" && (http.method == "GET" || !(any(lower(http.headers.x_tier)) != "gold"))`,
		`http.path ~ r#"^/(?<v>v\d+)"# || net.src.ip not in 10.0.0.0/8 || net.dst.ip == ::1`,
		`net.dst.port >= 0x1f && http.path.segments.len < -017 && http.queries.a contains "\"\\\n"`,
		"((((", "!(", `a=="`, `a==r#"`, "a==1:", "a not\tin 1.2.3.4/5", "é",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		e, err := atc.Parse(source)
		if err != nil {
			var bad *atc.SyntaxError
			require.ErrorAs(t, err, &bad)
			assert.True(t, 0 <= bad.Offset && bad.Offset <= len(source), "%d", bad.Offset)
			return
		}
		if e.Check(atc.HTTP) != nil {
			return
		}
		_, ok := e.Match(sample)
		trace := e.Trace(sample)
		assert.Equal(t, ok, trace.Holds)
		assert.NotEmpty(t, trace.Blame())
		wrapped, err := atc.Parse("!(" + source + ")")
		if err != nil {
			assert.ErrorContains(t, err, "nested")
			return
		}
		_, other := wrapped.Match(sample)
		assert.NotEqual(t, ok, other)
	})
}

// FuzzParseRegex: what is parsed can be compiled, and the other way round.
func FuzzParseRegex(f *testing.F) {
	for _, pattern := range []string{`^/api/v\d+$`, `[\w-z]`, `[\s-a]`, `[a-\d]`, `[\d-z]`, `(?P<x>\W+)`, `[^\D]`, `[[:alpha:]\w]`, `\w{1001}`, `a{2`, `(?x)a`, `[a&&b]`, `[]\w]`} {
		f.Add(pattern)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		_, err := atc.ParseRegex(pattern)
		_, full := atc.CompileRegex(pattern)
		if (err == nil) != (full == nil) {
			t.Errorf("%q: parsing says %v, compiling %v", pattern, err, full)
		}
	})
}
