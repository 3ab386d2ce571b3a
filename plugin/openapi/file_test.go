package openapi_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/plugin/diagnose"
	"diag405/plugin/openapi"
)

// A document is read behind the back of those who ask, and what was read before holds.
func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "openapi.yaml")
	f := openapi.Open(path)
	assert.EqualError(t, problemOf(t, f), `openapi document "`+path+`": no such file or directory`)
	becomes := func(doc, want, wantErr string) {
		t.Helper()
		require.NoError(t, os.WriteFile(path+".new", []byte(doc), 0o600))
		require.NoError(t, os.Rename(path+".new", path))
		var told error
		require.Eventually(t, func() bool {
			api, err := f.API(t.Context())
			if err != nil {
				told = err
			}
			return print(api.Endpoints()) == want && (told != nil) == (wantErr != "")
		}, 10*time.Second, time.Millisecond)
		if wantErr != "" {
			assert.EqualError(t, told, `openapi document "`+path+`": `+wantErr)
		}
	}
	becomes("openapi: 3.1.0\npaths: {/orders: {get: {}}}\n", "/orders GET", "")
	becomes("openapi: 3.1.0\npaths: {/orders: [get]}\n\n", "/orders GET", "line 2: paths: a path should be a mapping, not a list")
	becomes("openapi: 3.1.0\npaths: {/others: {get: {}}}\n", "/others GET", "")
}

// problemOf waits until a document was read, and is the error that comes of it.
func problemOf(t *testing.T, f *openapi.File) (err error) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, err = f.API(t.Context())
		return err != nil
	}, 10*time.Second, time.Millisecond)
	return err
}

func TestFileThatIsTooLarge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "openapi.yaml")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, os.Truncate(path, openapi.MaxSize+1))
	assert.EqualError(t, problemOf(t, openapi.Open(path)), `openapi document "`+path+`": the document is larger than 16777216 bytes`)
}

// Who opens the same path has the same document, until nobody has it.
func TestOneCopy(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "openapi.json")
	require.NoError(t, os.WriteFile(path, []byte(`{"openapi":"3.1.0","paths":{`+manyPaths(10_000)+"}}"), 0o600))
	first := openapi.Open(path)
	var api *diagnose.API
	require.Eventually(t, func() bool {
		var err error
		api, err = first.API(t.Context())
		return assert.NoError(t, err) && api != nil
	}, 10*time.Second, time.Millisecond)
	for range 5 {
		other := openapi.Open(path)
		assert.Same(t, first, other)
		again, err := other.API(t.Context())
		require.NoError(t, err)
		assert.Same(t, api, again)
	}
	runtime.KeepAlive(first)
	require.Eventually(t, func() bool {
		runtime.GC()
		openapi.Open(filepath.Join(dir, "another"))
		return !openapi.Opened(path)
	}, 10*time.Second, time.Millisecond, "it is held")
}
