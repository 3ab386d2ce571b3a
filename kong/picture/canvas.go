package picture

import (
	"fmt"
	"html"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// kind is where a piece of a path comes from, and its colour.
type kind string

// The kinds, by their colours.
const (
	kept     kind = "currentColor"
	stripped kind = "var(--picture-cut,#d64545)"
	matched  kind = "var(--picture-match,#3182ce)"
	service  kind = "var(--picture-service,#8a63d2)"
	foreign  kind = "var(--picture-plugin,#c27803)"
)

// piece is a part of a path.
type piece struct {
	text string
	kind kind
}

// note is a line below a row.
type note struct {
	words string
	kind  kind
}

// row is a state of the path.
type row struct {
	label, method string
	changed       bool // the method is not the client's any more
	pieces        []piece
	notes         []note
}

// All measures are in the SVG's own units, which are pixels where a page draws it as
// large as it is.
const (
	columns    = 42  // of a line, in characters, the method among them
	charWidth  = 7.8 // of 13px monospace; textLength makes it so in every font
	noteWidth  = 7.0 // of 12px sans-serif, on average and rather too much
	boxHeight  = 24.0
	lineHeight = 30.0
	noteHeight = 17.0
	padding    = 5.0 // between a box's border and its text
	edge       = 1.0
	// maxText and maxMethod bound how much of a piece and a method is drawn, in
	// characters.
	maxText   = 200
	maxMethod = 20
)

// canvas is a picture that is being drawn, from the top down.
type canvas struct {
	strings.Builder
	columns int
	x, y    float64 // where the next thing goes
	width   float64 // the widest line so far
}

func (c *canvas) row(r row) {
	c.text(edge, c.y+12, "font-size=\"12\" opacity=\".7\"", r.label)
	c.widen(edge + float64(len(r.label))*noteWidth)
	c.x, c.y = edge, c.y+18
	if len(r.pieces) > 0 {
		c.method(r)
		for _, p := range r.pieces {
			c.piece(p)
		}
		c.y += lineHeight
	}
	for _, n := range r.notes {
		c.note(n)
	}
}

func (c *canvas) method(r row) {
	if r.method == "" {
		return
	}
	method, colour := visible(shortened(r.method, maxMethod)), kept
	if r.changed {
		colour = foreign
	}
	n := utf8.RuneCountInString(method)
	c.mono(c.x, method, n, colour, true)
	c.x += float64(n)*charWidth + 8
}

// piece draws a piece's boxes: several where it does not fit on the line.
func (c *canvas) piece(p piece) {
	for rest := []rune(visible(shortened(p.text, maxText))); len(rest) > 0; {
		n := min(len(rest), c.room())
		if n <= 0 {
			c.x, c.y = edge, c.y+lineHeight
			continue
		}
		c.box(string(rest[:n]), n, p.kind)
		rest = rest[n:]
	}
}

// room is how many characters fit on the line.
func (c *canvas) room() int {
	return int((float64(c.columns)*charWidth - c.x - 2*padding) / charWidth)
}

func (c *canvas) box(text string, n int, k kind) {
	w := float64(n)*charWidth + 2*padding
	fmt.Fprintf(c, `<rect x="%s" y="%s" width="%s" height="%s" rx="4" fill="%s" fill-opacity="%s" stroke="%s" stroke-opacity="%s"/>`,
		num(c.x), num(c.y), num(w), num(boxHeight), k, opacity(k, ".16", ".05"), k, opacity(k, ".9", ".35"))
	c.mono(c.x+padding, text, n, kept, false)
	if k == stripped {
		fmt.Fprintf(c, `<path d="M%s %sh%s" stroke="%s" stroke-width="1.5"/>`, num(c.x+2), num(c.y+boxHeight/2), num(w-4), k)
	}
	c.x += w + 2
	c.widen(c.x)
}

// opacity is less for what is not coloured.
func opacity(k kind, coloured, plain string) string {
	if k == kept {
		return plain
	}
	return coloured
}

// mono writes n characters of monospace in the current line.
func (c *canvas) mono(x float64, text string, n int, colour kind, bold bool) {
	attributes := fmt.Sprintf(`font-family="ui-monospace,Menlo,Consolas,monospace" font-size="13" fill="%s" textLength="%s" lengthAdjust="spacingAndGlyphs"`,
		colour, num(float64(n)*charWidth))
	if bold {
		attributes += ` font-weight="700"`
	}
	c.text(x, c.y+16.5, attributes, text)
}

func (c *canvas) note(n note) {
	fmt.Fprintf(c, `<rect x="%s" y="%s" width="9" height="9" rx="2" fill="%s" fill-opacity="%s" stroke="%s"/>`,
		num(edge), num(c.y+2), n.kind, opacity(n.kind, ".35", ".05"), n.kind)
	most := int((float64(c.columns)*charWidth - 16) / noteWidth)
	for _, line := range wrapped(visible(shortened(n.words, maxText)), most) {
		c.text(edge+16, c.y+10.5, `font-size="12"`, line)
		c.widen(edge + 16 + float64(utf8.RuneCountInString(line))*noteWidth)
		c.y += noteHeight
	}
	c.y += 2
}

// arrow leads from a row to the next.
func (c *canvas) arrow() {
	fmt.Fprintf(c, `<path d="M9 %sv12m-4 -4l4 4l4 -4" fill="none" stroke="currentColor" stroke-opacity=".5" stroke-width="1.5"/>`, num(c.y+3))
	c.y += 20
}

func (c *canvas) text(x, y float64, attributes, text string) {
	fmt.Fprintf(c, `<text x="%s" y="%s" %s>%s</text>`, num(x), num(y), attributes, html.EscapeString(text))
}

func (c *canvas) widen(x float64) { c.width = max(c.width, x) }

// svg is the whole element, as large as what is in it.
func (c *canvas) svg(words string) string {
	w, h := math.Ceil(c.width+edge), math.Ceil(c.y+1)
	said := html.EscapeString(visible(shortened(words, 4*maxText)))
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="%s" viewBox="0 0 %s %s" width="%s" height="%s" overflow="visible" `+
		`font-family="system-ui,sans-serif" fill="currentColor">%s</svg>`, said, num(w), num(h), num(w), num(h), c.String())
}

// num is a number without what a picture does not need.
func num(f float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.1f", f), "0"), ".")
}

// visible replaces what cannot be seen or turns the text around it: control characters,
// those that choose the direction of writing, and what is not UTF-8.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return utf8.RuneError
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
}

// shortened leaves the middle of a long text out.
func shortened(s string, most int) string {
	if len(s) <= most {
		return s
	}
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most/2]) + "…" + string(r[len(r)-most/2:])
}

// wrapped breaks text at spaces, and words that are longer than a line where they stand.
func wrapped(s string, most int) []string {
	var lines []string
	line := []rune(nil)
	for _, word := range strings.Fields(s) {
		w := []rune(word)
		if len(line) > 0 && len(line)+1+len(w) > most {
			lines, line = append(lines, string(line)), nil
		}
		if len(line) > 0 {
			line = append(line, ' ')
		}
		for line = append(line, w...); len(line) > most; line = line[most:] {
			lines = append(lines, string(line[:most]))
		}
	}
	return append(lines, string(line))
}
