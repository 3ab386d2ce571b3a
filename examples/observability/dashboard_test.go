package observability

import (
	"encoding/json"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/plugin/diagnose"
	"diag405/plugin/metrics"
)

// dashboard is what is read of one of Grafana's.
type dashboard struct {
	UID    string
	Title  string
	Panels []struct {
		ID          int
		Type, Title string
		Description string
		GridPos     struct{ X, Y, W, H int }
		Targets     []struct {
			Expr         string
			LegendFormat string
			RefID        string
		}
		FieldConfig struct {
			Defaults struct {
				Unit   string
				Custom struct{ Stacking struct{ Mode string } }
			}
		}
	}
	Templating struct {
		List []struct{ Name, Type, Definition string }
	}
}

func readDashboard(t *testing.T) dashboard {
	t.Helper()
	var d dashboard
	require.NoError(t, json.Unmarshal([]byte(read(t, "grafana/diag405.json")), &d))
	return d
}

// exported are the labels of each metric that the plugin server shows.
func exported(t *testing.T) map[string][]string {
	t.Helper()
	m := metrics.New("1.2.3")
	p := m.Plugin("diag405")
	p.Serving([]string{"access"}, func() int { return 1 })
	p.Explained(diagnose.Exchange{}, diagnose.Diagnosis{})
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(w.Body)
	require.NoError(t, err)
	out := map[string][]string{}
	for name, f := range families {
		labels := []string{"job", "instance"} // of the scrape
		for _, l := range f.Metric[0].Label {
			labels = append(labels, l.GetName())
		}
		out[name] = labels
		if f.Metric[0].Histogram != nil {
			out[name+"_bucket"], out[name+"_sum"], out[name+"_count"] = append(slices.Clone(labels), "le"), labels, labels
		}
	}
	out["up"] = []string{"job", "instance"}
	return out
}

var (
	selector = regexp.MustCompile(`\b((?:diag405|process|go)_\w+|up)\b(?:\{([^}]*)\})?`)
	matcher  = regexp.MustCompile(`(\w+) ?(?:=~|!~|!=|=)`)
	grouping = regexp.MustCompile(`\bby \(([^)]*)\)`)
	words    = regexp.MustCompile(`\w+`)
)

// checkQuery sees to it that there is what a query asks for: each metric, with each label
// that it is selected and summed by.
func checkQuery(t *testing.T, query string) {
	t.Helper()
	known := exported(t)
	found := selector.FindAllStringSubmatch(query, -1)
	require.NotEmpty(t, found, query)
	for _, s := range found {
		name, labels := s[1], s[2]
		require.Contains(t, known, name, query)
		for _, l := range matcher.FindAllStringSubmatch(labels, -1) {
			assert.Contains(t, known[name], l[1], query)
		}
		for _, by := range grouping.FindAllStringSubmatch(query, -1) {
			for _, l := range words.FindAllString(by[1], -1) {
				assert.Contains(t, known[name], l, query)
			}
		}
	}
}

func TestDashboardAsksForWhatThereIs(t *testing.T) {
	d := readDashboard(t)
	variables := []string{"__range", "__rate_interval"}
	for _, v := range d.Templating.List {
		variables = append(variables, v.Name)
		if v.Type == "query" {
			metric, label, ok := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(v.Definition, "label_values("), ")"), ", ")
			require.True(t, ok, v.Definition)
			checkQuery(t, "count by ("+label+") ("+metric+")")
		}
	}
	ids := map[int]bool{}
	for _, p := range d.Panels {
		assert.False(t, ids[p.ID], "two panels %d", p.ID)
		ids[p.ID] = true
		assert.NotEmpty(t, p.Description, p.Title)
		assert.NotEmpty(t, p.Targets, p.Title)
		assert.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24, p.Title)
		for _, target := range p.Targets {
			checkQuery(t, target.Expr)
			for _, v := range regexp.MustCompile(`\$(\w+)`).FindAllStringSubmatch(target.Expr, -1) {
				assert.Contains(t, variables, v[1], target.Expr)
			}
		}
	}
	assert.GreaterOrEqual(t, len(d.Panels), 10)
}

func TestAlertsAskForWhatThereIs(t *testing.T) {
	for _, rule := range readAlerts(t) {
		checkQuery(t, rule.Expr)
		assert.NotEmpty(t, rule.Annotations["summary"], rule.Alert)
	}
}

type alert struct {
	Alert, Expr string
	Annotations map[string]string
}

func readAlerts(t *testing.T) []alert {
	t.Helper()
	var file struct {
		Groups []struct{ Rules []alert }
	}
	readYAML(t, "alerts.yml", &file)
	require.NotEmpty(t, file.Groups)
	require.NotEmpty(t, file.Groups[0].Rules)
	return file.Groups[0].Rules
}
