package examples

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"text/template"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/cmd/diag405/diag405test"
	"diag405/plugin"
)

// goreleaser is what is read of .goreleaser.yaml.
type goreleaser struct {
	Version int
	Before  struct{ Hooks []string }
	Builds  []struct {
		Main, Binary                      string
		Env, Goos, Goarch, Flags, Ldflags []string
		Mod                               string `yaml:"mod_timestamp"`
	}
	Archives []struct{ Files []content }
	Nfpms    []struct {
		Bindir   string
		Contents []content
	}
}

type content struct{ Src, Dst, Type string }

func readRelease(t *testing.T) (g goreleaser) {
	readYAML(t, "../.goreleaser.yaml", &g)
	assert.Equal(t, 2, g.Version)
	require.Len(t, g.Builds, 1)
	return g
}

// What is released is what .ci/run builds, and is built as the images are.
func TestReleaseBuilds(t *testing.T) {
	build := readRelease(t).Builds[0]
	var platforms []string
	for _, system := range build.Goos {
		for _, processor := range build.Goarch {
			platforms = append(platforms, system+"/"+processor)
		}
	}
	run := read(t, "../.ci/run")
	loop := regexp.MustCompile(`(?m)^for platform in (.*); do$`).FindStringSubmatch(run)
	require.NotNil(t, loop)
	assert.ElementsMatch(t, strings.Fields(loop[1]), platforms)
	assert.Equal(t, []string{"CGO_ENABLED=0"}, build.Env)
	assert.Contains(t, build.Flags, "-trimpath")
	assert.Equal(t, "{{ .CommitTimestamp }}", build.Mod)

	image := readDockerfile(t, "../Dockerfile").stage(t, "build").all("RUN")
	stamps := stamped(strings.Join(build.Ldflags, " "))
	assert.Equal(t, stamped(strings.Join(image, " ")), stamps)
	for _, variable := range stamps {
		assert.True(t, isString(t, variable), "the linker sets %s, which is no string variable", variable)
	}
}

// stamped are the variables that the linker is to set.
func stamped(flags string) (names []string) {
	for _, m := range regexp.MustCompile(`-X ([\w/]+\.\w+)=`).FindAllStringSubmatch(flags, -1) {
		names = append(names, m[1])
	}
	return names
}

// isString tells whether a package declares a variable of type string: the linker
// passes over what is not there.
func isString(t *testing.T, variable string) bool {
	t.Helper()
	folder, name, _ := strings.Cut(path.Base(variable), ".")
	files, err := filepath.Glob(filepath.Join("..", strings.TrimPrefix(path.Dir(variable), "diag405"), folder, "*.go"))
	require.NoError(t, err)
	for _, file := range files {
		source, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range source.Decls {
			if d, ok := d.(*ast.GenDecl); ok && d.Tok == token.VAR && declares(d, name) {
				return true
			}
		}
	}
	return false
}

func declares(d *ast.GenDecl, name string) bool {
	for _, spec := range d.Specs {
		v := spec.(*ast.ValueSpec)
		kind, ok := v.Type.(*ast.Ident)
		if ok && kind.Name == "string" && v.Names[0].Name == name && v.Values == nil {
			return true
		}
	}
	return false
}

// The hooks make what archives and packages have beside the files of the project, and a
// tag of another version than the code's is refused.
func TestReleaseFiles(t *testing.T) {
	t.Parallel()
	g := readRelease(t)
	made := filepath.Join(t.TempDir(), "completions")
	bin := diag405test.Build(t)
	for _, hook := range g.Before.Hooks {
		out, err := runHook(t, hook, plugin.Version, made, bin)
		require.NoError(t, err, "%s: %s", hook, out)
	}
	_, err := runHook(t, g.Before.Hooks[0], "99.0.0", made, bin)
	assert.Error(t, err, "v99.0.0 is released as %s", plugin.Version)

	there := func(c content) {
		src := filepath.Join("..", c.Src)
		if rest, ok := strings.CutPrefix(c.Src, "completions/"); ok {
			src = filepath.Join(made, rest)
		}
		found, err := filepath.Glob(src)
		require.NoError(t, err)
		assert.NotEmpty(t, found, c.Src)
	}
	for _, c := range g.Archives[0].Files {
		there(c)
	}
	unit := read(t, "systemd/diag405.service")
	bindir := g.Nfpms[0].Bindir
	assert.Contains(t, unit, "\nExecStart="+bindir+"/diag405 serve ")
	for _, c := range g.Nfpms[0].Contents {
		if c.Type == "symlink" {
			assert.Equal(t, bindir+"/diag405", c.Src)
			assert.NotEqual(t, "/usr/local/bin", path.Dir(c.Dst), "Kong starts what it finds there")
			continue
		}
		there(c)
	}
}

// runHook runs a hook as a release of a version does, with a binary that is there, and
// what it makes goes to a folder.
func runHook(t *testing.T, hook, version, made, bin string) (string, error) {
	t.Helper()
	var line bytes.Buffer
	parsed, err := template.New("hook").Parse(hook)
	require.NoError(t, err)
	require.NoError(t, parsed.Execute(&line, map[string]any{"IsSnapshot": false, "Version": version}))
	text := strings.NewReplacer("go run ./cmd/diag405", bin, "completions", made).Replace(line.String())
	out, err := exec.Command("bash", "-c", text).CombinedOutput()
	return string(out), err
}
