package pluginserver

import (
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
)

// faulty is what a plugin server reads when a fault is done to the reply "ok".
func faulty(t *testing.T, f Fault) (string, error) {
	t.Helper()
	here, there := net.Pipe()
	read := make(chan string)
	go func() {
		data, _ := io.ReadAll(there)
		read <- string(data)
	}()
	err := newRPCConn(here).reply(f, []byte("ok"))
	here.Close()
	return <-read, err
}

func TestFaultOnTheWire(t *testing.T) {
	tests := []struct {
		kind FaultKind
		want string
	}{
		{"", "\x02\x00\x00\x00ok"},
		{FaultClose, ""},
		{FaultHalf, "\x08\x00\x00\x00half"},
		{FaultGarbage, "garbage, which is no frame at all"},
		{FaultLength, absurd},
		{FaultLengthOpen, absurd},
		{FaultEmpty, "\x00\x00\x00\x00"},
		{FaultNumber, "\x09\x00\x00\x00\x09\x00\x00\x00\x00\x00\x00\x45\x40"},
		{FaultText, "\x08\x00\x00\x00\x0a\x06a text"},
		{FaultUndecodable, "\x0e\x00\x00\x00\xff\xff\xff no message"},
		{FaultDeep, framed(deep())},
		{FaultMany, framed(many())},
	}
	assert.Len(t, tests, 1+len(FaultKinds), "a row for each kind")
	for _, tt := range tests {
		got, err := faulty(t, Fault{Kind: tt.kind})
		assert.Equal(t, tt.want, got, tt.kind)
		assert.Equal(t, tt.kind.Raises(), err != nil, tt.kind)
	}
}

func framed(data []byte) string {
	return string(append(binary.LittleEndian.AppendUint32(nil, uint32(len(data))), data...))
}

// They are what they are called.
func TestRepliesWithoutEnd(t *testing.T) {
	var s structpb.Struct
	require.NoError(t, proto.Unmarshal(many(), &s))
	assert.Len(t, s.Fields["x"].GetListValue().Values, values)
	require.ErrorContains(t, proto.Unmarshal(deep(), &s), "recursion")
}

func TestFaultDelay(t *testing.T) {
	const delay = 5 * time.Millisecond
	start := time.Now()
	got, err := faulty(t, Fault{Delay: delay})
	assert.NoError(t, err)
	assert.Equal(t, "\x02\x00\x00\x00ok", got)
	assert.GreaterOrEqual(t, time.Since(start), delay)
}
