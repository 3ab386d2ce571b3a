package plugin

import (
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"sync"
)

const (
	// maxMethods is how many requests have their method remembered until their log
	// phase, in all instances together: those of three seconds at 5,000 a second. Full,
	// it takes 1.5 MiB.
	maxMethods = 1 << 14
	// maxMethod is the longest method that is remembered, in bytes. Kong's own take
	// seventeen.
	maxMethod = 32
)

// methods remembers with which method requests came, by Kong's ids of them. The oldest
// is forgotten first. It is for a request's own later phase, and holds nothing of a
// client but that. Its zero value is empty and ready.
type methods struct {
	mu   sync.Mutex
	byID map[kongID]string
	ring []kongID
	next int
}

type kongID [16]byte

var sentMethods methods

// keep remembers a method. Kong before 3.5 has no ids; then nothing is.
func (m *methods) keep(id, method string) {
	key, ok := parseID(id)
	if !ok || method == "" || len(method) > maxMethod {
		return
	}
	method = own(method)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byID == nil {
		m.byID, m.ring = map[kongID]string{}, make([]kongID, maxMethods)
	}
	if _, known := m.byID[key]; !known {
		delete(m.byID, m.ring[m.next])
		m.ring[m.next] = key
		m.next = (m.next + 1) % maxMethods
	}
	m.byID[key] = method
}

// of is the method of a request, "" when it is not remembered.
func (m *methods) of(id string) string {
	key, ok := parseID(id)
	if !ok {
		return ""
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.byID[key]
}

// parseID reads an id of Kong's, 32 hexadecimal digits.
func parseID(id string) (key kongID, ok bool) {
	if len(id) != hex.EncodedLen(len(key)) {
		return key, false
	}
	_, err := hex.Decode(key[:], []byte(id))
	return key, err == nil
}

// own is a method that holds on to no request line.
func own(method string) string {
	if i := slices.Index(usualMethods, method); i >= 0 {
		return usualMethods[i]
	}
	return strings.Clone(method)
}

var usualMethods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodHead, http.MethodOptions}
