package server

import (
	"fmt"

	"github.com/Kong/go-pdk"
)

// typical is a plugin like diag405's: an access line for every request, and
// headers on one status.
type typical struct {
	Status int    `json:"status"`
	Header string `json:"header"`
}

func newTypical() any { return &typical{Status: 405, Header: "X-Test"} }

// typicalVars are what its access phase reads.
var typicalVars = []string{
	"request", "request_method", "upstream_scheme", "upstream_host", "upstream_uri", "upstream_x_forwarded_prefix",
}

// typicalBatches are what its phases ask.
var typicalBatches = map[string]*Batch{
	"access": Together(Var("request"), Var("request_method"), Var("upstream_scheme"), Var("upstream_host"), Var("upstream_uri"),
		Var("upstream_x_forwarded_prefix"), Route(), Service()),
	"response": Together(Status()),
}

func (*typical) Prefetch(phase string) *Batch { return typicalBatches[phase] }

func (c *typical) Access(kong *pdk.PDK) {
	line := ""
	for _, name := range typicalVars {
		v, err := kong.Nginx.GetVar(name)
		if err != nil {
			return
		}
		line += name + "=" + v + " "
	}
	route, err := kong.Router.GetRoute()
	if err != nil {
		return
	}
	service, err := kong.Router.GetService()
	if err != nil {
		return
	}
	kong.Log.Notice(line + "route=" + route.Name + " service=" + service.Name)
}

func (c *typical) Response(kong *pdk.PDK) {
	status, err := kong.ServiceResponse.GetStatus()
	if err != nil || status != c.Status {
		return
	}
	headers, err := kong.Response.GetHeaders(-1)
	if err != nil {
		return
	}
	kong.Response.SetHeader(c.Header, fmt.Sprint("explained ", headers["allow"]))
	kong.Log.Warn("explained")
}

// scripted is a plugin whose handlers a test gives it.
type scripted struct {
	access, response func(*pdk.PDK)
	asks             *Batch
	Number           int `json:"number"`
}

func (c *scripted) Access(kong *pdk.PDK)   { c.access(kong) }
func (c *scripted) Response(kong *pdk.PDK) { c.response(kong) }
func (c *scripted) Prefetch(string) *Batch { return c.asks }

// script is a plugin with one handler.
func script(access func(*pdk.PDK), asks ...Ask) Plugin {
	return Plugin{New: func() any { return &scripted{access: access, asks: Together(asks...)} }, Name: "scripted"}
}

// direct is typical with direct calls.
type direct struct{ typical }

func newDirect() any { return &direct{*newTypical().(*typical)} }

func (c *direct) Access(kong *pdk.PDK) {
	d := On(kong)
	line := make([]byte, 0, 512)
	for _, name := range typicalVars {
		v, err := d.Var(name)
		if err != nil {
			return
		}
		line = append(append(append(line, name...), '='), v...)
		line = append(line, ' ')
	}
	route, err := d.Route()
	if err != nil {
		return
	}
	service, err := d.Service()
	if err != nil {
		return
	}
	line = append(append(line, "route="+route.Name...), " service="+service.Name...)
	d.Log("notice", string(line))
}
