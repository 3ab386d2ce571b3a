package openapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/plugin/openapi"
)

// No error says a word of the file, whatever that is.
func TestErrorsQuoteNothing(t *testing.T) {
	const secret = "hunter2"
	for _, doc := range []string{
		"%s", "%s: %[1]s", "root:%s:0:0::/root:/bin/sh\n", "[%s]", "{%s", `{"%s`, `{"a": %s}`, `{"a": "%s", "b": `, "- %s", "*%s", "&%s a", "&%s [*%[1]s]",
		"a: 1\n%s: 2\n%[1]s: 3\n", "a: !%s b", "a: !!int %s", "a: !!float %s", "%%YAML %s\n---\na", "? [%s]\n: 1", "a: |\n%s", "a: '%s", "\ta: %s", "a: b: %s",
		"<<: %s", "a: &x {%s: 1}\nb: {<<: [*x, %[1]s]}", "openapi: %s", "swagger: %s\npaths: {}", "openapi: 3.1.0\npaths: %s", "openapi: 3.1.0\npaths: {%s: {}}",
		"openapi: 3.1.0\npaths: {/%s: x}", "openapi: 3.1.0\npaths: {/a: {get: %s}}", "openapi: 3.1.0\npaths: {/a: {$ref: %s}}",
		"openapi: 3.1.0\npaths: {/a: {$ref: '#/%s'}}", "openapi: 3.1.0\npaths: {/a: {$ref: '#/%%zz%s'}}", "openapi: 3.1.0\npaths: {/a: {additionalOperations: {'%s %[1]s': {}}}}",
		"openapi: 3.1.0\nservers: %s\npaths: {}", "openapi: 3.1.0\nservers: [%s]\npaths: {}", "openapi: 3.1.0\nservers: [{url: '{%s}', variables: {%[1]s: %[1]s}}]\npaths: {}",
		"openapi: 3.1.0\nservers: [{url: '{%s}', variables: {%[1]s: {default: [%[1]s]}}}]\npaths: {}",
	} {
		doc = strings.ReplaceAll(fmt.Sprintf(doc, secret), "%!(EXTRA string="+secret+")", "")
		_, err := openapi.Parse([]byte(doc))
		require.Error(t, err, doc)
		assert.NotContains(t, err.Error(), secret[:4], doc)
	}
}

// A number is no word of the specification's, either.
func TestErrorsQuoteNoNumber(t *testing.T) {
	_, err := openapi.Parse([]byte("openapi: 3.1.0\nservers: [{url: '{4711}', variables: {'4711': 4712}}]\npaths: {}"))
	assert.EqualError(t, err, "line 2: servers: entry 1: variables: a name should be a mapping, not a number")
}

// The line is that of the field, in YAML and in JSON.
func TestErrorsSayWhere(t *testing.T) {
	for doc, want := range map[string]string{
		"openapi: 3.1.0\npaths:\n  /a: {}\n  /b:\n    get: {}\n    post: x\n":                                            "line 6: paths: a path: post should be a mapping, not text",
		"openapi: 3.1.0\nservers:\n- url: /\n- url: /b\n  variables: 1\npaths: {}\n":                                     "line 5: servers: entry 2: variables should be a mapping, not a number",
		"openapi: 3.1.0\nx: &x\n  get:\n    servers: 1\npaths:\n  /a: *x\n":                                              "line 4: paths: a path: get: servers should be a list, not a number",
		"{\"openapi\": \"3.1.0\",\n \"paths\": {\n  \"/a\": {},\n  \"/b\": {\n   \"get\": {},\n   \"post\": 1}}}":        "line 6: paths: a path: post should be a mapping, not a number",
		"{\"x\": [{}, [\"paths\"]],\n \"openapi\": \"3.1.0\",\n \"paths\": {}, \"servers\": [\n  {},\n  {\"url\": []}]}": "line 5: servers: entry 2: url should be text, not a list",
		"openapi: 3.1.0\npaths:\n  /a:\n    $ref: '#/x'\nx:\n  get: 1\n":                                                 "line 3: paths: a path: get should be a mapping, not a number",
	} {
		_, err := openapi.Parse([]byte(doc))
		assert.EqualError(t, err, want, doc)
	}
}

// YAML takes far more than JSON to decode, so less of it is taken.
func TestSizes(t *testing.T) {
	pad := strings.Repeat(" ", openapi.MaxYAMLSize)
	_, err := openapi.Parse([]byte("openapi: 3.1.0\npaths: {}\n#" + pad))
	assert.EqualError(t, err, "the document is YAML and larger than 2097152 bytes: in JSON it may have 16777216")
	_, err = openapi.Parse([]byte(`{"openapi": "3.1.0", "paths": {}}` + pad))
	assert.NoError(t, err)
	_, err = openapi.Parse([]byte(`{openapi: 3.1.0, paths: {}} #` + pad))
	assert.EqualError(t, err, "reading JSON: line 1: it is not JSON any more", "and no YAML is tried")
}
