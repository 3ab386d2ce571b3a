package observability

import (
	"cmp"
	"flag"
	"fmt"
	"html"
	"math"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "send requests for three minutes, and draw docs/dashboard.svg from what Prometheus has of them")

const (
	pictureFile = "../../docs/dashboard.svg"
	lasting     = 3 * time.Minute
	rateOver    = 15 * time.Second
	cell, row   = 50, 32 // a unit of Grafana's grid
	gap         = 8
)

// palette are the colours of series, in their order.
var palette = []string{"#3274d9", "#e0752d", "#56a64b", "#e02f44", "#8f3bb8", "#d4a017", "#1f9e9e", "#7a7a7a"}

// The picture in docs has each panel of the dashboard. Grafana is not what drew it: see
// the sentence below it.
func TestPictureHasTheDashboard(t *testing.T) {
	d := readDashboard(t)
	if *update {
		require.NoError(t, os.WriteFile(pictureFile, []byte(drawDashboard(t, d)), 0o644))
	}
	picture := read(t, pictureFile)
	for _, p := range d.Panels {
		assert.Contains(t, picture, ">"+html.EscapeString(p.Title)+"<", "go test ./examples/observability -run Picture -update draws it anew")
	}
}

// drawDashboard has an application behind the gateway used for a while, and draws what
// Prometheus answers to the dashboard's queries.
func drawDashboard(t *testing.T, d dashboard) string {
	o := startObserved(t, http.HandlerFunc(shop), shopRoutes(true))
	p := startPrometheus(t, o.metrics, time.Second)
	from := time.Now()
	use(t, o, from.Add(lasting))
	to := time.Now()
	var b strings.Builder
	bottom := 0
	for _, panel := range d.Panels {
		bottom = max(bottom, panel.GridPos.Y+panel.GridPos.H)
	}
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="Helvetica, Arial, sans-serif" font-size="12" role="img">`+"\n", 24*cell+gap, bottom*row+gap)
	b.WriteString(`<title>The panels of the dashboard, drawn from what Prometheus answers to their queries</title><rect width="100%" height="100%" fill="#f4f5f5"/>` + "\n")
	for _, panel := range d.Panels {
		at := frame{gap + panel.GridPos.X*cell, gap + panel.GridPos.Y*row, panel.GridPos.W*cell - gap, panel.GridPos.H*row - gap}
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%d" height="%d" rx="3" fill="#ffffff" stroke="#d8d9da"/><text x="%d" y="%d" font-weight="bold" fill="#24292e">%s</text>`+"\n",
			at.x, at.y, at.w, at.h, at.x+10, at.y+19, html.EscapeString(panel.Title))
		step := time.Duration(0)
		if panel.Type == "timeseries" {
			step = time.Second
		}
		var lines []series
		for _, target := range panel.Targets {
			for _, s := range p.ask(t, filled(target.Expr, lasting, rateOver), from, to, step) {
				s.labels[legend] = legendOf(target.LegendFormat, s.labels)
				lines = append(lines, s)
			}
		}
		require.NotEmpty(t, lines, panel.Title)
		switch panel.Type {
		case "stat":
			at.stat(&b, lines[0].points[0].value, panel.FieldConfig.Defaults.Unit)
		case "table":
			at.table(&b, lines)
		default:
			isStacked := panel.FieldConfig.Defaults.Custom.Stacking.Mode == "normal"
			at.plot(&b, lines, panel.FieldConfig.Defaults.Unit, isStacked, from, to)
		}
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// shop is an application that takes GET at any path, as those with a page for all do,
// and POST at two.
func shop(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Server", "gunicorn")
	allow := "GET, HEAD, OPTIONS"
	switch r.URL.Path {
	case "/api/sendWeather", "/orders/":
		allow = "GET, POST, OPTIONS"
	}
	w.Header().Set("Allow", allow)
	if !strings.Contains(allow, r.Method) {
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

// shopRoutes are the routes: where strip is false, one of them is mended.
func shopRoutes(strip bool) string {
	return fmt.Sprintf(`{"_format_version": "3.0", "services": [
		{"name": "weather", "url": "UPSTREAM", "routes": [{"name": "send-weather", "paths": ["/api/sendWeather"], "strip_path": %t}]},
		{"name": "shop", "url": "UPSTREAM", "routes": [{"name": "orders", "paths": ["/shop"]}, {"name": "legacy", "paths": ["/v1/orders"], "strip_path": false}]}],
		"plugins": [{"name": "diag405", "config": {"log_requests": "none", "probe": "options"}}, {"name": "diag405-log", "config": {"log_requests": "none"}}]}`, strip)
}

// use sends requests until a time, now more of them and now less, and mends a route when
// half of the time is over.
func use(t *testing.T, o observed, until time.Time) {
	t.Helper()
	kinds := []struct {
		method, target string
		every          int // of how many
	}{
		{"POST", "/api/sendWeather", 3}, {"GET", "/shop/orders/", 1}, {"POST", "/shop/orders", 7}, {"DELETE", "/shop/orders/7", 11}, {"POST", "/v1/orders/", 13},
	}
	mended := false
	for n := 0; time.Now().Before(until); n++ {
		for _, k := range kinds {
			if n%k.every == 0 {
				o.ask(t, k.method, k.target)
			}
		}
		if left := time.Until(until); !mended && left < lasting/2 {
			mended = true
			o.load(t, shopRoutes(false))
		}
		time.Sleep(time.Duration(60+50*math.Sin(float64(n)/60)) * time.Millisecond) // a picture needs time to pass
	}
}

const legend = "__legend"

// legendOf fills a legend in, as Grafana does.
func legendOf(format string, labels map[string]string) string {
	for name, value := range labels {
		format = strings.ReplaceAll(format, "{{"+name+"}}", value)
	}
	return format
}

// frame is where a panel is, in pixels.
type frame struct{ x, y, w, h int }

func (f frame) stat(b *strings.Builder, value float64, unit string) {
	fmt.Fprintf(b, `<text x="%d" y="%d" font-size="34" text-anchor="middle" fill="#24292e">%s</text>`+"\n", f.x+f.w/2, f.y+f.h/2+24, amount(value, unit, 0))
}

func (f frame) table(b *strings.Builder, rows []series) {
	columns := []string{"service", "route", "status", "cause", "certainty"}
	slices.SortFunc(rows, func(a, c series) int { return cmp.Compare(c.points[0].value, a.points[0].value) })
	width := (f.w - 20) / (len(columns) + 1)
	line := func(n int, colour string, cells []string) {
		for i, c := range cells {
			fmt.Fprintf(b, `<text x="%d" y="%d" fill="%s">%s</text>`+"\n", f.x+10+i*width, f.y+44+n*21, colour, html.EscapeString(c))
		}
	}
	line(0, "#3274d9", append(slices.Clone(columns), "answers"))
	for n, r := range rows[:min(len(rows), (f.h-50)/21)] {
		var cells []string
		for _, c := range columns {
			cells = append(cells, r.labels[c])
		}
		line(n+1, "#24292e", append(cells, amount(r.points[0].value, "short", 0)))
	}
}

// plot draws lines over time, stacked or not.
func (f frame) plot(b *strings.Builder, all []series, unit string, stacked bool, from, to time.Time) {
	in := frame{f.x + 62, f.y + 34, f.w - 76, f.h - 82}
	sums := map[float64]float64{}
	top := 0.0
	for i := range all {
		for j, p := range all[i].points {
			if math.IsNaN(p.value) {
				p.value = 0
			}
			if stacked {
				sums[p.time] += p.value
				p.value = sums[p.time]
			}
			all[i].points[j] = p
			top = max(top, p.value)
		}
	}
	top = nice(top)
	x := func(at float64) float64 {
		return float64(in.x) + float64(in.w)*(at-float64(from.UnixMilli())/1000)/to.Sub(from).Seconds()
	}
	y := func(v float64) float64 { return float64(in.y) + float64(in.h)*(1-v/top) }
	for i := range 5 {
		v := top * float64(i) / 4
		fmt.Fprintf(b, `<path d="M%d %.1fh%d" stroke="#e9edf2"/><text x="%d" y="%.1f" text-anchor="end" fill="#6a737d" font-size="11">%s</text>`+"\n", in.x, y(v), in.w, in.x-6, y(v)+4, amount(v, unit, 2))
	}
	for at := time.Duration(0); at <= to.Sub(from); at += 30 * time.Second {
		left := x(float64(from.Add(at).UnixMilli()) / 1000)
		fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle" fill="#6a737d" font-size="11">%d:%02d</text>`+"\n", left, in.y+in.h+15, int(at.Minutes()), int(at.Seconds())%60)
	}
	for i := len(all) - 1; i >= 0; i-- { // what is on top of a stack first
		colour := palette[i%len(palette)]
		var d strings.Builder
		for j, p := range all[i].points {
			fmt.Fprintf(&d, "%c%.1f %.1f", "ML"[min(j, 1)], x(p.time), y(p.value))
		}
		if stacked {
			area := fmt.Sprintf("%sV%dH%.1fz", d.String(), in.y+in.h, x(all[i].points[0].time))
			fmt.Fprintf(b, `<path d="%s" fill="#ffffff"/><path d="%s" fill="%s" fill-opacity="0.35"/>`+"\n", area, area, colour)
		}
		fmt.Fprintf(b, `<path d="%s" fill="none" stroke="%s" stroke-width="1.5"/>`+"\n", d.String(), colour)
	}
	left := f.x + 12
	for i, s := range all {
		fmt.Fprintf(b, `<rect x="%d" y="%d" width="12" height="4" fill="%s"/><text x="%d" y="%d" fill="#24292e" font-size="11">%s</text>`+"\n",
			left, f.y+f.h-18, palette[i%len(palette)], left+16, f.y+f.h-12, html.EscapeString(s.labels[legend]))
		left += 32 + len(s.labels[legend])*6
	}
}

// nice is a number not below v that looks well at the top of an axis.
func nice(v float64) float64 {
	if v <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, n := range []float64{1, 2, 4, 6, 8, 10} {
		if v <= n*unit {
			return n * unit
		}
	}
	return v
}

// amount is a value in one of Grafana's units.
func amount(v float64, unit string, decimals int) string {
	switch unit {
	case "percentunit":
		return fmt.Sprintf("%.0f%%", 100*v)
	case "s":
		return fmt.Sprintf("%.3g ms", 1000*v)
	case "bytes":
		return fmt.Sprintf("%.0f MiB", v/(1<<20))
	case "reqps", "ops":
		return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.*f", decimals, v), "0"), ".") + "/s"
	}
	return fmt.Sprintf("%.0f", v)
}
