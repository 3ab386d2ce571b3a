package config_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"diag405/kong/config"
	"diag405/kong/measured"
)

// BenchmarkLoad reads a file of many routes: YAML, the same as JSON, and what decK dumps.
func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 50_000} {
		text := measured.Mixed(n)
		for form, data := range map[string][]byte{"yaml": text, "json": asJSON(b, text), "deck": measured.Dumped(n)} {
			b.Run(fmt.Sprintf("%s/%d", form, n), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(data)))
				for b.Loop() {
					_, err := config.Load([]config.File{{Name: "kong", Data: data}})
					require.NoError(b, err)
				}
			})
		}
	}
}

func asJSON(b *testing.B, text []byte) []byte {
	var values any
	require.NoError(b, yaml.Unmarshal(text, &values))
	data, err := json.Marshal(values)
	require.NoError(b, err)
	return data
}
