package examples

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// dockerfile is what the tests read of one. Its arguments are filled in with their
// defaults where they name an image.
type dockerfile struct {
	args   map[string]string // before the first stage
	stages []*stage
}

// stage is one image.
type stage struct {
	name, image, platform string
	steps                 []step
}

// step is one instruction.
type step struct{ does, what string }

func readDockerfile(t *testing.T, name string) dockerfile {
	t.Helper()
	d := dockerfile{args: map[string]string{}}
	comment := regexp.MustCompile(`(?m)^\s*#.*\n`)
	text := strings.ReplaceAll(comment.ReplaceAllString(read(t, name), ""), "\\\n", " ")
	for line := range strings.Lines(text) {
		does, what, _ := strings.Cut(strings.TrimSpace(line), " ")
		what = strings.Join(strings.Fields(what), " ")
		switch {
		case does == "":
		case does == "FROM":
			d.stages = append(d.stages, d.from(what))
		case len(d.stages) == 0:
			require.Equal(t, "ARG", does, "before the first FROM")
			arg, standard, _ := strings.Cut(what, "=")
			d.args[arg] = standard
		default:
			s := d.stages[len(d.stages)-1]
			s.steps = append(s.steps, step{does, what})
		}
	}
	require.NotEmpty(t, d.stages, name)
	return d
}

var variable = regexp.MustCompile(`\$\{?(\w+)\}?`)

func (d dockerfile) from(what string) *stage {
	s := &stage{}
	for _, word := range strings.Fields(what) {
		platform, isPlatform := strings.CutPrefix(word, "--platform=")
		switch {
		case isPlatform:
			s.platform = platform
		case s.image == "":
			s.image = variable.ReplaceAllStringFunc(word, func(v string) string { return d.args[strings.Trim(v, "${}")] })
		case word != "AS":
			s.name = word
		}
	}
	return s
}

func (d dockerfile) stage(t *testing.T, name string) *stage {
	t.Helper()
	for _, s := range d.stages {
		if s.name == name {
			return s
		}
	}
	t.Fatalf("no stage %q", name)
	return nil
}

// all are the instructions of a kind.
func (s *stage) all(does string) (out []string) {
	for _, step := range s.steps {
		if step.does == does {
			out = append(out, step.what)
		}
	}
	return out
}

// one is the only instruction of a kind.
func (s *stage) one(t *testing.T, does string) string {
	t.Helper()
	require.Len(t, s.all(does), 1, "%s %s", s.name, does)
	return s.all(does)[0]
}

// command is an instruction that is a list of words, in JSON.
func (s *stage) command(t *testing.T, does string) (words []string) {
	t.Helper()
	what := s.one(t, does)
	require.NoError(t, json.Unmarshal([]byte(what[strings.Index(what, "["):]), &words), what)
	return words
}

var pair = regexp.MustCompile(`([\w.]+)=("[^"]*"|\S+)`)

// pairs are those of LABEL or ENV.
func (s *stage) pairs(does string) map[string]string {
	out := map[string]string{}
	for _, what := range s.all(does) {
		for _, m := range pair.FindAllStringSubmatch(what, -1) {
			out[m[1]] = strings.Trim(m[2], `"`)
		}
	}
	return out
}
