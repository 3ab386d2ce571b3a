package openapi_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/plugin/diagnose"
	"diag405/plugin/openapi"
)

// print is endpoints as text, one a line: path, then methods.
func print(endpoints []diagnose.Endpoint) string {
	var lines []string
	for _, e := range endpoints {
		lines = append(lines, e.Path+" "+strings.Join(e.Methods, ","))
	}
	return strings.Join(lines, "\n")
}

// documents are whole and small, one of each version in each language.
var documents = []struct{ name, doc, want string }{
	{"Swagger 2.0 in YAML", `
swagger: '2.0'
info: {title: t, version: '1'}
host: api.example.com
basePath: /v1
schemes: [https]
paths:
  /orders:
    parameters: []
    get: {responses: {200: {description: ok}}}
    post: {responses: {201: {description: created}}}
  /orders/{id}:
    delete: {responses: {204: {description: gone}}}
`, "/v1/orders GET,POST\n/v1/orders/{id} DELETE"},
	{"Swagger 2.0 in JSON", `{"swagger":"2.0","basePath":"/v1/","paths":{"/orders":{"get":{},"post":{}}}}`, "/v1/orders GET,POST"},
	{"Swagger 2.0 without a base path", "swagger: 2.0\npaths:\n  /a: {get: {}}\n", "/a GET"},
	{"Swagger 2.0 knows no servers", "swagger: '2.0'\nservers: [{url: /v9}]\npaths:\n  /a: {get: {}}\n", "/a GET"},
	{"OpenAPI 3.0 in YAML", `
openapi: 3.0.3
info: {title: t, version: '1'}
servers:
- url: https://api.example.com/v1
- url: /v2/
paths:
  /orders:
    summary: orders
    get: {responses: {200: {description: ok}}}
    post:
      responses: {201: {description: created}}
      callbacks:
        done:
          '{$request.body#/url}': {post: {responses: {200: {description: ok}}}}
`, "/v1/orders GET,POST\n/v2/orders GET,POST"},
	{"OpenAPI 3.0 in JSON", `{
	"openapi": "3.0.0",
	"paths": {"/caf\u00e9/\ud83c\udf70": {"get": {}}, "\/b": {"put": {}}}
}`, "/b PUT\n/caf%C3%A9/%F0%9F%8D%B0 GET"},
	{"OpenAPI 3.1 in YAML", "openapi: 3.1.1\npaths:\n  /a: {trace: {}, patch: {}, options: {}, head: {}, get: {}, put: {}, post: {}, delete: {}}\nwebhooks:\n  new: {post: {}}\n",
		"/a DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT,TRACE"},
	{"OpenAPI 3.1 in JSON", `{"openapi":"3.1.0","servers":[],"paths":{"/":{"get":{}}}}`, "/ GET"},
	{"OpenAPI 3.2 in YAML", "openapi: 3.2.0\npaths:\n  /a: {query: {}, additionalOperations: {COPY: {}, x-note: 1}}\n", "/a COPY,QUERY"},
	{"OpenAPI 3.2 in JSON", `{"openapi":"3.2.0","paths":{"/a":{"additionalOperations":{"LINK":{"servers":[{"url":"/b"}]}}}}}`, "/b/a LINK"},
	{"unquoted version", "openapi: 3.0\npaths: {}\n", ""},
	{"flow mapping that is not JSON", "{openapi: 3.1.0, paths: {/a: {get: {}}}}", "/a GET"},
	{"byte order mark", "\ufeff" + `{"openapi":"3.1.0","paths":{"/a":{"get":{}}}}`, "/a GET"},
	{"indented", "  openapi: 3.1.0\n  paths:\n    /a: {get: }\n", "/a GET"},
}

func TestDocuments(t *testing.T) {
	for _, tt := range documents {
		t.Run(tt.name, func(t *testing.T) {
			got, err := openapi.Parse([]byte(tt.doc))
			require.NoError(t, err)
			assert.Equal(t, tt.want, print(got))
		})
	}
}

// v31 is a document of what stands in it beside the version.
func v31(rest string) string { return "openapi: 3.1.0\n" + rest }

func TestPaths(t *testing.T) {
	for _, tt := range []struct{ name, paths, want string }{
		{"none", "paths: {}", ""},
		{"empty", "paths:", ""},
		{"extensions", "paths: {x-note: 1, /a: {get: {}, x-get: {}}}", "/a GET"},
		{"path without methods", "paths: {/a: {summary: s}, /b: }", ""},
		{"operation without content", "paths: {/a: {get: }}", "/a GET"},
		{"method in capitals", "paths: {/a: {GET: {}, get: {}}}", "/a GET"},
		{"field that is no method", "paths: {/a: {purge: {}, get: {}, parameters: []}}", "/a GET"},
		{"template in a segment", "paths: {'/files/{name}.json': {get: {}}}", "/files/{name}.json GET"},
		{"query told apart", "paths: {'/a?action=x': {get: {}}, '/a#b': {post: {}}, /a: {put: {}}}", "/a GET,POST,PUT"},
		{"not encoded", `paths: {"/a b/\u00fc": {get: {}}, /c%2Fd: {get: {}}}`, "/a%20b/%C3%BC GET\n/c%2Fd GET"},
		{"not text", "paths: {/a: {get: {responses: {200: {}}}}, 5: {}}", "/a GET"},
		{"alias and merge", "x-a: &a {get: {}}\npaths:\n  /a: *a\n  /b: {<<: *a, post: {}}", "/a GET\n/b GET,POST"},

		{"reference", "paths: {/a: {$ref: '#/components/pathItems/a'}}\ncomponents: {pathItems: {a: {get: {}}}}", "/a GET"},
		{"reference to another path", "paths: {/a: {$ref: '#/paths/~1b~1%7Bid%7D'}, '/b/{id}': {get: {}}}", "/a GET\n/b/{id} GET"},
		{"tilde in a reference", "paths: {/a: {$ref: '#/x-items/a~01'}}\nx-items: {a~1: {get: {}}}", "/a GET"},
		{"fields beside a reference", "paths: {/a: {$ref: '#/x-a', put: {}}}\nx-a: {get: {}}", "/a GET,PUT"},
		{"reference to a reference", "paths: {/a: {$ref: '#/x-a'}}\nx-a: {$ref: '#/x-b'}\nx-b: {get: {}}", "/a GET"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := openapi.Parse([]byte(v31(tt.paths)))
			require.NoError(t, err)
			assert.Equal(t, tt.want, print(got))
		})
	}
}

func TestServers(t *testing.T) {
	for _, tt := range []struct{ name, servers, want string }{
		{"root", "[{url: /}]", "/a"},
		{"no url", "[{description: d}]", "/a"},
		{"host only", "[{url: 'https://api.example.com'}]", "/a"},
		{"slash at the end", "[{url: 'https://api.example.com/v1/'}]", "/v1/a"},
		{"without a scheme", "[{url: //api.example.com/v1}]", "/v1/a"},
		{"relative", "[{url: v1}, {url: .}, {url: ./v2}, {url: ../v3}]", "/a /v1/a /v2/a /v3/a"},
		{"query", "[{url: 'https://api.example.com/v1?a=/b#/c'}]", "/v1/a"},
		{"the same twice", "[{url: 'https://a.example/v1'}, {url: 'http://b.example/v1'}]", "/v1/a"},
		{"default", "[{url: '/{v}', variables: {v: {default: v1}}}]", "/v1/a"},
		{"default of several segments", "[{url: 'https://h/{base}', variables: {base: {default: api/v1}}}]", "/api/v1/a"},
		{"empty default", "[{url: 'https://h/{base}', variables: {base: {default: ''}}}]", "/a"},
		{"number", "[{url: '/v{n}', variables: {n: {default: 1}}}]", "/v1/a"},
		{"enum", "[{url: '/{v}', variables: {v: {default: v2, enum: [v1, v2]}}}]", "/v1/a /v2/a"},
		{"two variables", "[{url: '/{v}/{w}', variables: {v: {enum: [1, 2]}, w: {enum: [3, 4]}}}]", "/1/3/a /1/4/a /2/3/a /2/4/a"},
		{"variable that is not described", "[{url: '/{tenant}', variables: {}}]", "/{tenant}/a"},
		{"variable without a default", "[{url: '/{tenant}', variables: {tenant: {description: d}}}]", "/{tenant}/a"},
		{"variables before the path", "[{url: '{scheme}://{host}:{port}/v1', variables: {port: {default: '443'}}}]", "/v1/a"},
		{"many hosts", "[{url: 'https://{h}/v1', variables: {h: {enum: [" + strings.Repeat("h,", 1000) + "]}}}]", "/v1/a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, doc := range []string{
				"servers: " + tt.servers + "\npaths: {/a: {get: {}}}",
				"servers: [{url: /other}]\npaths: {/a: {servers: " + tt.servers + ", get: {}}}",
				"paths: {/a: {servers: [{url: /other}], get: {servers: " + tt.servers + "}}}",
			} {
				got, err := openapi.Parse([]byte(v31(doc)))
				require.NoError(t, err)
				assert.Equal(t, tt.want, strings.ReplaceAll(strings.ReplaceAll(print(got), " GET", ""), "\n", " "), doc)
			}
		})
	}
}

func TestServersOfOneMethod(t *testing.T) {
	got, err := openapi.Parse([]byte(v31("servers: [{url: /v1}]\npaths: {/a: {servers: [], get: {}, post: {servers: [{url: /v2}]}}}")))
	require.NoError(t, err)
	assert.Equal(t, "/v1/a GET\n/v2/a POST", print(got))
}

// broken are documents with the whole text of their errors: one line that says
// where.
var broken = []struct{ name, doc, want string }{
	{"nothing", "", `the document should be a mapping, not empty`},
	{"text", "hello", `the document should be a mapping, not text`},
	{"long text", strings.Repeat("a", 100), `the document should be a mapping, not text`},
	{"list", "[1]", `the document should be a mapping, not a list`},
	{"number", "405", `the document should be a mapping, not a number`},
	{"HTML", "<html>\n", `the document should be a mapping, not text`},
	{"broken YAML", "openapi: 3.1.0\npaths: [\n", `reading YAML: line 2: it is not YAML any more`},
	{"broken JSON", "{\"openapi\": \"3.1.0\",\n \"paths\": {\n", `reading JSON: line 3: it ends too early`},
	{"JSON with a comma too many", "{\"openapi\": \"3.1.0\",\n\"paths\": {}]", `reading JSON: line 2: it is not JSON any more`},
	{"key twice", "openapi: 3.1.0\npaths: {}\npaths: {}\n", `reading YAML: line 3: a key comes twice`},
	{"unknown alias", "openapi: *x", `reading YAML: an alias stands for nothing`},
	{"alias to itself", "openapi: 3.1.0\npaths: &a {/a: *a}", `reading YAML: an alias stands for what it is in`},

	{"no version", "paths: {}", `the document has neither swagger nor openapi, which name its version`},
	{"Swagger 1", "swagger: '1.2'\npaths: {}", `line 1: swagger names no version that can be read: those are swagger 2.0 and openapi 3.0, 3.1, 3.2`},
	{"OpenAPI 4", "openapi: 4.0.0\npaths: {}", `line 1: openapi names no version that can be read: those are swagger 2.0 and openapi 3.0, 3.1, 3.2`},
	{"no paths", v31("webhooks: {}"), `paths is missing, so the document names nothing that is offered`},
	{"list of paths", v31("paths: []"), `line 2: paths should be a mapping, not a list`},
	{"path without a slash", v31("paths: {a: {}}"), `line 2: paths: a name should start with /`},
	{"path that is text", v31("paths: {/a: get}"), `line 2: paths: a path should be a mapping, not text`},
	{"method that is text", v31("paths: {/a: {get: x}}"), `line 2: paths: a path: get should be a mapping, not text`},
	{"not a method", v31("paths: {/a: {additionalOperations: {'a b': {}}}}"), `line 2: paths: a path: additionalOperations: a name is not that of a method`},
	{"method of additional ones", v31("paths: {/a: {additionalOperations: {COPY: 1}}}"), `line 2: paths: a path: additionalOperations: a name should be a mapping, not a number`},
	{"additional ones", v31("paths: {/a: {additionalOperations: [COPY]}}"), `line 2: paths: a path: additionalOperations should be a mapping, not a list`},

	{"reference to a file", v31("paths: {/a: {$ref: a.yaml#/x}}"), `line 2: paths: a path: $ref points out of the document`},
	{"reference to nothing", v31("paths: {/a: {$ref: '#/components/a'}}"), `line 2: paths: a path: $ref leads nowhere`},
	{"reference to a text", v31("paths: {/a: {$ref: '#/openapi'}}"), `line 2: paths: a path: $ref leads nowhere`},
	{"reference that is none", v31("paths: {/a: {$ref: '#/%zz'}}"), `line 2: paths: a path: $ref is not a reference`},
	{"reference that is a list", v31("paths: {/a: {$ref: []}}"), `line 2: paths: a path: $ref should be text, not a list`},
	{"reference to itself", v31("paths: {/a: {$ref: '#/paths/~1a'}}"), `line 2: paths: a path: $ref leads from one $ref to the next, and to no end`},

	{"servers", v31("servers: /v1\npaths: {}"), `line 2: servers should be a list, not text`},
	{"server", v31("servers: [/v1]\npaths: {}"), `line 2: servers: entry 1: should be a mapping, not text`},
	{"server's url", v31("servers: [{url: /}, {url: {}}]\npaths: {}"), `line 2: servers: entry 2: url should be text, not a mapping`},
	{"server of a path", v31("paths: {/a: {servers: [1]}}"), `line 2: paths: a path: servers: entry 1: should be a mapping, not a number`},
	{"server of a method", v31("paths: {/a: {get: {servers: [1]}}}"), `line 2: paths: a path: get: servers: entry 1: should be a mapping, not a number`},
	{"variables", v31("servers: [{url: '{v}', variables: 1}]\npaths: {}"), `line 2: servers: entry 1: variables should be a mapping, not a number`},
	{"variable", v31("servers: [{url: '{v}', variables: {v: v1}}]\npaths: {}"), `line 2: servers: entry 1: variables: a name should be a mapping, not text`},
	{"enum", v31("servers: [{url: '{v}', variables: {v: {enum: v1}}}]\npaths: {}"), `line 2: servers: entry 1: variables: a name: enum should be a list, not text`},
	{"default", v31("servers: [{url: '{v}', variables: {v: {default: []}}}]\npaths: {}"), `line 2: servers: entry 1: variables: a name: default should be text, not a list`},
	{"base path", "swagger: '2.0'\nbasePath: []\npaths: {}", `line 2: basePath should be text, not a list`},

	{"too many servers", v31("servers: [" + strings.Repeat("{url: /}, ", 101) + "]\npaths: {}"), `line 2: servers: more than 100`},
	{"too long an enum", v31("servers: [{url: '{v}', variables: {v: {enum: [" + strings.Repeat("1, ", 101) + "]}}}]\npaths: {}"), `line 2: servers: entry 1: variables: a name: enum: more than 100`},
	{"too many values", v31("servers: [{url: '{a}{b}', variables: {a: " + hundred + ", b: " + hundred + "}}]\npaths: {}"), `line 2: servers: entry 1: variables: a name: stands for more than 100 servers, or for one of more than 8192 bytes`},
	{"variables within variables", v31("servers: [{url: '{a}', variables: {a: {default: '" + strings.Repeat("{b}", 1000) + "'}, b: {default: '" + strings.Repeat("{c}", 1000) + "'}}}]\npaths: {}"), `line 2: servers: entry 1: variables: a name: stands for more than 100 servers, or for one of more than 8192 bytes`},
	{"too many servers by variables", v31("servers: [{url: '/a{v}', variables: {v: " + hundred + "}}, {url: '/b{v}', variables: {v: " + hundred + "}}]\npaths: {}"), `line 2: servers: more than 100 with their variables filled in`},
	{"long url", v31("servers: [{url: /" + long + "}]\npaths: {}"), `line 2: servers: entry 1: url is longer than 8192 bytes`},
	{"long base path", "swagger: '2.0'\nbasePath: /" + long + "\npaths: {}", `line 2: basePath is longer than 8192 bytes`},
	{"long path", v31("servers: [{url: /" + long[:5000] + "}]\npaths: {? /b" + long[:5000] + " : {get: {}}}"), `line 3: paths: a path: with its server the path is longer than 8192 bytes`},
	{"too many paths", `{"openapi":"3.1.0","paths":{` + manyPaths(20001) + `}}`, `line 1: paths: a path: the document has more than 20000 paths`},
	{"too large", strings.Repeat(" ", openapi.MaxSize+1), `the document is larger than 16777216 bytes`},
}

var (
	hundred = "{enum: [" + numbers(100) + "]}"
	long    = strings.Repeat("a", 8192)
)

func numbers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%d, ", i)
	}
	return b.String()
}

func manyPaths(n int) string {
	var items []string
	for i := range n {
		items = append(items, fmt.Sprintf(`"/a%d":{"get":{}}`, i))
	}
	return strings.Join(items, ",")
}

func TestBroken(t *testing.T) {
	for _, tt := range broken {
		t.Run(tt.name, func(t *testing.T) {
			got, err := openapi.Parse([]byte(tt.doc))
			assert.EqualError(t, err, tt.want)
			assert.Nil(t, got)
		})
	}
}

// Aliases of aliases, two to the power of forty nodes if they were followed.
func TestAliasBomb(t *testing.T) {
	doc := "openapi: 3.1.0\nx-0: &a0 {a: 1, b: 2}\n"
	for i := range 40 {
		doc += fmt.Sprintf("x-%d: &a%d {a: *a%d, b: *a%d}\n", i+1, i+1, i, i)
	}
	_, err := openapi.Parse([]byte(doc + "paths: {}\n"))
	assert.EqualError(t, err, "reading YAML: its aliases stand for too much")
}

func TestDepth(t *testing.T) {
	const depth = 100_000
	_, err := openapi.Parse([]byte("openapi: 3.1.0\nx-a: " + strings.Repeat("[", depth) + strings.Repeat("]", depth)))
	assert.ErrorContains(t, err, "it nests too deep")
	_, err = openapi.Parse([]byte(`{"a":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + "}"))
	assert.ErrorContains(t, err, "it nests too deep")
}

// vocabulary are the words of all errors, beside numbers: none is the document's.
var vocabulary = strings.Fields("line the document should be a mapping not empty text list number true or false date reading YAML JSON it is any more ends too early " +
	"nests deep has that large an alias stands for nothing what in key comes twice its aliases much neither swagger nor openapi which name their version " +
	"names no version can read those are 2.0 and 3.0 3.1 3.2 paths missing so offered path start with of method points out leads nowhere reference from one $ref to next end " +
	"servers entry variables enum default url basePath additionalOperations than filled bytes server longer larger may have " +
	"get put post delete options head patch trace query GET PUT POST DELETE OPTIONS HEAD PATCH TRACE QUERY ")

// FuzzParse: whatever the document, there is an answer that can be logged in one
// line, or endpoints as Parse promises them.
func FuzzParse(f *testing.F) {
	for _, d := range documents {
		f.Add([]byte(d.doc))
	}
	for _, d := range broken {
		if len(d.doc) < 10_000 {
			f.Add([]byte(d.doc))
		}
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		endpoints, err := openapi.Parse(doc)
		if err != nil {
			assert.Nil(t, endpoints)
			assert.NotContains(t, err.Error(), "\n")
			assert.Less(t, len(err.Error()), 1000)
			for word := range strings.FieldsFuncSeq(err.Error(), func(r rune) bool { return strings.ContainsRune(" :,/", r) }) {
				if _, number := strconv.Atoi(word); number != nil {
					assert.True(t, slices.Contains(vocabulary, word), "%q in %q", word, err)
				}
			}
			return
		}
		assert.True(t, slices.IsSortedFunc(endpoints, func(a, b diagnose.Endpoint) int { return strings.Compare(a.Path, b.Path) }))
		for i, e := range endpoints {
			assert.True(t, i == 0 || endpoints[i-1].Path != e.Path, "%q twice", e.Path)
			assert.True(t, strings.HasPrefix(e.Path, "/"), "%q", e.Path)
			assert.False(t, strings.ContainsFunc(e.Path, func(r rune) bool { return r <= ' ' || r > '~' }), "%q", e.Path)
			assert.NotEmpty(t, e.Methods)
			assert.True(t, slices.IsSorted(e.Methods))
			assert.Equal(t, e.Methods, diagnose.ParseAllow([]string{strings.Join(e.Methods, ",")}).Methods)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	documents := map[string]string{
		"json": `{"openapi":"3.1.0","paths":{` + manyPaths(1000) + "}}",
		"yaml": "openapi: 3.1.0\npaths:\n  " + strings.ReplaceAll(strings.ReplaceAll(manyPaths(1000), "},", "}\n  "), ":{", ": {") + "\n",
	}
	for name, doc := range documents {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			for b.Loop() {
				if _, err := openapi.Parse([]byte(doc)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func ExampleParse() {
	endpoints, err := openapi.Parse([]byte(`
openapi: 3.1.0
servers: [{url: https://shop.example/api}]
paths:
  /orders: {get: {}, post: {}}
  /orders/{id}: {delete: {}}
`))
	fmt.Println(print(endpoints), err)
	// Output:
	// /api/orders GET,POST
	// /api/orders/{id} DELETE <nil>
}
