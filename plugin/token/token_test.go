package token

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/config"
)

const key = "0123456789abcdef0123456789abcdef"

var now = time.Unix(1763885563, 0)

func made(t *testing.T, life time.Duration, s Scope) string {
	t.Helper()
	text, err := Make(key, Token{now.Add(life), s}, now)
	require.NoError(t, err)
	return text
}

// What is made today has to be read by every version to come.
func TestTheFormStays(t *testing.T) {
	text := made(t, time.Hour, Scope{Route: "orders"})
	assert.Equal(t, "v1.eyJleHAiOjE3NjM4ODkxNjMsInJvdXRlIjoib3JkZXJzIn0.lxMBzEhJmhZzclSazMPqtbewOzWVMKgmVcmdfMBrNo0", text)
	got, err := Read(key, text)
	require.NoError(t, err)
	assert.Equal(t, Token{now.Add(time.Hour), Scope{Route: "orders"}}, got)
}

func TestAdmits(t *testing.T) {
	orders, shop := &config.Route{ID: "r1", Name: "orders"}, &config.Service{ID: "s1", Name: "shop"}
	tests := []struct {
		scope   Scope
		after   time.Duration
		route   *config.Route
		service *config.Service
		want    string // "" is admitted
	}{
		{Scope{}, 0, orders, shop, ""},
		{Scope{}, 0, nil, nil, ""},
		{Scope{}, time.Hour - time.Second, orders, shop, ""},
		{Scope{}, time.Hour, orders, shop, "it expired 0s ago"},
		{Scope{}, 90*time.Minute + time.Millisecond, orders, shop, "it expired 30m0s ago"},
		{Scope{Route: "orders"}, 0, orders, shop, ""},
		{Scope{Route: "r1", Service: "shop"}, 0, orders, shop, ""},
		{Scope{Route: "r1", Service: "s1"}, 0, orders, shop, ""},
		{Scope{Route: "users"}, 0, orders, shop, "it is for route users alone"},
		{Scope{Route: "users"}, 0, nil, shop, "it is for route users alone"},
		{Scope{Route: "orders", Service: "bank"}, 0, orders, shop, "it is for service bank alone"},
		{Scope{Service: "shop"}, 0, orders, nil, "it is for service shop alone"},
		{Scope{Route: "users"}, 2 * time.Hour, orders, shop, "it expired 1h0m0s ago"},
	}
	for _, tt := range tests {
		got, err := Read(key, made(t, time.Hour, tt.scope))
		require.NoError(t, err)
		err = got.Admits(now.Add(tt.after), tt.route, tt.service)
		if tt.want == "" {
			assert.NoError(t, err, tt)
		} else {
			assert.EqualError(t, err, tt.want)
		}
	}
}

// A route without a name is not the one of a scope that has none either.
func TestNamelessRoute(t *testing.T) {
	token := Token{now.Add(time.Hour), Scope{Route: "orders"}}
	assert.Error(t, token.Admits(now, &config.Route{ID: "r1"}, nil))
}

func TestReadRefuses(t *testing.T) {
	good := made(t, time.Hour, Scope{Route: "orders"})
	parts := strings.Split(good, ".")
	later := base64.RawURLEncoding.EncodeToString([]byte(`{"exp":99999999999}`))
	tests := []struct {
		name, key, text string
		want            error
	}{
		{"another key", key + "x", good, ErrKey},
		{"later expiry", key, parts[0] + "." + later + "." + parts[2], ErrKey},
		{"no MAC", key, parts[0] + "." + parts[1] + ".", ErrKey},
		{"half a MAC", key, good[:len(good)-23], ErrKey},
		{"another version", key, "v2." + parts[1] + "." + parts[2], ErrVersion},
		{"no version", key, "x." + parts[1] + "." + parts[2], ErrForm},
		{"a part more", key, good + ".x", ErrForm},
		{"a MAC that is no base64", key, parts[0] + "." + parts[1] + ".!", ErrForm},
		{"two headers, as nginx joins them", key, good + ", " + good, ErrForm},
		{"long", key, parts[0] + "." + strings.Repeat("a", MaxLength) + "." + parts[2], ErrForm},
		{"a password", key, "open sesame", ErrForm},
		{"nothing", key, "", ErrForm},
	}
	for _, tt := range tests {
		_, err := Read(tt.key, tt.text)
		assert.Equal(t, tt.want, err, tt.name)
	}
	for i := range good { // no byte of it can be another
		b := []byte(good)
		b[i] ^= 1
		_, err := Read(key, string(b))
		assert.Error(t, err, "byte %d", i)
	}
}

func TestMakeRefuses(t *testing.T) {
	tests := []struct {
		key  string
		life time.Duration
		s    Scope
		want string
	}{
		{"short", time.Hour, Scope{}, "the key has 5 bytes, and needs 32"},
		{key, 0, Scope{}, "a life of 0s is not between 1s and 720h0m0s"},
		{key, -time.Hour, Scope{}, "a life of -1h0m0s is not between 1s and 720h0m0s"},
		{key, MaxLife + time.Second, Scope{}, "a life of 720h0m1s is not between 1s and 720h0m0s"},
		{key, time.Hour, Scope{Route: strings.Repeat("a", MaxLength)}, "the names make a token of 1451 bytes, and it may have 1023"},
	}
	for _, tt := range tests {
		_, err := Make(tt.key, Token{now.Add(tt.life), tt.s}, now)
		assert.EqualError(t, err, tt.want)
	}
}

// Whatever a client sends, nothing fails, and nothing is read that was not made.
func FuzzRead(f *testing.F) {
	f.Add("v1.eyJleHAiOjF9.AAAA")
	f.Add("v2..")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := Read(key, text); err == nil {
			t.Fatalf("read %q", text)
		}
	})
}
