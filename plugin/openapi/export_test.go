package openapi

// Opened reports whether a path is among those that somebody has.
func Opened(path string) bool {
	opened.mu.Lock()
	defer opened.mu.Unlock()
	_, ok := opened.byPath[path]
	return ok
}
