package config

import (
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// UUID is the binary form of an entity's id, in the order that Kong's router
// compares: big-endian bytes.
type UUID = uuid.UUID

// entityNamespace is where Kong derives the ids of declarative entities from
// (kong/db/schema/others/declarative_config.lua, uuid_generators).
var entityNamespace = uuid.MustParse("fd02801f-0957-4a15-a55a-c8d9606f30b5")

const uuidLength = 36

// ParseUUID reads the 8-4-4-4-12 form, in either case. It is the only one that Kong
// takes; [uuid.Parse] knows three more.
func ParseUUID(s string) (UUID, error) {
	u, err := uuid.Parse(s)
	if err != nil || len(s) != uuidLength {
		return UUID{}, fmt.Errorf("%q is not a uuid", s)
	}
	return u, nil
}

// generatedID is the id that Kong in DB-less mode gives an entity without one.
// Kind is the entity's plural; key is what identifies it: the name of a service,
// route or upstream, the cache key of a plugin.
func generatedID(kind, key string) string {
	return uuid.NewSHA1(kindNamespaces[kind], []byte(key)).String()
}

// kindNamespaces are what ids of a kind are derived from.
var kindNamespaces = func() map[string]UUID {
	all := map[string]UUID{}
	for _, kind := range kinds {
		all[kind] = uuid.NewSHA1(entityNamespace, []byte(kind))
	}
	return all
}()

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
