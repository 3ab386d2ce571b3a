package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
)

// HostsFile is the text of a hosts file with the given names first, since Kong takes the
// first address that it finds for a name (kong/resty/dns/utils.lua), and then
// those of this machine.
func HostsFile(names map[string]string) ([]byte, error) {
	var b bytes.Buffer
	for name, address := range names {
		if _, err := netip.ParseAddr(address); err != nil {
			return nil, fmt.Errorf("host %q: %w", name, err)
		}
		if name == "" || strings.ContainsAny(name, " \t\r\n#;") {
			return nil, fmt.Errorf("host %q: not a host name", name)
		}
		fmt.Fprintf(&b, "%s %s\n", address, name)
	}
	b.WriteString("127.0.0.1 localhost\n")
	own, err := os.ReadFile("/etc/hosts")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	b.Write(own)
	return b.Bytes(), nil
}
