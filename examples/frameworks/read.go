package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// testdata has the applications' answers and the set-ups that come with the project.
//
//go:embed testdata/answers.jsonl.gz testdata/worlds.jsonl.gz
var testdata embed.FS

// readApplications reads a file of applications; without a name, the project's own.
func readApplications(name string) ([]*application, error) {
	return readLines[application](name, "testdata/answers.jsonl.gz")
}

// readWorlds reads a file of set-ups; without a name, the project's own.
func readWorlds(name string) ([]*world, error) {
	return readLines[world](name, "testdata/worlds.jsonl.gz")
}

// readLines reads a file of JSON objects, one a line, which may be compressed.
func readLines[T any](name, own string) ([]*T, error) {
	data, err := testdata.ReadFile(own)
	if name != "" {
		own = name
		data, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, err
	}
	list, err := parseLines[T](data)
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", own, err)
	}
	return list, nil
}

// gzipMagic is how a compressed file begins (RFC 1952 section 2.3.1).
var gzipMagic = []byte{0x1f, 0x8b}

func parseLines[T any](data []byte) ([]*T, error) {
	var text io.Reader = bytes.NewReader(data)
	if bytes.HasPrefix(data, gzipMagic) {
		var err error
		if text, err = gzip.NewReader(text); err != nil {
			return nil, err
		}
	}
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, 16<<20)
	var list []*T
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		value := new(T)
		if err := json.Unmarshal(lines.Bytes(), value); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		list = append(list, value)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, errors.New("there is nothing in it")
	}
	return list, nil
}
