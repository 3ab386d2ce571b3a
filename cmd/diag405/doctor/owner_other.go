//go:build !unix

package doctor

import "io/fs"

// owner names whose a file is, which Kong's systems alone tell.
func owner(fs.FileInfo) string { return "an unknown user" }
