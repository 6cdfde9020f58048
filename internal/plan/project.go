package plan

import (
	"fmt"
	"time"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// pauseShutDown is how often it is looked whether a project that is shut down was restored.
const pauseShutDown = 5 * time.Minute

// MayBeShutDown says whether what was seen may be so because the project is shut down: something was denied, or what the manifest owns is not
// there. Only then is it worth asking.
func MayBeShutDown(m Manifest, r Record, o Observation, e Environment) bool {
	for _, err := range []*kind.Error{o.Fields.Err, o.Policy.Err} {
		if err != nil && (err.Class == kind.Denied || err.Class == kind.NotFound) {
			return true
		}
	}
	missing, known := o.Fields.Missing, o.missingUntil(m.Kind, e.Now)
	return missing != nil && r.Identity != "" && !e.Now.Before(r.settlesUntil(m.Kind, missing)) && !e.Now.Before(known)
}

// ruleShutDown keeps a resource from being taken for deleted, and recreated, that is there again once its project is restored.
func ruleShutDown(s subject) *Verdict {
	if !s.env.ProjectShutDown {
		return nil
	}
	reason := v1alpha1.ReasonNotFound
	for _, err := range []*kind.Error{s.seen.Fields.Err, s.seen.Policy.Err} {
		if err != nil && err.Class == kind.Denied {
			reason = v1alpha1.ReasonDenied
		}
	}
	v := blind(reason, ShutDown(s.env.Ref.Project))
	v.After = pauseShutDown
	return v
}

// ShutDown says what is so, and what to do, where a project is shut down.
func ShutDown(project string) string {
	return fmt.Sprintf("project %q is shut down (DELETE_REQUESTED) and nothing in it can be used. Restore it within 30 days: gcloud projects undelete %s; "+
		"or delete this manifest, which then leaves everything in the project as it is", project, project)
}

// ruleDeletionShutDown lets a manifest go that would else wait for a project that nobody wants any more.
func ruleDeletionShutDown(s subject) *Verdict {
	switch {
	case !s.env.ProjectShutDown || s.env.Glass.Open():
		return nil
	case !s.record.Bound():
		return release(Release, "Released", untouched)
	}
	what := s.externalName()
	if s.Kind.Shared() {
		what = "the grants on " + what
	}
	return release(Release, "Orphaned", fmt.Sprintf("left %s: project %q is shut down (DELETE_REQUESTED). If the project is restored, what is left there is unmanaged",
		what, s.env.Ref.Project))
}

// ruleDeletionNothing lets a manifest go that has nothing in a project in which it may see nothing.
func ruleDeletionNothing(s subject) *Verdict {
	if s.env.Glass.Open() || s.record.Bound() {
		return nil
	}
	for _, err := range []*kind.Error{s.seen.Fields.Err, s.seen.Policy.Err} {
		if err != nil && err.Class == kind.Denied {
			return release(Release, "Released", "nothing was created or adopted; "+untouched)
		}
	}
	return nil
}

// LettingGo says how a manifest that cannot be deleted is let go of without anything being done in Google Cloud.
func LettingGo(m Manifest) string {
	spec := `{"spec":{"deletionPolicy":"Orphan"}}`
	if Orphans(m.Object) {
		spec = `{"spec":{"management":"Observe"}}`
	}
	return fmt.Sprintf("To let the manifest go and leave everything in Google Cloud as it is: kubectl patch -n %s %s %s --type merge -p '%s'",
		m.Object.GetNamespace(), m.Kind.Argument(), m.Object.GetName(), spec)
}
