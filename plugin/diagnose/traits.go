package diagnose

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// askedHeaders are the headers of a client's request that causes look at, beside those
// that say another method. Of a WebSocket's it counts that there are any.
var askedHeaders = []string{"Origin", "Access-Control-Request-Method", "Content-Type", "Upgrade", "Accept", "Referer"}

// answerHeaders are the headers of an answer that causes look at. With true it counts
// that the header is there.
var answerHeaders = func() map[string]bool {
	names := map[string]bool{"Allow": false, "X-Powered-By": false}
	for _, s := range signs {
		if s.header != "" {
			names[s.header] = s.prefix == ""
		}
	}
	return names
}()

// answerNames are their names in order.
var answerNames = sortedNames(answerHeaders)

func sortedNames(m map[string]bool) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// AppendTraits appends all that [Explain] looks at in an exchange that came from a log,
// the paths left out: what is alike in traits and in the shape of its paths has the same
// cause. Neither part of it can hold what separates it from the next.
func AppendTraits(to []byte, x Exchange) []byte {
	part := func(s string) { to = append(append(to, strings.ReplaceAll(s, "\x00", " ")...), 0) }
	for _, s := range []string{x.Client.Method, x.Client.Scheme, x.Client.Host, x.Upstream.Method, x.Upstream.Scheme, x.Upstream.Host, x.Source, http.StatusText(x.Response.Status)} {
		part(s)
	}
	for _, names := range [][]string{askedHeaders, overrideHeaders} {
		for _, name := range names {
			part(x.Client.Header.Get(name))
		}
	}
	if isLostWebSocket(&view{Exchange: x}) {
		part("websocket")
	}
	if strings.Contains(x.Client.Query, "_method") {
		if query, err := url.ParseQuery(x.Client.Query); err == nil {
			part("_method=" + query.Get("_method"))
		}
	}
	for _, name := range answerNames {
		switch values := x.Response.Header.Values(name); {
		case len(values) > 0 && answerHeaders[name]:
			part("there")
		case len(values) > 0:
			part("=" + strings.Join(values, ","))
		default:
			part("")
		}
	}
	return to
}
