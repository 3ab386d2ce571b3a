package report

import (
	"strconv"
	"strings"

	"diag405/plugin/diagnose"
)

// Prefix begins every line that diag405 writes to Kong's error log: Kong does not
// say which external plugin a line is from.
const Prefix = "[diag405] "

// maxField bounds a value in a line, in bytes: nginx cuts a long line off (package
// errorlog), and what stands behind the cut is lost.
const maxField = 480

// AccessLine says what the client asked and what the upstream is about to get.
func AccessLine(x diagnose.Exchange, o Options) string { return line(accessPairs(x, o), o) }

// DiagnosisLine says what the upstream refused, why, and what to do.
func DiagnosisLine(x diagnose.Exchange, d diagnose.Diagnosis, o Options) string {
	return line(diagnosisPairs(x, d, o), o)
}

func line(p pairs, o Options) string {
	for i := range p {
		p[i].value = cutText(told(p[i].value), maxField)
	}
	if o.JSON {
		return Prefix + jsonLine(p)
	}
	return logfmt(p)
}

// logfmt is key=value, with quotes where the value needs them.
func logfmt(p pairs) string {
	b := make([]byte, 0, 512)
	b = append(b, Prefix...)
	for i, f := range p {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(append(b, f.key...), '=')
		if strings.ContainsAny(f.value, " \"=\\") || strings.HasSuffix(f.value, ",") {
			b = strconv.AppendQuote(b, f.value)
		} else {
			b = append(b, f.value...)
		}
	}
	return string(b)
}

// jsonLine keeps the order of the fields, which a map would lose.
func jsonLine(p pairs) string {
	fields := make([]string, len(p))
	for i, f := range p {
		fields[i] = compactJSON(f.key) + ":" + compactJSON(f.value)
	}
	return "{" + strings.Join(fields, ",") + "}"
}

// cutText shortens UTF-8 text to about n bytes without cutting a character.
func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "..."
}

// Note is a line about diag405 itself rather than about a request.
func Note(text string) string { return Prefix + cutText(told(text), 2*maxField) }
