// Package trial is what the examples share that try diag405 on a gateway: they
// start one with diag405 in it, send a request byte for byte, collect what was
// said about the answer, make the change that is suggested, and send again.
package trial

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// logPlugin is the name of the second plugin, which explains from the log phase.
const logPlugin = "diag405-log"

// Plugin puts a diag405 binary into a folder under that name, by which a gateway
// knows the plugin, and returns its path. It is the one at path, or one that is built
// where path is empty; that needs Go and to be inside the module.
func Plugin(ctx context.Context, dir, path string) (string, error) {
	binary := filepath.Join(dir, "diag405")
	if path == "" {
		out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "diag405/cmd/diag405").CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("building diag405 (-plugin names one that is built): %w\n%s", err, out)
		}
		return binary, nil
	}
	path, err := filepath.Abs(path)
	if err == nil {
		err = os.Symlink(path, binary)
	}
	if err != nil {
		return "", fmt.Errorf("taking the plugin %q: %w", path, err)
	}
	return binary, nil
}

// LogPlugin puts the second plugin, diag405-log, beside the first and returns its
// path: it is the same binary under another name.
func LogPlugin(binary string) (string, error) {
	second := filepath.Join(filepath.Dir(binary), logPlugin)
	if err := os.Symlink(binary, second); err != nil {
		return "", fmt.Errorf("naming the second plugin: %w", err)
	}
	return second, nil
}
