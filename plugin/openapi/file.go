package openapi

import (
	"context"
	"fmt"
	"sync"
	"weak"

	"diag405/plugin/background"
	"diag405/plugin/diagnose"
)

// File is a document on disk that may change. It is safe for concurrent use.
type File struct {
	file *background.File[*diagnose.API]
}

// Open returns the document at a path, and begins to read it. All who open a path
// while somebody has it share one copy.
func Open(path string) *File {
	f := opened.at(path)
	f.file.Look()
	return f
}

// API returns what the document offers, taken apart, nil while nothing is known. A
// document that was never read is waited for until ctx ends, and no longer than 100 ms
// after it was opened; one that has changed is read behind the caller's back, and the
// next who asks gets it: see [background.File.Get], also for the errors.
func (f *File) API(ctx context.Context) (*diagnose.API, error) {
	api, err := f.file.Get(ctx)
	if err != nil {
		err = fmt.Errorf("openapi document %w", err)
	}
	return api, err
}

// opened are the documents that somebody has.
var opened = documents{byPath: map[string]weak.Pointer[File]{}}

type documents struct {
	mu     sync.Mutex
	byPath map[string]weak.Pointer[File]
}

func (d *documents) at(path string) *File {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.byPath[path].Value(); f != nil {
		return f
	}
	for path, p := range d.byPath {
		if p.Value() == nil {
			delete(d.byPath, path)
		}
	}
	f := &File{background.New(path, MaxSize, parse)}
	d.byPath[path] = weak.Make(f)
	return f
}

// one document is decoded at a time: for a moment it takes a multiple of its size.
var one sync.Mutex

func parse(data []byte) (*diagnose.API, error) {
	one.Lock()
	defer one.Unlock()
	endpoints, err := Parse(data)
	if err != nil {
		return nil, err
	}
	return diagnose.NewAPI(endpoints), nil
}
