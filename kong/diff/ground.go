package diff

import (
	"slices"

	"diag405/kong/config"
)

// ground is the classes that the paths of some routes make, and whose paths they are.
type ground struct {
	leaves map[*route][]int // the langs of a route; anyPath where it may take any
	by     map[int][]*class // that a lang takes, those that the fewest take first
	least  map[[2]int][]*class
	cut    bool // there are more classes
}

// anyPath is the lang of a route without paths.
const anyPath = -1

// groundOf puts the paths of routes into classes. A path that several have is one lang.
func (c *comparison) groundOf(routes []*route, flavor config.Flavor) *ground {
	g := &ground{leaves: map[*route][]int{}, by: map[int][]*class{}, least: map[[2]int][]*class{}}
	var langs []lang
	known := map[string]int{}
	for _, r := range routes {
		if g.leaves[r] != nil {
			continue
		}
		list, free := c.langs(r, flavor)
		for _, l := range append(list, alternatives(r, flavor)...) {
			i, ok := known[l.key()]
			if !ok {
				i = len(langs)
				known[l.key()] = i
				langs = append(langs, l)
			}
			g.leaves[r] = append(g.leaves[r], i)
		}
		if free {
			g.leaves[r] = append(g.leaves[r], anyPath)
		}
	}
	classes, whole := classesOf(langs)
	g.cut = !whole
	slices.SortStableFunc(classes, func(a, b *class) int { return len(a.taken) - len(b.taken) })
	g.by[anyPath] = classes
	for _, class := range classes {
		for _, i := range class.taken {
			g.by[i] = append(g.by[i], class)
		}
	}
	return g
}

// hasAll reports whether each path of a route is in some class.
func (g *ground) hasAll(r *route) bool {
	return !slices.ContainsFunc(g.leaves[r], func(i int) bool { return len(g.by[i]) == 0 })
}

// shared are the classes of paths that two routes take: all of them, or for each pair of
// their paths the least, which no other class of the two is a part of.
func (g *ground) shared(a, b *route, all bool) []*class {
	var list []*class
	for _, i := range g.leaves[a] {
		for _, j := range g.leaves[b] {
			for _, c := range g.sharedBy(i, j, all) {
				if !slices.Contains(list, c) {
					list = append(list, c)
				}
			}
		}
	}
	return list
}

func (g *ground) sharedBy(i, j int, all bool) []*class {
	key := [2]int{i, j}
	if known, ok := g.least[key]; ok {
		return known
	}
	var list []*class
	for _, c := range g.by[i] {
		if j != anyPath && !has(c.taken, j) {
			continue
		}
		if all || !slices.ContainsFunc(list, func(less *class) bool { return within(less.taken, c.taken) }) {
			list = append(list, c)
		}
	}
	g.least[key] = list
	return list
}

func has(sorted []int, n int) bool {
	_, ok := slices.BinarySearch(sorted, n)
	return ok
}

// within reports whether all of a sorted list is in another.
func within(a, b []int) bool {
	for _, n := range a {
		if !has(b, n) {
			return false
		}
	}
	return true
}
