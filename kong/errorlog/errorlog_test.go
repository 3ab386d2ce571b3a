package errorlog

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestHead(t *testing.T) {
	const time = "2026/11/23 08:06:03"
	tests := []struct {
		head string
		ok   bool
	}{
		{time + ` [warn] 1443#0: *656 [kong] pb_rpc.lua:233 `, true},
		{time + ` [warn] 1443#0: *656 [kong] pb_rpc.lua:233 [diag405-log] `, true},
		{time + ` [notice] 1443#0: [kong] init.lua:1 `, true}, // no connection
		{`kong-1  | ` + time + ` [warn] 1443#0: *656 [kong] pb_rpc.lua:233 `, true},
		{`127.0.0.1 "` + time + ` [warn] 1443#0: *656 [kong] pb_rpc.lua:233 `, false}, // a client's, in an access log
		{time + ` [warn] 1443#0: *656 [kong] pb_rpc.lua:233 something `, false},
		{time + ` [warn] 1443#0: *656 [kong] pb_rpc.lua:233 [Not a name] `, false},
		{time + ` [error] 1443#0: *656 open() "/usr/share/[kong] a.lua:1 `, false},
		{time + ` [error] 1443#0: *656 [lua] a.lua:1 `, false},
		{time + ` [error] 1443#0: *656 [kong] a b.lua:1 `, false},
		{time + ` [error] x#0: *656 [kong] a.lua:1 `, false},
		{`2026-11-23 08:06:03 [warn] 1443#0: *656 [kong] pb_rpc.lua:233 `, false},
		{time, false},
		{"", false},
	}
	for _, tt := range tests {
		got, ok := Head([]byte(tt.head))
		assert.Equal(t, tt.ok, ok, tt.head)
		if tt.ok {
			assert.Equal(t, time, string(got), tt.head)
		}
	}
}

func TestBegins(t *testing.T) {
	for line, want := range map[string]bool{
		"2026/11/23 08:06:03 [error] 1443#0: *656 something":          true,
		"kong-1  | 2026/11/23 08:06:03 [warn] 1443#0: something":      true,
		`127.0.0.1 - - [23/Nov/2026:08:06:03 +0000] "GET / HTTP/1.1"`: false,
		`x "2026/11/23 08:06:03 [error] 1443#0: `:                     false,
		"2026/11/23 08:06:03 {}":                                      false,
		"2026/11/23 08:06:03":                                         false,
		"":                                                            false,
	} {
		assert.Equal(t, want, Begins([]byte(line)), line)
	}
}
