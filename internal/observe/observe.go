// Package observe looks at resources in Google Cloud for whoever plans: the operator, and those who ask what a manifest would do. What it
// returns is what internal/plan assesses. It writes nothing.
package observe

import (
	"context"
	"fmt"

	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// Numbers knows the numbers of projects.
type Numbers interface {
	// ProjectNumber returns the number of a project ID, as the given service account sees it (empty: as ourselves). It proves whose a
	// bucket is.
	ProjectNumber(ctx context.Context, impersonate, projectID string) (uint64, error)
}

// Fields reads the part of a resource that the fields of its manifest describe.
func Fields(ctx context.Context, k kind.Kind, ref kind.Ref, record plan.Record, numbers Numbers) plan.FieldsSeen {
	live, err := k.Fields.Observe(ctx, ref)
	switch {
	case gcp.IsNotFound(err):
		return plan.FieldsSeen{Looked: true, Missing: gcp.Classify(err)}
	case err != nil:
		return plan.FieldsSeen{Err: gcp.Classify(err)}
	}
	seen, err := Live(ctx, k, ref, record, live, numbers)
	if err != nil {
		return plan.FieldsSeen{Err: gcp.Classify(err)}
	}
	return seen
}

// Live takes in a live state, read or returned by a write: which project it belongs to has to be proven, unless the record does.
func Live(ctx context.Context, k kind.Kind, ref kind.Ref, record plan.Record, live kind.Live, numbers Numbers) (plan.FieldsSeen, error) {
	seen := plan.FieldsSeen{Looked: true, Exists: true, Live: live}
	if live.Identity.ProjectNumber == 0 || record.Proves(live.Identity) {
		return seen, nil
	}
	number, err := numbers.ProjectNumber(ctx, ref.Impersonate, ref.Project)
	if err != nil {
		return seen, fmt.Errorf("proving that the %s belongs to project %q: %w", k.Name, ref.Project, err)
	}
	seen.Foreign = number != live.Identity.ProjectNumber
	return seen, nil
}

// Policy reads the IAM policy of a resource whose fields, where its kind has any, were seen like this: that of one which is not there, or is
// another project's, is nobody's business.
func Policy(ctx context.Context, k kind.Kind, ref kind.Ref, fields plan.FieldsSeen) plan.PolicySeen {
	if k.Fields != nil && (!fields.Exists || fields.Foreign) {
		return plan.PolicySeen{}
	}
	policy, err := k.Policy.Get(ctx, ref)
	if err != nil {
		return plan.PolicySeen{Err: gcp.Classify(err)}
	}
	return plan.PolicySeen{Looked: true, Policy: policy}
}
