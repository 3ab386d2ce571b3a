package forecast

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"diag405/kong/config"
	"diag405/kong/wire"
)

// BufferedMethod is the method that leaves Kong's buffered hop. The hop is a
// subrequest, and sends what has no number in nginx's Lua module as GET
// (HTTP_METHODS in kong/init.lua; measured).
func BufferedMethod(method string) string {
	if method == "" || wire.HasNumber(method) {
		return method
	}
	return http.MethodGet
}

// BreaksBuffered reports the requests whose answer buffering would break: of a
// method that the hop changes, for an event stream, which has no end, and gRPC,
// where it matters which piece comes when. Upgraded connections Kong leaves
// unbuffered by itself (Kong.access in kong/init.lua).
func BreaksBuffered(method, accept, contentType string) bool {
	return BufferedMethod(method) != method || wantsEvents(accept) || IsGRPC(strings.ToLower(contentType))
}

func wantsEvents(accept string) bool {
	return strings.Contains(strings.ToLower(accept), "text/event-stream")
}

// Unbuffers is diag405 among the plugins that apply, nil where it is not or is told
// to buffer always: it takes requests out of buffering that this would break, for
// all plugins.
func Unbuffers(applying []*config.Plugin) *config.Plugin {
	return named(applying, func(p *config.Plugin) bool {
		return isOwn(p) && p.Config["buffering"] != "always"
	})
}

// Hop is the plugin among those that apply for which Kong sends through its buffered
// hop a request that this breaks, nil for none. One that buffers unless it is asked
// not to counts. Of several it is diag405, which can be told to take such requests
// out of buffering for all of them. Response names plugins that have a response
// phase beside those of the table.
func Hop(applying []*config.Plugin, response ...string) *config.Plugin {
	if Unbuffers(applying) != nil {
		return nil
	}
	if own := named(applying, isOwn); own != nil {
		return own
	}
	return named(applying, func(p *config.Plugin) bool {
		known, _ := Known(p.Name)
		return known.Buffers == Buffers || known.Buffers == BuffersUnasked || slices.Contains(response, p.Name)
	})
}

func isOwn(p *config.Plugin) bool { return p.Name == Own }

func named(list []*config.Plugin, is func(*config.Plugin) bool) *config.Plugin {
	if i := slices.IndexFunc(list, is); i >= 0 {
		return list[i]
	}
	return nil
}

// foreseeBuffering says what becomes of a request that buffering breaks.
func (c *course) foreseeBuffering(applying []*config.Plugin) {
	header := c.Request.Header
	breaks := BreaksBuffered(c.Upstream.Method, header.Get("Accept"), header.Get("Content-Type"))
	own := Unbuffers(applying)
	switch {
	case own != nil && (breaks || header.Get("Upgrade") != ""):
		c.watch("plugin %s leaves this request unbuffered, so it does not explain the answer in headers", own.Name)
	case own != nil, !breaks:
	default:
		c.breakByHop(applying)
		c.breakByReading(applying)
	}
}

// breakByHop is what Kong's buffered hop does to the request, for a plugin that is
// known to want it, or may.
func (c *course) breakByHop(applying []*config.Plugin) {
	applying = slices.DeleteFunc(slices.Clone(applying), func(p *config.Plugin) bool {
		known, _ := Known(p.Name)
		return known.Buffers == BuffersUnasked && asksForStream(c.Request.Body)
	})
	p, verb, unless := Hop(applying), "makes", ""
	sure := p != nil
	if !sure {
		p, verb = named(applying, isStranger), "makes, if it has a response phase,"
	}
	if p == nil {
		return
	}
	if known, _ := Known(p.Name); known.Buffers == BuffersUnasked && c.Request.Body == nil {
		unless = `, unless the request's body has "stream": true`
	}
	if wantsEvents(c.Request.Header.Get("Accept")) {
		c.watch("plugin %s %s Kong read the whole answer first: an event stream does not reach the client%s", p.Name, verb, unless)
	}
	method := c.Upstream.Method
	if BufferedMethod(method) == method {
		return
	}
	c.watch("plugin %s %s Kong buffer the answer, and its buffered hop sends %s as GET%s", p.Name, verb, method, unless)
	if sure {
		c.Upstream.Method, c.Buffered = BufferedMethod(method), p
	}
}

// breakByReading is what a plugin does that asks the upstream by itself.
func (c *course) breakByReading(applying []*config.Plugin) {
	p := named(applying, func(p *config.Plugin) bool {
		known, _ := Known(p.Name)
		return known.Buffers == Reads
	})
	if p != nil && wantsEvents(c.Request.Header.Get("Accept")) {
		c.watch("plugin %s reads the whole answer first: an event stream does not reach the client", p.Name)
	}
}

// isStranger reports a plugin whose phases are not known.
func isStranger(p *config.Plugin) bool {
	_, ok := Known(p.Name)
	return !ok
}

// asksForStream reports whether a model is asked to answer in a stream: a "stream"
// that is true to Lua (kong/llm/plugin/shared-filters/parse-request.lua).
func asksForStream(body []byte) bool {
	var request struct{ Stream any }
	return json.Unmarshal(body, &request) == nil && request.Stream != nil && request.Stream != false
}
