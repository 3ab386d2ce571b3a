package version

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A commit that the linker stamps is printed, and where the pages are; images are built
// so.
func TestStamped(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "diag405")
	out, err := exec.Command("go", "build", "-buildvcs=false", "-ldflags=-X diag405/cmd/diag405/version.commit=0123abc -X diag405/cmd/diag405/cli.docs=https://docs.example", "-o", bin, "diag405/cmd/diag405").CombinedOutput()
	require.NoError(t, err, string(out))
	out, err = exec.Command(bin, "version", "-o", "json").Output()
	require.NoError(t, err)
	var got info
	require.NoError(t, json.Unmarshal(out, &got))
	assert.Equal(t, "0123abc", got.Commit)
	out, err = exec.Command(bin, "cause", "path-rewrite").Output()
	require.NoError(t, err)
	assert.Contains(t, string(out), "\n    https://docs.example/causes/strip-path.md\n")
}

func TestRevision(t *testing.T) {
	set := func(pairs ...string) (out []debug.BuildSetting) {
		for i := 0; i < len(pairs); i += 2 {
			out = append(out, debug.BuildSetting{Key: pairs[i], Value: pairs[i+1]})
		}
		return out
	}
	assert.Equal(t, "", revision(nil))
	assert.Equal(t, "", revision(set("vcs.modified", "true")))
	assert.Equal(t, "1a2b", revision(set("vcs.revision", "1a2b", "vcs.modified", "false")))
	assert.Equal(t, "1a2b+changes", revision(set("vcs.revision", "1a2b", "vcs.modified", "true")))
}
