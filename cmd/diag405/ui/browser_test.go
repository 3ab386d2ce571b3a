package ui

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// browsers are what Chromium is called.
var browsers = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}

// chromium is where it is. Without one the tests in a browser are skipped, unless
// DIAG405_BROWSER says that they are required.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range browsers {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("DIAG405_BROWSER") == "required" {
		t.Fatal("no Chromium is installed")
	}
	t.Skip("no Chromium is installed; Debian has it as chromium")
	return ""
}

// tab is a page in a real browser, and what it did.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	fetched  []string // all URLs that were asked for
	problems []string // exceptions, and what the policy or the console complained of
}

// browser is one browser for all tests, which have a tab each.
var browser struct {
	sync.Once
	ctx   context.Context
	close func()
}

func TestMain(m *testing.M) {
	code := m.Run()
	if browser.close != nil {
		browser.close()
	}
	os.Exit(code)
}

func startBrowser(path, profile string) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.UserDataDir(profile),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"), // nothing else is reached
		chromedp.WindowSize(1000, 800),
	)
	allocated, free := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocated)
	browser.ctx = ctx
	browser.close = func() {
		cancel()
		free()
		os.RemoveAll(profile)
	}
}

// openTab opens an address.
func openTab(t *testing.T, address string) *tab {
	t.Helper()
	path := chromium(t)
	browser.Do(func() {
		profile, err := os.MkdirTemp("", "diag405-ui-test-")
		require.NoError(t, err)
		startBrowser(path, profile)
		require.NoError(t, chromedp.Do(browser.ctx))
	})
	ctx, cancel := chromedp.NewContext(browser.ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx}
	b.do() // so that it is there to be listened to
	require.NoError(t, chromedp.Listen(ctx, b.hear))
	_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
	require.NoError(t, err)
	b.prefers("light")
	b.do(chromedp.Navigate(address))
	return b
}

// hear keeps what the browser tells of the page.
func (b *tab) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.fetched = append(b.fetched, e.Request.URL)
	case *runtime.EventExceptionThrown:
		b.problems = append(b.problems, fmt.Sprint("exception: ", e.ExceptionDetails.Text))
	case *log.EventEntryAdded:
		if e.Entry.Source != log.EntrySourceNetwork { // an answer that is an error, which the page shows
			b.problems = append(b.problems, e.Entry.Text)
		}
	}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(b.ctx, steps...))
}

// click clicks an element, as a mouse does, once it can be seen.
func (b *tab) click(selector string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

// types types keys into an element.
func (b *tab) types(selector, keys string) {
	b.t.Helper()
	b.do(chromedp.SendKeys(chromedp.CSS(selector), keys))
}

// value is what a script's expression comes to.
func value[V any](b *tab, expression string) V {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[V](expression))
	require.NoError(b.t, err, expression)
	return v
}

// comes waits until an element that can be seen has a text in it.
func (b *tab) comes(selector, part string) {
	b.t.Helper()
	_, err := chromedp.Run(b.ctx, chromedp.PollFunction[bool](
		`(selector, part) => [...document.querySelectorAll(selector)].some((e) => e.checkVisibility() && e.innerText.includes(part))`,
		chromedp.WithPollingArgs(selector, part), chromedp.WithPollingTimeout(20*time.Second)))
	if err != nil {
		b.t.Fatalf("%q does not come in %s: %v; the page has:\n%s", part, selector, err, value[string](b, "document.body.innerText"))
	}
}

// prefers sets light or dark, and no motion: what moves cannot be clicked.
func (b *tab) prefers(scheme string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	})
	require.NoError(b.t, err)
}

// isClean checks that the page asked for nothing elsewhere, and that neither a script
// failed nor the policy had anything to stop.
func (b *tab) isClean(address string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	assert.Empty(b.t, b.problems)
	assert.Greater(b.t, len(b.fetched), 5)
	origin, _, _ := strings.Cut(address, "?")
	for _, url := range b.fetched {
		assert.True(b.t, strings.HasPrefix(url, origin), "it asked for %s", url)
	}
}
