package logread

import (
	"cmp"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"diag405/kong/config"
	"diag405/kong/forecast"
	"diag405/kong/router"
	"diag405/plugin/diagnose"
	"diag405/plugin/record"
)

// Exchange is what a diagnosis in the log says of its request. Route and service are
// known by their names alone. An error is a line without both requests.
func (e Entry) Exchange() (diagnose.Exchange, error) {
	client, ok := ParseRequest(e.Fields["client"])
	upstream, ok2 := ParseRequest(e.Fields["upstream"])
	if !ok || !ok2 {
		return diagnose.Exchange{}, errors.New("it has not both requests")
	}
	x := diagnose.Exchange{
		Client: client, Upstream: upstream, Stripped: e.Fields["stripped"],
		Response: diagnose.Response{Status: e.status(), Header: http.Header{}},
	}
	for field, name := range map[string]string{"allow": "Allow", "server": "Server"} {
		if value := e.Fields[field]; value != "" {
			x.Response.Header.Set(name, value)
		}
	}
	x.Buffered = record.Buffered(x)
	if name := e.Fields["route"]; name != "" {
		x.Route = &config.Route{Name: name}
	}
	if name := e.Fields["service"]; name != "" {
		x.Service = &config.Service{Name: name}
	}
	return x, nil
}

// status is the answer's. Lines of older versions have none: those explained 405 unless
// they were told otherwise.
func (e Entry) status() int {
	if status, err := strconv.Atoi(e.Fields["status"]); err == nil && diagnose.Explains(status) {
		return status
	}
	return http.StatusMethodNotAllowed
}

// ParseRequest reads a request as a line of the log has it, METHOD URL or METHOD PATH. ok
// is false where it is neither.
func ParseRequest(s string) (diagnose.Request, bool) {
	method, target, ok := strings.Cut(s, " ")
	if !ok {
		return diagnose.Request{}, false
	}
	r := diagnose.Request{Method: method, Header: http.Header{}}
	if !strings.HasPrefix(target, "/") {
		scheme, _, ok := strings.Cut(target, "://")
		if r.Scheme = scheme; !ok {
			return diagnose.Request{}, false
		}
		if target, r.Host = router.OriginForm(target); r.Host == "" {
			return diagnose.Request{}, false
		}
		target = "/" + strings.TrimPrefix(target, "/") // which clients put in front of a query
	}
	r.Path, r.Query = router.SplitTarget(target)
	return r, true
}

// Asked is a client's request, to be asked of a forecast.
func Asked(r diagnose.Request) forecast.Request {
	a := forecast.Request{Method: r.Method, Target: r.Path, Host: r.Host, Scheme: cmp.Or(r.Scheme, "http"), Header: r.Header}
	if r.Query != "" {
		a.Target += "?" + r.Query
	}
	if a.Header == nil {
		a.Header = http.Header{}
	}
	return a
}
