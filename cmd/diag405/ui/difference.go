package ui

import (
	"bytes"
	"slices"

	"diag405/cmd/diag405/source"
	"diag405/kong/config"
)

// difference is a place in a file that a change is about.
type difference struct {
	File    string   `json:"file"`
	Line    int      `json:"line"` // from 1, where it begins in the changed file
	Removed []string `json:"removed,omitempty"`
	Added   []string `json:"added,omitempty"`
	// Before is the line in front of it, for somebody who looks for the place.
	Before string `json:"before,omitempty"`
}

// Bounds: how many lines are shown of each side, and up to how many pairs of lines are
// held against each other, beyond which all between the first and the last line that
// differ counts as one place.
const (
	maxDifference = 40
	maxPairs      = 1 << 20
)

// differences are what each change does to the files.
func differences(copies []*source.Source) [][]difference {
	var all [][]difference
	for i := range copies[1:] {
		all = append(all, differencesOf(copies[i].Files, copies[i+1].Files))
	}
	return all
}

// differencesOf finds the places that changed. Both have the same files.
func differencesOf(old, changed []config.File) []difference {
	var all []difference
	for i := range old {
		if bytes.Equal(old[i].Data, changed[i].Data) {
			continue
		}
		for _, d := range placesOf(linesOf(old[i].Data), linesOf(changed[i].Data)) {
			d.File, d.Removed, d.Added = old[i].Name, firstOf(d.Removed), firstOf(d.Added)
			all = append(all, d)
		}
	}
	return all
}

// placesOf finds what differs between two texts, with as many lines kept as there can
// be.
func placesOf(old, changed []string) []difference {
	same, most := 0, min(len(old), len(changed))
	for same < most && old[same] == changed[same] {
		same++
	}
	end := 0
	for end < most-same && old[len(old)-1-end] == changed[len(changed)-1-end] {
		end++
	}
	kept := keptOf(old[same:len(old)-end], changed[same:len(changed)-end])
	var places []difference
	i, j := same, same // up to where both texts are told
	for _, k := range append(kept, [2]int{len(old) - end - same, len(changed) - end - same}) {
		if a, b := k[0]+same, k[1]+same; a > i || b > j {
			d := difference{Line: j + 1, Removed: old[i:a], Added: changed[j:b]}
			if j > 0 {
				d.Before = changed[j-1]
			}
			places = append(places, d)
		}
		i, j = k[0]+same+1, k[1]+same+1
	}
	return places
}

// keptOf are pairs of lines that are the same: a longest common subsequence.
func keptOf(a, b []string) [][2]int {
	if len(a)*len(b) > maxPairs {
		return nil
	}
	longest := make([][]int, len(a)+1) // of what follows
	for i := range longest {
		longest[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			longest[i][j] = max(longest[i+1][j], longest[i][j+1])
			if a[i] == b[j] {
				longest[i][j] = longest[i+1][j+1] + 1
			}
		}
	}
	var kept [][2]int
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			kept = append(kept, [2]int{i, j})
			i, j = i+1, j+1
		case longest[i+1][j] >= longest[i][j+1]:
			i++
		default:
			j++
		}
	}
	return kept
}

func firstOf(lines []string) []string {
	if len(lines) <= maxDifference {
		return lines
	}
	return append(slices.Clone(lines[:maxDifference]), "…")
}

// linesOf are the lines of a file, without their ends.
func linesOf(data []byte) []string {
	var lines []string
	for line := range bytes.Lines(data) {
		lines = append(lines, string(bytes.TrimRight(line, "\r\n")))
	}
	return lines
}
