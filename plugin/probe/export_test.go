package probe

// Cached is how many paths the cache holds.
func (p *Prober) Cached() int {
	p.cache.mu.Lock()
	defer p.cache.mu.Unlock()
	return p.cache.inquiries.Len()
}
