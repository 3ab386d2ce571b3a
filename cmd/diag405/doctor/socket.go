package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"diag405/cmd/diag405/plugins"
	"diag405/plugin"
	"diag405/plugin/server"
)

// lookAtSockets looks at a socket, or at those that lie in a folder.
func lookAtSockets(ctx context.Context, path string) (out []finding) {
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return lookAtSocket(ctx, path, "")
	}
	for _, name := range plugins.Names {
		socket := filepath.Join(path, name+".socket")
		if _, err := os.Lstat(socket); err == nil {
			out = append(out, lookAtSocket(ctx, socket, name)...)
		}
	}
	if out == nil {
		return []finding{{"socket", wrong, fmt.Sprintf("there is no socket in %s", path), "run diag405 serve -socket " + path}}
	}
	return out
}

// lookAtSocket tells whose a socket is, and asks who listens there. Name is the plugin
// that it should be, "" when any of them will do.
func lookAtSocket(ctx context.Context, socket, name string) []finding {
	info, err := os.Lstat(socket)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []finding{{"socket", wrong, fmt.Sprintf("there is no socket at %s", socket), "run diag405 serve -socket " + socket}}
	case err != nil:
		return []finding{{"socket", wrong, fmt.Sprintf("the socket cannot be looked at: %v", err), "run this as the user that Kong's workers have"}}
	case info.Mode()&fs.ModeSocket == 0:
		return []finding{{"socket", wrong, socket + " is no socket", "name the socket, or the folder with both"}}
	}
	return []finding{permissions(socket, info), identity(ctx, socket, name)}
}

// permissions: who can write to the socket can make the plugin server do what Kong can.
func permissions(socket string, info fs.FileInfo) finding {
	says := fmt.Sprintf("%s is of %s, %s", socket, owner(info), info.Mode())
	if info.Mode().Perm()&0o002 != 0 && isOpen(filepath.Dir(socket)) {
		return finding{"socket", wrong, says + ": every user of this machine can talk to it", "run a diag405 that keeps it to its user, or keep it in a folder of mode 0700"}
	}
	return finding{Check: "socket", Status: right, Says: says}
}

// isOpen tells whether everybody may enter a folder.
func isOpen(folder string) bool {
	info, err := os.Stat(folder)
	return err == nil && info.Mode().Perm()&0o001 != 0
}

func identity(ctx context.Context, socket, name string) finding {
	who, err := server.Identify(ctx, socket)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return finding{"server", wrong, "nobody listens on " + socket + ": it was left by a server that is gone", "run diag405 serve -socket " + socket}
	case errors.Is(err, fs.ErrPermission):
		return finding{"server", look, fmt.Sprintf("user %d may not ask on %s", os.Geteuid(), socket), "run this as the user that Kong's workers have"}
	case errors.Is(err, server.ErrNotOurs):
		return finding{"server", wrong, fmt.Sprintf("what listens on %s is not this version of diag405: it does not say what it serves", socket), "run diag405 serve there, and end what is there now"}
	case err != nil:
		return finding{"server", wrong, fmt.Sprintf("asking on %s: %v", socket, err), "run diag405 serve -socket " + socket}
	case name != "" && who.Name != name:
		return finding{"server", wrong, fmt.Sprintf("%s is served on %s", who.Name, socket), "run diag405 serve with the folder as -socket"}
	case who.Version != plugin.Version:
		return finding{"server", wrong, fmt.Sprintf("%s %s is served on %s, and this is %s", who.Name, who.Version, socket, plugin.Version), "restart the plugin server; what Kong was told has to be of the same version"}
	}
	return finding{Check: "server", Status: right, Says: fmt.Sprintf("%s %s answers on %s", who.Name, who.Version, socket)}
}
