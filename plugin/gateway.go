package plugin

import (
	"net/http"

	"github.com/Kong/go-pdk"
	"github.com/Kong/go-pdk/entities"

	"diag405/plugin/report"
	"diag405/plugin/server"
)

// gateway is what the plugin needs of Kong. Every method is a call that cannot
// raise in the phases named with it (measured on Kong 3.9.1).
type gateway interface {
	// Ahead makes calls at once whose replies are then there (as they are).
	Ahead(b *server.Batch) error
	// Var is an nginx variable, "" when there is none (access, response).
	Var(name string) (string, error)
	// Route is the route that matched (access, response).
	Route() (entities.Route, error)
	// Service is the service behind it, its zero value when there is none (access,
	// response).
	Service() (entities.Service, error)
	// RequestHeaders are the client's headers, as plugins left them (access,
	// response).
	RequestHeaders() (http.Header, error)
	// Status is the upstream's status (response).
	Status() (int, error)
	// ResponseHeaders are the answer's headers so far (response).
	ResponseHeaders() (http.Header, error)
	// Body is the upstream's answer's body (response).
	Body() ([]byte, error)
	// SetHeader sets a header of the answer (access, response).
	SetHeader(name, value string) error
	// SetHeaders sets headers of the answer, in an order of Kong's (access, response).
	SetHeaders(headers []report.Header) error
	// AddHeader adds a header to those of the answer (access, response).
	AddHeader(name, value string) error
	// ClearHeader takes a header off the answer (access, response).
	ClearHeader(name string) error
	// ClearRequestHeader takes a header off the request (access).
	ClearRequestHeader(name string) error
	// SetRecord puts a value into what log plugins write (access, response).
	SetRecord(record map[string]any) error
	// Unbuffer makes Kong stream the answer, and skip the response phase, for this
	// request (access).
	Unbuffer() error
	// Log writes to Kong's error log (access, response, log).
	Log(level, line string) error

	// Share keeps a string for the request's later phases (access, response).
	Share(key, value string) error
	// Shared is a string that was kept (response, log). A missing one is an error.
	Shared(key string) (string, error)
	// AnswerStatus is the status that the client got (response, log).
	AnswerStatus() (int, error)
	// Serialize is Kong's log record, JSON (log).
	Serialize() (string, error)
	// Source is who made the answer: service, exit or error (log).
	Source() (string, error)
}

// pdkGateway is the gateway behind go-pdk.
type pdkGateway struct{ kong *pdk.PDK }

func (g pdkGateway) Ahead(b *server.Batch) error { return server.On(g.kong).Ahead(b) }

func (g pdkGateway) Var(name string) (string, error) { return server.On(g.kong).Var(name) }

func (g pdkGateway) Route() (entities.Route, error) { return server.On(g.kong).Route() }

func (g pdkGateway) Service() (entities.Service, error) { return server.On(g.kong).Service() }

func (g pdkGateway) RequestHeaders() (http.Header, error) {
	return server.On(g.kong).RequestHeaders()
}

func (g pdkGateway) Status() (int, error) { return server.On(g.kong).Status() }

// ResponseHeaders asks for the response's headers, since the service response's
// come back empty (go-pdk issue 222).
func (g pdkGateway) ResponseHeaders() (http.Header, error) {
	return server.On(g.kong).ResponseHeaders()
}

func (g pdkGateway) Body() ([]byte, error) { return server.On(g.kong).Body() }

func (g pdkGateway) SetHeader(name, value string) error {
	return g.kong.Response.SetHeader(name, value)
}

func (g pdkGateway) SetHeaders(headers []report.Header) error {
	all := make([]server.Header, len(headers))
	for i, h := range headers {
		all[i] = server.Header(h)
	}
	return server.On(g.kong).SetHeaders(all)
}

func (g pdkGateway) AddHeader(name, value string) error {
	return g.kong.Response.AddHeader(name, value)
}

func (g pdkGateway) ClearHeader(name string) error { return g.kong.Response.ClearHeader(name) }

func (g pdkGateway) ClearRequestHeader(name string) error {
	return g.kong.ServiceRequest.ClearHeader(name)
}

func (g pdkGateway) SetRecord(record map[string]any) error {
	return server.On(g.kong).SetSerializeValue("diag405", record)
}

func (g pdkGateway) Unbuffer() error { return g.kong.Nginx.SetCtx("buffered_proxying", false) }

func (g pdkGateway) Log(level, line string) error { return server.On(g.kong).Log(level, line) }

func (g pdkGateway) Share(key, value string) error { return g.kong.Ctx.SetShared(key, value) }

func (g pdkGateway) Shared(key string) (string, error) { return g.kong.Ctx.GetSharedString(key) }

func (g pdkGateway) AnswerStatus() (int, error) { return server.On(g.kong).AnswerStatus() }

func (g pdkGateway) Serialize() (string, error) { return g.kong.Log.Serialize() }

func (g pdkGateway) Source() (string, error) { return g.kong.Response.GetSource() }
