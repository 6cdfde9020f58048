package doctor

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// mostCauses is how many causes are told apart. What is beyond is counted.
const mostCauses = 200

// Causes are what keeps the operator from its work, by project and cause: what it has told of each manifest itself. Whoever asks Google Cloud
// would ask for himself. Holds, drift and what is wrong with single manifests are for `status`.
type Causes struct {
	causes map[causeKey]*cause
	// beyond counts manifests whose cause is not among them.
	beyond int
	total  int
}

type causeKey struct{ project, reason, wrong string }

type cause struct {
	level   Level
	fix     string
	example string
	count   int
}

// troubles are the reasons of Ready that are about the installation, and how bad each is.
var troubles = map[string]Level{
	v1alpha1.ReasonDenied: Fail, v1alpha1.ReasonQuotaExceeded: Fail, v1alpha1.ReasonBindingChanged: Fail, v1alpha1.ReasonShardConflict: Fail,
	v1alpha1.ReasonProjectUnbound: Fail, v1alpha1.ReasonProjectNotAllowed: Fail, v1alpha1.ReasonThrottled: Warn, v1alpha1.ReasonUnavailable: Warn,
}

// NewCauses knows of none.
func NewCauses() *Causes { return &Causes{causes: map[causeKey]*cause{}} }

// Add adds a manifest, named as in "Bucket shop/logs".
func (c *Causes) Add(title string, obj v1alpha1.Object) {
	c.total++
	status := obj.GetCommonStatus()
	if ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady); ready != nil {
		if level, is := troubles[ready.Reason]; is {
			wrong, fix := explain(ready.Message)
			c.count(causeKey{status.Project, ready.Reason, wrong}, level, fix, title)
		}
	}
	if exposed := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionExposed); exposed != nil {
		wrong, fix := explain(exposed.Message)
		c.count(causeKey{status.Project, v1alpha1.ConditionExposed, wrong}, Warn, fix, title)
	}
}

func (c *Causes) count(key causeKey, level Level, fix, title string) {
	known := c.causes[key]
	if known == nil {
		if len(c.causes) == mostCauses {
			c.beyond++
			return
		}
		known = &cause{level: level, fix: fix, example: title}
		c.causes[key] = known
	}
	known.count++
}

// Findings are the causes, by project.
func (c *Causes) Findings() Findings {
	var out Findings
	for _, key := range slices.SortedFunc(maps.Keys(c.causes), func(a, b causeKey) int {
		return cmp.Or(cmp.Compare(a.project, b.project), cmp.Compare(a.reason, b.reason), cmp.Compare(a.wrong, b.wrong))
	}) {
		each, where := c.causes[key], "no project"
		if key.project != "" {
			where = "project " + key.project
		}
		out.Add(each.level, "access", each.fix, "%s: %s: %s (%s, such as %s)",
			where, key.reason, key.wrong, counted(each.count, "manifest"), each.example)
	}
	if c.beyond > 0 {
		out.Add(Fail, "access", "kubectl holdfast status -A --all", "there are more causes, of %s", counted(c.beyond, "manifest"))
	}
	if len(out) == 0 {
		out.Add(OK, "access", "", "nothing keeps Holdfast from its work on %s, by what it says of them", counted(c.total, "manifest"))
	}
	return out
}

// What is said of a missing permission names the resource, which is another one for each manifest.
var missingPermission = regexp.MustCompile(`permission \S+ is missing`)

var quotedName = regexp.MustCompile(`"[^"]*"`)

// explain takes apart what the operator says of a failure: "DOING: WRONG. WHAT TO DO. Google says: …". What names single resources is left out of
// what is wrong, so that manifests with one cause are counted together.
func explain(message string) (wrong, fix string) {
	message, _, _ = strings.Cut(message, " Google says: ")
	wrong, fix, _ = strings.Cut(message, ". ")
	if found := missingPermission.FindString(wrong); found != "" {
		return found, strings.TrimSuffix(fix, ".")
	}
	if _, after, said := strings.Cut(wrong, ": "); said {
		wrong = after
	}
	return quotedName.ReplaceAllString(wrong, `"…"`), strings.TrimSuffix(fix, ".")
}
