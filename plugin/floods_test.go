package plugin

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/plugin/logread"
)

// slowed is a configuration whose clock is moved by hand.
func slowed(t *testing.T, js string) (*Config, *time.Time) {
	c := configured(t, js)
	now := time.Unix(1763885563, 0)
	c.lines.now = func() time.Time { return now }
	return c, &now
}

// A flood of the same is one line a second, which says how many it stands for. Headers
// and record are on each answer.
func TestFloodIsOneLineASecond(t *testing.T) {
	c, now := slowed(t, `{}`)
	var lines []string
	for i := range 2500 {
		*now = now.Add(time.Millisecond)
		f := founding()
		c.response(f)
		assert.Len(t, f.headers, 5, "%d", i)
		assert.NotNil(t, f.record, "%d", i)
		lines = append(lines, f.lines...)
	}
	require.Len(t, lines, 3)
	judge, err := logread.NewJudge(logread.Options{})
	require.NoError(t, err)
	a, scanner := logread.NewAggregate(time.Time{}, time.UTC), logread.NewScanner(judge)
	for i, want := range []string{"", "1000", "1000"} {
		line := strings.TrimPrefix(lines[i], "warn: ")
		e, ok := logread.Parse(line)
		require.True(t, ok, line)
		assert.Equal(t, want, e.Fields["times"])
		assert.Equal(t, "strip-path", e.Fields["cause"])
		a.Add(scanner.Scan([]byte(line)))
	}
	assert.Equal(t, 2001, a.Summary().Failures)
	assert.Equal(t, 2001, a.Summary().Groups[0].Count)
}

// What differs in more than an id is said on a line of its own.
func TestFloodKeepsWhatDiffers(t *testing.T) {
	base := func() *fake {
		f := founding()
		f.vars["request"], f.vars["upstream_uri"], f.vars["upstream_x_forwarded_prefix"] = "PUT /api/users/17 HTTP/1.1", "/api/users/17", ""
		f.vars["request_method"] = "PUT"
		f.route.Paths, f.route.Methods, f.route.StripPath = []string{"/api"}, nil, false
		return f
	}
	tests := []struct {
		name   string
		change func(*fake)
		lines  int
	}{
		{"the same", func(*fake) {}, 0},
		{"another id", func(f *fake) { f.vars["upstream_uri"] = "/api/users/4" }, 0},
		{"a uuid", func(f *fake) { f.vars["upstream_uri"] = "/api/users/5a7d2c3e-0000-4000-8000-000000000002" }, 0},
		{"a name with digits", func(f *fake) { f.vars["upstream_uri"] = "/api/users/ada1815" }, 0},
		{"another client", func(f *fake) { f.vars["remote_addr"] = "10.0.0.2" }, 0},
		{"another query", func(f *fake) { f.vars["upstream_uri"] = "/api/users/17?x=1" }, 0},
		{"another path", func(f *fake) { f.vars["upstream_uri"] = "/api/orders/17" }, 1},
		{"one segment more", func(f *fake) { f.vars["upstream_uri"] = "/api/users/17/4" }, 1},
		{"another method", func(f *fake) { f.vars["request_method"] = "DELETE" }, 1},
		{"another route", func(f *fake) { f.route.Id = "5a7d2c3e-0000-4000-8000-000000000003" }, 1},
		{"another cause", func(f *fake) { f.response = map[string][]string{"server": {"nginx"}} }, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := slowed(t, `{}`)
			c.response(base())
			f := base()
			tt.change(f)
			f.vars["request"] = f.vars["request_method"] + " " + f.vars["upstream_uri"] + " HTTP/1.1"
			c.response(f)
			assert.Len(t, f.lines, tt.lines)
		})
	}
}

// A client that makes up paths, methods and origins writes no more lines for it, and all
// are counted.
func TestMadeUpFloodIsBounded(t *testing.T) {
	c, now := slowed(t, `{}`)
	told := 0
	send := func(i int) (lines int) {
		word := strings.Map(func(r rune) rune { return r - '0' + 'a' }, fmt.Sprint(i))
		f := founding()
		f.vars["request"] = "X" + word + " /api/" + word + " HTTP/1.1"
		f.vars["request_method"], f.vars["upstream_uri"] = "X"+word, "/api/"+word
		c.response(f)
		for _, line := range f.lines {
			e, ok := logread.Parse(strings.TrimPrefix(line, "warn: "))
			require.True(t, ok, line)
			n := 1
			_, _ = fmt.Sscan(e.Fields["times"], &n)
			told += n
		}
		return len(f.lines)
	}
	for second := range 3 {
		lines := 0
		for i := range 5000 {
			lines += send(5000*second + i)
		}
		assert.LessOrEqual(t, lines, maxLines+5, "second %d", second)
		*now = now.Add(time.Second)
	}
	for range maxLines + 1 { // the rough one is told once there are too many again
		send(1_000_000 + told)
	}
	assert.Equal(t, 15_000+maxLines+1, told, "none is lost")
	assert.LessOrEqual(t, c.lines.known.Len(), maxLineKeys)
}

func TestFloodInLogPhase(t *testing.T) {
	c := logConfigured(t, `{}`)
	now := time.Unix(1763885563, 0)
	c.lines.now = func() time.Time { return now }
	lines := 0
	for range 100 {
		f := logged(405, "8900")
		c.log(f)
		lines += len(f.lines)
	}
	assert.Equal(t, 1, lines)
	now = now.Add(time.Second)
	f := logged(405, "8900")
	c.log(f)
	assert.Equal(t, "100", diagnosisOf(t, f).Fields["times"])
}

func TestShape(t *testing.T) {
	for path, want := range map[string]string{
		"/":                           "/",
		"/api/v1/users":               "/api/v1/users",
		"/users/17/orders":            "/users/*/orders",
		"/users/17/":                  "/users/*/",
		"/a-b_c.d/x":                  "/a-b_c.d/x",
		"/v17":                        "/*",
		"/%41":                        "/*",
		"/" + strings.Repeat("a", 33): "/*",
	} {
		assert.Equal(t, want, shape(path), path)
	}
}
