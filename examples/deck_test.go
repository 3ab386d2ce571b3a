//go:build unix

package examples

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/cmd/diag405/diag405test"
	"diag405/kong/config"
)

// deckConfiguration is decK's file with its variables, as decK renders it.
func deckConfiguration(t *testing.T, host, port string) []byte {
	t.Helper()
	text := strings.NewReplacer(
		`${{ env "DECK_WEATHER_HOST" }}`, host,
		`${{ env "DECK_WEATHER_PORT" | toInt }}`, port,
	).Replace(read(t, "deck/kong.yaml"))
	require.NotContains(t, text, "${{")
	return []byte(text)
}

// deckSaid is what diag405 says before anything is sent to Kong.
func deckSaid(t *testing.T, said map[string]diag405test.Result) {
	t.Helper()
	require.Len(t, said, 2)
	for line, got := range said {
		switch strings.Fields(line)[1] {
		case "explain":
			assert.Equal(t, 0, got.Code, got.Stderr)
			assert.Contains(t, got.Stdout, "upstream  POST http://weather:8900/\n")
		case "lint":
			assert.Equal(t, 1, got.Code, got.Stderr)
			assert.Contains(t, got.Stdout, "consumed-path")
		default:
			t.Errorf("%s: nothing is known of it", line)
		}
	}
}

// diag405's own loader, which knows decK's variables, takes the file without a note.
func TestDeckFileLoads(t *testing.T) {
	t.Setenv("DECK_WEATHER_HOST", "weather")
	t.Setenv("DECK_WEATHER_PORT", "8900")
	file := config.File{Name: "kong.yaml", Data: []byte(read(t, "deck/kong.yaml"))}
	c, err := config.Load([]config.File{file}, config.Variables(os.LookupEnv))
	require.NoError(t, err)
	assert.Empty(t, c.Notes)
	require.Len(t, c.Services, 1)
	assert.Equal(t, "weather", c.Services[0].Host)
	assert.Equal(t, 8900, c.Services[0].Port)
	require.Len(t, c.Plugins, 1)
	require.NotNil(t, c.Plugins[0].Route)
	assert.Equal(t, "internal-weather-route-POST", c.Plugins[0].Route.Name)
}
