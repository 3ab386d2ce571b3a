package lint

import (
	"net/url"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// RFC 8089, section 2 and appendices E.2 and E.3.
func TestFileURI(t *testing.T) {
	for name, want := range map[string]string{
		"/etc/kong/kong.yml":           "file:///etc/kong/kong.yml",
		"Z:/gateway/kong.yml":          "file:///Z:/gateway/kong.yml",
		"c:/my gateway/50%,a#b?.yml":   "file:///c:/my%20gateway/50%25,a%23b%3F.yml",
		"//files.example/ops/kong.yml": "file://files.example/ops/kong.yml",
	} {
		got := fileURI(name)
		assert.Equal(t, want, got, name)
		u, err := url.Parse(got)
		require.NoError(t, err, name)
		assert.True(t, u.IsAbs(), name)
	}
}

// A whole name is a URI by itself, and another is one from the root of the repository.
func TestSARIFFile(t *testing.T) {
	outside, err := filepath.Abs(filepath.Join(t.TempDir(), "kong.yml"))
	require.NoError(t, err)
	assert.Equal(t, sarifArtifact{URI: fileURI(filepath.ToSlash(outside))}, sarifFile(outside))
	t.Chdir(filepath.Dir(outside))
	assert.Equal(t, sarifArtifact{"gateway/a%20b.yml", "%SRCROOT%"}, sarifFile("gateway/a b.yml"))
	assert.Equal(t, sarifArtifact{"./z:kong.yml", "%SRCROOT%"}, sarifFile("z:kong.yml"), "a colon is no scheme")
	assert.Equal(t, sarifArtifact{URI: "https://kong.example/kong.yml"}, sarifFile("https://kong.example/kong.yml"))
}
