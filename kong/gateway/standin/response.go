package standin

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"diag405/kong/wire"
)

// response is what the client gets, and whose it is.
type response struct {
	status   int
	header   wire.Fields
	body     []byte
	sent     int64  // bytes of the body
	received *reply // what the upstream answered; nil when it did not

	proxied    bool // KONG_PROXIED: it was to be proxied, which may have failed
	exited     bool // KONG_EXITED: Kong or a plugin made the answer
	unexpected bool // KONG_UNEXPECTED: so did an error

	times times
}

// times are what the latency headers are computed of.
type times struct {
	accessEnd, answered, finished time.Time
}

// source is kong.response.get_source.
func (r *response) source() string {
	switch {
	case r.unexpected:
		return "error"
	case r.exited:
		return "exit"
	case r.proxied:
		return "service"
	}
	return "error"
}

// fail makes the answer to a request whose upstream could not be asked.
func (x *exchange) fail(err error) {
	status := 502
	var failed *upstreamError
	if errors.As(err, &failed) {
		status = failed.status
	}
	x.response.times.answered = time.Now()
	x.apply(x.errorPage(status))
}

// serveBuffered reads the whole answer and runs the response phase on it
// (Kong.response in kong/init.lua).
func (x *exchange) serveBuffered(ctx context.Context) {
	r, err := x.askUpstream(ctx)
	if err != nil {
		x.fail(err)
		return
	}
	body, err := io.ReadAll(r.body)
	r.close()
	if err != nil {
		x.logUpstream(failure("reading upstream", err, true))
		x.fail(failure("reading upstream", err, true))
		return
	}
	x.response.times.answered = time.Now()
	x.response.received, x.response.status, x.response.body = r, r.status, body
	x.response.received.body = nil
	header := upstreamFields(r.header)
	for _, name := range header.Names() {
		x.response.header.Set(spelling(header, name), header.Values(name)...)
	}
	x.runResponse()
}

// upstreamFields are the fields of an upstream's answer that go on to the
// client: without those of the one connection, and what nginx's proxy module
// hides.
func upstreamFields(f wire.Fields) wire.Fields {
	hidden := []string{
		"Connection", "Keep-Alive", "Transfer-Encoding", "X-Pad", "X-Accel-Expires", "X-Accel-Redirect",
		"X-Accel-Limit-Rate", "X-Accel-Buffering", "X-Accel-Charset",
	}
	f = f.Clone()
	for _, name := range hidden {
		f.Del(name)
	}
	return f
}

// stream passes the upstream's answer on as it comes.
func (x *exchange) stream(w *clientWriter, r *reply) {
	defer r.close()
	x.response.received, x.response.status = r, r.status
	x.response.times.answered = time.Now()
	header := upstreamFields(r.header)
	for _, name := range r.header.Tokens("Connection") {
		if name != "close" && name != "upgrade" && name != "keep-alive" {
			header.Del(name)
		}
	}
	for _, name := range []string{"Content-Type", "Content-Length", "Date", "Server"} {
		if header.Has(name) {
			x.response.header.Del(name)
		}
	}
	x.response.header = append(x.response.header, header...)
	x.filterHeader()
	if err := w.stream(x.client, &x.response); err != nil {
		x.logUpstream(failure("reading upstream", err, true))
	}
}

// filterHeader is Kong's header_filter phase: plugins first, then the fields
// that Kong adds (header_filter in kong/runloop/handler.lua).
func (x *exchange) filterHeader() {
	r := &x.response
	if r.proxied {
		if up := r.header.Get("Upgrade"); up != "" && !strings.EqualFold(up, x.upstream.upgrade) {
			r.header.Del("Upgrade")
		}
		if x.upstream.te == "" {
			r.header.Del("Trailer")
		}
	}
	for _, p := range x.chain() {
		if p.bundled != nil && p.bundled.filterHeader != nil {
			p.bundled.filterHeader(x, p)
		}
	}
	if r.proxied {
		x.addProxied()
	} else {
		r.header.Set("X-Kong-Response-Latency", milliseconds(time.Since(x.started)))
		r.header.Set("Server", serverHeader)
	}
	r.header.Set("X-Kong-Request-Id", x.id)
	addCharset(r.status, r.header)
}

// addProxied adds the fields of an answer to a request that was to be proxied.
func (x *exchange) addProxied() {
	r := &x.response
	r.header.Set("X-Kong-Upstream-Latency", milliseconds(r.times.answered.Sub(r.times.accessEnd)))
	r.header.Set("X-Kong-Proxy-Latency", milliseconds(r.times.accessEnd.Sub(x.started)))
	// The variable that tells the upstream's Via is empty for a buffered answer.
	via := ""
	if !x.run.buffered && r.received != nil {
		via = r.received.header.Get("Via")
	}
	r.header.Set("Via", appended(via, "1.1 "+serverHeader))
	if !r.header.Has("Server") {
		r.header.Set("Server", serverHeader)
	}
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
