package curl

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// commands are sent by curl itself and read by us; both have to be the same request.
// URL stands for that of what listens, FILE for a file.
var commands = []string{
	"curl URL",
	"curl URL/a/b?x=1&y=%2F#fragment",
	"curl URL?x=1",
	"curl URL/a/../b/./c",
	"curl URL/a/..",
	"curl --path-as-is URL/a/../b",
	"curl URL//a%2Fb//c",
	"curl -X POST URL/items",
	"curl -XPOST URL/items -d {}",
	"curl -sSiX PUT URL/items -d a=1 -d b=2",
	"curl -X purge URL/items",
	"curl URL/items --data a=1 --data-raw @b --data-binary @FILE -d @FILE",
	"curl URL/items --data-urlencode a=b+c/d --data-urlencode e+f --data-urlencode =g&h --data-urlencode i@FILE",
	`curl URL/items --json {"a": --json 1}`,
	"curl URL/items --json {} -H Accept:text/plain -H Content-Type:application/x",
	"curl -G URL/items -d a=1 -d b=2",
	"curl -G URL/items?c=3 -d a=1",
	"curl -I URL/items",
	"curl -X DELETE -I URL/items",
	"curl -T FILE URL/items",
	"curl URL/items -d@FILE -H Content-Type:application/json",
	"curl URL -H X-A:1 -H x-b:2 -H User-Agent: -H Accept: -H X-Empty;",
	"curl URL -H Host:other.example:81",
	"curl URL -d a -H Content-Type:",
	"curl URL -A agent/1 -e http://from.example/ -u ann:secret -b a=1;b=2 -b c=3",
	"curl URL -A=",
	"curl URL -r 0-9 --oauth2-bearer token --compressed -k -g -f -o out.txt",
	"curl --url URL/a --max-time 5 --connect-timeout 2.5 --retry 1 --http1.1",
}

func TestAsCurlDoes(t *testing.T) {
	program, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("curl is not installed")
	}
	got := make(chan *Request, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		got <- &Request{Method: r.Method, URL: URL{"http", r.Host, r.RequestURI}, Host: r.Host, Header: r.Header, Body: body}
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "file.txt")
	require.NoError(t, os.WriteFile(file, []byte("one=1\r\ntwo\n"), 0o644))
	for _, command := range commands {
		words := strings.Fields(strings.NewReplacer("URL", server.URL, "FILE", file).Replace(command))
		ours, err := Parse(words, nil)
		require.NoError(t, err, command)
		cmd := exec.Command(program, append([]string{"-q", "--no-progress-meter", "-o", os.DevNull}, words[1:]...)...)
		cmd.Dir = t.TempDir()
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", command, err, out)
		}
		sameRequest(t, command, <-got, ours)
	}
}

// agent is the program's, which differs, and versions.
var agent = regexp.MustCompile(`^curl/\S+( diag405)?$`)

func sameRequest(t *testing.T, command string, theirs, ours *Request) {
	t.Helper()
	theirs.Header.Del("Content-Length")
	theirs.Header.Del("Expect") // how a large body is sent, by some versions any file
	for _, h := range []http.Header{theirs.Header, ours.Header} {
		if agent.MatchString(h.Get("User-Agent")) {
			h.Set("User-Agent", "curl")
		}
		if h.Get("Accept-Encoding") != "" {
			h.Set("Accept-Encoding", "what it was built with")
		}
	}
	assert.Equal(t, theirs.Method, ours.Method, command)
	assert.Equal(t, theirs.URL.Target, ours.URL.Target, command)
	assert.Equal(t, theirs.Host, ours.Host, command)
	assert.Equal(t, theirs.Header, ours.Header, command)
	assert.Equal(t, string(theirs.Body), string(ours.Body), command)
}

func TestForm(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.txt")
	require.NoError(t, os.WriteFile(file, []byte("content"), 0o644))
	r, err := Parse([]string{"localhost/up", "-F", "a=1;type=text/x", "-F", "f=@" + file, "-F", "g=<" + file, "--form-string", "s=@;x", "-F", "h=@-;filename=in"}, strings.NewReader("stdin"))
	require.NoError(t, err)
	assert.Equal(t, http.MethodPost, r.Method)
	boundary := strings.TrimPrefix(r.Header.Get("Content-Type"), "multipart/form-data; boundary=")
	body := strings.ReplaceAll(strings.ReplaceAll(string(r.Body), boundary, "B"), "\r\n", "\n")
	assert.Equal(t, `--B
Content-Disposition: form-data; name="a"
Content-Type: text/x

1
--B
Content-Disposition: form-data; name="f"; filename="a.txt"
Content-Type: application/octet-stream

content
--B
Content-Disposition: form-data; name="g"

content
--B
Content-Disposition: form-data; name="s"

@;x
--B
Content-Disposition: form-data; name="h"; filename="in"
Content-Type: application/octet-stream

stdin
--B--
`, body)
}

func TestConnection(t *testing.T) {
	r, err := Parse(strings.Fields("-kLsS --resolve api.example:443:127.0.0.1,127.0.0.2 --resolve +v6.example:80:[::1] --connect-to A.example:80:127.0.0.1:8000 --connect-to b.example:81::82 -x http://127.0.0.1:3128 -m 1.5 --connect-timeout 2 -b jar -n https://ann:s3@api.example/a"), nil)
	require.NoError(t, err)
	assert.True(t, r.Insecure)
	assert.Equal(t, map[string]string{"api.example:443": "127.0.0.1:443", "v6.example:80": "[::1]:80", "a.example:80": "127.0.0.1:8000", "b.example:81": "b.example:82"}, r.Connect)
	assert.Equal(t, "http://127.0.0.1:3128", r.Proxy)
	assert.Equal(t, 1500*time.Millisecond, r.Timeout)
	assert.Equal(t, 2*time.Second, r.Dial)
	assert.Equal(t, URL{"https", "api.example", "/a"}, r.URL)
	assert.Equal(t, "Basic YW5uOnMz", r.Header.Get("Authorization"))
	assert.Equal(t, []string{
		"-L: a redirect is shown, and not followed",
		`-b: the cookies in the file "jar" are not sent`,
		"-n: not read, so what it holds is not sent",
	}, r.Notes)
}

func TestOneWord(t *testing.T) {
	t.Setenv("TOKEN", "a b")
	require.NoError(t, os.Unsetenv("DIAG405_NOT_SET"))
	tests := []struct{ line, want, problem string }{
		{line: `curl http://a/b`, want: "GET http://a/b"},
		{line: "$ curl -X POST \\\n  'http://a/b?c=d&e=f' \\\n  -d '{}'", want: "POST http://a/b?c=d&e=f {}"},
		{line: `curl 'http://a/b' --data-raw $'it\'s\u0021' --compressed`, want: "POST http://a/b it's!"}, // as browsers copy it
		{line: `curl http://a/b -d "$TOKEN" -s | jq .`, want: "POST http://a/b a b"},
		{line: `cat x | /usr/bin/curl http://a/b > out`, want: "GET http://a/b"},
		{line: `TOKEN=x curl http://a/b`, want: "GET http://a/b"},
		{line: `curl http://a/$DIAG405_NOT_SET`, problem: "DIAG405_NOT_SET: unbound variable"},
		{line: `curl http://a/$(id)`, problem: "unexpected command substitution"},
		{line: `curl 'http://a`, problem: "without closing quote"},
		{line: `curl`, problem: "want one URL"},
	}
	for _, tt := range tests {
		require.True(t, IsCommand([]string{tt.line}) || strings.HasPrefix(tt.line, "cat") || strings.HasPrefix(tt.line, "TOKEN"), tt.line)
		words, err := split(tt.line)
		var r *Request
		if err == nil {
			r, err = Parse(words, nil)
		}
		if tt.problem != "" {
			assert.ErrorContains(t, err, tt.problem, tt.line)
			continue
		}
		require.NoError(t, err, tt.line)
		assert.Equal(t, tt.want, strings.TrimSpace(r.Method+" "+r.URL.String()+" "+string(r.Body)), tt.line)
	}
	assert.False(t, IsCommand([]string{"POST", "/curl"}))
	assert.False(t, IsCommand(nil))
}

func TestRefused(t *testing.T) {
	for args, want := range map[string]string{
		"":                              "want one URL",
		"http://a http://b":             "want one URL",
		"--nope http://a":               "curl's --nope is not known here",
		"-sZ http://a":                  "curl's -Z is not known here",
		"http://a -X":                   "curl's -X needs a value",
		"http://a -X a:b":               "no method",
		"http://a -H nonsense":          "no header",
		"http://a -u ann":               "want USER:PASSWORD",
		"http://a -d @/does/not/exist":  "no such file",
		"http://a -d x -F a=b":          "one of -d, -F and -T",
		"http://a -I -d x":              "no data with -I",
		"http://a -F nonsense":          "want NAME=CONTENT",
		"http://a -m soon":              "want seconds",
		"http://a --resolve a:80:b":     "no IP address",
		"http://a --connect-to a:b:c:d": "want HOST1:PORT1:HOST2:PORT2",
		"http://a --resolve a":          "want HOST:PORT:ADDRESS",
		"http://a --cert x.pem":         "only curl can do it",
		"ftp://a":                       "is not http:// or https://",
		"http://":                       "is not http:// or https://",
		"http://a/{b,c}":                "several requests",
		"http://a --next http://b":      "only curl can do it",
	} {
		_, err := Parse(strings.Fields(args), nil)
		assert.ErrorContains(t, err, want, args)
	}
	_, err := Parse([]string{"http://a/b c"}, nil)
	assert.ErrorContains(t, err, "white space")
}

// Whatever is pasted, what comes of it fits into a request.
func FuzzParse(f *testing.F) {
	for _, c := range commands {
		f.Add(strings.NewReplacer("URL", "http://a.example:81", "FILE", "f").Replace(c))
	}
	f.Add(`curl 'http://u:p@[::1]:80/a?b#c' -H $'A: b' -F a=b --resolve a:1:::1 | jq`)
	f.Fuzz(func(t *testing.T, line string) {
		if strings.ContainsAny(line, "@<") || strings.Contains(line, "-T") || strings.Contains(line, "upload") {
			return // what it names would be read
		}
		words := strings.Fields(line)
		if quoted, err := split(line); err == nil {
			words = quoted
		}
		r, err := Parse(words, strings.NewReader(""))
		if err != nil {
			return
		}
		assert.Equal(t, -1, strings.IndexFunc(r.Method, unfit), "method %q", r.Method)
		assert.Regexp(t, "^/", r.URL.Target)
		assert.Equal(t, -1, strings.IndexFunc(r.URL.Target, unfit), "target %q", r.URL.Target)
		assert.NotEmpty(t, r.URL.Address)
		for name, values := range r.Header {
			assert.Equal(t, -1, strings.IndexFunc(name, unfit), "header %q", name)
			assert.False(t, strings.ContainsAny(strings.Join(values, ""), "\r\n\x00"), "%q: %q", name, values)
		}
	})
}
