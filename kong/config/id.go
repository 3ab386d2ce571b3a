package config

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"strings"
)

// UUID is the binary form of an entity's id, in the order that Kong's router
// compares: big-endian bytes.
type UUID [16]byte

// entityNamespace is where Kong derives the ids of declarative entities from
// (kong/db/schema/others/declarative_config.lua, uuid_generators).
var entityNamespace = UUID{
	0xfd, 0x02, 0x80, 0x1f, 0x09, 0x57, 0x4a, 0x15,
	0xa5, 0x5a, 0xc8, 0xd9, 0x60, 0x6f, 0x30, 0xb5,
}

// ParseUUID reads the 8-4-4-4-12 form, in either case.
func ParseUUID(s string) (UUID, error) {
	var u UUID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return u, fmt.Errorf("%q is not a uuid", s)
	}
	digits := strings.ReplaceAll(s, "-", "")
	if len(digits) != 32 {
		return u, fmt.Errorf("%q is not a uuid", s)
	}
	if _, err := hex.Decode(u[:], []byte(digits)); err != nil {
		return u, fmt.Errorf("%q is not a uuid", s)
	}
	return u, nil
}

// V5 is the name-based id of RFC 9562, section 5.5, in the namespace u.
func (u UUID) V5(name string) UUID {
	sum := sha1.Sum(append(u[:], name...))
	var id UUID
	copy(id[:], sum[:])
	id[6] = id[6]&0x0f | 0x50
	id[8] = id[8]&0x3f | 0x80
	return id
}

// String is the 8-4-4-4-12 form in lower case.
func (u UUID) String() string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

// generatedID is the id that Kong in DB-less mode gives an entity without one.
// Kind is the entity's plural; key is what identifies it: the name of a service,
// route or upstream, the cache key of a plugin.
func generatedID(kind, key string) string {
	return entityNamespace.V5(kind).V5(key).String()
}

// pluginKey is what a plugin's generated id is made of, "*" being the workspace
// (build_cache_key in declarative_config.lua). References stand as written, or
// as the id of the entity that the plugin is nested in. A consumer's group, which
// only Kong Enterprise has, is part of the key where there is one.
func pluginKey(name, route, service, consumer, group string) string {
	key := []string{"plugins", "*", name, route, service, consumer}
	if group != "" {
		key = append(key, group)
	}
	return strings.Join(key, ":")
}
