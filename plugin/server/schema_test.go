package server

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Kong/go-pdk"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// everyKind is a configuration with a field of each kind.
type everyKind struct {
	embedded
	*Pointed
	Named     embedded `json:"named"`
	Plain     string
	Choice    string         `json:"choice,omitempty"`
	Secret    string         `json:"secret"`
	Small     uint8          `json:"small"`
	Large     uint64         `json:"large"`
	Wide      int64          `json:"wide"`
	Timeout   time.Duration  `json:"timeout"`
	Zero      int            `json:"zero"`
	Must      int            `json:"must"`
	Bounded   int            `json:"bounded"`
	Ratio     float32        `json:"ratio"`
	On        bool           `json:"on"`
	Off       bool           `json:"off"`
	Maybe     *bool          `json:"maybe"`
	Certainly *int           `json:"certainly"`
	Statuses  []int          `json:"statuses"`
	Names     []string       `json:"names"`
	Labels    map[string]int `json:"labels"`
	ByNumber  map[int]string `json:"by_number"`
	Body      []byte         `json:"body"`
	Address   net.IP         `json:"address"`
	Nested    struct {
		Depth int `json:"depth"`
		Items []struct {
			Key string `json:"key"`
		} `json:"items"`
	} `json:"nested"`
	Optional *embedded `json:"optional"`
	Fixed    [2]string `json:"fixed"`
	Any      any       `json:"any"`
	Func     func()    `json:"func"`
	Hidden   string    `json:"-"`
	//lint:ignore U1000 that it is not used is what it is for
	private int
}

type embedded struct {
	Shared string `json:"shared"`
	Choice string `json:"choice"` // hidden by the outer one
}

// Pointed is embedded by pointer.
type Pointed struct {
	Deep int `json:"deep"`
}

func newEveryKind() any {
	five := 5
	c := &everyKind{Plain: "p", Choice: "a", Small: 3, Timeout: 5, Ratio: 0.5, On: true, Certainly: &five, Statuses: []int{405},
		Labels: map[string]int{"a": 1}, Pointed: &Pointed{}}
	c.Shared, c.Deep = "s", 7
	c.Nested.Depth = 2
	return c
}

func (*everyKind) Describe() Fields {
	return Fields{
		{"choice", Field{Description: "Which of the two letters.", Required: true, OneOf: List("a", "b")}},
		{"secret", Field{Encrypted: true, Referenceable: true, LenMin: 8, LenMax: 64}},
		{"large", Field{Between: []float64{0, 1000}}},
		{"must", Field{Required: true}},
		{"bounded", Field{Between: []float64{1, 10}}},
		{"statuses", Field{LenMin: 1, Elements: &Field{Between: []float64{400, 599}}}},
		{"names", Field{Set: true, Elements: &Field{Match: "^[%w-]+$", MatchNone: []string{"^%d"}, Err: "letters, digits and dashes"}}},
		{"labels", Field{Keys: &Field{LenMax: 5}, Values: &Field{OneOf: List(1, 2)}}},
		{"nested", Field{Fields: Fields{
			{"depth", Field{Between: []float64{0, 3}}},
			{"items", Field{Elements: &Field{Fields: Fields{{"key", Field{Required: true}}}}}},
		}}},
	}
}

func (*everyKind) Access(*pdk.PDK)   {}
func (*everyKind) Log(*pdk.PDK)      {}
func (*everyKind) Response(_ string) {} // another signature: not a handler

// TestDump pins what Kong is told.
func TestDump(t *testing.T) {
	var out bytes.Buffer
	p := Plugin{New: newEveryKind, Version: "1.2.3", Priority: -5, Name: "kinds", Protocols: []string{"http"}}
	require.NoError(t, p.Dump(&out, "/prefix/"))
	var pretty bytes.Buffer
	require.NoError(t, json.Indent(&pretty, out.Bytes(), "", "  "))
	golden := filepath.Join("testdata", "dump.json")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(golden, pretty.Bytes(), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), pretty.String())
}

// What the schema gives as defaults is what the constructor gives.
func TestDefaultsAreTheConstructors(t *testing.T) {
	schema, err := Plugin{New: newEveryKind, Name: "kinds"}.schema(newEveryKind())
	require.NoError(t, err)
	data, err := json.Marshal(schema)
	require.NoError(t, err)
	var s struct{ Fields []map[string]schemaField }
	require.NoError(t, json.Unmarshal(data, &s))
	config, err := json.Marshal(s.Fields[1]["config"].defaults())
	require.NoError(t, err)
	got := &everyKind{Pointed: &Pointed{}}
	require.NoError(t, json.Unmarshal(config, got))
	assert.Equal(t, newEveryKind(), got)
}

type schemaField struct {
	Default any
	Type    string
	Fields  []map[string]schemaField
}

func (f schemaField) defaults() any {
	if f.Type != "record" || f.Default != nil {
		return f.Default
	}
	out := map[string]any{}
	for _, entry := range f.Fields {
		for name, sub := range entry {
			if d := sub.defaults(); d != nil && !reflect.DeepEqual(d, map[string]any{}) {
				out[name] = d
			}
		}
	}
	return out
}

// What Kong would refuse in a schema is refused when it is printed, and not by a
// Kong that does not start.
func TestBadDescriptions(t *testing.T) {
	tests := []struct {
		fields Fields
		want   string
	}{
		{Fields{{"a", Field{Description: "short"}}}, "a: a description has 10 to 500 bytes, not 5"},
		{Fields{{"a", Field{Description: strings.Repeat("x", 501)}}}, "not 501"},
		{Fields{{"a", Field{Between: []float64{1, 2}}}}, "a: between is not for a value of type string"},
		{Fields{{"n", Field{Between: []float64{1}}}}, "n: between has 2 numbers, not 1"},
		{Fields{{"l", Field{OneOf: List(1)}}}, "l: one_of is not for a value of type array"},
		{Fields{{"n", Field{MatchNone: []string{"x"}}}}, "n: match is not for a value of type integer"},
		{Fields{{"n", Field{Match: "x"}}}, "n: match is not for a value of type integer"},
		{Fields{{"n", Field{LenMin: 1}}}, "n: a value of type integer has no length"},
		{Fields{{"n", Field{Set: true}}}, "n: a value of type integer is no set"},
		{Fields{{"n", Field{Elements: &Field{}}}}, "n: a value of type integer has no elements"},
		{Fields{{"n", Field{Keys: &Field{}}}}, "n: a value of type integer has no keys and values"},
		{Fields{{"n", Field{Fields: Fields{}}}}, "n: a value of type integer has no fields"},
		{Fields{{"n", Field{Referenceable: true}}}, "n: a value of type integer is no reference"},
		{Fields{{"l", Field{Elements: &Field{Match: "x"}}}}, "l: elements: match is not for a value of type integer"},
		{Fields{{"typo", Field{}}}, `"typo" is described, and there is no such field`},
		{Fields{{"a", Field{}}, {"n", Field{}}, {"a", Field{}}}, `"a" is described twice`},
		{Fields{{"a", Field{OneOf: List("y", "z")}}}, `a: the default "x" is not one of its values`},
		{Fields{{"n", Field{Between: []float64{6, 9}}}}, "n: the default 5 is outside 6 to 9"},
	}
	for _, tt := range tests {
		err := Plugin{New: func() any { return &misdescribed{A: "x", N: 5, fields: tt.fields} }, Name: "x"}.Dump(&bytes.Buffer{}, "")
		assert.ErrorContains(t, err, tt.want)
	}
	assert.ErrorContains(t, Plugin{New: func() any { return 5 }}.Dump(&bytes.Buffer{}, ""), "the constructor returns a int, not a pointer to a struct")
}

// Kong lists fields in the order of their description, and those that have none
// where the struct has them.
func TestOrderOfFields(t *testing.T) {
	tests := []struct{ described, want []string }{
		{nil, []string{"a", "n", "l"}},
		{[]string{"l", "n", "a"}, []string{"l", "n", "a"}},
		{[]string{"l", "a"}, []string{"l", "n", "a"}},
		{[]string{"n"}, []string{"a", "n", "l"}},
	}
	for _, tt := range tests {
		m := &misdescribed{}
		for _, name := range tt.described {
			m.fields = append(m.fields, NamedField{Name: name})
		}
		schema, err := Plugin{Name: "x"}.schema(m)
		require.NoError(t, err)
		var got []string
		for _, field := range schema["fields"].([]object)[1]["config"].(object)["fields"].([]object) {
			got = slices.AppendSeq(got, maps.Keys(field))
		}
		assert.Equal(t, tt.want, got, tt.described)
	}
}

type misdescribed struct {
	A      string
	N      int
	L      []int
	fields Fields
}

func (m *misdescribed) Describe() Fields { return m.fields }

// A go-pdk plugin's own dump, and ours of the same plugin: the same but for what
// ours adds.
func TestDumpAsGoPDK(t *testing.T) {
	dump := func(name string) map[string]any {
		cmd := exec.Command(executable(t, name), "-kong-prefix", "/p", "-dump")
		out, err := cmd.Output()
		require.NoError(t, err)
		var v map[string]any
		require.NoError(t, json.Unmarshal(bytes.ReplaceAll(out, []byte(name), []byte("NAME")), &v))
		return v
	}
	want, got := dump(goPDKName), dump(oursName)
	field := func(v map[string]any, i int) any {
		schema := v["Plugins"].([]any)[0].(map[string]any)["Schema"].(map[string]any)
		fields := schema["fields"].([]any)
		schema["fields"] = fields[i:]
		return fields[i].(map[string]any)["config"].(map[string]any)["fields"]
	}
	theirs, ours := field(want, 0).([]any), field(got, 1).([]any)
	require.Len(t, ours, len(theirs))
	for i := range ours {
		for name, f := range ours[i].(map[string]any) {
			maps.DeleteFunc(f.(map[string]any), func(k string, _ any) bool { return k == "default" })
			assert.Contains(t, theirs[i], name)
		}
	}
	assert.Equal(t, want, got)
}

// A link to the executable is another plugin, by the link's name.
func TestNameOfALink(t *testing.T) {
	link := filepath.Join(t.TempDir(), oursName)
	self, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.Symlink(self, link))
	out, err := exec.Command(link, "-dump").Output()
	require.NoError(t, err)
	assert.Contains(t, string(out), `"SocketPath":"/usr/local/kong/ours.socket"`)
	assert.Contains(t, string(out), `"Name":"ours"`)
}
