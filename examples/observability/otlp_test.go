package observability

import (
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// otlp is an ExportLogsServiceRequest of OpenTelemetry's protocol with a record for each
// line, as Kong's opentelemetry plugin sends it: severity WARN, the line as the body, and
// the request's id (kong/observability/logs.lua and kong/observability/otlp/init.lua).
func otlp(lines []string) []byte {
	text := func(s string) []byte { return field(nil, 1, []byte(s)) } // an AnyValue
	attribute := func(key, value string) []byte { return field(field(nil, 1, []byte(key)), 2, text(value)) }
	scope := field(nil, 1, field(field(nil, 1, []byte("kong-internal")), 2, []byte("0.1.0")))
	for _, line := range lines {
		var record []byte
		record = protowire.AppendTag(record, 1, protowire.Fixed64Type)
		record = protowire.AppendFixed64(record, 1_764_000_000_000_000_000) // ns
		record = protowire.AppendTag(record, 2, protowire.VarintType)
		record = protowire.AppendVarint(record, 13)
		record = field(record, 3, []byte("WARN"))
		record = field(record, 5, text(line))
		record = field(record, 6, attribute("request.id", "61a1218143781a4cacf09098ca4959d6"))
		scope = field(scope, 2, record)
	}
	resource := field(nil, 1, field(nil, 1, attribute("service.name", "kong")))
	return field(nil, 1, field(resource, 2, scope))
}

func field(b []byte, number protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, number, protowire.BytesType), value)
}

// messages are the lines of diag405 in an error log, as the plugin hands them to Kong.
func messages(log string) []string {
	var out []string
	for line := range strings.Lines(log) {
		if _, own, ok := strings.Cut(line, "pb_rpc.lua:233 [diag405] "); ok {
			own, _, _ = strings.Cut(own, " while sending to client, client: ")
			out = append(out, "[diag405] "+strings.TrimSpace(own))
		}
	}
	return out
}
