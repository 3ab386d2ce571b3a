package curl

import (
	"fmt"
	"net/url"
	"strings"
)

// parseURL takes a URL apart as curl does: http is what it is without a scheme, dot
// segments are resolved unless it is to be left as it is, and a fragment is not sent. The
// credentials in it are an Authorization header's value.
func parseURL(raw string, asItIs bool) (u URL, credentials string, err error) {
	if !strings.Contains(raw, "://") {
		raw = "http://" + raw
	}
	scheme, rest, _ := strings.Cut(raw, "://")
	at := len(rest)
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		at = i
	}
	parsed, err := url.Parse(scheme + "://" + rest[:at]) // what is behind it goes as it is
	switch {
	case strings.ContainsFunc(raw, unfit):
		return u, "", fmt.Errorf("URL %q has white space, which no request line can carry", raw)
	case err != nil:
		return u, "", err
	case parsed.Scheme != "http" && parsed.Scheme != "https", parsed.Host == "":
		return u, "", fmt.Errorf("URL %q is not http:// or https:// and a host", raw)
	case strings.ContainsAny(raw, "{}"):
		return u, "", fmt.Errorf("URL %q has {}, for which curl sends several requests: name one", raw)
	}
	target, _, _ := strings.Cut(rest[at:], "#")
	path, query, hasQuery := strings.Cut(target, "?")
	if !asItIs {
		path = withoutDots(path)
	}
	if u = (URL{parsed.Scheme, parsed.Host, "/" + strings.TrimPrefix(path, "/")}); hasQuery {
		u.Target += "?" + query
	}
	if parsed.User != nil {
		password, _ := parsed.User.Password()
		credentials = basic(parsed.User.Username() + ":" + password)
	}
	return u, credentials, nil
}

// withoutDots resolves dot segments (RFC 3986 section 5.2.4), and changes nothing else.
func withoutDots(path string) string {
	var kept []string
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, s := range segments {
		last := i == len(segments)-1
		switch s {
		case ".", "..":
			if s == ".." && len(kept) > 0 {
				kept = kept[:len(kept)-1]
			}
			if last {
				kept = append(kept, "")
			}
		default:
			kept = append(kept, s)
		}
	}
	return "/" + strings.Join(kept, "/")
}
