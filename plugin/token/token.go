// Package token makes and reads the credentials that X-Diag-Token carries where
// token_key is set. Each ends, and may be good for one route or service alone.
//
//	v1.eyJleHAiOjE3NjM4ODU1NjN9.MAC
//	|  |                        HMAC-SHA-256 of all before it, under the key
//	|  expiry and scope in JSON
//	version
//
// Both parts are base64 for URLs without padding (RFC 4648 section 5). Nothing of a
// token is decoded before its MAC was found right. The package is pure: it knows the
// time that it is told.
package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"diag405/kong/config"
)

const (
	// MinKey is the length of the shortest key, in bytes: that of the hash (RFC 2104
	// section 3 asks for no less).
	MinKey = sha256.Size
	// MaxLength is more than the longest token that is read, in bytes.
	MaxLength = 1024
	// MaxLife is how long a token may be good for.
	MaxLife = 30 * 24 * time.Hour
)

// context keeps what is signed here from being good anywhere else under the same key.
const context = "diag405 X-Diag-Token "

const version = "v1"

// Why a token is refused. None of the words has anything of the token that its MAC does
// not vouch for.
var (
	ErrForm    = errors.New("it is none that diag405 token makes")
	ErrVersion = errors.New("it is of a version that this diag405 does not know")
	ErrKey     = errors.New("it was made with another key, or changed")
)

// Token is what a credential says.
type Token struct {
	Expires time.Time // in whole seconds
	Scope
}

// Scope is what a token is good for: names or ids, "" for any.
type Scope struct {
	Route   string `json:"route,omitempty"`
	Service string `json:"service,omitempty"`
}

// payload is a token's second part.
type payload struct {
	Expires int64 `json:"exp"` // seconds of Unix time
	Scope
}

// Make makes the text of a token. It fails with a key that is too short, a token that
// is too long, or a life from now that is.
func Make(key string, t Token, now time.Time) (string, error) {
	switch life := t.Expires.Sub(now); {
	case len(key) < MinKey:
		return "", fmt.Errorf("the key has %d bytes, and needs %d", len(key), MinKey)
	case life <= 0 || life > MaxLife:
		return "", fmt.Errorf("a life of %v is not between 1s and %v", life, MaxLife)
	}
	said, err := json.Marshal(payload{t.Expires.Unix(), t.Scope})
	if err != nil {
		return "", fmt.Errorf("encoding the token: %w", err)
	}
	text := version + "." + base64.RawURLEncoding.EncodeToString(said)
	text += "." + base64.RawURLEncoding.EncodeToString(mac(key, text))
	if len(text) >= MaxLength {
		return "", fmt.Errorf("the names make a token of %d bytes, and it may have %d", len(text), MaxLength-1)
	}
	return text, nil
}

// Read reads a token that was made with the key. Whether it is good for a request is
// for [Token.Admits] to say.
func Read(key, text string) (Token, error) {
	parts := strings.Split(text, ".")
	switch {
	case len(text) >= MaxLength, len(parts) != 3:
		return Token{}, ErrForm
	case parts[0] != version && isVersion(parts[0]):
		return Token{}, ErrVersion
	case parts[0] != version:
		return Token{}, ErrForm
	}
	got, err := base64.RawURLEncoding.Strict().DecodeString(parts[2])
	if err != nil {
		return Token{}, ErrForm
	}
	if !hmac.Equal(got, mac(key, parts[0]+"."+parts[1])) { // in constant time
		return Token{}, ErrKey
	}
	var p payload
	said, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(said, &p) != nil {
		return Token{}, ErrForm
	}
	return Token{time.Unix(p.Expires, 0), p.Scope}, nil
}

func isVersion(s string) bool {
	digits, ok := strings.CutPrefix(s, "v")
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}

func mac(key, text string) []byte {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(context + text))
	return h.Sum(nil)
}

// Admits says whether a token is good for a request of this time, route and service
// (nil: none), and if not, why.
func (t Token) Admits(now time.Time, r *config.Route, s *config.Service) error {
	if ago := now.Sub(t.Expires); ago >= 0 {
		return fmt.Errorf("it expired %v ago", ago.Truncate(time.Second))
	}
	var route, service entity
	if r != nil {
		route = entity{r.Name, r.ID}
	}
	if s != nil {
		service = entity{s.Name, s.ID}
	}
	if err := route.is("route", t.Route); err != nil {
		return err
	}
	return service.is("service", t.Service)
}

type entity struct{ name, id string }

// is says whether an entity is the one that a scope names.
func (e entity) is(kind, wanted string) error {
	if wanted == "" || wanted == e.name || wanted == e.id {
		return nil
	}
	return fmt.Errorf("it is for %s %s alone", kind, wanted)
}
