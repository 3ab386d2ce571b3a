package router

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestPriority has what a LuaJIT made of the same numbers, compiled (warm) and with
// its compiler off (fresh).
func TestPriority(t *testing.T) {
	for _, row := range []struct {
		weight       int
		plain        bool
		headers      int
		regex        bool
		rank, length int
		warm, fresh  uint64
	}{
		{1, false, 0, false, 0, 4, 0x0000000020000004, 0x0000000020000004},
		{3, true, 1, false, 0, 9, 0x1000000060100009, 0x1000000060100009},
		{4, false, 1, false, 0, 2, 0xffffffff80100002, 0x8000000000000000},
		{4, false, 1, true, 0, 0, 0xffffffff80100000, 0x8008000000100000},
		{4, true, 2, true, 5, 0, 0xffffffff80280000, 0x9008000000280000},
		{5, true, 1, false, 0, 7, 0xffffffffa0100007, 0x9000000000100007},
		{1, false, 0, true, -1, 0, 0xfffffffffff80000, 0x8008000020000000},
		{1, false, 0, true, 4095, 0, 0x000800007ff80000, 0x000800007ff80000},
		{1, false, 0, true, 4096, 0, 0xffffffffa0000000, 0x8008000020000000},
		{2, false, 0, true, 8191, 0, 0xfffffffffff80000, 0x8008000040000000},
		{2, false, 0, true, 8192, 0, 0x0008000040000000, 0x0008000040000000},
		{7, false, 255, false, 0, 524291, 0xffffffffeff00003, 0x8000000000000000},
		{6, false, 3, false, 0, 3, 0xffffffffc0300003, 0x8000000000000000},
	} {
		p := priority{weight: shift32(row.weight, 61), plain: row.plain, headers: shift32(row.headers, 52), regex: row.regex,
			rank: shift32(row.rank, 19), length: int32(row.length & (1<<19 - 1))}
		assert.Equal(t, row.warm, p.warm(), "%+v", row)
		assert.Equal(t, row.fresh, p.fresh(), "%+v", row)
	}
}
