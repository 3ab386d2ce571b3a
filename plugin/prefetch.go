package plugin

import (
	"sync"
	"sync/atomic"

	"diag405/plugin/diagnose"
	"diag405/plugin/server"
)

// asks is a set of calls that are made together. Each costs Kong 5 to 20 µs, so a
// phase asks for no more than it needs, and all of that at once.
type asks uint32

const (
	askStatus asks = 1 << iota
	askToken
	askAccept
	askContentType
	askRequest
	askMethod
	askUpstreamURI
	askUpstreamHost
	askHost
	askRoute
	askService
	askID

	askScheme
	askUpstreamScheme
	askStripped
	askLocation
	askAddress
	askRequestHeaders
	askResponseHeaders
	askAdmitted
	askBody

	askAnswerStatus
	askRecord
	askSource
)

// everyAsk is every call, in the order of its bit.
var everyAsk = []server.Ask{
	server.Status(),
	server.Var(tokenVariable),
	server.Var("http_accept"),
	server.Var("http_content_type"),
	server.Var("request"),
	server.Var("request_method"),
	server.Var("upstream_uri"),
	server.Var("upstream_host"),
	server.Var("http_host"),
	server.Route(),
	server.Service(),
	server.Var(requestID),

	server.Var("scheme"),
	server.Var("upstream_scheme"),
	server.Var("upstream_x_forwarded_prefix"),
	server.Var("sent_http_location"),
	server.Var(clientAddress),
	server.RequestHeaders(),
	server.ResponseHeaders(),
	server.Shared(admittedKey),
	server.Body(),

	server.AnswerStatus(),
	server.Serialize(),
	server.Source(),
}

// Sets that several settings have. All of a set is allowed in its phase.
const (
	// lineAsks are what tells the two sides of a request.
	lineAsks = askRequest | askMethod | askUpstreamURI
	// answeredAsks are what is remembered of an answer that is left alone.
	answeredAsks = lineAsks | askHost | askRoute | askService | askLocation | askAddress
	// exchangeAsks are what explains an answer.
	exchangeAsks = lineAsks | askRoute | askService | askScheme | askUpstreamScheme | askUpstreamHost |
		askStripped | askRequestHeaders | askResponseHeaders
	// recordAsks are what the log phase has of a request.
	recordAsks = askRecord | askSource
)

// batches are those that were made so far: there are few sets, and they serve every
// instance.
var batches sync.Map // asks and whether they are the last: *server.Batch

type batchKey struct {
	asks asks
	last bool
}

// batch is the calls of a set; nil for none.
func (a asks) batch() *server.Batch { return batchKey{a, false}.batch() }

// last is the calls of a set after which the phase makes none.
func (a asks) last() *server.Batch { return batchKey{a, true}.batch() }

func (k batchKey) batch() *server.Batch {
	if k.asks == 0 {
		return nil
	}
	if b, ok := batches.Load(k); ok {
		return b.(*server.Batch)
	}
	var list []server.Ask
	for i, ask := range everyAsk {
		if k.asks&(1<<i) != 0 {
			list = append(list, ask)
		}
	}
	b := server.Together(list...)
	if k.last {
		b = server.Last(list...)
	}
	batches.Store(k, b)
	return b
}

// What the phases ask that do not depend on settings.
var (
	answerStatusBatch = askAnswerStatus.batch()
	keptRequestBatch  = (askRequest | askID).last()
)

// Prefetch names what each phase surely asks, so that it is asked at once.
func (c *Config) Prefetch(phase string) *server.Batch {
	switch phase {
	case "access":
		return c.scope.batch()
	case "response":
		return (askStatus | c.streak.asks(c)).batch()
	}
	return nil
}

// manyInARow is after how many answers to explain, with no other between, the next one
// is taken for such a one, too: all that it needs is then asked with its status. Where
// it is not, the asks were in vain, once.
const manyInARow = 8

// streak is answers to explain with no other between.
type streak struct {
	count atomic.Int64
	body  atomic.Bool // the last one's was read, so that it was short
}

// note counts an answer that was read.
func (s *streak) note(r diagnose.Response) {
	s.body.Store(r.Body != nil)
	s.count.Add(1)
}

// end ends it: with an answer that is not to be explained, or one that could not be read,
// which Kong may ask for again.
func (s *streak) end() { s.count.Store(0) }

// asks are what the next answer needs where it is taken for one of them, beside its
// status. Its body is among them when the last one's was short: a long one would come in
// vain, and is passed over.
func (s *streak) asks(c *Config) asks {
	if s.count.Load() < manyInARow {
		return 0
	}
	a := c.explainAsks()
	if s.body.Load() {
		a |= askBody
	}
	return a
}

// accessAsks are what the access phase of diag405 asks where so much is known.
func (c *Config) accessAsks(k known) asks {
	a := c.requestAsks(k)
	if c.needsToken() {
		a |= askToken
	}
	if c.Buffering == "auto" {
		a |= breakingAsks(k)
	}
	if a != 0 {
		a |= c.scope.asks(k)
	}
	return a
}

// requestAsks are what the access line needs.
func (c *Common) requestAsks(k known) asks {
	var a asks
	switch c.LogRequests {
	case "all":
		a = lineAsks | askHost
	case "changed":
		a = lineAsks | askUpstreamHost
		// The line needs the client's Host, which is asked ahead where it is likely to
		// come, or where it tells whether the upstream's was changed.
		if k.route == nil || k.route.StripPath || k.route.PreserveHost {
			a |= askHost
		}
	default:
		return 0
	}
	if !k.hasRoute {
		a |= askRoute
	}
	if !k.hasService {
		a |= askService
	}
	return a
}

// explainAsks are what an answer that is explained needs.
func (c *Config) explainAsks() asks {
	a := exchangeAsks
	if c.recent.holds() {
		a |= askAddress
	}
	if c.Expose == "full" && c.needsToken() {
		a |= askAdmitted
	}
	return a
}

// Prefetch names what each phase of diag405-log surely asks. Without an access line
// the access phase only listens: Kong goes on at once.
func (c *LogConfig) Prefetch(phase string) *server.Batch {
	switch {
	case phase == "log":
		return answerStatusBatch
	case phase != "access":
		return nil
	case !c.logsInAccess():
		return keptRequestBatch
	}
	return c.scope.batch()
}

func (c *LogConfig) accessAsks(k known) asks {
	return c.requestAsks(k) | c.scope.asks(k) | askRequest | askID
}
