package diagnose

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every header that a cause asks for by its name is one that it is said to look at.
func TestLooksAtEveryHeader(t *testing.T) {
	asks := regexp.MustCompile(`(Client|Response)\.Header\.(?:Get|Values)\("([^"]+)"\)`)
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	found := 0
	for _, file := range files {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, m := range asks.FindAllStringSubmatch(string(source), -1) {
			found++
			if m[1] == "Client" {
				assert.Contains(t, slices.Concat(askedHeaders, overrideHeaders), m[2], file)
			} else {
				assert.Contains(t, answerHeaders, m[2], file)
			}
		}
	}
	assert.Greater(t, found, 8)
}

func TestLooks(t *testing.T) {
	for name, want := range map[string]Look{"host": AtValue, "content-type": AtValue, "x-http-method-override": AtValue, "sec-websocket-key": WhetherThere, "user-agent": NotAt, "Host": NotAt} {
		assert.Equal(t, want, Asked(name), name)
	}
	for name, want := range map[string]Look{"allow": AtValue, "server": AtValue, "x-amz-request-id": WhetherThere, "date": NotAt, "content-type": NotAt} {
		assert.Equal(t, want, Answered(name), name)
	}
}
