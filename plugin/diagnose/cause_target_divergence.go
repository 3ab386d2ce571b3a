package diagnose

import (
	"net/http"
	"strconv"
)

const otherTarget observation = "another target of the upstream took the same request"

// targetDivergence: another target of the same upstream takes the very same
// request, as with two versions side by side.
var targetDivergence = cause{
	code: TargetDivergence,
	kind: evenListed | ofPath,
	examine: func(v *view) *finding {
		for _, other := range v.Elsewhere {
			if other.Status >= http.StatusBadRequest || other.Target == v.Target {
				continue // a 401, 404 or 429 does not show that it would take the request
			}
			return &finding{
				shows: otherTarget,
				reason: "target " + v.Target + " " + v.refused() + v.Upstream.Line().String() + ", and target " + other.Target +
					" answered the same request with " + strconv.Itoa(other.Status),
				facts: []string{"two targets of one upstream answer differently"},
				fixes: []Fix{{
					Words: "bring target " + v.Target + " to what runs at " + other.Target + ", or take it out of the upstream",
					App:   "Run the same application on every target; " + v.Target + " differs.",
				}},
			}
		}
		return nil
	},
}

// refused is what became of the request, as a verb before it.
func (v *view) refused() string {
	if v.missing() {
		return "found nothing for "
	}
	return "refused "
}
