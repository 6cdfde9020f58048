package traffic

import (
	"slices"
	"time"
)

// userProjectHeader is where a caller says whose quota its calls use. Services
// that take it see it as gRPC metadata, over REST too.
const userProjectHeader = "x-goog-user-project"

// byCredentials are the services whose quotas belong to the project of the
// caller's credentials, whatever project a call is about.
var byCredentials = []string{"iam", "resourcemanager", "asset"}

// consumer returns the project whose quota a call uses; named is the one that
// the caller named.
func (c *Control) consumer(call Call, named string) string {
	switch {
	case !slices.Contains(byCredentials, call.Service):
		return call.Project
	case named != "":
		return named
	default:
		return c.callerProject
	}
}

type quotaKey struct{ service, project string }

// window counts the calls of one minute.
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
	w := q.used[key]
	if now.Sub(w.start) >= time.Minute {
		w = window{start: now}
	}
	if w.used >= limit {
		return limit, true
	}
	w.used++
	q.used[key] = w
	return limit, false
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
