package compare

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"diag405/cmd/diag405/cli"
)

// table is text in columns, with a word in front of each row, and lines across all
// columns.
type table struct {
	strings.Builder
	screen         *cli.Screen
	width, columns int
	last           string
}

// Widths in columns of the screen.
const (
	headWidth = 10
	gap       = 2
	narrowest = 16 // of a cell
)

// line writes a line across all columns. A head is shown once.
func (t *table) line(head string, style cli.Style, words string) {
	shown := head
	if head == t.last {
		shown = ""
	}
	t.last = head
	fmt.Fprintf(t, "%s%s\n", t.head(shown), t.screen.Paint(style, cli.Printable(words)))
}

func (t *table) head(word string) string {
	return t.screen.Paint(cli.Faint, fmt.Sprintf("%-*s", headWidth, word))
}

// rowIfAny writes a row that has something in it.
func (t *table) rowIfAny(head string, cells []string) {
	if slices.ContainsFunc(cells, func(cell string) bool { return cell != "" }) {
		t.row(head, cli.Plain, cells)
	}
}

// row writes a row in one style.
func (t *table) row(head string, style cli.Style, cells []string) {
	t.styledRow(head, slices.Repeat([]cli.Style{style}, len(cells)), cells)
}

// styledRow writes a row, each cell in its style and in as many lines as it needs.
func (t *table) styledRow(head string, styles []cli.Style, cells []string) {
	width := max(narrowest, (t.width-headWidth-gap*(t.columns-1))/t.columns)
	var wrapped [][]string
	lines := 1
	for _, cell := range cells {
		w := wrap(cli.Printable(cell), width)
		wrapped = append(wrapped, w)
		lines = max(lines, len(w))
	}
	for i := range lines {
		var line strings.Builder
		for column, w := range wrapped {
			text := ""
			if i < len(w) {
				text = w[i]
			}
			padding := strings.Repeat(" ", width-utf8.RuneCountInString(text)+gap)
			if column == len(wrapped)-1 {
				padding = ""
			}
			if text != "" {
				text = t.screen.Paint(styles[column], text)
			}
			line.WriteString(text + padding)
		}
		fmt.Fprintln(t, strings.TrimRight(t.head(head)+line.String(), " "))
		head = ""
	}
	t.last = ""
}

// wrap breaks text into lines of a width: behind a space or before a slash where there is one,
// else in the middle of a word.
func wrap(text string, width int) []string {
	var lines []string
	for utf8.RuneCountInString(text) > width {
		runes := []rune(text)
		at := width
		for i := width; i > width/2; i-- {
			if runes[i] == ' ' || runes[i-1] == ' ' || runes[i] == '/' {
				at = i
				break
			}
		}
		lines = append(lines, strings.TrimRight(string(runes[:at]), " "))
		text = strings.TrimLeft(string(runes[at:]), " ")
	}
	return append(lines, text)
}
