package doctor

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// requestTimeout bounds the one request.
const requestTimeout = 20 * time.Second

// send sends a request that gets a 405, and looks for the explanation in the answer.
func (k *installation) send(req *http.Request) finding {
	what := req.Method + " " + req.URL.RequestURI()
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", "diag405-doctor")
	}
	client := &http.Client{
		Timeout:       requestTimeout,
		Transport:     &http.Transport{DisableKeepAlives: true}, // and no proxy of the environment's
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(req)
	if err != nil {
		var inner *url.Error
		if errors.As(err, &inner) {
			err = inner.Err
		}
		return finding{"request", wrong, fmt.Sprintf("%s to %s got no answer: %v", what, req.URL.Host, err), "name Kong's address with -proxy"}
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20)) // of no interest
	for _, prefix := range k.prefixes {
		if cause := res.Header.Get(prefix); cause != "" {
			return finding{Check: "request", Status: right, Says: fmt.Sprintf("%s got %d and is explained: %s: %s", what, res.StatusCode, prefix, cause)}
		}
	}
	return unexplained(what, res)
}

func unexplained(what string, res *http.Response) finding {
	switch res.StatusCode {
	case http.StatusMethodNotAllowed:
		return finding{"request", wrong, what + " got 405 and no header that explains it",
			"put diag405 on that route; where it is there, look at expose, and at Kong's error log for [diag405]. diag405-log adds no header"}
	case http.StatusInternalServerError:
		return finding{"request", wrong, what + " got 500, as every request does whose plugin server is away", "look at the plugin server, with -socket, and at Kong's error log"}
	}
	return finding{"request", look, fmt.Sprintf("%s got %d: there is nothing to explain", what, res.StatusCode), "name a request that gets a 405"}
}
