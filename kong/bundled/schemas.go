package bundled

// The plugins' schemas, in the form that plugin servers announce theirs in.
const (
	CORSSchema = `{"name":"cors","fields":[{"config":{"type":"record","fields":[
		{"origins":{"type":"array","elements":{"type":"string"}}},
		{"headers":{"type":"array","elements":{"type":"string"}}},
		{"exposed_headers":{"type":"array","elements":{"type":"string"}}},
		{"methods":{"type":"array","default":["GET","HEAD","PUT","PATCH","POST","DELETE","OPTIONS","TRACE","CONNECT"],
			"elements":{"type":"string","one_of":["GET","HEAD","PUT","PATCH","POST","DELETE","OPTIONS","TRACE","CONNECT"]}}},
		{"max_age":{"type":"number"}},
		{"credentials":{"type":"boolean","required":true,"default":false}},
		{"private_network":{"type":"boolean","required":true,"default":false}},
		{"preflight_continue":{"type":"boolean","required":true,"default":false}}
	]}}]}`

	TerminationSchema = `{"name":"request-termination","fields":[{"config":{"type":"record","fields":[
		{"status_code":{"type":"integer","required":true,"default":503,"between":[100,599]}},
		{"message":{"type":"string"}},
		{"content_type":{"type":"string"}},
		{"body":{"type":"string"}},
		{"echo":{"type":"boolean","required":true,"default":false}},
		{"trigger":{"type":"string"}}
	]}}]}`

	FileLogSchema = `{"name":"file-log","fields":[{"config":{"type":"record","fields":[
		{"path":{"type":"string","required":true}},
		{"reopen":{"type":"boolean","required":true,"default":false}}
	]}}]}`

	strings3 = `[{"body":` + stringList + `},{"headers":` + stringList + `},{"querystring":` + stringList + `}]`

	stringList = `{"type":"array","default":[],"required":true,"elements":{"type":"string"}}`

	TransformerSchema = `{"name":"request-transformer","fields":[{"config":{"type":"record","fields":[
		{"http_method":{"type":"string"}},
		{"remove":{"type":"record","fields":` + strings3 + `}},
		{"rename":{"type":"record","fields":` + strings3 + `}},
		{"replace":{"type":"record","fields":[{"uri":{"type":"string"}},
			{"body":` + stringList + `},{"headers":` + stringList + `},{"querystring":` + stringList + `}]}},
		{"add":{"type":"record","fields":` + strings3 + `}},
		{"append":{"type":"record","fields":` + strings3 + `}}
	]}}]}`
)
