package diagnose

import (
	"maps"
	"slices"
	"strings"
)

// askedHeaders are the headers of a client's request that causes look at, beside those
// that say another method. Of a WebSocket's it counts that there are any.
var askedHeaders = []string{"Origin", "Access-Control-Request-Method", "Content-Type", "Upgrade", "Accept", "Referer", "Accept-Language", "X-Forwarded-Proto"}

// answerHeaders are the headers of an answer that causes look at. With true it counts
// that the header is there.
var answerHeaders = func() map[string]bool {
	names := map[string]bool{"Allow": false, "X-Powered-By": false, "DAV": true}
	for _, s := range signs {
		if s.header != "" {
			names[s.header] = s.prefix == ""
		}
	}
	return names
}()

// Look is how causes look at a header.
type Look uint8

// No cause looks at most headers.
const (
	NotAt        Look = iota
	AtValue           // what it says
	WhetherThere      // that it is there
)

var (
	askedLooks    = looks(slices.Concat(askedHeaders, overrideHeaders, []string{"Host"}), nil)
	answeredLooks = looks(slices.Collect(maps.Keys(answerHeaders)), answerHeaders)
)

// looks are how causes look at headers, by their names in lower case.
func looks(names []string, there map[string]bool) map[string]Look {
	out := map[string]Look{}
	for _, name := range names {
		out[strings.ToLower(name)] = AtValue
		if there[name] {
			out[strings.ToLower(name)] = WhetherThere
		}
	}
	return out
}

// Asked is how causes look at a header of the client's request, by its name in lower case.
func Asked(name string) Look {
	if strings.HasPrefix(name, "sec-websocket-") {
		return WhetherThere
	}
	return askedLooks[name]
}

// Answered is how causes look at a header of the answer, by its name in lower case.
func Answered(name string) Look { return answeredLooks[name] }
