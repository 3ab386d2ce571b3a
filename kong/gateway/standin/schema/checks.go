package schema

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"diag405/kong/gateway/standin/lua"
)

// checks are the validators of a value whose type is right.
var checks = []func(f *field, value any) error{
	func(f *field, value any) error {
		if f.OneOf != nil && !slices.Contains(f.OneOf, value) {
			return fmt.Errorf("expected one of: %s", listed(f.OneOf))
		}
		return nil
	},
	func(f *field, value any) error {
		if f.NotOneOf != nil && slices.Contains(f.NotOneOf, value) {
			return fmt.Errorf("must not be one of: %s", listed(f.NotOneOf))
		}
		return nil
	},
	func(f *field, value any) error {
		if n, ok := value.(float64); ok && len(f.Between) == 2 && (n < f.Between[0] || n > f.Between[1]) {
			return fmt.Errorf("value should be between %d and %d", int64(f.Between[0]), int64(f.Between[1])) // %d in Kong, too
		}
		return nil
	},
	func(f *field, value any) error {
		if n, ok := value.(float64); ok && f.Gt != nil && n <= *f.Gt {
			return fmt.Errorf("value must be greater than %s", decimal(*f.Gt))
		}
		return nil
	},
	func(f *field, value any) error {
		n, ok := length(value)
		switch {
		case !ok:
			return nil
		case f.LenEq != nil && n != *f.LenEq:
			return fmt.Errorf("length must be %d", *f.LenEq)
		case f.LenMin != nil && n < *f.LenMin:
			return fmt.Errorf("length must be at least %d", *f.LenMin)
		case f.LenMin == nil && f.Type == "string" && n == 0: // strings are not empty unless len_min is 0
			return errors.New("length must be at least 1")
		case f.LenMax != nil && n > *f.LenMax:
			return fmt.Errorf("length must be at most %d", *f.LenMax)
		}
		return nil
	},
	func(f *field, value any) error {
		if text, ok := value.(string); ok && !strings.HasPrefix(text, f.StartsWith) {
			return fmt.Errorf("should start with: %s", f.StartsWith)
		}
		return nil
	},
	func(f *field, value any) error {
		text, ok := value.(string)
		if !ok || f.Match == "" {
			return nil
		}
		pattern, err := lua.Pattern(f.Match)
		if err != nil {
			return err
		}
		if !pattern.MatchString(text) {
			return fmt.Errorf("invalid value: %s", text)
		}
		return nil
	},
	func(f *field, value any) error {
		text, _ := value.(string)
		for _, none := range f.MatchNone {
			pattern, err := lua.Pattern(none.Pattern)
			if err != nil {
				return err
			}
			if pattern.MatchString(text) {
				return errors.New(none.Err)
			}
		}
		return nil
	},
}

func length(value any) (int, bool) {
	switch v := value.(type) {
	case string:
		return len(v), true
	case []any:
		return len(v), true
	case map[string]any:
		return len(v), true
	}
	return 0, false
}

func listed(values []any) string {
	var out []string
	for _, v := range values {
		out = append(out, lua.String(v))
	}
	return strings.Join(out, ", ")
}

func decimal(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
