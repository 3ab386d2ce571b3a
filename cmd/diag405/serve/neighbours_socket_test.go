//go:build linux

package serve_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/Kong/go-pdk/server/kong_plugin_protocol"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"diag405/kong/gateway/standin/pluginserver"
)

// TestNeighboursOnTheSocket is what other accounts try, and what whoever speaks Kong's
// side of the socket can send to the real plugin server. Each time it lives on, holds
// little, and explains the next answer.
func TestNeighboursOnTheSocket(t *testing.T) {
	diag405, _ := buildServers(t)
	before := syscall.Umask(0) // as a Kong in the background has it
	r := startRig(t, nil, diag405)
	require.Empty(t, r.checkClean())
	syscall.Umask(before)
	socket := r.socket(t, "diag405")
	for _, step := range []struct {
		name string
		do   func(t *testing.T)
	}{
		{"mode", func(t *testing.T) { checkMode(t, socket) }},
		{"another account", func(t *testing.T) { checkOtherAccount(t, socket) }},
		{"another server", func(t *testing.T) { r.checkOtherServer(t, diag405, socket) }},
		{"half frames", func(t *testing.T) { r.checkHalfFrames(t, socket) }},
		{"replies without end", func(t *testing.T) { checkReplies(t, socket) }},
	} {
		t.Run(step.name, func(t *testing.T) {
			step.do(t)
			r.checkAlive(t, 1)
			assert.Empty(t, r.checkClean())
		})
	}
}

func checkMode(t *testing.T, socket string) {
	info, err := os.Lstat(socket)
	require.NoError(t, err)
	assert.Equal(t, os.ModeSocket|0o600, info.Mode())
}

// nobody is an account that Kong does not run as.
const nobody = 65534

// checkOtherAccount connects as somebody else, in a folder that all may enter.
func checkOtherAccount(t *testing.T, socket string) {
	if os.Getuid() != 0 {
		t.Skip("only root can be somebody else")
	}
	for dir := filepath.Dir(socket); dir != "/" && dir != os.TempDir(); dir = filepath.Dir(dir) {
		require.NoError(t, os.Chmod(dir, 0o755))
	}
	failed := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked, so that the thread ends as who it is then
		syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0)
		fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
		if err == nil {
			defer syscall.Close(fd)
			err = syscall.Connect(fd, &syscall.SockaddrUnix{Name: socket})
		}
		failed <- err
	}()
	assert.ErrorIs(t, <-failed, syscall.EACCES)
}

// checkOtherServer starts another one for the same socket, and one for a file.
func (r *rig) checkOtherServer(t *testing.T, diag405, socket string) {
	out, err := runServer(diag405, "serve", "-socket", socket, "-name", "diag405")
	assert.Error(t, err)
	assert.Contains(t, out, fmt.Sprintf("another server (process %d) listens on", r.pids()[0]))
	file := filepath.Join(t.TempDir(), "kept")
	require.NoError(t, os.WriteFile(file, []byte("kept"), 0o600))
	out, err = runServer(diag405, "serve", "-socket", file, "-name", "diag405")
	assert.Error(t, err)
	assert.Contains(t, out, "is no socket, and is left alone")
	assert.FileExists(t, file)
}

// runServer runs one for a second at most.
func runServer(diag405 string, args ...string) (string, error) {
	cmd := exec.Command(diag405, args...)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return "", err
	}
	stop := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Signal(syscall.SIGTERM) })
	defer stop.Stop()
	err := cmd.Wait()
	return out.String(), err
}

// checkHalfFrames leaves 200 frames open that say they are long.
func (r *rig) checkHalfFrames(t *testing.T, socket string) {
	before := r.residentKB(t)
	for range 200 {
		conn := dialSocket(t, socket)
		_, err := conn.Write(append(binary.LittleEndian.AppendUint32(nil, 64<<20), "half"...))
		require.NoError(t, err)
	}
	assert.Empty(t, r.checkClean())
	held := r.residentKB(t) - before
	t.Logf("200 half frames hold %d KB", held)
	slack := 24 << 10
	if underRace() {
		slack *= 4
	}
	assert.Less(t, held, slack)
}

// residentKB is the resident memory of the plugin server.
func (r *rig) residentKB(t *testing.T) (kb int) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.pids()[0]))
	require.NoError(t, err)
	_, rss, _ := strings.Cut(string(status), "VmRSS:")
	_, err = fmt.Sscan(rss, &kb)
	require.NoError(t, err)
	return kb
}

// checkReplies plays Kong, and gives replies that have no end to all that a handler
// asks.
func checkReplies(t *testing.T, socket string) {
	many := field(6, []byte(strings.Repeat("\x0a\x00", 2<<20)))
	for name, reply := range map[string][]byte{"deep": pluginserver.Nested(3<<20, "\xff"), "deep and long": pluginserver.Nested(20_000, strings.Repeat("\xff", 900<<10)), "many": many} {
		kong := dialSocket(t, socket)
		started := kong.call(t, &kong_plugin_protocol.RpcCall{Sequence: 1, Call: &kong_plugin_protocol.RpcCall_CmdStartInstance{
			CmdStartInstance: &kong_plugin_protocol.CmdStartInstance{Name: "diag405", Config: []byte(`{"__seq__": 1000001}`)},
		}})
		var ret kong_plugin_protocol.RpcReturn
		require.NoError(t, proto.Unmarshal(started, &ret))
		headers := field(1, append(field(1, []byte("x")), field(2, reply)...)) // a Struct with the reply as a value
		begun, asked := time.Now(), 0
		for _, phase := range []string{"access", "response"} {
			kong.write(t, &kong_plugin_protocol.RpcCall{Sequence: 2, Call: &kong_plugin_protocol.RpcCall_CmdHandleEvent{
				CmdHandleEvent: &kong_plugin_protocol.CmdHandleEvent{InstanceId: ret.GetInstanceStatus().InstanceId, EventName: phase},
			}})
			kong.answerAll(t, func(function string) []byte {
				switch function {
				case "kong.response.get_status", "kong.service.response.get_status":
					return protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 405)
				case "kong.request.get_headers", "kong.response.get_headers":
					asked++
					return headers
				}
				return nil // empty, which is a text and an object without fields as well
			})
		}
		assert.NotZero(t, asked, "%s: nothing was asked that can have it", name)
		assert.Less(t, time.Since(begun), 20*time.Second, name)
		kong.Close()
	}
}

// field is one of a message.
func field(number protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), value)
}

// kongsSide is a connection to a plugin server.
type kongsSide struct {
	net.Conn
	r *bufio.Reader
}

func dialSocket(t *testing.T, socket string) *kongsSide {
	t.Helper()
	conn, err := net.Dial("unix", socket)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(40*time.Second)))
	return &kongsSide{conn, bufio.NewReader(conn)}
}

func (k *kongsSide) write(t *testing.T, m proto.Message) {
	t.Helper()
	data, err := proto.Marshal(m)
	require.NoError(t, err)
	k.writeFrame(t, data)
}

func (k *kongsSide) writeFrame(t *testing.T, data []byte) {
	t.Helper()
	_, err := k.Write(append(binary.LittleEndian.AppendUint32(nil, uint32(len(data))), data...))
	require.NoError(t, err)
}

func (k *kongsSide) read(t *testing.T) []byte {
	t.Helper()
	var head [4]byte
	_, err := io.ReadFull(k.r, head[:])
	require.NoError(t, err)
	data := make([]byte, binary.LittleEndian.Uint32(head[:]))
	_, err = io.ReadFull(k.r, data)
	require.NoError(t, err)
	return data
}

func (k *kongsSide) call(t *testing.T, m proto.Message) []byte {
	t.Helper()
	k.write(t, m)
	return k.read(t)
}

// answerAll replies to what is asked until the event ends.
func (k *kongsSide) answerAll(t *testing.T, reply func(function string) []byte) {
	t.Helper()
	for {
		function := string(k.read(t))
		if function == "" {
			k.read(t) // the return of the event
			return
		}
		k.read(t) // the arguments
		k.writeFrame(t, reply(function))
	}
}
