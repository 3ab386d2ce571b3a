package gateway

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSchemaFillsIn(t *testing.T) {
	s := parseSchema(`{"name":"x","fields":[{"protocols":{"type":"set"}},{"config":{"type":"record","fields":[
		{"level":{"type":"string","default":"notice","one_of":["notice","info"]}},
		{"count":{"type":"integer","between":[1,5]}},
		{"list":{"type":"array","elements":{"type":"string"}}},
		{"deep":{"type":"record","fields":[{"on":{"type":"boolean","default":true}}]}},
		{"bare":{"type":"record","fields":[{"on":{"type":"boolean"}}]}}
	]}}]}`)
	got, err := s.complete(map[string]any{"count": 3})
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"level": "notice", "count": 3.0, "list": nil, "deep": map[string]any{"on": true}, "bare": nil}, got)

	_, err = s.complete(map[string]any{"level": "loud", "count": 9, "list": []any{1}, "deep": map[string]any{"off": 1}})
	assert.EqualError(t, err, "in 'config': in 'level': expected one of: notice, info\n"+
		"in 'config': in 'count': value should be between 1 and 5\n"+
		"in 'config': in 'list': in entry 1: expected a string\n"+
		"in 'config': in 'deep': in 'off': unknown field")
}
