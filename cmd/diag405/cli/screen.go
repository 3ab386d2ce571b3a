package cli

import (
	"io"
	"os"
	"regexp"
	"strings"

	"golang.org/x/term"
)

// Screen is where a command shows text to people.
type Screen struct {
	Out    io.Writer
	colour bool
}

// NewScreen uses colour only on a terminal, and never when NO_COLOR is set.
func NewScreen(out io.Writer) *Screen {
	colour := IsTerminal(out) && os.Getenv("NO_COLOR") == "" && !dumb()
	return &Screen{Out: out, colour: colour}
}

// Style is a style of text on a terminal.
type Style string

// The styles, in ANSI's numbers. Plain is text as it is.
const (
	Plain  Style = ""
	Bold   Style = "1"
	Faint  Style = "2"
	Red    Style = "31"
	Green  Style = "32"
	Yellow Style = "33"
)

// Paint is a text without styles in one, where there are colours.
func (s *Screen) Paint(style Style, text string) string {
	if !s.colour || style == Plain {
		return text
	}
	return "\x1b[" + string(style) + "m" + printableLines(text) + "\x1b[0m"
}

// Println writes a line, as Print does.
func (s *Screen) Println(text string) { _ = s.Print(text + "\n") }

// Print writes lines, of which nothing moves a cursor but the line ends, and nothing is
// a terminal's command but the styles. It is the last net: a word of somebody else's is
// to be [Printable] where it joins others.
func (s *Screen) Print(text string) error {
	_, err := io.WriteString(s.Out, s.printable(text))
	return err
}

// styled is a style's beginning or its end.
var styled = regexp.MustCompile(`\x1b\[(?:0|1|2|31|32|33)m`)

func (s *Screen) printable(text string) string {
	if !s.colour {
		return printableLines(text)
	}
	var out strings.Builder
	for {
		at := styled.FindStringIndex(text)
		if at == nil {
			out.WriteString(printableLines(text))
			return out.String()
		}
		out.WriteString(printableLines(text[:at[0]]))
		out.WriteString(text[at[0]:at[1]])
		text = text[at[1]:]
	}
}

// CanRedraw reports a terminal on which a line can be drawn over.
func CanRedraw(out io.Writer) bool { return IsTerminal(out) && !dumb() }

func dumb() bool { return os.Getenv("TERM") == "dumb" }

// IsTerminal reports whether a stream is a terminal.
func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Width is how many columns a terminal has, or what is usual where there is none.
func Width(out io.Writer) int {
	const usual = 100
	f, ok := out.(*os.File)
	if !ok {
		return usual
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		return usual
	}
	return width
}
