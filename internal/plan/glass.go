package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breakglass"
	"github.com/holdfast-dev/holdfast/internal/tenancy"
)

// NewRival looks at another manifest of a resource in a project, and at the annotations of its Namespace: whether it may act now, and whether
// its glass is broken.
func NewRival(obj v1alpha1.Object, namespace map[string]string, project string, now time.Time) Rival {
	binding, refusal := tenancy.Resolve(obj.GetNamespace(), namespace, obj.GetCommonSpec().ProjectID, BoundTo(obj.GetCommonStatus()))
	return Rival{
		Object: obj,
		Barred: released(obj) || refusal != nil || binding.Project != project,
		Glass:  breakglass.Read(obj.GetAnnotations(), namespace, now),
	}
}

// Holds says whether the rival's glass holds the resource, whatever its spec.management is: it is an incident's word about the resource, not
// about one manifest of it.
func (r Rival) Holds() bool { return !r.Barred && r.Glass.Open() }

// Name is namespace/name, for messages.
func (r Rival) Name() string { return r.Object.GetNamespace() + "/" + r.Object.GetName() }

// HeldBy says whose glass it is that holds the resource, for messages.
func (r Rival) HeldBy() string {
	where := "manifest " + r.Name()
	if r.Glass.Scope == v1alpha1.BreakGlassOnNamespace {
		where = "namespace of the " + where
	}
	return fmt.Sprintf("break-glass is active on the %s, which declares the same resource", where)
}

// heldBy says which broken glass holds the resource: the manifest's own, or that of another manifest of it; empty for none.
func (s subject) heldBy() string {
	if s.env.Glass.Open() {
		return "break-glass is active"
	}
	for _, rival := range s.env.Rivals {
		if rival.Holds() {
			return rival.HeldBy()
		}
	}
	return ""
}

// deletedInIncident says whether the manifest was deleted while a glass held the resource: its own, or that of another manifest of it.
func (s subject) deletedInIncident() bool {
	deleted := s.Object.GetDeletionTimestamp().Time
	own := slices.ContainsFunc(s.Object.GetCommonStatus().BreakGlassHistory, func(r v1alpha1.BreakGlassEpisode) bool {
		return r.DeletionTime != nil && r.Manifest == nil // and not that of a manifest that was deleted before this one came
	})
	return own || slices.ContainsFunc(s.env.Rivals, func(rival Rival) bool {
		return !rival.Barred && slices.ContainsFunc(rival.Object.GetCommonStatus().BreakGlassHistory, func(r v1alpha1.BreakGlassEpisode) bool {
			return r.Manifest == nil && !deleted.Before(r.Since.Time) && !deleted.After(r.ClosedAt.Time) // in seconds: in doubt it was
		})
	})
}
