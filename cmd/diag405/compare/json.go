package compare

import (
	"diag405/cmd/diag405/explain"
	"diag405/plugin/diagnose"
)

// comparisonData is a comparison as JSON.
type comparisonData struct {
	Exchanges []exchangeData       `json:"exchanges"`
	Notes     []string             `json:"notes,omitempty"`
	Differs   []string             `json:"differs"`
	Explained *explain.Explanation `json:"explained,omitempty"` // the answer through Kong
}

type exchangeData struct {
	Way      way            `json:"way"`
	Method   string         `json:"method"`
	URL      string         `json:"url"`
	Host     string         `json:"host"`
	Bytes    int            `json:"bytes"` // of the body
	Upstream *diagnose.Line `json:"upstream,omitempty"`
	Answer   *answerData    `json:"answer,omitempty"`
	Problem  string         `json:"problem,omitempty"` // why there is no answer
}

type answerData struct {
	Status int               `json:"status"`
	Header map[string]string `json:"headers"` // those that tell something
	MadeBy string            `json:"made_by,omitempty"`
	Bytes  int64             `json:"bytes"` // of the body; -1 for an event stream
	Millis float64           `json:"ms"`
}

func (c *comparison) data() comparisonData {
	d := comparisonData{Notes: c.notes, Differs: append([]string{}, c.differs...), Explained: c.verdict}
	for _, x := range c.exchanges {
		e := exchangeData{Way: x.way, Method: x.request.Method, URL: x.request.URL.String(), Host: x.request.Host, Bytes: len(x.request.Body)}
		if line, _, ok := c.upstream(); ok && x.way == throughKong {
			e.Upstream = &line
		}
		if x.problem != nil {
			e.Problem = x.problem.Error()
		} else {
			e.Answer = x.data()
		}
		d.Exchanges = append(d.Exchanges, e)
	}
	return d
}

func (x *exchange) data() *answerData {
	a := &answerData{
		Status: x.answer.Status, Header: map[string]string{}, MadeBy: madeBy(x), Bytes: x.size,
		Millis: float64(x.took.Microseconds()) / 1000,
	}
	for _, name := range shown {
		if value := headerOf(x, name); value != "" {
			a.Header[name] = value
		}
	}
	return a
}
