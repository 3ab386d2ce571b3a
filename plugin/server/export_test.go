package server

// MeasureThis makes a plugin that itself imports this package the one that is
// measured.
func MeasureThis(constructor func() any) { benchmarked = constructor }
