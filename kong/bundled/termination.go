package bundled

import (
	"errors"

	"diag405/kong/wire"
)

// Termination is the configuration of request-termination
// (kong/plugins/request-termination).
type Termination struct {
	StatusCode  int    `json:"status_code"`
	Message     string `json:"message"`
	ContentType string `json:"content_type"`
	Body        string `json:"body"`
	Echo        bool   `json:"echo"`
	Trigger     string `json:"trigger"`
}

// defaultMessages are what it says without a message.
var defaultMessages = map[int]string{
	401: "Unauthorized", 404: "Not found", 405: "Method not allowed",
	500: "An unexpected error occurred", 502: "Bad Gateway", 503: "Service unavailable",
}

// Check refuses what contradicts itself.
func (c *Termination) Check() error {
	switch {
	case c.Echo:
		return errors.New("in 'config': in 'echo': the stand-in has no echo")
	case c.Message != "" && (c.ContentType != "" || c.Body != ""):
		return errors.New("in 'config': message cannot be used with content_type or body")
	case c.ContentType != "" && c.Body == "":
		return errors.New("in 'config': content_type requires a body")
	}
	return nil
}

// Access is the answer to a request, nil when its trigger is missing.
func (c *Termination) Access(r *Request) *Answer {
	if c.Trigger != "" && !r.Header.Has(c.Trigger) && DecodeArgs(r.Query)[c.Trigger] == nil {
		return nil
	}
	a := &Answer{Status: c.StatusCode}
	if c.Body != "" {
		a.Body = []byte(c.Body)
		if c.ContentType != "" {
			a.Header.Set("Content-Type", c.ContentType)
		}
		return a
	}
	message := c.Message
	if message == "" {
		message = defaultMessages[c.StatusCode]
	}
	if message != "" {
		a.Body, _ = JSON(map[string]string{"message": message}) // strings always encode
		a.Header = wire.Fields{{Name: "Content-Type", Value: "application/json; charset=utf-8"}}
	}
	return a
}
