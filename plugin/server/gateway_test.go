package server

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"diag405/kong/gateway"
	"diag405/kong/gateway/realkong"
	"diag405/kong/gateway/standin"
)

// BenchmarkGateway measures requests through a gateway: a real Kong, where DIAG405_KONG
// names its command, or the stand-in, which takes Kong's time. Each request with a
// setting is followed by one with the empty plugin, one at a time (x-empty is the time
// of one) and 32 at once (x-throughput).
func BenchmarkGateway(b *testing.B) {
	app := httptest.NewServer(http.HandlerFunc(getOnly))
	b.Cleanup(app.Close)
	start := standin.Start
	if kong := os.Getenv("DIAG405_KONG"); kong != "" {
		start = realkong.Command(kong).Start
	}
	gw, err := start(b.Context(), gateway.Options{
		Plugins: []string{executable(b, emptyName), executable(b, diag405Name), executable(b, logName)}, Costly: true,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { gw.Close() })
	if err := gw.Load(b.Context(), routesOf(app.URL)); err != nil {
		b.Fatal(err)
	}
	for _, c := range settings() {
		if c.served() == "" {
			continue
		}
		method := http.MethodGet
		if c.name == "explained" {
			method = http.MethodPost
		}
		b.Run(c.name+"/1", func(b *testing.B) { alternate(b, gw.URL(), method, c.name, 1, "x-empty") })
		b.Run(c.name+"/32", func(b *testing.B) { alternate(b, gw.URL(), method, c.name, 32, "x-throughput") })
	}
}

// served is the name of the plugin that a setting is of, "" for one that no gateway has.
func (c costly) served() string {
	switch c.name {
	case "empty":
		return emptyName
	case "typical":
		return ""
	case "log-only":
		return logName
	}
	return diag405Name
}

// routesOf is a configuration with a route for each setting, with its plugin. What is
// unchanged keeps its path.
func routesOf(app string) []byte {
	var routes []string
	for _, c := range settings() {
		if c.served() != "" {
			routes = append(routes, fmt.Sprintf(`{"name": %q, "paths": ["/%s/"], "strip_path": false, "methods": ["GET", "POST"],
				"plugins": [{"name": %q, "config": %s}]}`, c.name, c.name, c.served(), c.config))
		}
	}
	return fmt.Appendf(nil, `{"_format_version": "3.0", "services": [{"name": "s", "url": %q, "routes": [%s]}]}`, app, strings.Join(routes, ","))
}

func getOnly(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", "GET")
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
	io.WriteString(w, `{"detail":"hello"}`)
}

// alternate sends requests with a setting and with the empty plugin, so many of each at
// once, in turns.
func alternate(b *testing.B, url, method, setting string, atOnce int, unit string) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: atOnce}}
	defer client.CloseIdleConnections()
	var ours, floor []time.Duration
	send := func(name string) time.Duration {
		start := time.Now()
		var wg sync.WaitGroup
		for range atOnce {
			wg.Go(func() {
				req, _ := http.NewRequest(method, url+"/"+name+"/x", nil)
				res, err := client.Do(req)
				if err != nil {
					b.Error(err)
					return
				}
				io.Copy(io.Discard, res.Body)
				res.Body.Close()
				if explained := res.Header.Get("X-Diag") != ""; explained != (name == "explained") {
					b.Errorf("%s /%s: %s, %v", method, name, res.Status, res.Header)
				}
			})
		}
		wg.Wait()
		return time.Since(start)
	}
	for b.Loop() {
		ours, floor = append(ours, send(setting)), append(floor, send(emptyName))
	}
	of, to := float64(median(ours)), float64(median(floor))
	b.ReportMetric(of/float64(atOnce), "ns/op")
	ratio := of / to
	if atOnce > 1 {
		ratio = to / of
	}
	b.ReportMetric(ratio, unit)
}
