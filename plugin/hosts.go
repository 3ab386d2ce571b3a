package plugin

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"

	"diag405/plugin/background"
)

// kongNames looks up host names as the Kong with this prefix does as far as a
// hosts file goes: a service's host may be a name that only Kong's own hosts file
// (dns_hostsfile) has. Everything else is the system's business.
//
// Its files are read behind the back of those who ask, since a disk may hang. What a
// name server takes is bounded by the context: Go's own resolver heeds it, where the C
// library's would keep a thread for each name until it gives up.
type kongNames struct {
	settings *background.File[string] // the path of the hosts file; nil without a prefix
	dialer   net.Dialer

	mu    sync.Mutex
	hosts map[string]*background.File[hostsFile] // by path: the one that Kong uses
}

// hostsFile are addresses by name, in lower case.
type hostsFile map[string]string

// maxNamesFile bounds the files that are read, in bytes.
const maxNamesFile = 1 << 20

// newKongNames makes those of the Kong in a prefix directory, "" when there is none.
func newKongNames(prefix string) *kongNames {
	k := &kongNames{dialer: net.Dialer{Resolver: &net.Resolver{PreferGo: true}}}
	if prefix != "" {
		k.settings = background.New(filepath.Join(prefix, ".kong_env"), maxNamesFile, bounded(hostsFilePath))
	}
	return k
}

// dial connects to host:port.
func (k *kongNames) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if host, port, err := net.SplitHostPort(address); err == nil {
		if ip := k.lookup(ctx, host); ip != "" {
			address = net.JoinHostPort(ip, port)
		}
	}
	return k.dialer.DialContext(ctx, network, address)
}

// lookup finds a name in Kong's hosts file, "" when there is none.
func (k *kongNames) lookup(ctx context.Context, host string) string {
	if k.settings == nil || net.ParseIP(host) != nil {
		return ""
	}
	path, _ := k.settings.Get(ctx) // without the files, the system's names are all there is
	if path == "" {
		return ""
	}
	names, _ := k.file(path).Get(ctx)
	return names[strings.ToLower(host)]
}

// file is the hosts file at a path.
func (k *kongNames) file(path string) *background.File[hostsFile] {
	k.mu.Lock()
	defer k.mu.Unlock()
	f := k.hosts[path]
	if f == nil {
		f = background.New(path, maxNamesFile, bounded(readHosts))
		k.hosts = map[string]*background.File[hostsFile]{path: f}
	}
	return f
}

// bounded is a reader of files that are not too large.
func bounded[T any](read func(string) T) func([]byte) (T, error) {
	return func(data []byte) (value T, err error) {
		if len(data) > maxNamesFile {
			return value, fmt.Errorf("larger than %d bytes", maxNamesFile)
		}
		return read(string(data)), nil
	}
}

// hostsFilePath is the hosts file among the settings that Kong runs with, as it writes
// them for its own commands (write_env_file in kong/cmd/utils/prefix_handler.lua).
func hostsFilePath(env string) string {
	for line := range strings.Lines(env) {
		key, value, ok := strings.Cut(line, "=")
		if value = strings.TrimSpace(value); ok && strings.TrimSpace(key) == "dns_hostsfile" && value != "" {
			return value
		}
	}
	return ""
}

// readHosts reads a hosts file. The first entry of a name counts, as in Kong.
func readHosts(text string) hostsFile {
	names := hostsFile{}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) == 0 || net.ParseIP(fields[0]) == nil {
			continue
		}
		for _, name := range fields[1:] {
			name = strings.ToLower(name)
			if names[name] == "" {
				names[name] = fields[0]
			}
		}
	}
	return names
}
