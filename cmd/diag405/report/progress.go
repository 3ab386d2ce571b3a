package report

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"diag405/cmd/diag405/cli"
)

// progress is a bar on a terminal, from the first second on.
type progress struct {
	out     io.Writer
	on      bool
	begun   time.Time
	shown   time.Time
	total   int64 // bytes to read; 0 when that is not known
	read    int64
	lines   atomic.Int64
	visible bool
}

func newProgress(out io.Writer) *progress {
	return &progress{out: out, on: cli.CanRedraw(out), begun: time.Now()}
}

func (p *progress) expect(info os.FileInfo) {
	if info != nil && info.Mode().IsRegular() {
		p.total += info.Size()
	}
}

// count counts what is read, and shows the bar now and then.
func (p *progress) count(from io.Reader) io.Reader {
	if !p.on {
		return from
	}
	return readerFunc(func(b []byte) (int, error) {
		n, err := from.Read(b)
		p.read += int64(n)
		p.show()
		return n, err
	})
}

// readerFunc is an io.Reader made of a function.
type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// How long nothing is shown, and how often the bar is drawn then.
const (
	quietFor  = time.Second
	drawEvery = 100 * time.Millisecond
)

func (p *progress) show() {
	now := time.Now()
	if now.Sub(p.begun) < quietFor || now.Sub(p.shown) < drawEvery {
		return
	}
	p.shown, p.visible = now, true
	fmt.Fprintf(p.out, "\r\x1b[K%s %s", p.bar(), cli.Plural(int(p.lines.Load()), "line"))
}

// bar is how much of the files has been read, as far as their size is known.
func (p *progress) bar() string {
	const width = 30
	if p.total == 0 {
		return fmt.Sprintf("%d MiB", p.read>>20)
	}
	done := min(p.read, p.total)
	n := int(done * width / p.total)
	return fmt.Sprintf("[%s%s] %3d%%", strings.Repeat("=", n), strings.Repeat(" ", width-n), done*100/p.total)
}

func (p *progress) end() {
	if p.visible {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
