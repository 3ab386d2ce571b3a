//go:build unix

package report

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/cmd/diag405/cli"
)

var update = flag.Bool("update", false, "write the page in testdata anew")

// pageOf is the page of a log.
func pageOf(t *testing.T, log string, args ...string) string {
	t.Helper()
	local := time.Local
	time.Local = time.UTC
	t.Cleanup(func() { time.Local = local })
	o, err := parse(append([]string{"-o", "html"}, args...), time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC))
	require.NoError(t, err)
	var out bytes.Buffer
	std := cli.Streams{In: strings.NewReader(log), Out: &out, Err: &out}
	judge, err := o.judge(std)
	require.NoError(t, err)
	r := newReader(o, judge, std)
	require.NoError(t, r.read())
	require.NoError(t, o.print(r.table.Summary(), &out))
	return out.String()
}

const accessLine = `10.0.0.1 - - [23/Nov/2026:08:%02d:06 +0000] "%s HTTP/1.1" 405 31 "-" "curl/8.5.0"` + "\n"

func TestPage(t *testing.T) {
	log, err := os.ReadFile(casesLog)
	require.NoError(t, err)
	few := bytes.Join(bytes.SplitAfter(log, []byte("\n"))[:12], nil)
	got := pageOf(t, string(few)+fmt.Sprintf(accessLine, 9, "DELETE /a/7"), "-n", "4", "-by", "cause")
	name := filepath.Join("testdata", "page.html")
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(got), 0o644))
	}
	want, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
	assert.NotRegexp(t, `\s(src|href|srcset|xlink:href)=|@import|url\(`, got, "the page needs nothing else")
}

// What a client sent is text on the page, wherever it stands.
func TestPageEscapes(t *testing.T) {
	hostile := `/<script>alert(1)</script>"'><img/src=x>{{.}}`
	log := fmt.Sprintf(accessLine, 8, "POST "+strings.NewReplacer(`"`, `\x22`).Replace(hostile)) +
		`2026/11/23 08:06:03 [warn] 1443#0: *656 [kong] pb_rpc.lua:233 [diag405] {"event":"diagnosis","cause":"</style><script>","certainty":"\" onload=x","reason":"<b>","fix":"</pre><script>",` +
		`"client":"POST http://h` + strings.ReplaceAll(hostile, `"`, `\"`) + `","upstream":"POST http://h/<svg/onload=x>","route":"<script>","service":"<i>","change":"{\"set\":{\"route.strip_path\":\"<script>\"}}"}` + "\n"
	page := pageOf(t, log, "-by", "route", "-")
	assert.Contains(t, page, "&lt;script&gt;alert(1)&lt;/script&gt;")
	elements := map[string]bool{}
	for _, m := range regexp.MustCompile(`<([a-zA-Z]+)`).FindAllStringSubmatch(page, -1) {
		elements[m[1]] = true
	}
	for name := range elements {
		assert.Contains(t, []string{"html", "head", "meta", "title", "style", "body", "main", "h", "p", "ul", "li", "b", "div", "span", "svg", "path", "rect", "text",
			"small", "code", "details", "summary", "pre"}, name)
	}
	assert.NotRegexp(t, `<[^>]*\son[a-z]+=`, regexp.MustCompile(`"[^"]*"`).ReplaceAllString(page, `""`), "an attribute that runs")
	assert.Equal(t, 1, strings.Count(page, "</style>"))
}

func TestPageOfNothing(t *testing.T) {
	page := pageOf(t, "nothing\n")
	assert.Contains(t, page, "<h1>no 405 in 1 line</h1>")
	assert.NotContains(t, page, "<details>")
}

func TestSinceOf(t *testing.T) {
	now := time.Date(2026, 11, 25, 8, 0, 0, 0, time.Local)
	for s, want := range map[string]time.Time{
		"90m": now.Add(-90 * time.Minute), "24h": now.Add(-24 * time.Hour), "7d": now.Add(-7 * 24 * time.Hour), "0.5d": now.Add(-12 * time.Hour),
		"2026-11-24":           time.Date(2026, 11, 24, 0, 0, 0, 0, time.Local),
		"2026-11-24T06:30":     time.Date(2026, 11, 24, 6, 30, 0, 0, time.Local),
		"2026/11/24 06:30:00":  time.Date(2026, 11, 24, 6, 30, 0, 0, time.Local),
		"2026-11-24T06:30:00Z": time.Date(2026, 11, 24, 6, 30, 0, 0, time.UTC),
	} {
		got, err := sinceOf(s, now)
		require.NoError(t, err, s)
		assert.True(t, want.Equal(got), "%s: %s", s, got)
	}
	for _, s := range []string{"", "yesterday", "-1h", "-1d", "d", "25.11.2026"} {
		_, err := sinceOf(s, now)
		assert.Error(t, err, s)
	}
}
