package traffic

import (
	"slices"
	"strings"
	"time"
)

// userProjectHeader is where a caller says whose quota its calls use. Services
// that take it see it as gRPC metadata, over REST too.
const userProjectHeader = "x-goog-user-project"

// byCredentials are the services whose quotas belong to the project of the
// caller's credentials, whatever project a call is about.
var byCredentials = []string{"iam", "resourcemanager", "asset"}

// ByCredentials says whether the quotas of a call's service belong to the
// project of the caller's credentials, and not to the one that it is about.
func (c Call) ByCredentials() bool { return slices.Contains(byCredentials, c.Service) }

// consumer returns the project whose quota a call uses; named is the one that
// the caller named.
func (c *Control) consumer(call Call, named string) string {
	switch {
	case !call.ByCredentials():
		return call.Project
	case named != "":
		return named
	default:
		return c.callerProject
	}
}

// GoogleQuotas are what Google grants to a project that has not asked for more, as its documentation says, in calls per minute: of a service,
// or of those of its calls that count together, see [Call.Quotas]. One update of a bucket's metadata a second is the storage service's own.
var GoogleQuotas = map[string]int{
	// https://cloud.google.com/iam/quotas
	"iam reads": 6000, "iam writes": 600,
	// https://cloud.google.com/resource-manager/docs/limits
	"resourcemanager reads": 600, "resourcemanager lists": 240, "resourcemanager writes": 600,
	// https://cloud.google.com/pubsub/quotas: administrator operations
	"pubsub": 6000,
	// https://cloud.google.com/storage/quotas: about one creation or deletion of a bucket in two seconds
	"storage creates": 30,
}

// Quotas are the names of the quotas that a call counts against: the
// service's for all calls, and one for those of its sort. IAM counts lists as
// reads; Cloud Storage counts the creation and deletion of buckets together.
func (c Call) Quotas() []string {
	verb := strings.ToLower(c.Method[strings.LastIndex(c.Method, ".")+1:])
	sort := "writes"
	switch {
	case c.Service == "storage" && (c.Method == "buckets.insert" || c.Method == "buckets.delete"):
		sort = "creates"
	case !c.IsWrite() && c.Service != "iam" && (strings.HasPrefix(verb, "list") || strings.HasPrefix(verb, "search")):
		sort = "lists"
	case !c.IsWrite():
		sort = "reads"
	}
	return []string{c.Service, c.Service + " " + sort}
}

// span is the time in which the calls of a quota are counted.
func span(quota string) time.Duration {
	if quota == "storage creates" {
		return 2 * time.Second
	}
	return time.Minute
}

// quotaKey is a quota by its name, see [Call.Quotas].
type quotaKey struct{ service, project string }

// window counts the calls of one span of time.
type window struct {
	start time.Time
	used  int
}

// quotas are limits of calls per minute, by service and project.
type quotas struct {
	limits map[quotaKey]int
	used   map[quotaKey]window
}

func (q *quotas) set(key quotaKey, perMinute int) {
	if perMinute <= 0 {
		delete(q.limits, key)
		return
	}
	q.limits[key] = perMinute
}

// take uses up one call. It returns the limit and whether it is exceeded; a
// refused call does not use up anything.
func (q *quotas) take(service, project string, now time.Time) (limit int, exceeded bool) {
	key := quotaKey{service, project}
	limit, limited := q.limits[key]
	if !limited {
		limit, limited = q.limits[quotaKey{service: service}]
	}
	if !limited {
		return 0, false
	}
	w, counted := q.used[key], span(service)
	if now.Sub(w.start) >= counted {
		w = window{start: now}
	}
	if w.used >= max(1, int(float64(limit)*counted.Minutes())) {
		return limit, true
	}
	w.used++
	q.used[key] = w
	return limit, false
}

// takeAll uses up one call of each quota that a call counts against, until one
// is exceeded.
func (q *quotas) takeAll(call Call, project string, now time.Time) (limit int, exceeded bool) {
	for _, name := range call.Quotas() {
		if limit, exceeded = q.take(name, project, now); exceeded {
			return limit, true
		}
	}
	return 0, false
}

func (q *quotas) byService() map[string]map[string]int {
	all := map[string]map[string]int{}
	for key, limit := range q.limits {
		if all[key.service] == nil {
			all[key.service] = map[string]int{}
		}
		all[key.service][key.project] = limit
	}
	return all
}
