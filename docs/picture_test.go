package docs

import (
	"fmt"
	"strings"
)

// room is a part in the picture.
type room struct {
	name, does string
	row        int
	x, width   int
	steps      string // of a request's way, as the text numbers them
}

// Columns, and the rows' heights.
const (
	column, columnGap = 150, 18
	margin            = 21
	height, rowGap    = 52, 44
	pictureWidth      = 7*column + 6*columnGap + 2*margin
)

// col is where a column begins, and wide how much room so many of them take.
func col(n int) int  { return margin + n*(column+columnGap) }
func wide(n int) int { return n*(column+columnGap) - columnGap }

// quarter is where one of four rooms begins that stand side by side on plugin/diagnose.
func quarter(n int) int { return margin + n*(quarterWidth+quarterGap) }

const (
	quarterWidth, quarterGap = 132, 12
	quarters                 = 4*quarterWidth + 3*quarterGap
)

// rooms, from the top down. The examples, the metrics, the drawn path, the rows of the tests, the
// founding configuration and what reads files are left out.
var rooms = []room{
	{"cmd/diag405", "serve is what Kong starts; demo, explain, lint, report and ui are for people", 0, col(1), wide(6), ""},
	{"plugin/server", "Kong's protocol", 1, col(0), wide(1), "1 2"},
	{"plugin", "phases and settings", 1, col(1), wide(1), "3 4 5"},
	{"plugin/logread", "reads the log again", 1, col(2), wide(1), ""},
	{"kong/errorlog", "nginx's lines", 1, col(3), wide(1), ""},
	{"kong/lint", "what leads to 405s", 1, col(4), wide(1), ""},
	{"kong/gateway", "stand-in, real Kong", 1, col(5), wide(1), ""},
	{"kong/adminapi", "a running Kong", 1, col(6), wide(1), ""},
	{"plugin/openapi", "what is offered", 2, quarter(0), quarterWidth, "6"},
	{"plugin/probe", "asks OPTIONS", 2, quarter(1), quarterWidth, "6"},
	{"plugin/record", "log records", 2, quarter(2), quarterWidth, ""},
	{"plugin/report", "headers, lines", 2, quarter(3), quarterWidth, "8"},
	{"plugin/diagnose", "a cause, its certainty, its fixes", 3, col(0), quarters, "7"},
	{"kong/forecast", "what Kong and its plugins make of a request", 4, col(1), wide(5), ""},
	{"kong/bundled", "Kong's plugins, as far as they change requests", 5, col(1), wide(4), ""},
	{"kong/wire", "HTTP as nginx has it", 6, col(4), wide(1), ""},
	{"kong/router", "which route, and which path", 6, col(1), wide(3), ""},
	{"kong/config", "routes, services, plugins", 7, col(1), wide(6), ""},
	{"kong/atc", "expressions", 8, col(2), wide(1), ""},
	{"kong/pcre", "older regex paths", 8, col(4), wide(1), ""},
}

// colours of a picture.
type colours struct{ ground, room, edge, text, faint, arrow, way string }

var (
	light = colours{"#ffffff", "#f6f8fa", "#d0d7de", "#1f2328", "#59636e", "#8c959f", "#0969da"}
	dark  = colours{"#0d1117", "#151b23", "#3d444d", "#f0f6fc", "#9198a1", "#656c76", "#4493f8"}
)

func (r room) y() int { return margin + r.row*(height+rowGap) }

// draw is the picture as SVG.
func draw(c colours) string {
	var b strings.Builder
	tall := rooms[len(rooms)-1].y() + height + margin
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="Helvetica, Arial, sans-serif" role="img">`+"\n", pictureWidth, tall)
	b.WriteString("<title>The packages of diag405 and their arrows: A -> B is A imports B</title>\n")
	fmt.Fprintf(&b, `<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse">`+
		`<path d="M0 0L8 4L0 8z" fill="%s"/></marker><marker id="w" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse">`+
		`<path d="M0 0L8 4L0 8z" fill="%s"/></marker></defs>`+"\n", c.arrow, c.way)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="%s"/>`+"\n", c.ground)
	drawArrows(&b, c)
	drawKong(&b, c)
	for _, r := range rooms {
		r.draw(&b, c)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func drawArrows(b *strings.Builder, c colours) {
	var names []string
	at := map[string]room{}
	for _, r := range rooms {
		names = append(names, r.name)
		at[r.name] = r
	}
	arrows := drawn(names)
	for _, from := range names {
		for _, to := range arrows[from] {
			x1, y1, x2, y2 := between(at[from], at[to])
			fmt.Fprintf(b, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="%s" stroke-width="1.5" marker-end="url(#a)"/>`+"\n", x1, y1, x2, y2, c.arrow)
		}
	}
}

// between is the line from one room to another: down, straight where one stands over
// the other, or across to a room in the same row.
func between(from, to room) (x1, y1, x2, y2 int) {
	if from.row == to.row {
		y := from.y() + height/2
		if from.x < to.x {
			return from.x + from.width, y, to.x - 2, y
		}
		return from.x, y, to.x + to.width + 2, y
	}
	y1, y2 = from.y()+height, to.y()-2
	left, right := max(from.x, to.x), min(from.x+from.width, to.x+to.width)
	if left < right {
		x := (left + right) / 2
		return x, y1, x, y2
	}
	if from.x < to.x {
		return from.x + from.width - 20, y1, to.x + to.width/2, y2
	}
	return from.x + 20, y1, to.x + to.width/2, y2
}

// drawKong draws what is no part of the project, and its socket.
func drawKong(b *strings.Builder, c colours) {
	kong := room{name: "Kong", does: "a request, an answer", row: 0, x: col(0), width: wide(1)}
	fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" rx="6" fill="none" stroke="%s" stroke-width="1.5" stroke-dasharray="5 4"/>`+"\n",
		kong.x, kong.y(), kong.width, height, c.way)
	kong.words(b, c)
	x := kong.x + kong.width/2
	fmt.Fprintf(b, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="%s" stroke-width="2" marker-start="url(#w)" marker-end="url(#w)"/>`+"\n",
		x, kong.y()+height+2, x, kong.y()+height+rowGap-2, c.way)
	fmt.Fprintf(b, `<text x="%d" y="%d" font-size="12" fill="%s">socket</text>`+"\n", x+10, kong.y()+height+rowGap/2+4, c.way)
}

func (r room) draw(b *strings.Builder, c colours) {
	edge := c.edge
	if r.steps != "" {
		edge = c.way
	}
	fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" rx="6" fill="%s" stroke="%s" stroke-width="1.5"/>`+"\n", r.x, r.y(), r.width, height, c.room, edge)
	r.words(b, c)
	steps := strings.Fields(r.steps)
	for i, step := range steps {
		x, y := r.x+r.width-14-22*(len(steps)-1-i), r.y()
		fmt.Fprintf(b, `<circle cx="%d" cy="%d" r="9.5" fill="%s"/><text x="%d" y="%d" font-size="12" font-weight="bold" text-anchor="middle" fill="%s">%s</text>`+"\n",
			x, y, c.way, x, y+4, c.ground, step)
	}
}

func (r room) words(b *strings.Builder, c colours) {
	x := r.x + r.width/2
	fmt.Fprintf(b, `<text x="%d" y="%d" font-size="14" font-weight="bold" text-anchor="middle" fill="%s">%s</text>`+"\n", x, r.y()+23, c.text, r.name)
	fmt.Fprintf(b, `<text x="%d" y="%d" font-size="12" text-anchor="middle" fill="%s">%s</text>`+"\n", x, r.y()+40, c.faint, r.does)
}
