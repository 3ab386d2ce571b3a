package mend

import (
	"bytes"
	"fmt"
	"slices"

	"diag405/kong/config"
)

// decoded are files in UTF-8, in which changes are made.
func decoded(files []config.File) []config.File {
	out := slices.Clone(files)
	for i, f := range out {
		out[i].Data = config.EncodingOf(f.Data).Decode(f.Data)
	}
	return out
}

// encoded are changed files in the encoding that they had before, and the others as they
// were. One that has half a character cannot be written as it was.
func encoded(before, after []config.File) ([]config.File, error) {
	out := slices.Clone(before)
	for i, f := range out {
		in := config.EncodingOf(f.Data)
		plain := in.Decode(f.Data)
		if bytes.Equal(plain, after[i].Data) {
			continue
		}
		if !bytes.Equal(in.Encode(plain), f.Data) {
			return nil, fmt.Errorf("%q is UTF-16 with half a character in it, which cannot be written back: save it as UTF-8", f.Name)
		}
		out[i].Data = in.Encode(after[i].Data)
	}
	return out, nil
}
