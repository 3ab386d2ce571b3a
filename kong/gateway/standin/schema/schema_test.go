package schema

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSchemaFillsIn(t *testing.T) {
	s := MustParse(`{"name":"x","fields":[{"protocols":{"type":"set"}},{"config":{"type":"record","fields":[
		{"level":{"type":"string","default":"notice","one_of":["notice","info"]}},
		{"count":{"type":"integer","between":[1,5]}},
		{"list":{"type":"array","elements":{"type":"string"}}},
		{"deep":{"type":"record","fields":[{"on":{"type":"boolean","default":true}}]}},
		{"bare":{"type":"record","fields":[{"on":{"type":"boolean"}}]}}
	]}}]}`)
	got, err := s.Complete(map[string]any{"count": 3})
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"level": "notice", "count": 3.0, "list": nil, "deep": map[string]any{"on": true}, "bare": map[string]any{"on": nil}}, got)

	_, err = s.Complete(map[string]any{"level": "loud", "count": 9, "list": []any{1}, "deep": map[string]any{"off": 1}})
	assert.EqualError(t, err, "in 'config': in 'level': expected one of: notice, info\n"+
		"in 'config': in 'count': value should be between 1 and 5\n"+
		"in 'config': in 'list': in entry 1: expected a string\n"+
		"in 'config': in 'deep': in 'off': unknown field")
}

// TestSchemaRefusals checks each rule that a schema may have, with Kong's wording
// (validation_errors in kong/db/schema/init.lua).
func TestSchemaRefusals(t *testing.T) {
	tests := []struct{ field, value, want string }{
		{`"type":"string"`, `1`, "expected a string"},
		{`"type":"string"`, `""`, "length must be at least 1"},
		{`"type":"string"`, `null`, ""},
		{`"type":"string","len_min":0`, `""`, ""},
		{`"type":"string","required":true`, `null`, "required field missing"},
		{`"type":"string","required":true,"default":"x"`, `null`, "required field missing"},
		{`"type":"string","one_of":["a","b"]`, `"c"`, "expected one of: a, b"},
		{`"type":"string","one_of":["a","b"]`, `""`, "expected one of: a, b"},
		{`"type":"string","not_one_of":["a","b"]`, `"b"`, "must not be one of: a, b"},
		{`"type":"string","len_max":2`, `"abc"`, "length must be at most 2"},
		{`"type":"string","len_min":2`, `"a"`, "length must be at least 2"},
		{`"type":"string","len_eq":2`, `"abc"`, "length must be 2"},
		{`"type":"string","starts_with":"/"`, `"a"`, "should start with: /"},
		{`"type":"string","match":"^[%w-]+$"`, `"X-Diag"`, ""},
		{`"type":"string","match":"^[%w-]+$"`, `"X_Diag"`, "invalid value: X_Diag"},
		{`"type":"string","match":"^[%w-]+$","err":"letters, please"`, `"X_Diag"`, "letters, please"},
		{`"type":"string","match_none":[{"pattern":"^[Xx]%-[Kk]","err":"no"}]`, `"x-kong"`, "no"},
		{`"type":"string","match_none":[{"pattern":"^[Xx]%-[Kk]","err":"no"}]`, `"x-diag"`, ""},
		{`"type":"string","match":"^%d%d?$"`, `"123"`, "invalid value: 123"},
		{`"type":"string","match":"^a%.b%-$"`, `"a.b-"`, ""},
		{`"type":"string","one_of":["a"],"referenceable":true`, `"{vault://env/x}"`, ""},
		{`"type":"string","one_of":["a"]`, `"{vault://env/x}"`, "expected one of: a"},
		{`"type":"integer"`, `1.5`, "expected an integer"},
		{`"type":"integer"`, `"1"`, "expected an integer"},
		{`"type":"integer","between":[1,5]`, `6`, "value should be between 1 and 5"},
		{`"type":"integer","gt":1`, `1`, "value must be greater than 1"},
		{`"type":"integer","one_of":[1,2]`, `3`, "expected one of: 1, 2"},
		{`"type":"number"`, `"x"`, "expected a number"},
		{`"type":"number","between":[0.5,1.5]`, `2`, "value should be between 0 and 1"}, // %d
		{`"type":"boolean"`, `1`, "expected a boolean"},
		{`"type":"array","elements":{"type":"integer","between":[400,599]}`, `[405,1,"x"]`,
			"in entry 2: value should be between 400 and 599\nin entry 3: expected an integer"},
		{`"type":"array","elements":{"type":"string"}`, `{"a":1}`, "expected an array"},
		{`"type":"array","elements":{"type":"string"}`, `["a",null]`, "in entry 2: required field missing"},
		{`"type":"array","len_min":1,"elements":{"type":"string"}`, `[]`, "length must be at least 1"},
		{`"type":"set","len_max":1,"elements":{"type":"string"}`, `["a","a"]`, ""},
		{`"type":"set","elements":{"type":"string"}`, `"a"`, "expected a set"},
		{`"type":"map","keys":{"type":"string","len_max":1},"values":{"type":"integer"}`, `{"ab":1}`, "length must be at most 1"},
		{`"type":"map","keys":{"type":"string"},"values":{"type":"integer"}`, `{"a":"b"}`, "expected an integer"},
		{`"type":"map","keys":{"type":"string"},"values":{"type":"integer"}`, `1`, "expected a map"},
		{`"type":"record","fields":[{"on":{"type":"boolean"}}]`, `1`, "expected a record"},
		{`"type":"record","fields":[{"on":{"type":"boolean"}}]`, `{"off":1}`, "in 'off': unknown field"},
		{`"type":"record","fields":[{"on":{"type":"boolean"}}]`, `null`, "required field missing"},
		{`"type":"record","required":false,"fields":[{"on":{"type":"boolean"}}]`, `null`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.field+" "+tt.value, func(t *testing.T) {
			s := MustParse(`{"name":"x","fields":[{"config":{"type":"record","fields":[{"v":{` + tt.field + `}}]}}]}`)
			var value any
			require.NoError(t, json.Unmarshal([]byte(tt.value), &value))
			_, err := s.Complete(map[string]any{"v": value})
			if tt.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.EqualError(t, err, "in 'config': in 'v': "+strings.ReplaceAll(tt.want, "\n", "\nin 'config': in 'v': "))
		})
	}
}
