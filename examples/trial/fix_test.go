package trial

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestChangedRequest(t *testing.T) {
	old := Request{Method: "GET", Path: "/a?x=1", Headers: map[string]string{"Connection": "close", "Accept": "*/*"}}
	got, err := changed(old, map[string]any{
		"method": "POST", "path": "/a/", "host": "h", "scheme": "https",
		"headers": map[string]any{"connection": "Upgrade", "ACCEPT": nil, "X": "y"},
	})
	require.NoError(t, err)
	assert.Equal(t, Request{Method: "POST", Path: "/a/?x=1", Host: "h", Scheme: "https",
		Headers: map[string]string{"connection": "Upgrade", "X": "y"}}, got)
	assert.Len(t, old.Headers, 2, "the old request stays")

	got, err = changed(old, map[string]any{"path": "/b?y=2"})
	require.NoError(t, err)
	assert.Equal(t, "/b?y=2", got.Path)

	for _, bad := range []map[string]any{{"colour": "red"}, {"method": 1.0}, {"headers": "x"}, {"headers": map[string]any{"A": 1.0}}} {
		_, err := changed(old, bad)
		assert.Error(t, err, "%v", bad)
	}
}

func TestApplyFix(t *testing.T) {
	doc := []byte(`{"_format_version":"3.0","services":[{"name":"s","url":"http://a","routes":[{"name":"r","paths":["/a"]}]}]}`)
	d := Diagnosis{Route: Entity{Name: "r"}, Change: Change{Set: map[string]any{"route.strip_path": false, "service.path": "/b"}}}
	got, r, err := d.Apply(doc, Request{Method: "GET"})
	require.NoError(t, err)
	assert.Equal(t, "GET", r.Method)
	assert.JSONEq(t, `{"_format_version":"3.0","services":[{"name":"s","url":"http://a/b","routes":[{"name":"r","paths":["/a"],"strip_path":false}]}]}`, string(got))

	_, _, err = (&Diagnosis{Change: Change{App: "Offer it."}}).Apply(doc, r)
	assert.ErrorIs(t, err, ErrApp)
	_, _, err = (&Diagnosis{}).Apply(doc, r)
	assert.ErrorContains(t, err, "no fix")
	_, _, err = (&Diagnosis{Route: Entity{Name: "gone"}, Change: d.Change}).Apply(doc, r)
	assert.ErrorContains(t, err, `"gone"`)
}
