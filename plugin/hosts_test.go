package plugin

import (
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestReadHosts(t *testing.T) {
	assert.Equal(t, hostsFile{"app": "127.0.0.1", "app.test": "127.0.0.1", "six": "::1"}, readHosts(
		"# 10.0.0.1 app\n127.0.0.1\tApp app.test # six\n\nno-address app\n10.0.0.2 app\n::1 six\n10.0.0.3\n"), "the first entry counts")
}

func TestHostsFilePath(t *testing.T) {
	for env, want := range map[string]string{
		"database = off\ndns_hostsfile = /etc/hosts\n": "/etc/hosts",
		"dns_hostsfile=/a b=c":                         "/a b=c",
		"x_dns_hostsfile = /a\n# dns_hostsfile = /b\n": "",
		"dns_hostsfile =\n":                            "",
		"":                                             "",
	} {
		assert.Equal(t, want, hostsFilePath(env), env)
	}
}

// Whatever is in Kong's files, what is connected to is an address, of a name that is
// there.
func FuzzHosts(f *testing.F) {
	f.Add("127.0.0.1 a b\n")
	f.Add("dns_hostsfile = /etc/hosts\n")
	f.Add("::1%lo a\r\n\x00 b\xff")
	f.Fuzz(func(t *testing.T, text string) {
		for name, address := range readHosts(text) {
			assert.NotNil(t, net.ParseIP(address), "%q", address)
			assert.Contains(t, strings.ToLower(text), name)
		}
		path := hostsFilePath(text)
		assert.Contains(t, text, path)
		assert.NotContains(t, path, "\n")
	})
}
