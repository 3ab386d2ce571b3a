package ui

import (
	"bytes"
	"cmp"
	"flag"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong"
)

var update = flag.Bool("update", false, "take the screenshots in docs/images anew")

// screens are the pictures in the documents, and how high they are. Fonts differ from
// machine to machine, so they are taken and looked at, and not compared.
var screens = []struct {
	name   string
	height int64
}{{"request", 1075}, {"fix", 870}, {"findings", 800}, {"log", 620}}

func TestScreens(t *testing.T) {
	images, err := filepath.Abs("../../../docs/images")
	require.NoError(t, err)
	if !*update {
		for _, screen := range screens {
			for _, scheme := range []string{"light", "dark"} {
				assert.FileExists(t, filepath.Join(images, "ui-"+screen.name+"-"+scheme+".png"))
			}
		}
		return
	}
	log, err := filepath.Abs("../report/testdata/cases.log")
	require.NoError(t, err)
	t.Chdir(t.TempDir()) // so that files have short names
	lines, err := os.ReadFile(log)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile("error.log", lines, 0o644))
	require.NoError(t, os.WriteFile("kong.yml", kong.Founding, 0o644))
	for _, scheme := range []string{"light", "dark"} {
		b := openTab(t, serving(t, "-config", "kong.yml", "-log", "error.log"))
		b.prefers(scheme)
		b.types("[name=target]", "/api/sendWeather"+kb.Enter)
		b.comes("#count-log", "43")
		for _, screen := range screens {
			b.do(chromedp.EmulateViewport(1000, screen.height))
			b.goTo(screen.name)
			value[any](b, "document.activeElement.blur(), scrollTo(0, 0)")
			taken, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(images, "ui-"+screen.name+"-"+scheme+".png"), small(t, taken), 0o644))
		}
	}
}

// goTo goes to what a screen shows.
func (b *tab) goTo(screen string) {
	switch screen {
	case "request":
		b.comes("#verdict", "strip_path")
	case "fix":
		b.click("#verdict .try")
		b.comes("#comparison", "Now")
	case "findings":
		b.click("#changes button")
		b.click("#tab-findings")
		b.comes(".finding", "consumed-path")
	case "log":
		b.click("#tab-log")
		b.comes(".group", "Fix")
	}
}

// small is a picture in the 256 colours that it has most of: a third of the bytes.
func small(t *testing.T, data []byte) []byte {
	t.Helper()
	full, err := png.Decode(bytes.NewReader(data))
	require.NoError(t, err)
	often := map[color.RGBA]int{}
	size := full.Bounds()
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(full.At(x, y)).(color.RGBA) }
	for y := range size.Dy() {
		for x := range size.Dx() {
			often[at(x, y)]++
		}
	}
	var colours []color.RGBA
	for c := range often {
		colours = append(colours, c)
	}
	slices.SortFunc(colours, func(a, b color.RGBA) int {
		return cmp.Or(often[b]-often[a], cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	var palette color.Palette
	for _, c := range colours[:min(len(colours), 256)] {
		palette = append(palette, c)
	}
	index := map[color.RGBA]uint8{}
	for _, c := range colours {
		index[c] = uint8(palette.Index(c))
	}
	few := image.NewPaletted(size, palette)
	for y := range size.Dy() {
		for x := range size.Dx() {
			few.SetColorIndex(x, y, index[at(x, y)])
		}
	}
	var out bytes.Buffer
	require.NoError(t, (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, few))
	return out.Bytes()
}
