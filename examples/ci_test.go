package examples

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"diag405/cmd/diag405/diag405test"
)

// action is what is read of an action.yml.
type action struct {
	Inputs map[string]struct {
		Description string
		Default     string
	}
	Outputs map[string]struct{ Value string }
	Runs    struct {
		Using string
		Steps []actionStep
	}
}

type actionStep struct {
	ID, If, Uses, Shell, Run string
	Env, With                map[string]string
}

const actionFile = "../.github/actions/diag405/action.yml"

func readYAML(t *testing.T, file string, v any) {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(data, v), file)
}

var (
	ofInput  = regexp.MustCompile(`inputs\.([\w-]+)`)
	ofOutput = regexp.MustCompile(`steps\.([\w-]+)\.outputs\.([\w-]+)`)
)

// Expressions ask for inputs and steps that there are, and none stands in a script,
// where what somebody calls a branch would be run.
func TestCIActionHangsTogether(t *testing.T) {
	var a action
	readYAML(t, actionFile, &a)
	assert.Equal(t, "composite", a.Runs.Using)
	text, err := os.ReadFile(actionFile)
	require.NoError(t, err)
	used := map[string]bool{}
	for _, m := range ofInput.FindAllStringSubmatch(string(text), -1) {
		used[m[1]] = true
		assert.Contains(t, a.Inputs, m[1])
	}
	for name, in := range a.Inputs {
		assert.True(t, used[name] && in.Description != "", name)
	}
	written := map[string]string{}
	for _, s := range a.Runs.Steps {
		written[s.ID] += s.Run
		assert.NotContains(t, s.Run, "${{", "%s", s.ID)
		assert.Equal(t, s.Run != "", s.Shell == "bash", "%s", s.ID)
	}
	for _, m := range ofOutput.FindAllStringSubmatch(string(text), -1) {
		assert.Contains(t, written[m[1]], m[2]+"=", "step %s writes %s", m[1], m[2])
	}
	// The workflow gives it what it takes, and reads what it has.
	var workflow struct {
		Jobs map[string]struct{ Steps []actionStep }
	}
	readYAML(t, "ci/github.yml", &workflow)
	for _, s := range workflow.Jobs["kong"].Steps {
		if s.ID != "diag405" {
			continue
		}
		assert.True(t, strings.HasPrefix(s.Uses, "OWNER/diag405/.github/actions/diag405@"))
		for name := range s.With {
			assert.Contains(t, a.Inputs, name)
		}
	}
	data, err := os.ReadFile("ci/github.yml")
	require.NoError(t, err)
	for _, m := range ofOutput.FindAllStringSubmatch(string(data), -1) {
		assert.Contains(t, a.Outputs, m[2])
	}
}

// checkout is a clone of a repository with a branch main, and a change in its folder.
type checkout struct {
	dir, temp string
	bin       string
}

const (
	mainConfig   = "_format_version: '3.0'\nservices: [{name: s, url: 'http://s', routes: [{name: r, paths: [/shop]}]}]\n"
	changed      = "_format_version: '3.0'\nservices: [{name: s, url: 'http://s', routes: [{name: r, paths: [/shop], strip_path: false}]}]\n"
	withFindings = "_format_version: '3.0'\nservices: [{name: s, url: 'http://s', routes: [{name: r, paths: [/shop/*]}]}]\n"
)

// origin is a repository with the configuration in two places, and the binary.
type origin struct{ dir, diag405 string }

func newOrigin(t *testing.T) origin {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git here")
	}
	dir := t.TempDir()
	for _, file := range []string{"kong.yml", "gateway/kong.yml"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(file)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(mainConfig), 0o644))
	}
	git(t, dir, "init", "-q", "-b", "main")
	git(t, dir, "add", ".")
	git(t, dir, "commit", "-q", "-m", "one")
	return origin{dir, diag405test.Build(t)}
}

func newCheckout(t *testing.T, from origin, file, config string) *checkout {
	t.Helper()
	root := t.TempDir()
	c := &checkout{dir: filepath.Join(root, "work"), temp: filepath.Join(root, "temp"), bin: filepath.Join(root, "bin")}
	require.NoError(t, errors.Join(os.Mkdir(c.temp, 0o755), os.Mkdir(c.bin, 0o755)))
	require.NoError(t, os.Symlink(from.diag405, filepath.Join(c.bin, "diag405")))
	git(t, root, "clone", "-q", "--depth=1", "file://"+from.dir, "work")
	require.NoError(t, os.WriteFile(filepath.Join(c.dir, file), []byte(config), 0o644))
	return c
}

func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@test", "-c", "commit.gpgsign=false"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "git %s: %s", args, out)
}

// bash runs a script as a runner does, and returns its exit code.
func (c *checkout) bash(t *testing.T, script string, env map[string]string) (out string, code int) {
	t.Helper()
	cmd := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script)
	cmd.Dir = c.dir
	cmd.Env = append(withOnPath(c.bin), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	var all bytes.Buffer
	cmd.Stdout, cmd.Stderr = &all, &all
	if err := cmd.Run(); err != nil {
		require.NotNil(t, cmd.ProcessState, "%v", err)
	}
	return all.String(), cmd.ProcessState.ExitCode()
}

// runAction runs the shell steps with inputs, as far as one fails.
func (c *checkout) runAction(t *testing.T, inputs map[string]string) (out string, outputs map[string]string, code int) {
	t.Helper()
	var a action
	readYAML(t, actionFile, &a)
	here, err := filepath.Abs(filepath.Dir(actionFile))
	require.NoError(t, err)
	outputs = map[string]string{}
	value := func(expression string) string {
		for name, in := range a.Inputs {
			text, given := inputs[name]
			if !given {
				text = in.Default
			}
			expression = strings.ReplaceAll(expression, "${{ inputs."+name+" }}", text)
		}
		expression = ofOutput.ReplaceAllStringFunc(expression, func(s string) string { return outputs[ofOutput.FindStringSubmatch(s)[2]] })
		return strings.NewReplacer("${{ github.action_repository || github.repository }}", "ours/diag405",
			"${{ github.action_ref || github.sha }}", "v1", "${{ ", "", " }}", "").Replace(expression)
	}
	output := filepath.Join(c.temp, "output")
	for _, s := range a.Runs.Steps {
		if s.Run == "" || s.ID == "diff" && inputs["base"] == "" {
			continue
		}
		env := map[string]string{
			"RUNNER_TEMP": c.temp, "GITHUB_OUTPUT": output, "GITHUB_STEP_SUMMARY": filepath.Join(c.temp, "summary"),
			"GITHUB_ACTION_PATH": here, "GITHUB_SERVER_URL": "https://git.example",
		}
		for name, expression := range s.Env {
			env[name] = value(expression)
		}
		text, exit := c.bash(t, s.Run, env)
		out, code = out+text, exit
		data, _ := os.ReadFile(output)
		for line := range strings.Lines(string(data)) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			outputs[name] = value
		}
		if code != 0 {
			return out, outputs, code
		}
	}
	return out, outputs, code
}

// What can be run without GitHub and GitLab, is.
func TestCI(t *testing.T) {
	t.Parallel()
	from := newOrigin(t)
	t.Run("action", func(t *testing.T) { testAction(t, from) })
	t.Run("action builds", func(t *testing.T) { testActionBuilds(t, from) })
	t.Run("GitLab", func(t *testing.T) { testGitLab(t, from) })
	t.Run("pre-commit", func(t *testing.T) { testPreCommit(t, from) })
}

func testAction(t *testing.T, from origin) {
	tests := []struct {
		name, file, config string
		inputs             map[string]string
		code               int
		changed            string
		want               []string
	}{
		{"nothing changes", "kong.yml", mainConfig, map[string]string{"base": "main"}, 0, "false", []string{"base/kong.yml → head/kong.yml: no request changes"}},
		{"a change is told", "gateway/kong.yml", changed, map[string]string{"base": "main"}, 0, "true", []string{"base/gateway/kong.yml → head/gateway/kong.yml: 1 change", "| **path** | `GET /shop`"}},
		{"and fails", "kong.yml", changed, map[string]string{"base": "main", "fail-on-diff": "true"}, 1, "true", []string{"::error title=diag405 diff::"}},
		{"unless it is meant, in a folder", "gateway/kong.yml", changed, map[string]string{"base": "main", "config": "gateway", "fail-on-diff": "true", "diff-flags": "-allow path:r"}, 0, "false", []string{"1 allowed"}},
		{"what was not there", "kong.yml", mainConfig, map[string]string{"base": "main", "config": "new.yml"}, 0, "", []string{"::notice title=diag405 diff::main has no new.yml"}},
		{"findings", "kong.yml", withFindings, nil, 1, "", []string{"::error file=kong.yml,line=2,title=diag405 literal-star::"}},
		{"findings that are left out", "kong.yml", withFindings, map[string]string{"lint-flags": "-ignore 'literal-star:r'"}, 0, "", nil},
		{"a branch is no command", "kong.yml", mainConfig, map[string]string{"base": "$(touch hacked)"}, 128, "", nil},
		{"nor are flags", "kong.yml", mainConfig, map[string]string{"lint-flags": "-ignore '$(touch hacked)'"}, 2, "", []string{`"$(touch hacked)" is not the id of a finding`}},
		{"what cannot be read", "kong.yml", "a: b\n", map[string]string{"base": "main"}, 2, "", []string{"_format_version"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCheckout(t, from, tt.file, tt.config)
			if tt.inputs == nil {
				tt.inputs = map[string]string{}
			}
			tt.inputs["binary"] = from.diag405
			if tt.inputs["config"] == "" {
				tt.inputs["config"] = tt.file
			}
			if tt.inputs["config"] == "new.yml" {
				require.NoError(t, os.WriteFile(filepath.Join(c.dir, "new.yml"), []byte(mainConfig), 0o644))
			}
			out, outputs, code := c.runAction(t, tt.inputs)
			assert.Equal(t, tt.code, code, out)
			assert.Equal(t, tt.changed, outputs["changed"], out)
			for _, want := range tt.want {
				assert.Contains(t, out, want)
			}
			assert.NoFileExists(t, filepath.Join(c.dir, "hacked"))
			if tt.changed != "" {
				assert.FileExists(t, outputs["comment"])
			}
		})
	}
}

// Built by the action, the binary knows where its documents are.
func testActionBuilds(t *testing.T, from origin) {
	c := newCheckout(t, from, "kong.yml", withFindings)
	out, _, code := c.runAction(t, map[string]string{"fail-on": "error"})
	require.Equal(t, 1, code, out)
	sarif, err := os.ReadFile(filepath.Join(c.dir, "diag405.sarif"))
	require.NoError(t, err)
	for _, want := range []string{`"informationUri": "https://git.example/ours/diag405/blob/v1/docs/lint.md"`, `"helpUri": "https://git.example/ours/diag405/blob/v1/docs/lint.md#literal-star"`, `"uri": "kong.yml"`} {
		assert.Contains(t, string(sarif), want)
	}
}

func testGitLab(t *testing.T, from origin) {
	type job struct {
		Before  []string `yaml:"before_script"`
		Script  []string
		Extends string
	}
	var all map[string]yaml.Node
	readYAML(t, "ci/gitlab.yml", &all)
	named := func(name string) (j job) {
		node := all[name]
		require.NoError(t, node.Decode(&j))
		return j
	}
	tests := []struct {
		job, config string
		code        int
		want        string
	}{
		{"kong-lint", withFindings, 1, "literal-star"},
		{"kong-diff", changed, 1, "| **path** | `GET /shop`"},
	}
	for _, tt := range tests {
		j := named(tt.job)
		assert.Equal(t, ".diag405", j.Extends)
		c := newCheckout(t, from, "kong.yml", tt.config)
		out, code := c.bash(t, strings.Join(j.Script, "\n"), map[string]string{"KONG_CONFIG": "kong.yml", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"})
		assert.Equal(t, tt.code, code, out)
		assert.Contains(t, out, tt.want)
	}
	before := named(".diag405").Before
	require.NotEmpty(t, before)
	assert.NoError(t, exec.Command("bash", "-nc", strings.Join(before, "\n")).Run())
}

func testPreCommit(t *testing.T, from origin) {
	type hook struct {
		ID, Entry, Language, Files string
		Args                       []string
	}
	var hooks []hook
	readYAML(t, "../.pre-commit-hooks.yaml", &hooks)
	for _, h := range hooks {
		assert.Equal(t, "golang", h.Language)
		assert.Regexp(t, h.Files, "gateway/kong.yml")
		c := newCheckout(t, from, "kong.yml", withFindings)
		command := h.Entry + " " + strings.Join(h.Args, " ")
		out, code := c.bash(t, command, nil)
		assert.Equal(t, map[string]int{"diag405-lint": 1, "diag405-fix": 0}[h.ID], code, out)
	}
	var example struct {
		Repos []struct{ Hooks []hook }
	}
	readYAML(t, "ci/pre-commit.yml", &example)
	for _, h := range example.Repos[0].Hooks {
		assert.True(t, slices.ContainsFunc(hooks, func(own hook) bool { return own.ID == h.ID }), h.ID)
	}
}
