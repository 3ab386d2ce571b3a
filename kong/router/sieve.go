package router

// A sieve is parts of routes in the order in which they are tried, and finds those
// that may take a request without trying the others.
type sieve struct {
	order []*compiled
	index *index
}

func newSieve(order []*compiled) *sieve {
	return &sieve{order, newIndex(len(order), func(place int) clues { return order[place].clues() })}
}

// first is the first part that takes a request, and what it takes of the path; nil
// for none.
func (s *sieve) first(q *query) (part *compiled, prefix string) {
	if s.index.blind {
		for _, part := range s.order {
			if prefix, ok := part.match(q); ok {
				return part, prefix
			}
		}
		return nil, ""
	}
	found := s.index.find(q.keys(s.index))
	for place, ok := found.next(); ok; place, ok = found.next() {
		if prefix, ok := s.order[place].match(q); ok {
			return s.order[place], prefix
		}
	}
	return nil, ""
}
