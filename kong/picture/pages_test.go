package picture

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong"
	"diag405/kong/config"
	"diag405/kong/forecast"
)

// caseOf is a case of examples/cases, as far as a path's picture needs it.
type caseOf struct {
	Kong    json.RawMessage
	Request struct{ Method, Path string }
}

func readCase(t *testing.T, name string) caseOf {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "examples", "cases", name+".json"))
	require.NoError(t, err)
	var c caseOf
	require.NoError(t, json.Unmarshal(data, &c))
	return c
}

// The pictures on the pages: what a configuration makes of a request's path with
// strip_path on and off.
func TestPagesPictures(t *testing.T) {
	founding := caseOf{Kong: kong.Founding}
	founding.Request.Method, founding.Request.Path = "POST", "/api/sendWeather"
	for name, c := range map[string]caseOf{
		"path":              founding,
		"path-regex":        readCase(t, "kic-regex-path-stripped"),
		"path-prefix-kept":  readCase(t, "comfyui-prefix-kept"),
		"path-service-path": readCase(t, "dash-callback-path-doubled"),
	} {
		beside := []string{pathOf(t, c, true), pathOf(t, c, false)}
		for kind, colours := range map[string][2]string{"light": {"#1f2328", "#ffffff"}, "dark": {"#e6edf3", "#0d1117"}} {
			file := filepath.Join("..", "..", "docs", "images", name+"-"+kind+".svg")
			got := besideEachOther(t, colours[0], colours[1], beside)
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Equal(t, string(want), got, "%s: go test ./kong/picture -run TestPagesPictures -update draws it anew", file)
		}
	}
}

// pathOf draws a case's path, with strip_path as it is told.
func pathOf(t *testing.T, c caseOf, strip bool) string {
	t.Helper()
	cfg, err := config.Load([]config.File{{Name: "kong", Data: c.Kong}})
	require.NoError(t, err)
	for _, r := range cfg.Routes {
		r.StripPath = strip
	}
	f, err := forecast.Of(cfg, forecast.Request{Method: c.Request.Method, Target: c.Request.Path, Host: "localhost", Scheme: "http"})
	require.NoError(t, err)
	require.NotNil(t, f.Upstream)
	return variable.ReplaceAllString(Path(Of(f)), "$1")
}

// variable is a colour that a page may choose: a file that stands alone has the fallback,
// since not all that show SVG know variables.
var variable = regexp.MustCompile(`var\(--[a-z-]+,(#[0-9a-f]+)\)`)

// besideEachOther draws the two paths in one picture, each below what strip_path is.
func besideEachOther(t *testing.T, ink, ground string, paths []string) string {
	t.Helper()
	const margin, head, gap = 16.0, 28.0, 32.0
	var inner strings.Builder
	var words []string
	x, tallest := margin, 0.0
	for i, p := range paths {
		var size struct {
			Width  string `xml:"width,attr"`
			Height string `xml:"height,attr"`
			Label  string `xml:"aria-label,attr"`
		}
		require.NoError(t, xml.Unmarshal([]byte(p), &size))
		width, err := strconv.ParseFloat(size.Width, 64)
		require.NoError(t, err)
		height, err := strconv.ParseFloat(size.Height, 64)
		require.NoError(t, err)
		heading := "strip_path: " + strconv.FormatBool(i == 0)
		words = append(words, heading+": "+size.Label)
		fmt.Fprintf(&inner, `<text x="%g" y="%g" font-size="14" font-weight="700">%s</text>`+"\n", x, margin+13, heading)
		fmt.Fprintf(&inner, "%s\n", strings.Replace(p, "<svg ", fmt.Sprintf(`<svg x="%g" y="%g" `, x, margin+head), 1))
		x, tallest = x+width+gap, max(tallest, height)
	}
	w, h := x-gap+margin, 2*margin+head+tallest
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 %[1]g %[2]g" width="%[1]g" height="%[2]g" color="%[3]s" fill="%[3]s" font-family="system-ui,sans-serif">`+
		"\n<title>%[4]s</title>\n"+`<rect width="100%%" height="100%%" rx="8" fill="%[5]s"/>`+"\n%[6]s</svg>\n", w, h, ink, html.EscapeString(strings.Join(words, ". ")), ground, inner.String())
}
