package router

import (
	"slices"
	"strings"
)

// An index finds, in an order of parts, those that a request may match, and leaves
// the others untried. It knows of each part what a request has to have: clues. What
// it finds still has to be matched; what it does not find cannot match.
//
// A part is filed by a text of its path, below that by host, below that by a
// header with its value; where it asks for nothing, under "any". An example: with
//
//	A  paths ["/api"], hosts ["a.example", "*.b.example"]
//	B  paths ["~/v\d+/users$"]
//	C  methods ["GET"]
//
// A is under the beginning "/api", there under both hosts; B under "/users" inside
// of the path, any host; C under any path, any host. A request looks up each
// beginning of its path of a length that some part has, and so on. That takes time
// by the lengths there are and not by the number of parts, and memory for each
// clue of each part once.
type index struct {
	beginnings, insides texts
	anyPath             *byHost
	hosts, headers      bool // some part is filed by a host, by a header
	blind               bool // no part is filed by anything
}

// texts are parts by a text.
type texts struct {
	lengths []int // of all texts, the shortest first
	of      map[string]*byHost
}

// byHost are parts by a key of their hosts.
type byHost struct {
	any byHeader
	of  map[string]*byHeader
}

// byHeader are places of parts in the order, by a header with its value.
type byHeader struct {
	any []int
	of  map[string][]int
}

// clues are what a request has to have to match a part: of each kind one of these,
// or anything where there are none.
type clues struct {
	paths   []pathClue
	hosts   []string // see hostKeys
	headers []string // see headerClue
}

// A pathClue is a text that a path begins with or has in it; the latter begins with
// a slash.
type pathClue struct {
	text   string
	inside bool
}

// maxClues bounds under how many clues of a kind a part is filed. One with more is
// under any.
const maxClues = 256

// maxFilings bounds under how many clues of all kinds a part is filed.
const maxFilings = 1024

// few is how many parts are tried sooner than looked up. Tests look up all.
var few = 16

// newIndex files parts in their order.
func newIndex(n int, cluesOf func(place int) clues) *index {
	if n <= few {
		cluesOf = func(int) clues { return clues{} }
	}
	x := &index{beginnings: texts{of: map[string]*byHost{}}, insides: texts{of: map[string]*byHost{}}, anyPath: &byHost{}}
	for place := range n {
		x.file(place, cluesOf(place).bounded())
	}
	x.blind = len(x.beginnings.of)+len(x.insides.of) == 0 && !x.hosts && !x.headers
	for _, t := range []*texts{&x.beginnings, &x.insides} {
		slices.Sort(t.lengths)
		t.lengths = slices.Compact(t.lengths)
	}
	return x
}

// bounded leaves out kinds of clues that would take too much room.
func (c clues) bounded() clues {
	for _, kind := range []*[]string{&c.hosts, &c.headers} {
		if len(*kind) > maxClues {
			*kind = nil
		}
	}
	if len(c.paths) > maxClues {
		c.paths = nil
	}
	if max(len(c.paths), 1)*max(len(c.hosts), 1)*max(len(c.headers), 1) > maxFilings {
		c.headers = nil
	}
	if max(len(c.paths), 1)*max(len(c.hosts), 1) > maxFilings {
		c.hosts = nil
	}
	return c
}

func (x *index) file(place int, c clues) {
	x.hosts, x.headers = x.hosts || len(c.hosts) > 0, x.headers || len(c.headers) > 0
	if len(c.paths) == 0 {
		x.anyPath.file(place, c)
		return
	}
	for _, p := range c.paths {
		t := &x.beginnings
		if p.inside {
			t = &x.insides
		}
		hosts := t.of[p.text]
		if hosts == nil {
			hosts = &byHost{}
			t.of[p.text] = hosts
			t.lengths = append(t.lengths, len(p.text))
		}
		hosts.file(place, c)
	}
}

func (h *byHost) file(place int, c clues) {
	if len(c.hosts) == 0 {
		h.any.file(place, c.headers)
		return
	}
	if h.of == nil {
		h.of = map[string]*byHeader{}
	}
	for _, host := range c.hosts {
		if h.of[host] == nil {
			h.of[host] = &byHeader{}
		}
		h.of[host].file(place, c.headers)
	}
}

func (h *byHeader) file(place int, headers []string) {
	if len(headers) == 0 {
		h.any = put(h.any, place)
		return
	}
	if h.of == nil {
		h.of = map[string][]int{}
	}
	for _, header := range headers {
		h.of[header] = put(h.of[header], place)
	}
}

// put adds a place unless it is there: two clues of a part may be the same.
func put(places []int, place int) []int {
	if n := len(places); n > 0 && places[n-1] == place {
		return places
	}
	return append(places, place)
}

// keys are what a request is looked up by.
type keys struct {
	path, also string // also is one more text to look up; "" for none
	hosts      []string
	headers    []string
}

// lists are the places of the parts that a request may match, each list in order.
// A place may be in several.
func (x *index) lists(k keys) [][]int {
	return underHost(x.underPath(k.path, k.also), k.hosts, k.headers)
}

// underPath are the parts that a path leads to: by one of its beginnings, by a text
// inside it from a slash on, or because they ask for none.
func (x *index) underPath(path, also string) []*byHost {
	found := x.beginnings.at(path, []*byHost{x.anyPath})
	if hosts := x.beginnings.of[also]; hosts != nil && !strings.HasPrefix(path, also) {
		found = append(found, hosts)
	}
	if len(x.insides.of) == 0 {
		return found
	}
	for i := range len(path) {
		if path[i] == '/' {
			found = x.insides.at(path[i:], found)
		}
	}
	return found
}

// at adds what the beginnings of a text lead to.
func (t *texts) at(text string, found []*byHost) []*byHost {
	for _, n := range t.lengths {
		if n > len(text) {
			break
		}
		if hosts := t.of[text[:n]]; hosts != nil {
			found = append(found, hosts)
		}
	}
	return found
}

// underHost are the lists of those that a host and headers lead to.
func underHost(under []*byHost, hosts, headers []string) [][]int {
	var lists [][]int
	for _, h := range under {
		lists = h.any.lists(headers, lists)
		if len(h.of) == 0 {
			continue
		}
		for _, host := range hosts {
			if filed := h.of[host]; filed != nil {
				lists = filed.lists(headers, lists)
			}
		}
	}
	return lists
}

func (h *byHeader) lists(headers []string, lists [][]int) [][]int {
	if len(h.any) > 0 {
		lists = append(lists, h.any)
	}
	if len(h.of) == 0 {
		return lists
	}
	for _, header := range headers {
		if places := h.of[header]; len(places) > 0 {
			lists = append(lists, places)
		}
	}
	return lists
}

// A merge goes through the places of several lists in their order, each once.
type merge struct {
	lists [][]int // those that are left, none of them empty
	last  int
}

// find starts a merge of what a request may match.
func (x *index) find(k keys) *merge { return &merge{x.lists(k), -1} }

// next is the next place, and false behind the last.
func (m *merge) next() (place int, ok bool) {
	for len(m.lists) > 0 {
		least := 0
		for i := range m.lists {
			if m.lists[i][0] < m.lists[least][0] {
				least = i
			}
		}
		place := m.lists[least][0]
		if m.lists[least] = m.lists[least][1:]; len(m.lists[least]) == 0 {
			m.lists[least] = m.lists[len(m.lists)-1]
			m.lists = m.lists[:len(m.lists)-1]
		}
		if place != m.last {
			m.last = place
			return place, true
		}
	}
	return 0, false
}
