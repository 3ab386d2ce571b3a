package main

import (
	"encoding/xml"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// theme is the colours of a picture of a terminal, by ANSI's numbers: "" is text as it
// is.
type theme struct {
	ground, frame, bar, faint string
	ink                       map[string]string
}

var themes = map[string]theme{
	"light": {"#ffffff", "#d0d7de", "#f6f8fa", "#59636e",
		map[string]string{"": "#1f2328", "1": "#1f2328", "2": "#59636e", "31": "#cf222e", "32": "#116329", "33": "#7d4e00"}},
	"dark": {"#0d1117", "#3d444d", "#151b23", "#9198a1",
		map[string]string{"": "#e6edf3", "1": "#ffffff", "2": "#9198a1", "31": "#ff7b72", "32": "#7ee787", "33": "#e3b341"}},
}

// A cell of the terminal and what is around it, in pixels.
const (
	cellWidth, cellHeight = 7.8, 18.0
	termEdge, termBar     = 16.0, 30.0
)

// window is a terminal in a picture: what stands in its bar, and its screen.
type window struct {
	title, screen string
}

// styledRun is text of one style on one line, from a column on.
type styledRun struct {
	column      int
	style, text string
}

var style = regexp.MustCompile(`\x1b\[(\d+)m`)

// cell is a character of a screen.
type cell struct {
	style string
	r     rune
}

// cellsOf are the characters of each line of a screen.
func cellsOf(screen string) [][]cell {
	var lines [][]cell
	now := ""
	for line := range strings.SplitSeq(strings.TrimRight(screen, "\n"), "\n") {
		var cells []cell
		put := func(text string) {
			for _, r := range text {
				cells = append(cells, cell{now, r})
			}
		}
		for at := style.FindStringSubmatchIndex(line); at != nil; at = style.FindStringSubmatchIndex(line) {
			put(line[:at[0]])
			now, line = strings.TrimPrefix(line[at[2]:at[3]], "0"), line[at[1]:]
		}
		put(line)
		lines = append(lines, cells)
	}
	return lines
}

// broken is a line in pieces that fit into so many columns. A terminal breaks words; a
// picture is read more easily when they stay whole, and what follows is indented.
func broken(cells []cell, columns int) [][]cell {
	indent := indentOf(cells)
	var lines [][]cell
	for len(cells) > columns {
		n := columns
		for n > columns/2 && cells[n].r != ' ' {
			n--
		}
		if n == columns/2 {
			n = columns // a long word
		}
		lines = append(lines, cells[:n])
		rest := slices.Repeat([]cell{{"", ' '}}, indent)
		for ; n < len(cells) && cells[n].r == ' '; n++ {
		}
		cells = append(rest, cells[n:]...)
	}
	return append(lines, cells)
}

// label is what stands in a column of its own before the text.
var label = regexp.MustCompile(`^ *\S+  +`)

// indentOf is where a line goes on below itself: below its text where that stands behind
// a label, else a little to the right of where it begins.
func indentOf(cells []cell) int {
	var line strings.Builder
	for _, c := range cells {
		line.WriteRune(c.r)
	}
	if l := label.FindString(line.String()); l != "" {
		return utf8.RuneCountInString(l)
	}
	return 2 + len(line.String()) - len(strings.TrimLeft(line.String(), " "))
}

// runsOf are the runs of a line.
func runsOf(cells []cell) []styledRun {
	var runs []styledRun
	for i, c := range cells {
		if i == 0 || c.style != cells[i-1].style {
			runs = append(runs, styledRun{column: i, style: c.style})
		}
		runs[len(runs)-1].text += string(c.r)
	}
	return runs
}

// linesOf are the lines of a screen that has so many columns.
func linesOf(screen string, columns int) [][]styledRun {
	var lines [][]styledRun
	for _, line := range cellsOf(screen) {
		for _, piece := range broken(line, columns) {
			lines = append(lines, runsOf(piece))
		}
	}
	return lines
}

// terminalSVG draws windows of so many columns, one below the other, for those who do
// not see it with words. Each run has the length of its cells, so that columns stand
// below each other in every font.
func terminalSVG(t theme, columns int, words string, windows ...window) string {
	var b strings.Builder
	width, y := float64(columns)*cellWidth+2*termEdge, 1.0
	for _, w := range windows {
		lines := linesOf(w.screen, columns)
		height := termBar + float64(len(lines))*cellHeight + 1.5*termEdge
		fmt.Fprintf(&b, `<rect x="1" y="%g" width="%.1f" height="%.1f" rx="8" fill="%s" stroke="%s"/>`+"\n", y, width-2, height, t.ground, t.frame)
		fmt.Fprintf(&b, `<path d="M1 %[1]gv-%[2]ga8 8 0 0 1 8 -8h%.1[3]fa8 8 0 0 1 8 8v%[2]gz" fill="%[4]s" stroke="%[5]s"/>`+"\n", y+termBar, termBar-8, width-18, t.bar, t.frame)
		fmt.Fprintf(&b, `<text x="%g" y="%g" font-family="system-ui,sans-serif" font-weight="600" fill="%s">%s</text>`+"\n", termEdge, y+20, t.faint, escaped(w.title))
		for i, runs := range lines {
			for _, r := range runs {
				b.WriteString(runSVG(t, r, y+termBar+termEdge/2+float64(i+1)*cellHeight-4))
			}
		}
		y += height + 12
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 %.0[1]f %.0[2]f" width="%.0[1]f" height="%.0[2]f" `+
		`font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono',monospace" font-size="13">`+"\n<title>%[3]s</title>\n%[4]s</svg>\n",
		width, y-11, escaped(words), b.String())
}

// runSVG leaves out the spaces around the text, for which no ink is needed.
func runSVG(t theme, r styledRun, y float64) string {
	text := strings.TrimLeft(r.text, " ")
	column := r.column + len(r.text) - len(text)
	if text = strings.TrimRight(text, " "); text == "" {
		return ""
	}
	weight := ""
	if r.style == "1" {
		weight = ` font-weight="700"`
	}
	return fmt.Sprintf(`<text x="%.1f" y="%.1f" textLength="%.1f" lengthAdjust="spacingAndGlyphs" xml:space="preserve" fill="%s"%s>%s</text>`+"\n",
		termEdge+float64(column)*cellWidth, y, float64(utf8.RuneCountInString(text))*cellWidth, t.ink[r.style], weight, escaped(text))
}

func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a builder takes everything
	return b.String()
}
