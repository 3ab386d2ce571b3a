package router

// luaSort is LuaJIT's table.sort (auxsort in its src/lib_table.c): a quicksort
// with the median of three as its pivot. It is not stable, so what becomes of
// equals depends on its every step.
func luaSort[T any](a []T, less func(x, y T) bool) {
	for len(a) > 1 {
		last := len(a) - 1
		swapIf := func(i, j int) bool {
			if less(a[j], a[i]) {
				a[i], a[j] = a[j], a[i]
				return true
			}
			return false
		}
		swapIf(0, last)
		if last == 1 {
			return
		}
		middle := last / 2
		if !swapIf(0, middle) {
			swapIf(middle, last)
		}
		if last == 2 {
			return
		}
		at := partition(a, middle, less)
		// The smaller side first, and then on with the larger one.
		if at < last-at {
			luaSort(a[:at], less)
			a = a[at+1:]
		} else {
			luaSort(a[at+1:], less)
			a = a[:at]
		}
	}
}

// partition puts the pivot where it belongs, and returns that place. The first and
// the last element are known to be on their sides.
func partition[T any](a []T, middle int, less func(x, y T) bool) int {
	last := len(a) - 1
	pivot := a[middle]
	a[middle], a[last-1] = a[last-1], a[middle]
	i, j := 0, last-1
	for {
		for i++; less(a[i], pivot); i++ {
		}
		for j--; less(pivot, a[j]); j-- {
		}
		if j < i {
			break
		}
		a[i], a[j] = a[j], a[i]
	}
	a[last-1], a[i] = a[i], a[last-1]
	return i
}
