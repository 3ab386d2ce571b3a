package plugin

import (
	"bufio"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// kongNames looks up host names as the Kong with this prefix does as far as a
// hosts file goes: a service's host may be a name that only Kong's own hosts file
// (dns_hostsfile) has. Everything else is the system's business.
type kongNames struct{ prefix string }

// dial connects to host:port.
func (k kongNames) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	if host, port, err := net.SplitHostPort(address); err == nil {
		if ip := k.lookup(host); ip != "" {
			address = net.JoinHostPort(ip, port)
		}
	}
	return d.DialContext(ctx, network, address)
}

// lookup finds a name in Kong's hosts file, "" when there is none. Both files are
// small, and asked only when a probe connects.
func (k kongNames) lookup(host string) string {
	if k.prefix == "" || net.ParseIP(host) != nil {
		return ""
	}
	hostsFile := k.setting("dns_hostsfile")
	if hostsFile == "" {
		return ""
	}
	var found string
	eachLine(hostsFile, func(line string) bool {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		for _, name := range fields[min(1, len(fields)):] {
			if strings.EqualFold(name, host) && net.ParseIP(fields[0]) != nil {
				found = fields[0] // the first entry counts, as in Kong
				return false
			}
		}
		return true
	})
	return found
}

// setting is one of the settings that Kong runs with, as it writes them for its
// own commands (write_env_file in kong/cmd/utils/prefix_handler.lua); "" when the
// file cannot be read.
func (k kongNames) setting(name string) string {
	var found string
	eachLine(filepath.Join(k.prefix, ".kong_env"), func(line string) bool {
		key, value, ok := strings.Cut(line, "=")
		if ok && strings.TrimSpace(key) == name {
			found = strings.TrimSpace(value)
		}
		return found == ""
	})
	return found
}

// eachLine calls f with the lines of a file until f returns false. A file that
// cannot be read has none.
func eachLine(path string, f func(string) bool) {
	file, err := os.Open(path)
	if err != nil {
		return
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if !f(lines.Text()) {
			return
		}
	}
}
