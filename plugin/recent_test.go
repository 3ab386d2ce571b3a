package plugin

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"diag405/kong/config"
	"diag405/plugin/diagnose"
)

// written is a request that writes, with its answer.
func written(method, url string, status int, location string) diagnose.Exchange {
	x := diagnose.Exchange{
		Client:   diagnose.Request{Method: method, Host: "api.example:8000", Path: url},
		Upstream: diagnose.Request{Method: method, Path: url},
		Service:  &config.Service{ID: "orders"},
		Response: diagnose.Response{Status: status, Header: http.Header{}},
	}
	if location != "" {
		x.Response.Header.Set("Location", location)
	}
	return x
}

// clockwork is a memory with a clock that is moved by hand.
func clockwork() (*recent, *time.Time) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return &recent{now: func() time.Time { return now }}, &now
}

func TestRedirectsAreRemembered(t *testing.T) {
	tests := []struct {
		name     string
		method   string
		status   int
		location string
		address  string // that comes back
		path     string // that it asks for
		after    time.Duration
		want     bool
	}{
		{"to a path", "POST", 301, "/orders/", "10.0.0.1", "/orders/", time.Second, true},
		{"to another scheme and port", "PUT", 302, "https://api.example/orders/", "10.0.0.1", "/orders/", time.Second, true},
		{"relative", "POST", 303, "orders/?next=1", "10.0.0.1", "/orders/", time.Second, true},
		{"with the method kept", "POST", 307, "/orders/", "10.0.0.1", "/orders/", time.Second, false},
		{"of a request that reads", "GET", 301, "/orders/", "10.0.0.1", "/orders/", time.Second, false},
		{"of another client", "POST", 301, "/orders/", "10.0.0.2", "/orders/", time.Second, false},
		{"to another path", "POST", 301, "/orders/", "10.0.0.1", "/login", time.Second, false},
		{"to another site", "POST", 301, "https://login.example/orders/", "10.0.0.1", "/orders/", time.Second, false},
		{"long ago", "POST", 301, "/orders/", "10.0.0.1", "/orders/", 10 * time.Second, false},
		{"nowhere", "POST", 301, "", "10.0.0.1", "/orders", time.Second, false},
		{"to no URL", "POST", 301, "%zz", "10.0.0.1", "/orders", time.Second, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, now := clockwork()
			r.note("10.0.0.1", written(tt.method, "/orders", tt.status, tt.location))
			*now = now.Add(tt.after)
			var seen diagnose.Offers
			x := written("GET", tt.path, 405, "")
			r.recall(tt.address, x, &seen)
			assert.Equal(t, tt.want, seen.Redirected != nil)
			if tt.want {
				assert.Equal(t, &diagnose.Redirect{Method: tt.method, Status: tt.status}, seen.Redirected)
				assert.Equal(t, diagnose.RedirectMethodChange, diagnose.Explain(x, seen).Cause)
			}
		})
	}
}

// What the upstream took a moment ago is known to be taken, by whomever it was sent.
func TestTakenIsRemembered(t *testing.T) {
	route := &config.Route{Name: "orders", Paths: []string{"/api"}, StripPath: true}
	refused := diagnose.Exchange{
		Client:   diagnose.Request{Method: "POST", Path: "/api/orders"},
		Upstream: diagnose.Request{Method: "POST", Path: "/orders"},
		Stripped: "/api",
		Route:    route, Service: &config.Service{ID: "orders"},
		Response: diagnose.Response{Status: 405, Header: http.Header{"Allow": {"GET"}}},
	}
	r, now := clockwork()
	recalled := func(x diagnose.Exchange) diagnose.Diagnosis {
		var seen diagnose.Offers
		r.recall("10.0.0.9", x, &seen)
		return diagnose.Explain(x, seen)
	}
	assert.NotEqual(t, diagnose.StripPath, recalled(refused).Cause, "nothing was seen yet")

	r.note("10.0.0.1", written("POST", "/api/orders", 201, ""))
	d := recalled(refused)
	assert.Equal(t, diagnose.StripPath, d.Cause)
	assert.Equal(t, diagnose.Confirmed, d.Certainty)

	other := refused
	other.Service = &config.Service{ID: "another"}
	assert.NotEqual(t, diagnose.StripPath, recalled(other).Cause, "of another service")
	*now = now.Add(time.Minute)
	assert.NotEqual(t, diagnose.StripPath, recalled(refused).Cause, "long ago")

	r.note("10.0.0.1", written("POST", "/api/orders", 400, ""))
	r.note("10.0.0.1", written("GET", "/api/orders", 200, ""))
	assert.NotEqual(t, diagnose.StripPath, recalled(refused).Cause, "refused, and read")
}

func TestRecentIsBounded(t *testing.T) {
	r, now := clockwork()
	for i := range 3 * maxRecent {
		path := fmt.Sprint("/orders/", i)
		r.note("10.0.0.1", written("POST", path, 301, path+"/"))
		r.note("10.0.0.1", written("POST", path, 201, ""))
	}
	assert.Equal(t, maxRecent, r.redirects.Len())
	assert.Equal(t, maxRecent, r.taken.Len())

	looked := map[int]int{}
	for range 100 {
		for _, status := range []int{200, 301, 304, 101, 401, 404, 500} {
			if r.worth(status) {
				looked[status]++
			}
		}
	}
	assert.Equal(t, map[int]int{200: takenASecond, 301: redirectsASecond}, looked)
	*now = now.Add(time.Second)
	assert.True(t, r.worth(200), "the next second")
}

// Many instances together look at no more than a few times what one does.
func TestLookedAtByAll(t *testing.T) {
	var all looked
	counts := map[int]int{}
	var now *time.Time
	for range 2 * takenByAll / takenASecond {
		var r *recent
		r, now = clockwork()
		r.all = &all
		for range 2 * redirectsASecond {
			for _, status := range []int{200, 302, 500} {
				if r.worth(status) {
					counts[status]++
				}
			}
		}
	}
	assert.Equal(t, map[int]int{200: takenByAll, 302: redirectsByAll}, counts)
	next, _ := clockwork()
	next.now, next.all = func() time.Time { return now.Add(time.Second) }, &all
	assert.True(t, next.worth(200))
}
