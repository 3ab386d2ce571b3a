// Command probe is a plugin that makes the PDK calls that its configuration
// names, and reports what each returned.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"
	"reflect"

	"github.com/Kong/go-pdk"
	"github.com/Kong/go-pdk/server"
	"github.com/Kong/go-pdk/server/kong_plugin_protocol"
	"google.golang.org/protobuf/types/known/structpb"
)

// Config says what to call in each phase: field of the PDK, method, arguments,
// as in ["Nginx", "GetVar", "request"].
type Config struct {
	InAccess   string `json:"in_access"` // JSON: a list of calls
	InResponse string `json:"in_response"`
	InLog      string `json:"in_log"`
	Report     string `json:"report"` // address that outcomes are sent to
	Level      string `json:"level"`
	Limit      int    `json:"limit"`
}

func (c *Config) Access(kong *pdk.PDK)   { c.run(kong, "access", c.InAccess) }
func (c *Config) Response(kong *pdk.PDK) { c.run(kong, "response", c.InResponse) }
func (c *Config) Log(kong *pdk.PDK)      { c.run(kong, "log", c.InLog) }

// Unbuffered is the probe without a response phase, which the binary serves
// under the name probe-log.
type Unbuffered Config

func (c *Unbuffered) Access(kong *pdk.PDK) { (*Config)(c).Access(kong) }
func (c *Unbuffered) Log(kong *pdk.PDK)    { (*Config)(c).Log(kong) }

func newConfig() any {
	if filepath.Base(os.Args[0]) == "probe-log" {
		return &Unbuffered{}
	}
	return &Config{}
}

// outcome is what became of a call; the last of a phase has no Call.
type outcome struct {
	Phase, Call, Value, Error string
	PID                       int
}

func (c *Config) run(kong *pdk.PDK, phase, text string) {
	if text == "" {
		return
	}
	var calls [][]any
	if err := json.Unmarshal([]byte(text), &calls); err != nil {
		log.Fatalf("calls %q: %v", text, err)
	}
	conn, err := net.Dial("tcp", c.Report)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	report := json.NewEncoder(conn)
	for _, call := range calls {
		o := outcome{Phase: phase, Call: fmt.Sprint(call), PID: os.Getpid()}
		value, err := invoke(kong, call)
		data, _ := json.Marshal(value)
		o.Value = string(data)
		if err != nil {
			o.Error = err.Error()
		}
		report.Encode(o)
	}
	report.Encode(outcome{Phase: phase, PID: os.Getpid()})
}

// invoke makes a call by its name.
func invoke(kong *pdk.PDK, call []any) (any, error) {
	switch call[0] {
	case "die":
		os.Exit(3)
	case "SetSerializeValue": // the wrapper has no such call
		value, err := structpb.NewValue(call[2])
		if err != nil {
			return nil, err
		}
		return nil, kong.Log.Ask("kong.log.set_serialize_value", &kong_plugin_protocol.KV{K: call[1].(string), V: value}, nil)
	}
	method := reflect.ValueOf(kong).Elem().FieldByName(call[0].(string)).MethodByName(call[1].(string))
	if !method.IsValid() {
		log.Fatalf("no call %v", call)
	}
	var args []reflect.Value
	for i, a := range call[2:] {
		args = append(args, argument(method.Type(), i, a))
	}
	results := method.Call(args)
	var values []any
	for _, r := range results {
		if err, ok := r.Interface().(error); ok {
			return nil, err
		}
		if r.Type() != reflect.TypeFor[error]() {
			values = append(values, printable(r.Interface()))
		}
	}
	if len(values) == 1 {
		return values[0], nil
	}
	return values, nil
}

func printable(v any) any {
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return v
}

// argument makes a JSON value fit the parameter.
func argument(method reflect.Type, i int, a any) reflect.Value {
	if method.IsVariadic() && i >= method.NumIn()-1 {
		return reflect.ValueOf(a)
	}
	p := reflect.New(method.In(i))
	if method.In(i) == reflect.TypeFor[[]byte]() {
		return reflect.ValueOf([]byte(a.(string)))
	}
	data, _ := json.Marshal(a)
	if err := json.Unmarshal(data, p.Interface()); err != nil {
		log.Fatalf("argument %v: %v", a, err)
	}
	return p.Elem()
}

func main() {
	if err := server.StartServer(newConfig, "0.1.0", 5); err != nil {
		log.Fatal(err)
	}
}
