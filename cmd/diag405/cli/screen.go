package cli

import (
	"fmt"
	"io"
	"os"

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

// Paint is the text in a style, where there are colours.
func (s *Screen) Paint(style Style, text string) string {
	if !s.colour || style == Plain {
		return text
	}
	return "\x1b[" + string(style) + "m" + text + "\x1b[0m"
}

// Println writes a line.
func (s *Screen) Println(text string) { fmt.Fprintln(s.Out, text) }

// CanRedraw reports a terminal on which a line can be drawn over.
func CanRedraw(out io.Writer) bool { return IsTerminal(out) && !dumb() }

func dumb() bool { return os.Getenv("TERM") == "dumb" }

// IsTerminal reports whether a stream is a terminal.
func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
