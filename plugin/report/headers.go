package report

import (
	"fmt"

	"github.com/dunglas/httpsfv"

	"diag405/plugin/diagnose"
)

// Limits of the headers, in bytes of their values.
const (
	maxValue = 512  // each
	maxAll   = 1536 // together
)

// When the values together are over the limit, these are the shares. What
// explains is worth more than what repeats the request.
const (
	shareProse   = 480 // reason, fix
	shareRequest = 260 // request, upstream
)

// Header is one response header.
type Header struct{ Name, Value string }

// HeaderNames are the names of all headers that can be set, in order, for a
// prefix such as X-Diag.
func HeaderNames(prefix string) []string {
	return []string{prefix, prefix + "-Reason", prefix + "-Fix", prefix + "-Request", prefix + "-Upstream"}
}

// Headers are the response headers of a diagnosis, in the order in which people
// want to read them. The first is an RFC 9651 item, a token with parameters; the
// others are prose. Every value is visible ASCII, at most 512 bytes long, all of
// them together at most 1,536.
func Headers(x diagnose.Exchange, d diagnose.Diagnosis, o Options) []Header {
	values := []string{codeItem(d)}
	if !o.CodeOnly {
		values = append(values,
			cut(ascii(withoutUserInfo(d.Reason)), maxValue),
			cut(ascii(withoutUserInfo(d.Fixes[0].Words)), maxValue),
			cut(ascii(withoutUserInfo(x.Client.Line().String())), maxValue),
			cut(ascii(withoutUserInfo(upstreamLine(x, o))), maxValue))
	}
	share(values)
	names := HeaderNames(o.HeaderPrefix)
	out := make([]Header, len(values))
	for i, value := range values {
		out[i] = Header{names[i], value}
	}
	return out
}

// codeItem is the cause and its certainty as an RFC 9651 item (section 3.3).
func codeItem(d diagnose.Diagnosis) string {
	item := httpsfv.NewItem(httpsfv.Token(d.Cause))
	item.Params.Add("certainty", httpsfv.Token(d.Certainty))
	s, err := httpsfv.Marshal(item)
	if err != nil {
		// Codes and certainties are constants of ours, and tokens all of them.
		panic(fmt.Sprintf("bug: %q is not a structured field token: %v", d.Cause, err))
	}
	return s
}

// ProxyStatus is a member of the Proxy-Status header (RFC 9209): the gateway
// received this status from the next hop and made none itself, so it has no error
// type.
func ProxyStatus(x diagnose.Exchange) string {
	item := httpsfv.NewItem(httpsfv.Token("kong"))
	item.Params.Add("received-status", int64(x.Response.Status))
	s, err := httpsfv.Marshal(item)
	if err != nil {
		panic(fmt.Sprintf("bug: %d is not a structured field integer: %v", x.Response.Status, err))
	}
	return s
}

func upstreamLine(x diagnose.Exchange, o Options) string {
	if !o.ShowAddress {
		return x.Upstream.Line().String()
	}
	r := x.Upstream
	r.Query = ""
	return target(r, o)
}

// share cuts the values down to their shares when they are too long together.
func share(values []string) {
	total := 0
	for _, v := range values {
		total += len(v)
	}
	if total <= maxAll {
		return
	}
	for i := range values {
		switch i {
		case 0:
		case 1, 2:
			values[i] = cut(values[i], shareProse)
		default:
			values[i] = cut(values[i], shareRequest)
		}
	}
}
