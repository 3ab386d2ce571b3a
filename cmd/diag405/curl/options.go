package curl

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// option is one of curl's, and what is done about it: do, or a note that it is left out;
// without either it only concerns what curl prints, or how it connects.
type option struct {
	long  string
	short byte
	value bool
	do    func(r *reader, value string) error
	note  string
}

var byLong, byShort = map[string]option{}, map[byte]option{}

func init() {
	for _, o := range options {
		byLong[o.long] = o
		if o.short != 0 {
			byShort[o.short] = o
		}
	}
}

// options are those that people use with a request that fails (curl's manual page).
var options = []option{
	{long: "url", value: true, do: func(r *reader, v string) error { r.urls = append(r.urls, v); return nil }},
	{long: "request", short: 'X', value: true, do: (*reader).setMethod},
	{long: "head", short: 'I', do: func(r *reader, _ string) error { r.head = true; return nil }},
	{long: "get", short: 'G', do: func(r *reader, _ string) error { r.get = true; return nil }},
	{long: "path-as-is", do: func(r *reader, _ string) error { r.raw = true; return nil }},
	{long: "header", short: 'H', value: true, do: (*reader).addHeader},
	{long: "user-agent", short: 'A', value: true, do: headerOption("User-Agent")},
	{long: "referer", short: 'e', value: true, do: headerOption("Referer")},
	{long: "user", short: 'u', value: true, do: (*reader).setUser},
	{long: "oauth2-bearer", value: true, do: func(r *reader, v string) error { r.header.Set("Authorization", "Bearer "+v); return nil }},
	{long: "cookie", short: 'b', value: true, do: (*reader).setCookie},
	{long: "range", short: 'r', value: true, do: func(r *reader, v string) error { r.header.Set("Range", "bytes="+v); return nil }},
	{long: "compressed", do: func(r *reader, _ string) error {
		r.header.Set("Accept-Encoding", "deflate, gzip, br, zstd")
		return nil
	}},

	{long: "data", short: 'd', value: true, do: func(r *reader, v string) error { return r.addData(v, trimmed) }},
	{long: "data-ascii", value: true, do: func(r *reader, v string) error { return r.addData(v, trimmed) }},
	{long: "data-binary", value: true, do: func(r *reader, v string) error { return r.addData(v, whole) }},
	{long: "data-raw", value: true, do: func(r *reader, v string) error { return r.addText(v) }},
	{long: "data-urlencode", value: true, do: (*reader).addEncoded},
	{long: "json", value: true, do: (*reader).addJSON},
	{long: "form", short: 'F', value: true, do: func(r *reader, v string) error { r.form = append(r.form, v); return nil }},
	{long: "form-string", value: true, do: func(r *reader, v string) error {
		r.form = append(r.form, strings.Replace(v, "=", "=\x00", 1))
		return nil
	}},
	{long: "upload-file", short: 'T', value: true, do: (*reader).setUpload},

	{long: "insecure", short: 'k', do: func(r *reader, _ string) error { r.insecure = true; return nil }},
	{long: "resolve", value: true, do: (*reader).addResolve},
	{long: "connect-to", value: true, do: (*reader).addConnectTo},
	{long: "proxy", short: 'x', value: true, do: func(r *reader, v string) error { r.proxy = v; return nil }},
	{long: "max-time", short: 'm', value: true, do: func(r *reader, v string) (err error) { r.timeout, err = seconds(v); return err }},
	{long: "connect-timeout", value: true, do: func(r *reader, v string) (err error) { r.connect, err = seconds(v); return err }},

	{long: "location", short: 'L', note: "a redirect is shown, and not followed"},
	{long: "location-trusted", note: "a redirect is shown, and not followed"},
	{long: "max-redirs", value: true},
	{long: "netrc", short: 'n', note: "not read, so what it holds is not sent"},
	{long: "digest", note: "not done here: what -u gives is sent as Basic"},
	{long: "anyauth", note: "not done here: what -u gives is sent as Basic"},
	{long: "basic"},
	{long: "http1.0", short: '0', note: "HTTP/1.1 is spoken instead"},
	{long: "http1.1"},
	{long: "http2", note: "spoken over TLS alone, where it is offered"},
	{long: "http2-prior-knowledge", note: "HTTP/1.1 is spoken instead, but over TLS"},
	{long: "http3", note: "not spoken"},
	{long: "haproxy-protocol", note: "not spoken"},
	{long: "interface", value: true, note: "not done here"},
	{long: "cacert", value: true, note: "not read: the system's certificates count, or -k"},

	{long: "cert", short: 'E', value: true, do: refuse},
	{long: "key", value: true, do: refuse},
	{long: "config", short: 'K', value: true, do: refuse},
	{long: "next", short: ':', do: refuse},
	{long: "unix-socket", value: true, do: refuse},
	{long: "request-target", value: true, do: refuse},
	{long: "aws-sigv4", value: true, do: refuse},
	{long: "ntlm", do: refuse},
	{long: "negotiate", do: refuse},
	{long: "socks5", value: true, do: refuse},

	{long: "include", short: 'i'}, {long: "show-headers"}, {long: "silent", short: 's'}, {long: "show-error", short: 'S'},
	{long: "verbose", short: 'v'}, {long: "fail", short: 'f'}, {long: "fail-with-body"}, {long: "fail-early"},
	{long: "output", short: 'o', value: true}, {long: "output-dir", value: true}, {long: "remote-name", short: 'O'}, {long: "remote-header-name", short: 'J'},
	{long: "write-out", short: 'w', value: true}, {long: "dump-header", short: 'D', value: true}, {long: "cookie-jar", short: 'c', value: true},
	{long: "progress-bar", short: '#'}, {long: "progress-meter"}, {long: "no-buffer", short: 'N'}, {long: "buffer"}, {long: "globoff", short: 'g'},
	{long: "ipv4", short: '4'}, {long: "ipv6", short: '6'}, {long: "keepalive"}, {long: "styled-output"}, {long: "disable", short: 'q'},
	{long: "retry", value: true}, {long: "retry-delay", value: true}, {long: "retry-max-time", value: true}, {long: "retry-all-errors"}, {long: "retry-connrefused"},
	{long: "trace", value: true}, {long: "trace-ascii", value: true}, {long: "trace-time"}, {long: "stderr", value: true}, {long: "raw"},
	{long: "noproxy", value: true}, {long: "limit-rate", value: true}, {long: "tlsv1.2"}, {long: "tlsv1.3"}, {long: "ssl-no-revoke"}, {long: "tcp-nodelay"},
	{long: "keepalive-time", value: true}, {long: "expect100-timeout", value: true}, {long: "create-dirs"}, {long: "junk-session-cookies", short: 'j'},
}

func refuse(*reader, string) error {
	return errors.New("the request would be another one without it, and only curl can do it: send it with curl -i, and paste the answer to diag405 explain -answer")
}

func headerOption(name string) func(*reader, string) error {
	return func(r *reader, value string) error {
		if value == "" {
			r.removed = append(r.removed, name)
			return nil
		}
		r.header.Set(name, value)
		return nil
	}
}

func (r *reader) setMethod(value string) error {
	if !isToken(value) {
		return errors.New("no method (RFC 9110 section 9.1)")
	}
	r.method = value
	return nil
}

// addHeader takes Name: value; Name: alone takes a header of curl's own away, and Name;
// sends one without a value. @FILE has a header a line.
func (r *reader) addHeader(value string) error {
	if file, ok := strings.CutPrefix(value, "@"); ok {
		data, err := r.file(file)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(data)) {
			if line = strings.TrimRight(line, "\r\n"); line != "" {
				if err := r.addHeader(line); err != nil {
					return err
				}
			}
		}
		return nil
	}
	name, text, ok := strings.Cut(value, ":")
	if bare, isEmpty := strings.CutSuffix(value, ";"); isEmpty && !ok {
		r.header.Add(bare, "")
		return nil
	}
	if !ok || name == "" || strings.ContainsAny(name, " \t") || strings.ContainsAny(value, "\r\n") {
		return errors.New("no header such as 'Name: value'")
	}
	if text = strings.TrimSpace(text); text == "" {
		r.removed = append(r.removed, textproto.CanonicalMIMEHeaderKey(name))
		return nil
	}
	r.header.Add(name, text)
	return nil
}

func (r *reader) setUser(value string) error {
	if !strings.Contains(value, ":") {
		return errors.New("want USER:PASSWORD, as nothing is asked here")
	}
	r.header.Set("Authorization", basic(value))
	return nil
}

func basic(credentials string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(credentials))
}

func (r *reader) setCookie(value string) error {
	if !strings.Contains(value, "=") {
		r.note("-b: the cookies in the file " + strconv.Quote(value) + " are not sent")
		return nil
	}
	if before := r.header.Get("Cookie"); before != "" {
		value = before + ";" + value
	}
	r.header.Set("Cookie", value)
	return nil
}

// addResolve takes HOST:PORT:ADDRESS, of several addresses the first.
func (r *reader) addResolve(value string) error {
	parts := strings.SplitN(strings.TrimPrefix(value, "+"), ":", 3)
	if len(parts) != 3 {
		return errors.New("want HOST:PORT:ADDRESS")
	}
	address, _, _ := strings.Cut(parts[2], ",")
	address = strings.Trim(address, "[]")
	if net.ParseIP(address) == nil {
		return fmt.Errorf("%q is no IP address", address)
	}
	r.resolve[strings.ToLower(net.JoinHostPort(parts[0], parts[1]))] = net.JoinHostPort(address, parts[1])
	return nil
}

// addConnectTo takes HOST1:PORT1:HOST2:PORT2, the last two of which may be empty.
func (r *reader) addConnectTo(value string) error {
	parts := ports.FindStringSubmatch(value)
	if parts == nil {
		return errors.New("want HOST1:PORT1:HOST2:PORT2")
	}
	host, port := cmp.Or(strings.Trim(parts[3], "[]"), strings.Trim(parts[1], "[]")), cmp.Or(parts[4], parts[2])
	r.resolve[strings.ToLower(net.JoinHostPort(strings.Trim(parts[1], "[]"), parts[2]))] = net.JoinHostPort(host, port)
	return nil
}

var ports = regexp.MustCompile(`^(\[[^\]]+\]|[^:]+):(\d+):(\[[^\]]+\]|[^:]*):(\d*)$`)

func seconds(value string) (time.Duration, error) {
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || n < 0 || n > 1e6 {
		return 0, errors.New("want seconds")
	}
	return time.Duration(n * float64(time.Second)), nil
}

// maxFile bounds what is read of a file, in bytes.
const maxFile = 64 << 20

// file reads a file that curl is told to send; - is stdin.
func (r *reader) file(name string) ([]byte, error) {
	in := r.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("it is larger than %d MB", maxFile>>20)
	}
	return data, err
}
