//go:build unix

package background_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/plugin/background"
	"diag405/plugin/background/backgroundtest"
)

const limit = 100

// text takes what does not begin with "broken".
func text(data []byte) (string, error) {
	switch {
	case len(data) > limit:
		return "", errors.New("too large")
	case strings.HasPrefix(string(data), "broken"):
		return "", errors.New("broken")
	case strings.HasPrefix(string(data), "panic"):
		panic("secret")
	}
	return string(data), nil
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	f := background.New(path, limit, text)
	problems := ""
	get := func() string {
		value, err := f.Get(t.Context())
		if err != nil {
			problems += err.Error() + "\n"
		}
		return value
	}
	becomes := func(want, wantProblem string) {
		t.Helper()
		problems = ""
		require.Eventually(t, func() bool { return get() == want && (wantProblem == "" || problems != "") }, 10*time.Second, time.Millisecond)
		for range 20 { // and stays so, with no more to tell
			assert.Equal(t, want, get())
			time.Sleep(time.Millisecond)
		}
		if wantProblem != "" {
			wantProblem = `"` + path + `": ` + wantProblem + "\n"
		}
		assert.Equal(t, wantProblem, problems)
	}

	becomes("", "no such file or directory")
	write(t, path, "one", 1)
	becomes("one", "")
	write(t, path, "two", 1) // neither time nor size has changed
	becomes("one", "")
	touch(t, path, 2)
	becomes("two", "")
	write(t, path, "three", 2)
	becomes("three", "")
	write(t, path, "seven", 1) // a time that goes back is a change too
	becomes("seven", "")

	write(t, path, "broken", 3)
	becomes("seven", "broken")
	touch(t, path, 4)
	becomes("seven", "") // read again, and broken as before
	write(t, path, "eight", 5)
	becomes("eight", "")
	write(t, path, "broken", 6)
	becomes("eight", "broken")
	write(t, path, strings.Repeat("x", limit+1), 7)
	becomes("eight", "too large")
	write(t, path, "panic", 8)
	becomes("eight", "bug: reading it panics")

	require.NoError(t, os.Remove(path))
	becomes("eight", "no such file or directory")
	write(t, path, "nine", 8)
	becomes("nine", "")
}

// What is no file is not opened: a pipe would be waited for.
func TestNoFile(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	for _, path := range []string{dir, pipe, os.DevNull} {
		assert.EqualError(t, problemOf(t, background.New(path, limit, text)), `"`+path+`": not a regular file`)
	}
}

// Of a large file no more is read than shows that it is.
func TestLargeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	write(t, path, "", 1)
	require.NoError(t, os.Truncate(path, 1<<40))
	assert.ErrorContains(t, problemOf(t, background.New(path, limit, text)), "too large")
}

// problemOf waits until a file was read, and is the error that comes of it.
func problemOf(t *testing.T, f *background.File[string]) (err error) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, err = f.Get(t.Context())
		return err != nil
	}, 10*time.Second, time.Millisecond)
	return err
}

// What nobody has read yet is waited for 100 ms after it was first looked at, or as long
// as who asks has time. After that nobody waits; when the reading goes on, so does the
// file. One goroutine waits for it.
func TestReadingThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "file")
		write(t, path, "one", 1)
		release, reads := make(chan struct{}), 0
		f := background.New(path, limit, func(data []byte) (string, error) {
			reads++
			<-release
			return string(data), nil
		})
		begun := time.Now()
		hurried, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer cancel()
		for _, tt := range []struct {
			ctx  context.Context
			want time.Duration
		}{{hurried, 30 * time.Millisecond}, {hurried, 30 * time.Millisecond}, {t.Context(), 100 * time.Millisecond}, {t.Context(), 100 * time.Millisecond}} {
			value, err := f.Get(tt.ctx)
			assert.NoError(t, err)
			assert.Empty(t, value)
			assert.Equal(t, tt.want, time.Since(begun))
		}
		for range 1000 {
			_, _ = f.Get(t.Context())
		}
		assert.Equal(t, 100*time.Millisecond, time.Since(begun))
		close(release)
		synctest.Wait()
		value, err := f.Get(t.Context())
		assert.NoError(t, err)
		assert.Equal(t, "one", value)
		assert.Equal(t, 1, reads)
	})
}

// The same on a disk that hangs when the file is opened.
func TestDiskThatHangs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	write(t, path, "one", 1)
	release := backgroundtest.Hang(t, path)
	f := background.New(path, limit, text)
	begun := time.Now()
	for range 1000 {
		value, err := f.Get(t.Context())
		assert.NoError(t, err)
		assert.Empty(t, value)
	}
	assert.Less(t, time.Since(begun), time.Second)
	release()
	require.Eventually(t, func() bool {
		value, _ := f.Get(t.Context())
		return value == "one"
	}, 10*time.Second, time.Millisecond)
}

// Whoever asks while the file changes gets one version of it, whole, and it is decoded
// by one at a time.
func TestConcurrently(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	write(t, path, "0", 1)
	var running atomic.Int32
	f := background.New(path, limit, func(data []byte) (string, error) {
		assert.EqualValues(t, 1, running.Add(1))
		defer running.Add(-1)
		return string(data), nil
	})
	require.Eventually(t, func() bool {
		value, _ := f.Get(t.Context())
		return value != ""
	}, 10*time.Second, time.Millisecond)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				got, err := f.Get(t.Context())
				assert.NoError(t, err)
				assert.Equal(t, strings.Repeat(got[:1], len(got)), got)
			}
		})
	}
	for i := range 50 {
		// Renamed into place: a file is never seen half written.
		write(t, path+".next", strings.Repeat(string(rune('0'+i%10)), 1+i), int64(i+2))
		require.NoError(t, os.Rename(path+".next", path))
	}
	wg.Wait()
}

// write puts a file on disk, as modified at the given second.
func write(t *testing.T, path, text string, second int64) {
	t.Helper()
	require.NoError(t, os.WriteFile(path+".new", []byte(text), 0o600))
	touch(t, path+".new", second)
	require.NoError(t, os.Rename(path+".new", path))
}

func touch(t *testing.T, path string, second int64) {
	t.Helper()
	at := time.Unix(1_700_000_000+second, 0)
	require.NoError(t, os.Chtimes(path, at, at))
}
