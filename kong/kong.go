// Package kong holds the founding case as Kong's own files: kong.yml, a
// declarative configuration, and kong.conf. The packages below it are Kong as Go
// knows it: its configuration, its router, and a gateway to try things on.
package kong

import _ "embed"

// Founding is kong.yml: a route whose default strip_path sends POST / to an
// application that has only GET there.
//
//go:embed kong.yml
var Founding []byte
