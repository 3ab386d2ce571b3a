package explain

import (
	"context"
	"strings"

	"diag405/cmd/diag405/cli"
	"diag405/cmd/diag405/curl"
	"diag405/cmd/diag405/source"
	"diag405/kong/forecast"
	"diag405/kong/router"
	"diag405/plugin/diagnose"
)

// Question is a request, and the answer that it got, as somebody writes them down.
type Question struct {
	Method  string   `json:"method"`
	Target  string   `json:"target"` // a path, a whole URL, or a curl command, which has the rest, too
	Host    string   `json:"host"`   // "" is the URL's, a header's, or localhost
	Scheme  string   `json:"scheme"` // http or https; "" is the URL's, or http
	Headers []string `json:"headers"`
	// Consumer is a name of the configuration's, "" where nobody is known.
	Consumer string `json:"consumer"`

	Status        int      `json:"status"` // 405, 404, or 0 for an answer that is not known
	Allow         *string  `json:"allow"`  // nil for an answer without Allow
	AnswerHeaders []string `json:"answer_headers"`
}

// Outcome is what -o json prints, and what Kong does with the request in full.
type Outcome struct {
	*Explanation
	Forecast *forecast.Forecast `json:"-"`
	routes   *forecast.Forecaster
}

// Routes are all routes held against the request.
func (o *Outcome) Routes() []router.Reason { return o.routes.Held(o.Forecast.Request) }

// Ask explains a request, as the command does. It sends nothing.
func Ask(from *source.Source, ask Question) (*Outcome, error) {
	o := &options{
		host: strings.TrimSpace(ask.Host), scheme: ask.Scheme, requestHeaders: ask.Headers,
		status: ask.Status, allow: ask.Allow, answerHeaders: ask.AnswerHeaders,
	}
	if err := o.readAsked(ask); err != nil {
		return nil, err
	}
	if err := o.readAnswer(); err != nil {
		return nil, err
	}
	var err error
	if o.asked.Consumer, err = from.Asking(ask.Consumer); err != nil {
		return nil, err
	}
	q, err := Predict(from, o.asked)
	if err != nil {
		return nil, err
	}
	q.out.Answer = answerOf(q.kong.Answer, nil) // without flags
	o.judge(context.Background(), q, nil, diagnose.Offers{})
	return &Outcome{&q.out, q.kong, q.routes}, nil
}

// readAsked takes the request from a curl command where that stands in the target's
// place; what - stands for in it is empty.
func (o *options) readAsked(ask Question) error {
	command := []string{ask.Target}
	if !curl.IsCommand(command) {
		return o.readRequest([]string{ask.Method, ask.Target})
	}
	o.host, o.scheme, o.requestHeaders = "", "", nil
	return o.readCommand(command, cli.Streams{In: strings.NewReader("")})
}
