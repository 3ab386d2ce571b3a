package cli

import "strings"

// docs is where the folder docs is published. Stamped by the linker, as in
// -X diag405/cmd/diag405/cli.docs=https://git.example/diag405/blob/v1.0.0/docs; "" where
// it is nowhere.
var docs string

// Link is how people get to a page of the folder docs, such as causes/strip-path.md,
// zh-CN/causes/strip-path.md or lint.md#literal-star: a whole URL where the folder is
// published, else the command that shows the page, "" where there is none. What is a URL
// already stays.
func Link(page string) string {
	if strings.Contains(page, ":/") {
		return page
	}
	if url := DocsURL(page); url != "" {
		return url
	}
	if id, ok := strings.CutPrefix(page, "lint.md#"); ok {
		return "diag405 cause lint/" + id
	}
	language, name, isPage := strings.Cut("/"+page, "/causes/")
	name, isMarkdown := strings.CutSuffix(name, ".md")
	if !isPage || !isMarkdown || name == "README" {
		return ""
	}
	if language != "" {
		return "diag405 cause -lang " + language[1:] + " " + name
	}
	return "diag405 cause " + name
}

// CauseLink is how people get to the page of a cause.
func CauseLink(cause string) string { return Link("causes/" + cause + ".md") }

// DocsURL is the whole URL of a file in the folder docs, maybe with a fragment; "" where
// that is published nowhere.
func DocsURL(file string) string {
	if docs == "" {
		return ""
	}
	return strings.TrimSuffix(docs, "/") + "/" + file
}
