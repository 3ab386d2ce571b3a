package report

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"sync"

	"diag405/plugin/logread"
)

// blockSize is how much of a log is taken apart at a time, in bytes. A line that is
// longer is read to here.
const blockSize = 1 << 20

// pipeline takes a log apart on all processors, and counts what is found in the order of
// the log: what it finds does not depend on how many there are.
type pipeline struct {
	work, order chan *job
	free        chan []byte // blocks that can be used again
	done        sync.WaitGroup
	working     sync.WaitGroup
}

// job is a block of whole lines.
type job struct {
	data  []byte
	found chan *logread.Block
}

// newPipeline starts a pipeline. Add gets what the blocks tell, one after the other.
func newPipeline(judge *logread.Judge, add func(*logread.Block) []logread.Failure) *pipeline {
	n := runtime.GOMAXPROCS(0)
	p := &pipeline{work: make(chan *job, n), order: make(chan *job, 2*n), free: make(chan []byte, 4*n)}
	for range n {
		p.working.Go(func() {
			scanner := logread.NewScanner(judge)
			for j := range p.work {
				j.found <- scanner.Scan(j.data)
			}
		})
	}
	p.done.Go(func() {
		for j := range p.order {
			add(<-j.found)
			select {
			case p.free <- j.data[:0]:
			default:
			}
		}
	})
	return p
}

// end waits until everything is counted.
func (p *pipeline) end() {
	close(p.work)
	close(p.order)
	p.working.Wait()
	p.done.Wait()
}

func (p *pipeline) feed(lines []byte) {
	j := &job{lines, make(chan *logread.Block, 1)}
	p.order <- j
	p.work <- j
}

// block is an empty one.
func (p *pipeline) block() []byte {
	select {
	case b := <-p.free:
		if cap(b) >= blockSize {
			return b[:blockSize]
		}
	default:
	}
	return make([]byte, blockSize)
}

// read reads a log to its end, the last line also without a newline.
func (p *pipeline) read(in io.Reader) error {
	buf, n, skipping := p.block(), 0, false // skipping the rest of a line that is too long
	for {
		var err error
		for n < len(buf) && err == nil {
			var m int
			m, err = in.Read(buf[n:])
			n += m
		}
		ended := errors.Is(err, io.EOF)
		if err != nil && !ended {
			return err
		}
		if skipping {
			_, rest, found := bytes.Cut(buf[:n], []byte("\n"))
			skipping, n = !found, copy(buf, rest)
		}
		if ended {
			p.feed(buf[:n])
			return nil
		}
		lines := bytes.LastIndexByte(buf[:n], '\n') + 1
		switch {
		case lines == 0 && n == len(buf):
			lines, skipping = n, true
		case lines == 0:
			continue
		}
		next := p.block()
		rest := copy(next, buf[lines:n])
		p.feed(buf[:lines])
		buf, n = next, rest
	}
}
