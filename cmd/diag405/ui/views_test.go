package ui

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong"
)

// The founding case is typed in, looked at, mended in the page, and mended back.
func TestBrowserRequest(t *testing.T) {
	name := founding(t)
	address := serving(t, "-config", name)
	b := openTab(t, address)
	b.comes("#source", "2 routes")
	assert.NotContains(t, value[string](b, "location.href"), "token", "the address bar keeps no secret")

	b.types("[name=target]", "/api/sendWeather"+kb.Enter)
	b.comes("#verdict", "strip_path on route internal-weather-route-POST removed /api/sendWeather")
	assert.Equal(t, "strip-path likely", value[string](b, `document.querySelector("#verdict .cause").innerText.replace(/\s+/g, " ")`))
	assert.Contains(t, value[string](b, `document.querySelector("#picture svg").getAttribute("aria-label")`),
		"strip_path takes /api/sendWeather away; service internal-weather-service puts nothing in front; the upstream gets POST /")
	assert.Greater(t, value[float64](b, `document.querySelector("#picture svg").getBoundingClientRect().height`), 100.0)
	assert.Equal(t, []string{"1 internal-weather-route-GET does not", "2 internal-weather-route-POST takes it"}, value[[]string](b,
		`[...document.querySelectorAll("#routes li.route")].map((r) => r.querySelector(".turn").innerText + " " + r.querySelector(".what p").innerText)`))

	b.click("#verdict .try")
	b.comes("#comparison", "strip_path: false")
	b.comes("#comparison", "POST /api/sendWeather")
	b.comes("#verdict", "Nothing on the way through Kong explains one")
	b.comes("#changes", "Changed in this page only")

	b.click("#changes button")
	b.comes("#verdict", "strip_path on route internal-weather-route-POST removed")
	assert.False(t, value[bool](b, `document.getElementById("changes").checkVisibility()`))

	b.click("#ask details:last-of-type summary")
	b.do(chromedp.SetValue(chromedp.CSS("[name=status]"), "405"))
	b.types("[name=allow]", "GET"+kb.Enter)
	b.comes("#verdict h2", "Why 405")

	value[any](b, `(() => {
		const data = new DataTransfer();
		data.setData("text", "curl -X GET \\\n  http://localhost:8000/api/getWeather/x\n");
		document.forms[0].elements.target.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, cancelable: true }));
	})()`)
	b.click("#ask [type=submit]")
	b.comes("#way", "/api/getWeather/x")

	b.do(chromedp.SetValue(chromedp.CSS("[name=target]"), "not a path"))
	b.click("#ask [type=submit]")
	b.comes("#ask-problem", "white space")

	b.isClean(address)
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, string(kong.Founding), string(data))
}

// A finding stands right below its line, and its fix shows there.
func TestBrowserFindings(t *testing.T) {
	address := serving(t, "-config", founding(t))
	b := openTab(t, address)
	b.comes("#count-findings", "2")
	b.click("#tab-findings")
	b.comes(".finding", "literal-star")
	assert.Contains(t, value[string](b, `document.querySelector('[data-line="12"]').innerText`), "- name: internal-weather-route-GET")
	assert.Contains(t, value[string](b, `document.querySelector('[data-line="12"] + .finding').innerText`), "the plain path /api/getWeather/* has a *")

	b.click(".overview a")
	assert.Contains(t, value[string](b, "document.activeElement.innerText"), "literal-star")

	b.click(`[data-line="12"] + .finding .try`)
	b.comes(".ln.new", "/api/getWeather/")
	b.comes("#count-findings", "1")
	b.isClean(address)
}

// What is appended to the log comes into the page, in groups; a request from there can
// be explained.
func TestBrowserLog(t *testing.T) {
	name := filepath.Join(t.TempDir(), "error.log")
	require.NoError(t, os.WriteFile(name, nil, 0o644))
	address := serving(t, "-config", founding(t), "-log", name)
	b := openTab(t, address)
	b.click("#tab-log")
	b.comes("#groups", "No 405 yet")
	appendLog := func(text string) {
		f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
		require.NoError(t, err)
		_, err = f.WriteString(text)
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	appendLog(logged("strip-path", "/api/sendWeather"))
	b.comes(".group", "1×")
	b.comes(".group", "POST http://localhost:8000/api/sendWeather")
	value[any](b, `document.querySelector(".group button").focus()`)
	appendLog(logged("wrong-upstream", "/c"))
	b.comes(".group.news[data-cause=wrong-upstream]", "the reason")
	assert.True(t, value[bool](b, `document.activeElement.matches(".group[data-cause=strip-path] button")`), "what has the focus keeps it")
	appendLog(logged("strip-path", "/api/sendWeather") + logged("host-header", "/b"))
	b.comes(".group[data-cause=strip-path]", "2×")
	b.comes(".group.news[data-cause=host-header]", "the reason")
	b.comes("#count-log", "4")

	b.click(".group[data-cause=strip-path] button")
	b.comes("#verdict", "strip_path on route internal-weather-route-POST removed /api/sendWeather")
	assert.Equal(t, "localhost:8000", value[string](b, "document.forms[0].host.value"))
	b.isClean(address)
}

// hostile is text that would be a script if it were taken for markup.
const hostile = `/x"><img/src=q/onerror=document.title='owned'><script>document.title='owned'</script>`

// Whatever a client, a configuration or a log says is shown as text.
func TestBrowserText(t *testing.T) {
	dir := t.TempDir()
	cfg, log := filepath.Join(dir, "<b>kong<b>.yml"), filepath.Join(dir, "error.log")
	require.NoError(t, os.WriteFile(cfg, []byte("_format_version: \"3.0\"\nservices:\n- name: s\n  host: a.example\n  routes:\n  - {name: r1, paths: ['"+
		strings.ReplaceAll(hostile, "'", "''")+"']}\n# "+hostile+"\n"), 0o644))
	require.NoError(t, os.WriteFile(log, []byte(logged("strip-path", strings.ReplaceAll(hostile, `"`, `\"`))), 0o644))
	address := serving(t, "-config", cfg, "-log", log)
	b := openTab(t, address)
	b.types("[name=target]", hostile+kb.Enter)
	b.comes("#verdict", "</script>")
	assert.Contains(t, value[string](b, `document.querySelector("#picture svg").textContent`), "<script>")
	b.click("#tab-findings")
	b.comes(".ln", "</script>")
	b.click("#tab-log")
	b.comes(".group .fromto", "</script>")
	assert.Equal(t, "diag405", value[string](b, "document.title"))
	assert.Equal(t, 1, value[int](b, "document.scripts.length"))
	assert.Equal(t, 0, value[int](b, "document.images.length"))
	assert.Equal(t, 0, value[int](b, `document.querySelectorAll("svg script, svg image").length`))
	b.isClean(address)
}

// unnamed are the controls that somebody who does not see the page cannot tell.
const unnamed = `[...document.querySelectorAll("input, select, textarea")].filter((e) => !e.labels.length).map((e) => e.outerHTML)
	.concat([...document.querySelectorAll("button, a")].filter((e) => !e.textContent.trim()).map((e) => e.outerHTML))
	.concat([...document.querySelectorAll("[id]")].map((e) => e.id).filter((id, i, all) => all.indexOf(id) !== i))`

// faint are texts with less contrast than WCAG 2.2 asks for (1.4.3: 4.5 to 1).
const faint = `(() => {
	const light = (c) => { const [r, g, b] = c.map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const parse = (s) => s.match(/[\d.]+/g).map(Number);
	const behind = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] === 1) return c.slice(0, 3); } return [255, 255, 255]; };
	const texts = [...document.querySelectorAll("body *")].filter((e) => e.checkVisibility() && !e.closest("svg") && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()));
	const found = texts.map((e) => { const [a, b] = [light(parse(getComputedStyle(e).color).slice(0, 3)), light(behind(e))].sort((x, y) => y - x); return [(a + 0.05) / (b + 0.05), e.outerHTML.slice(0, 90)]; });
	return found.length < 10 ? ["only " + found.length + " texts"] : found.filter(([ratio]) => ratio < 4.5).map(([ratio, html]) => ratio.toFixed(1) + " " + html);
})()`

// wide is what sticks out of a phone's window.
const wide = `[...document.querySelectorAll("body *")].filter((e) => e.scrollWidth > 360 && e.id !== "said").map((e) => e.outerHTML.slice(0, 90))`

// Every view can be read by everybody: in light and dark, on a phone, and by who hears
// it.
func TestBrowserReadable(t *testing.T) {
	address := serving(t, "-config", founding(t), "-log", "../report/testdata/cases.log")
	b := openTab(t, address)
	b.types("[name=target]", "/api/sendWeather"+kb.Enter)
	b.comes("#verdict", "strip_path")
	b.click("#verdict .try")
	b.comes("#comparison", "Now")
	b.click("#ask details:first-of-type summary")
	for _, view := range []string{"request", "findings", "log"} {
		b.click("#tab-" + view)
		b.do(chromedp.WaitVisible(chromedp.CSS("#view-" + view)))
		assert.Equal(t, "page", value[string](b, `document.getElementById("tab-`+view+`").getAttribute("aria-current")`))
		assert.Empty(t, value[[]string](b, unnamed), view)
		for _, scheme := range []string{"light", "dark"} {
			b.prefers(scheme)
			assert.Empty(t, value[[]string](b, faint), "%s, %s", view, scheme)
		}
	}
	b.do(chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile))
	for _, view := range []string{"request", "findings", "log"} {
		b.click("#tab-" + view)
		b.do(chromedp.WaitVisible(chromedp.CSS("#view-" + view)))
		_, err := chromedp.Run(b.ctx, chromedp.Poll[bool]("document.documentElement.scrollWidth === 360", chromedp.WithPollingTimeout(5*time.Second)))
		assert.NoError(t, err, "%s is wider than a phone: %q", view, value[[]string](b, wide))
	}
}

// Without a mouse the fix is reached and tried, too.
func TestBrowserKeyboard(t *testing.T) {
	b := openTab(t, serving(t, "-config", founding(t)))
	b.types("[name=target]", "/api/sendWeather"+kb.Enter)
	b.comes("#verdict", "strip_path")
	assert.Equal(t, "result", value[string](b, "document.activeElement.id"), "what was asked for has the focus")
	for range 10 {
		b.do(chromedp.KeyEvent(kb.Tab))
		if value[bool](b, `document.activeElement.matches("#verdict .try")`) {
			break
		}
	}
	b.do(chromedp.KeyEvent(kb.Enter))
	b.comes("#comparison", "POST /api/sendWeather")
	b.comes("#said", "The upstream gets POST /api/sendWeather")
}
