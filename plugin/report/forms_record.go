package report

import (
	"sync"

	"diag405/kong/config"
	"diag405/plugin/diagnose"
)

// formsRecord is the forms as they stand in the record, which are not to be changed. Of
// all text there only they have lines, since they are to be pasted.
func formsRecord(x diagnose.Exchange, f diagnose.Fix) map[string]any {
	if len(f.Set) == 0 || len(f.FromClient) > 0 {
		return makeForms(x, f)
	}
	return configured.get(x, f)
}

func makeForms(x diagnose.Exchange, f diagnose.Fix) map[string]any {
	out := map[string]any{}
	for _, form := range Forms(x, f) {
		out[form.Name] = cleanLines(form.Text)
	}
	return out
}

// maxForms bounds the fixes whose forms are remembered.
const maxForms = 1000

// configured remembers the forms of fixes that have nothing of a request: the same few
// come with every answer that is explained, and to make them takes half of the time of
// that (measured), most of it YAML's.
var configured = formsOf{byFix: map[formsKey]map[string]any{}}

type formsOf struct {
	mu    sync.RWMutex
	byFix map[formsKey]map[string]any
}

// formsKey is what the forms of a fix are made of.
type formsKey struct{ route, service, set string }

func (o *formsOf) get(x diagnose.Exchange, f diagnose.Fix) map[string]any {
	key := formsKey{namesOf(x.Route), serviceNames(x.Service), compactJSON(f.Set)}
	o.mu.RLock()
	forms, ok := o.byFix[key]
	o.mu.RUnlock()
	if ok {
		return forms
	}
	forms = makeForms(x, f)
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.byFix) >= maxForms {
		clear(o.byFix)
	}
	o.byFix[key] = forms
	return forms
}

// namesOf is all that a form may call a route.
func namesOf(r *config.Route) string {
	if r == nil {
		return ""
	}
	return r.Workspace + "/" + r.Name + "/" + r.ID
}

func serviceNames(s *config.Service) string {
	if s == nil {
		return ""
	}
	return s.Workspace + "/" + s.Name + "/" + s.ID
}
