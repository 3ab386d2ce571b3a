package lint

import (
	"net/url"
	"path/filepath"
	"strings"

	"diag405/cmd/diag405/cli"
	"diag405/kong/config"
	"diag405/kong/lint"
	"diag405/plugin"
)

// The part of SARIF 2.1.0 (OASIS) that findings need.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations,omitempty"`
		Results     []sarifResult     `json:"results"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications"`
	}
	sarifNotification struct {
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version"`
		Info    string      `json:"informationUri,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string      `json:"id"`
		ShortDescription sarifText   `json:"shortDescription"`
		Help             sarifText   `json:"help"`
		HelpURI          string      `json:"helpUri,omitempty"`
		Configuration    sarifConfig `json:"defaultConfiguration"`
	}
	sarifConfig struct {
		Level string `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI  string `json:"uri"`
		Base string `json:"uriBaseId,omitempty"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
	sarifLogical struct {
		Name          string `json:"name"`
		Kind          string `json:"kind"`
		QualifiedName string `json:"fullyQualifiedName"`
	}
)

// sarifLevels are SARIF's names of severities.
var sarifLevels = map[lint.Severity]string{lint.Error: "error", lint.Warning: "warning", lint.Info: "note"}

func printSARIF(r *result, s *cli.Screen) error {
	index := map[string]int{}
	driver := sarifDriver{Name: "diag405", Version: plugin.Version, Info: cli.DocsURL("lint.md")}
	for i, rule := range lint.Rules() {
		index[rule.ID] = i
		driver.Rules = append(driver.Rules, sarifRule{
			ID:               rule.ID,
			ShortDescription: sarifText{rule.Title},
			Help:             sarifText{rule.Title + ": " + rule.Page + " explains it."},
			HelpURI:          cli.DocsURL(strings.TrimPrefix(rule.Page, "docs/")),
			Configuration:    sarifConfig{sarifLevels[rule.Severity]},
		})
	}
	run := sarifRun{Tool: sarifTool{driver}, Results: []sarifResult{}}
	for _, f := range r.findings {
		run.Results = append(run.Results, sarifResult{
			RuleID:    f.ID,
			RuleIndex: index[f.ID],
			Level:     sarifLevels[f.Severity],
			Message:   sarifText{f.Object.String() + ": " + f.Sentence + ". Fix: " + f.Fix.Words},
			Locations: []sarifLocation{r.sarifLocation(f.Object)},
		})
	}
	if len(r.from.Notes) > 0 {
		run.Invocations = []sarifInvocation{sarifNotes(r.from.Notes)}
	}
	return cli.PrintJSON(s.Out, sarifLog{
		Schema:  "https://json.schemastore.org/sarif-2.1.0.json",
		Version: "2.1.0",
		Runs:    []sarifRun{run},
	})
}

// sarifNotes are the notes of reading, which went well.
func sarifNotes(notes []config.Note) sarifInvocation {
	in := sarifInvocation{Successful: true}
	for _, n := range notes {
		in.Notifications = append(in.Notifications, sarifNotification{"note", sarifText{n.Words}, []sarifLocation{{Physical: sarifPlace(n.At)}}})
	}
	return in
}

func sarifPlace(at config.Place) sarifPhysical {
	p := sarifPhysical{Artifact: sarifFile(at.File)}
	if at.Line > 0 {
		p.Region = &sarifRegion{at.Line}
	}
	return p
}

func (r *result) sarifLocation(o lint.Object) sarifLocation {
	l := sarifLocation{
		Physical: sarifPlace(r.place(o)),
		Logical:  []sarifLogical{{Name: o.Name, Kind: "object", QualifiedName: o.String()}},
	}
	if o.Name == "" {
		l.Logical[0].Name = o.ID
	}
	return l
}

// sarifFile is a file by its name from the root of its repository, which those who show
// SARIF know by the name %SRCROOT%. One that was read from a URL has that, and one that
// lies in no repository and was named from the root of the disk has its own.
func sarifFile(file string) sarifArtifact {
	if strings.Contains(file, "://") {
		return sarifArtifact{URI: file}
	}
	name := fromRoot(file)
	if filepath.IsAbs(filepath.FromSlash(name)) {
		return sarifArtifact{URI: fileURI(name)}
	}
	return sarifArtifact{(&url.URL{Path: name}).String(), "%SRCROOT%"}
}

// fileURI is the URI of a file (RFC 8089) whose whole name has slashes: /etc/kong.yml, and
// of Windows Z:/kong.yml and //host/share/kong.yml.
func fileURI(name string) string {
	u := url.URL{Scheme: "file", Path: name}
	if share, ok := strings.CutPrefix(name, "//"); ok {
		host, path, _ := strings.Cut(share, "/")
		u.Host, u.Path = host, "/"+path
	} else if !strings.HasPrefix(name, "/") {
		u.Path = "/" + name
	}
	return u.String()
}
