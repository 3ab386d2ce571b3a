package cli

import "strings"

// docs is where the folder docs is published. Stamped by the linker, as in
// -X diag405/cmd/diag405/cli.docs=https://git.example/diag405/blob/v1.0.0/docs; "" where
// it is nowhere.
var docs string

// CauseLink is where more is said of a cause: a URL where the pages are published, else
// the command that shows them.
func CauseLink(cause string) string {
	if url := DocsURL("causes/" + cause + ".md"); url != "" {
		return url
	}
	return "diag405 cause " + cause
}

// DocsURL is the whole URL of a file in the folder docs, maybe with a fragment; "" where
// that is published nowhere.
func DocsURL(file string) string {
	if docs == "" {
		return ""
	}
	return strings.TrimSuffix(docs, "/") + "/" + file
}
