package mend_test

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong"
	"diag405/kong/config"
	"diag405/kong/lint"
	"diag405/kong/mend"
)

func TestFiles(t *testing.T) {
	tests := []struct {
		name, before, after string
		fixed, left         []string
	}{
		{
			name:   "a star, with a comment behind it",
			before: "services:\n  - name: s\n    url: http://u # the application\n    routes:\n      # mounted\n      - name: r\n        paths: [/shop/*] # all of it\n",
			after:  "services:\n  - name: s\n    url: http://u # the application\n    routes:\n      # mounted\n      - name: r\n        paths: [/shop/] # all of it\n",
			fixed:  []string{"literal-star route r"},
		},
		{
			name:   "two paths, one after the other",
			before: "services: [{name: s, url: 'http://u', routes: [{name: r, strip_path: false, paths: ['/a/*', '/b/:id']}]}]\n",
			after:  "services: [{name: s, url: 'http://u', routes: [{name: r, strip_path: false, paths: ['/a/', '~/b/[^/]+$']}]}]\n",
			fixed:  []string{"literal-placeholder route r", "literal-star route r"},
		},
		{
			name:   "what a catch-all took is meant",
			before: "services: [{name: s, url: 'http://u', routes: [{name: r, strip_path: false, paths: ['/users/*']}, {name: all, paths: [/]}]}]\n",
			after:  "services: [{name: s, url: 'http://u', routes: [{name: r, strip_path: false, paths: ['/users/']}, {name: all, paths: [/]}]}]\n",
			fixed:  []string{"literal-star route r"},
		},
		{
			name:   "an expression comes before a plain path that says as much",
			before: "services: [{name: s, url: 'http://u', routes: [{name: r, strip_path: false, paths: ['/users/:id']}, {name: me, paths: [/users/me]}]}]\n",
			left:   []string{"GET /users/me, which route me took, would change too"},
		},
		{
			name:   "an expression may look at anything",
			before: "routes: [{name: e, expression: 'http.path ^= \"/x\"', priority: 1}]\nservices: [{name: s, url: 'http://u', routes: [{name: r, paths: ['/shop/*']}]}]\n",
			left:   []string{"what else it changes cannot be told: route e has an expression"},
		},
		{
			name:   "the preflight that another route took is meant",
			before: "services: [{name: s, url: 'http://u', routes: [{name: r, methods: [GET, PUT], paths: [/shop], plugins: [{name: cors}]}, {name: all, paths: [/]}]}]\n",
			after:  "services: [{name: s, url: 'http://u', routes: [{name: r, methods: [GET, PUT, OPTIONS], paths: [/shop], plugins: [{name: cors}]}, {name: all, paths: [/]}]}]\n",
			fixed:  []string{"cors-unrouted route r"},
		},
		{
			name:   "the fix leads to another finding",
			before: "services: [{name: s, url: 'http://u/api', routes: [{name: r, paths: ['~/api/items/[0-9]+$']}]}]\n",
			left:   []string{"it leads to doubled-prefix at route r"},
		},
		{
			name:   "the url of a service",
			before: "services: [{name: s, url: 'http://u/api', routes: [{name: r, strip_path: false, paths: [/api/items]}]}]\n",
			after:  "services: [{name: s, url: 'http://u/', routes: [{name: r, strip_path: false, paths: [/api/items]}]}]\n",
			fixed:  []string{"doubled-prefix route r"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			const head = "_format_version: '3.0'\n"
			r, err := mend.Files([]config.File{{Name: "kong.yml", Data: []byte(head + tt.before)}}, mend.Options{})
			require.NoError(t, err)
			if tt.after == "" {
				tt.after = tt.before
			}
			assert.Equal(t, head+tt.after, string(r.Files[0].Data))
			var fixed, left []string
			for _, f := range r.Fixed {
				fixed = append(fixed, f.ID+" "+f.Object.String())
			}
			for _, l := range r.Left {
				left = append(left, l.Why)
			}
			assert.Equal(t, tt.fixed, fixed)
			assert.Equal(t, tt.left, left)
		})
	}
}

// What is in UTF-16 stays so, mark, line ends and layout included; a file that nothing is
// changed in keeps its bytes, whatever they are.
func TestUTF16(t *testing.T) {
	const before = "\ufeff_format_version: '3.0'\r\nservices:\r\n- {name: s,   url: 'http://u'}\r\nroutes: [{name: r, paths: [/shop/*], service: s}] # \U0001f6d2\r\n"
	after := strings.Replace(before, "/shop/*", "/shop/", 1)
	for name, order := range map[string]binary.AppendByteOrder{"little": binary.LittleEndian, "big": binary.BigEndian} {
		wide := func(text string) (out []byte) {
			for _, u := range utf16.Encode([]rune(text)) {
				out = order.AppendUint16(out, u)
			}
			return out
		}
		half := append(wide("\ufeff_format_version: '3.0' # "), 0xd8, 0xd8)
		r, err := mend.Files([]config.File{{Name: "kong.yml", Data: wide(before)}, {Name: "half.yml", Data: half}}, mend.Options{})
		require.NoError(t, err, name)
		assert.Len(t, r.Fixed, 1, name)
		assert.Equal(t, wide(after), r.Files[0].Data, name)
		assert.Equal(t, half, r.Files[1].Data, name)

		_, err = mend.Files([]config.File{{Name: "kong.yml", Data: append(wide(before+"# "), 0xd8, 0xd8)}}, mend.Options{})
		assert.EqualError(t, err, `"kong.yml" is UTF-16 with half a character in it, which cannot be written back: save it as UTF-8`, name)
	}
}

// With a document that says what the application takes, the founding case is mended
// whole, and without one as well.
func TestFounding(t *testing.T) {
	for _, o := range []mend.Options{
		{Service: "internal-weather-service", Operations: []lint.Operation{{Method: "POST", Path: "/api/sendWeather"}, {Method: "GET", Path: "/api/getWeather/{location}"}}},
		{},
	} {
		r, err := mend.Files([]config.File{{Name: "kong.yml", Data: kong.Founding}}, o)
		require.NoError(t, err)
		assert.Len(t, r.Fixed, 2)
		assert.Empty(t, r.Left)
		cfg, err := config.Load(r.Files)
		require.NoError(t, err)
		assert.Empty(t, lint.Lint(cfg, lint.Options{}))
		assert.Contains(t, string(r.Files[0].Data), "# strip_path is left at its default")
	}
}

func TestWrongInput(t *testing.T) {
	_, err := mend.Files([]config.File{{Name: "kong.yml", Data: []byte("services: 1")}}, mend.Options{})
	assert.Error(t, err)
	_, err = mend.Files([]config.File{{Name: "kong.yml", Data: kong.Founding}}, mend.Options{Service: "none"})
	assert.Error(t, err)
}
