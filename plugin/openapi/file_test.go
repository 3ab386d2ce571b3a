package openapi_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/plugin/openapi"
)

const (
	orders = "openapi: 3.1.0\npaths: {/orders: {get: {}}}\n"
	others = "openapi: 3.1.0\npaths: {/others: {get: {}}}\n" // as long as orders
	wrecks = "openapi: 3.1.0\npaths: {/wrecks: [get, {}]}\n"
)

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "openapi.yaml")
	f := openapi.NewFile(path)
	expect := func(want, wantErr string) {
		t.Helper()
		got, err := f.API(t.Context())
		assert.Equal(t, want, print(got.Endpoints()))
		if wantErr == "" {
			assert.NoError(t, err)
			return
		}
		assert.ErrorContains(t, err, wantErr)
	}

	expect("", `openapi document "`+path+`": no such file or directory`)
	expect("", "") // the same error is told once
	write(t, path, orders, 1)
	expect("/orders GET", "")

	write(t, path, others, 1)
	expect("/orders GET", "") // neither time nor size has changed
	touch(t, path, 2)
	expect("/others GET", "")
	write(t, path, orders+"# longer\n", 2)
	expect("/orders GET", "")
	write(t, path, others, 1) // a time that goes back is a change too
	expect("/others GET", "")

	write(t, path, wrecks, 3)
	expect("/others GET", `openapi document "`+path+`": line 2: paths: a path should be a mapping, not a list`)
	expect("/others GET", "")
	touch(t, path, 4)
	expect("/others GET", "") // read again, and broken as before
	write(t, path, orders, 5)
	expect("/orders GET", "")
	write(t, path, wrecks, 6)
	expect("/orders GET", "paths") // broken anew

	require.NoError(t, os.Remove(path))
	expect("/orders GET", "no such file")
	expect("/orders GET", "")
	write(t, path, others, 6)
	expect("/others GET", "")
}

func TestFileThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	_, err := openapi.NewFile(dir).API(t.Context())
	assert.EqualError(t, err, `openapi document "`+dir+`": not a regular file`)

	path := filepath.Join(dir, "large.yaml")
	write(t, path, "", 1)
	require.NoError(t, os.Truncate(path, openapi.MaxSize+1))
	_, err = openapi.NewFile(path).API(t.Context())
	assert.EqualError(t, err, `openapi document "`+path+`": the document is larger than 16777216 bytes`)
}

// Whoever cannot wait for the reading gets what was known before it.
func TestFileInNoTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "openapi.json")
	write(t, path, `{"openapi":"3.1.0","paths":{`+manyPaths(20000)+"}}", 1)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	f := openapi.NewFile(path)
	got, err := f.API(ended)
	assert.Contains(t, []int{0, 20000}, len(got.Endpoints()), "before or after, never a part")
	assert.NoError(t, err)
	got, err = f.API(t.Context())
	assert.Len(t, got.Endpoints(), 20000)
	assert.NoError(t, err)

	write(t, path, wrecks, 2)
	require.Eventually(t, func() bool { // whose call it is that gets the error does not matter
		got, err = f.API(ended)
		return err != nil
	}, 10*time.Second, time.Millisecond)
	assert.ErrorContains(t, err, "a path should be a mapping")
	assert.Len(t, got.Endpoints(), 20000)
}

// Whoever asks while the document changes gets one version of it, whole.
func TestFileConcurrently(t *testing.T) {
	path := filepath.Join(t.TempDir(), "openapi.yaml")
	write(t, path, orders, 1)
	f := openapi.NewFile(path)
	_, err := f.API(t.Context())
	require.NoError(t, err)

	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				got, err := f.API(t.Context())
				assert.NoError(t, err)
				assert.Contains(t, []string{"/orders GET", "/others GET"}, print(got.Endpoints()))
			}
		})
	}
	for i := range 50 {
		// Renamed into place: a file is never seen half written.
		next := path + ".next"
		write(t, next, []string{orders, others}[i%2]+strings.Repeat("\n", i), int64(i+2))
		require.NoError(t, os.Rename(next, path))
	}
	wg.Wait()
}

// write puts a document on disk, as modified at the given second.
func write(t *testing.T, path, doc string, second int64) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(doc), 0o600))
	touch(t, path, second)
}

func touch(t *testing.T, path string, second int64) {
	t.Helper()
	at := time.Unix(1_700_000_000+second, 0)
	require.NoError(t, os.Chtimes(path, at, at))
}
