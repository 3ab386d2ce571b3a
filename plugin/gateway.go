package plugin

import (
	"fmt"

	"github.com/Kong/go-pdk"
	"github.com/Kong/go-pdk/entities"
	"github.com/Kong/go-pdk/server/kong_plugin_protocol"
	"google.golang.org/protobuf/types/known/structpb"

	"diag405/plugin/server"
)

// gateway is what the plugin needs of Kong. Every method is a call that cannot
// raise in the phases named with it (measured on Kong 3.9.1).
type gateway interface {
	// Var is an nginx variable, "" when there is none (access, response).
	Var(name string) (string, error)
	// Route is the route that matched (access, response).
	Route() (entities.Route, error)
	// Service is the service behind it, its zero value when there is none (access,
	// response).
	Service() (entities.Service, error)
	// RequestHeaders are the client's headers, as plugins left them (access,
	// response).
	RequestHeaders() (map[string][]string, error)
	// Status is the upstream's status (response).
	Status() (int, error)
	// ResponseHeaders are the answer's headers so far (response).
	ResponseHeaders() (map[string][]string, error)
	// Body is the upstream's answer's body (response).
	Body() ([]byte, error)
	// SetHeader sets a header of the answer (access, response).
	SetHeader(name, value string) error
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
	// Serialize is Kong's log record, JSON (log).
	Serialize() (string, error)
	// Source is who made the answer: service, exit or error (log).
	Source() (string, error)
}

// pdkGateway is the gateway behind go-pdk.
type pdkGateway struct{ kong *pdk.PDK }

func (g pdkGateway) Var(name string) (string, error) { return server.On(g.kong).Var(name) }

func (g pdkGateway) Route() (entities.Route, error) { return server.On(g.kong).Route() }

func (g pdkGateway) Service() (entities.Service, error) { return server.On(g.kong).Service() }

// -1 is Kong's default of 100 headers; more than 1,000 would raise.
func (g pdkGateway) RequestHeaders() (map[string][]string, error) {
	return g.kong.Request.GetHeaders(-1)
}

func (g pdkGateway) Status() (int, error) { return g.kong.ServiceResponse.GetStatus() }

// ResponseHeaders asks for the response's headers, since the service response's
// come back empty (go-pdk issue 222).
func (g pdkGateway) ResponseHeaders() (map[string][]string, error) {
	return g.kong.Response.GetHeaders(-1)
}

func (g pdkGateway) Body() ([]byte, error) { return g.kong.ServiceResponse.GetRawBody() }

func (g pdkGateway) SetHeader(name, value string) error {
	return g.kong.Response.SetHeader(name, value)
}

func (g pdkGateway) AddHeader(name, value string) error {
	return g.kong.Response.AddHeader(name, value)
}

func (g pdkGateway) ClearHeader(name string) error { return g.kong.Response.ClearHeader(name) }

func (g pdkGateway) ClearRequestHeader(name string) error {
	return g.kong.ServiceRequest.ClearHeader(name)
}

// SetRecord makes the call itself: it is in Kong's protocol, and go-pdk has no
// wrapper for it.
func (g pdkGateway) SetRecord(record map[string]any) error {
	value, err := structpb.NewStruct(record)
	if err != nil {
		return fmt.Errorf("encoding the record: %w", err)
	}
	arg := &kong_plugin_protocol.KV{K: "diag405", V: structpb.NewStructValue(value)}
	return g.kong.Log.Ask("kong.log.set_serialize_value", arg, nil)
}

func (g pdkGateway) Unbuffer() error { return g.kong.Nginx.SetCtx("buffered_proxying", false) }

func (g pdkGateway) Log(level, line string) error { return server.On(g.kong).Log(level, line) }

func (g pdkGateway) Share(key, value string) error { return g.kong.Ctx.SetShared(key, value) }

func (g pdkGateway) Shared(key string) (string, error) { return g.kong.Ctx.GetSharedString(key) }

func (g pdkGateway) Serialize() (string, error) { return g.kong.Log.Serialize() }

func (g pdkGateway) Source() (string, error) { return g.kong.Response.GetSource() }
