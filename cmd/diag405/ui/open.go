package ui

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
)

// openers are what opens an address in the browser that somebody uses.
var openers = map[string][]string{
	"darwin":  {"open"},
	"windows": {"rundll32", "url.dll,FileProtocolHandler"},
}

// openBrowser asks the desktop for a browser, and does not wait for it.
func openBrowser(ctx context.Context, address string) error {
	opener := openers[runtime.GOOS]
	if opener == nil {
		opener = []string{"xdg-open"}
	}
	cmd := exec.CommandContext(ctx, opener[0], append(opener[1:], address)...)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting a browser: %w", err)
	}
	go cmd.Wait() // some openers stay for as long as the browser does
	return nil
}
