package logread

// maxSeen bounds how many requests are remembered at once: a generation and the one
// before it.
const maxSeen = 1 << 16

// seen remembers which requests were counted, and where: several lines tell of one
// request where two plugins log it, or a plugin and the access log. Lines of a request
// stand near each other, and so the oldest are forgotten.
type seen struct {
	young, old map[uint64]counted
}

// counted is where a request is counted.
type counted struct {
	in   int32 // the number of the tally
	from int8  // the rank of the source
}

func (s *seen) find(id uint64) (counted, bool) {
	if c, ok := s.young[id]; ok {
		return c, true
	}
	c, ok := s.old[id]
	return c, ok
}

func (s *seen) put(id uint64, c counted) {
	if s.young == nil || len(s.young) >= maxSeen {
		s.old, s.young = s.young, make(map[uint64]counted)
	}
	s.young[id] = c
}
