package config

import (
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// keepLayout gives a changed document the layout of the original: blank lines,
// indentation, the space before a comment, all of which the YAML writer forgets.
// Plain is the original as the writer writes it, changed is the result.
//
// The lines of original and plain correspond, blank ones aside, and so a line of
// plain that is also in changed can be written as in the original. When the
// lines do not correspond, or the outcome would mean something else, changed
// stays as it is.
func keepLayout(original, plain, changed string) string {
	from, to := lineBlocks(original), lineBlocks(plain)
	if !slices.EqualFunc(from, to, func(a, b string) bool { return squeeze(a) == squeeze(b) }) {
		return changed
	}
	var out strings.Builder
	blocks := lineBlocks(changed)
	for i, at := range align(to, blocks) {
		if at >= 0 {
			out.WriteString(from[at])
		} else {
			out.WriteString(blocks[i])
		}
	}
	if !sameMeaning(out.String(), changed) {
		return changed
	}
	return out.String()
}

// lineBlocks are the lines of a text, each with the blank lines above it.
func lineBlocks(text string) []string {
	var blocks []string
	blank := ""
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) == "" {
			blank += line
			continue
		}
		blocks = append(blocks, blank+strings.TrimSuffix(line, "\n")+"\n")
		blank = ""
	}
	return blocks
}

// squeeze is a text without its white space.
func squeeze(s string) string { return strings.Join(strings.Fields(s), "") }

// maxAlign bounds the work of align: beyond it, only what stands before the first
// and after the last change is aligned.
const maxAlign = 4 << 20

// align finds for each line of b the line of a that it was, -1 for a new one: a
// longest common subsequence.
func align(a, b []string) []int {
	at := make([]int, len(b))
	for i := range at {
		at[i] = -1
	}
	start := 0
	for start < min(len(a), len(b)) && a[start] == b[start] {
		at[start] = start
		start++
	}
	end := 0
	for end < min(len(a), len(b))-start && a[len(a)-1-end] == b[len(b)-1-end] {
		at[len(b)-1-end] = len(a) - 1 - end
		end++
	}
	alignMiddle(a[start:len(a)-end], b[start:len(b)-end], at[start:len(b)-end], start)
	return at
}

func alignMiddle(a, b []string, at []int, offset int) {
	if len(a)*len(b) > maxAlign {
		return
	}
	// common[i][j] is the length of the longest common subsequence of a[i:], b[j:].
	common := make([][]int, len(a)+1)
	common[len(a)] = make([]int, len(b)+1)
	for i := len(a) - 1; i >= 0; i-- {
		common[i] = make([]int, len(b)+1)
		for j := len(b) - 1; j >= 0; j-- {
			common[i][j] = max(common[i+1][j], common[i][j+1])
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			}
		}
	}
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			at[j] = i + offset
			i, j = i+1, j+1
		case common[i+1][j] >= common[i][j+1]:
			i++
		default:
			j++
		}
	}
}

// valuesOf are a text's documents as values.
func valuesOf(text string) ([]any, error) {
	decoder := yaml.NewDecoder(strings.NewReader(text))
	var values []any
	for {
		var v any
		err := decoder.Decode(&v)
		if errors.Is(err, io.EOF) {
			return values, nil
		}
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
}

// sameMeaning reports whether two YAML texts have the same content.
func sameMeaning(a, b string) bool {
	x, err := valuesOf(a)
	y, err2 := valuesOf(b)
	return err == nil && err2 == nil && reflect.DeepEqual(x, y)
}
