package router_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"diag405/kong/router"
)

// rewrite is how a path becomes the upstream's.
type rewrite struct {
	service, path, prefix string
	strip                 bool
	want                  string
}

func checkRewrites(t *testing.T, upstreamPath func(service, path, prefix string, strip bool) string, rows []rewrite) {
	for _, row := range rows {
		got := upstreamPath(row.service, row.path, row.prefix, row.strip)
		assert.Equal(t, row.want, got, "service %q, path %q, prefix %q, strip %v", row.service, row.path, row.prefix, row.strip)
	}
}

// The cases are the product of: service path absent, "/", with and without a
// slash at its end; strip on and off; rest empty, behind a slash, in the middle
// of a segment; request with and without a slash at its end.
func TestUpstreamPath(t *testing.T) {
	checkRewrites(t, router.UpstreamPath, []rewrite{
		{"", "/api/x", "/api", true, "/x"},
		{"", "/api", "/api", true, "/"},
		{"", "/api/", "/api", true, "/"},
		{"", "/api/x", "/api", false, "/api/x"},
		{"/", "/api/x", "/api", true, "/x"},
		{"/", "/apix", "/api", true, "/x"},
		{"/", "/", "/", true, "/"},
		{"/base", "/api/x", "/api", true, "/base/x"},
		{"/base", "/apix", "/api", true, "/base/x"},
		{"/base", "/api", "/api", true, "/base"},
		{"/base", "/api/", "/api", true, "/base/"},
		{"/base", "/api/", "/api/", true, "/base/"},
		{"/base", "/", "/", true, "/base"},
		{"/base", "/x", "", true, "/base/x"},
		{"/base", "/api/x", "/api", false, "/base/api/x"},
		{"/base", "/", "", false, "/base"},
		{"/base/", "/api/x", "/api", true, "/base/x"},
		{"/base/", "/apix", "/api", true, "/base/x"},
		{"/base/", "/api", "/api", true, "/base"},
		{"/base/", "/api/", "/api", true, "/base/"},
		{"/base/", "/api/x", "/api", false, "/base/api/x"},
		{"/base/", "/", "", false, "/base/"},

		{"/base", "/api../x", "/api", true, "/base/x"}, // a dot segment made by the cut
		{"/base", "/api..", "/api", true, "/base"},
		{"/base", "/api./x", "/api", true, "/base/x"},
		{"/base", "/api.", "/api", true, "/base"},
		{"/base", "/api...", "/api", true, "/base/..."},

		{"/base", "/a b/é", "", false, "/base/a%20b/%C3%A9"},
		{"/base", "/a%2Fb", "", false, "/base/a%2Fb"},
		{"/base", "/a\"<>\\^`{|}", "", false, "/base/a%22%3C%3E%5C%5E%60%7B%7C%7D"},
		{"/base", "/a!#$&'()*+,:;=?@[]-_.~", "", false, "/base/a!#$&'()*+,:;=?@[]-_.~"},
	})
}

func TestUpstreamPathV1(t *testing.T) {
	checkRewrites(t, router.UpstreamPathV1, []rewrite{
		{"", "/api/x", "/api", true, "/x"},
		{"", "/api", "/api", true, "/"},
		{"", "/api/x", "/api", false, "/api/x"},
		{"/base", "/api/x", "/api", true, "/base/x"},
		{"/base", "/apix", "/api", true, "/basex"},
		{"/base", "/api", "/api", true, "/base"},
		{"/base", "/api/", "/api", true, "/base/"},
		{"/base", "/x", "", true, "/basex"},
		{"/base/", "/api/x", "/api", true, "/base/x"},
		{"/base/", "/apix", "/api", true, "/base/x"},
		{"/base/", "/api", "/api", true, "/base/"},
		{"/base", "/api/x", "/api", false, "/baseapi/x"},
		{"/base/", "/api/x", "/api", false, "/base/api/x"},
		{"/base", "/api../x", "/api", true, "/basex"},
		{"/base", "/a b", "", false, "/basea%20b"},
	})
}

func TestNormalize(t *testing.T) {
	for _, row := range [][2]string{
		{"/", "/"},
		{"//", "/"},
		{"/a//b", "/a/b"},
		{"/a//", "/a/"},
		{"/./a", "/a"},
		{"/a/.", "/a/"},
		{"/a/..", "/"},
		{"/a/../b", "/b"},
		{"/a/b/..", "/a/"},
		{"/a//../b", "/b"},
		{"/../a", "/a"},
		{"/..", "/"},
		{"/...", "/..."},
		{"/.a/b.", "/.a/b."},
		{"/%61", "/a"},
		{"/%7Ebob%20x", "/~bob x"},
		{"/a%2fb", "/a%2Fb"},
		{"/%25%3f", "/%25%3F"},
		{"/%2e%2E/a", "/a"},
		{"/%zz%4", "/%zz%4"},
		{"/%C3%A9", "/é"},
	} {
		got := router.Normalize(row[0])
		assert.Equal(t, row[1], got, row[0])
		assert.Equal(t, got, router.Normalize(got), "normalising %q again changes nothing", row[0])
	}
}

func TestSplitTarget(t *testing.T) {
	for _, row := range [][3]string{
		{"/a", "/a", ""},
		{"/a?", "/a", ""},
		{"/a?b=c?d", "/a", "b=c?d"},
		{"/a?b#c", "/a", "b"},
		{"http://h:80/a?b", "/a", "b"},
		{"http://h", "/", ""},
		{"http://h?b", "?b", "b"},
		{"/a#b?c", "/a#b", ""},
		{"/a?b?c#d", "/a", "b?c"},
		{"/?", "/", ""},
		{"", "", ""},
		{"*", "*", ""},
	} {
		path, query := router.SplitTarget(row[0])
		assert.Equal(t, row, [3]string{row[0], path, query})
	}
}

func TestRefused(t *testing.T) {
	for target, want := range map[string]bool{
		"/":              false,
		"/a/../b":        false,
		"/..":            true,
		"//../a":         true,
		"/a/%2e%2e/../b": true,
		"/a?x=/../..":    false,
		"/a%2":           true,
		"/a%zz":          true,
		"/a%00":          true,
		"/a%2F":          false,
		"*":              true,
		"a":              true,
		"http://h/a":     false,
		"http://h?a":     false,
		"http://h":       false,
		"HTTP://h:80/":   false,
		"http://[::1]/":  false,
		"http:///a":      true,
		"http://:80/":    true,
		"http://a..b/":   true,
		"http://a_b/":    true,
		"http://h:x/":    true,
		"1ttp://h/":      true,
		"/a\x01":         true,
		"/a\x7f":         true,
		"/a b":           true,
		"/a\xff":         false,
		"/a?b\x1f":       true,
		"/a#../..":       false,
	} {
		assert.Equal(t, want, router.Refused(target), target)
	}
}

// FuzzUpstreamPath: whatever the input, the result is a path that fits into a
// request line.
func FuzzUpstreamPath(f *testing.F) {
	f.Add("/base", "/api/x", "/api", true)
	f.Add("/base/", "/api../", "/api", true)
	f.Add("", "/", "", false)
	f.Add("/", "/\xff ", "/", true)
	f.Fuzz(func(t *testing.T, service, target, prefix string, strip bool) {
		path := router.Normalize(target)
		got := router.UpstreamPath(service, path, prefix, strip)
		if service == "" || strings.HasPrefix(service, "/") {
			assert.True(t, strings.HasPrefix(got, "/"), got)
		}
		for i := range len(got) {
			assert.True(t, got[i] > ' ' && got[i] < 0x7f, "%q", got)
		}
		assert.True(t, len(got) >= len(service)-1, "the service path is all there: %q in %q", service, got)
	})
}
