package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"diag405/cmd/diag405/cli"
	"diag405/kong/config"
)

// Bounds of what is read from a URL.
const (
	maxDump  = 64 << 20 // bytes
	dumpTime = time.Minute
)

// readFiles reads what names stand for.
func readFiles(ctx context.Context, names []string, stdin io.Reader) ([]config.File, error) {
	var files []config.File
	for _, name := range names {
		some, err := readName(ctx, name, stdin)
		if err != nil {
			return nil, fmt.Errorf("reading %q: %w", name, err)
		}
		files = append(files, some...)
	}
	return files, nil
}

func readName(ctx context.Context, name string, stdin io.Reader) ([]config.File, error) {
	if strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://") {
		data, err := fetch(ctx, name)
		return []config.File{{Name: name, Data: data}}, err
	}
	if name == "-" {
		data, err := cli.ReadInput(name, stdin)
		return []config.File{{Name: "stdin", Data: data}}, err
	}
	info, err := os.Stat(name)
	if err == nil && info.IsDir() {
		return readFolder(name)
	}
	data, err := os.ReadFile(name)
	return []config.File{{Name: name, Data: data}}, cli.WithoutPath(err)
}

// readFolder reads the YAML and JSON files in and below a folder, by name, as decK
// does. What begins with a dot is left alone.
func readFolder(folder string) ([]config.File, error) {
	var files []config.File
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != folder && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir(), !slices.Contains([]string{".yml", ".yaml", ".json"}, filepath.Ext(path)):
			return nil
		}
		data, err := os.ReadFile(path)
		files = append(files, config.File{Name: path, Data: data})
		return err
	})
	if err == nil && len(files) == 0 {
		return nil, errors.New("the folder has no .yml, .yaml or .json file")
	}
	return files, err
}

// fetch reads a configuration that something serves, such as Kong's ingress
// controller at /debug/config/successful.
func fetch(ctx context.Context, address string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, dumpTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		var inner *url.Error
		if errors.As(err, &inner) {
			err = inner.Err
		}
		return nil, fmt.Errorf("nothing answers there: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answered %s; Kong's ingress controller has /debug/config/successful only when it runs with --dump-config", res.Status)
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, maxDump+1))
	if err == nil && len(data) > maxDump {
		err = fmt.Errorf("it is larger than %d MB", maxDump>>20)
	}
	return data, err
}
