package preview

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// given is what an outcome follows from.
type given struct {
	kind          string
	uid           types.UID
	management    v1alpha1.Management
	deletes       v1alpha1.DeletionPolicy
	exists, owned bool
	account       string
	policyErr     *kind.Error
	changes       diff.Changes
	policy        *plan.PolicyPlan
	verdict       plan.Verdict
}

func (g given) preview() Preview {
	name := g.kind
	if name == "" {
		name = "Bucket"
	}
	k, _ := kind.Named(kinds.All(nil), name)
	obj := k.New()
	obj.SetNamespace("shop")
	obj.SetName("logs")
	obj.SetUID(g.uid)
	obj.GetCommonSpec().Management, obj.GetCommonSpec().DeletionPolicy = g.management, g.deletes
	v := Preview{Kind: k, Object: obj, account: g.account}
	v.Seen.Fields.Exists, v.Seen.Policy.Err, v.Owned = g.exists, g.policyErr, g.owned
	v.Verdict, v.Plan, v.Hash, v.Policy = g.verdict, g.changes, "abc", g.policy
	v.Environment.Binding.Project = "shop-prod"
	if k.Fields != nil {
		v.Fields = &plan.FieldsPlan{Result: diff.Result[v1alpha1.Object]{Changes: g.changes}}
	}
	return v
}

func TestOutcome(t *testing.T) {
	denied := &kind.Error{Class: kind.Denied, Permission: "storage.buckets.get", Resource: "b/logs", Message: "no."}
	lock := diff.Changes{{Path: "spec.retentionPolicy.locked", To: "true"}}
	writes := &plan.PolicyPlan{Plan: iampolicy.Plan{Writes: true}}
	leave := func(reason, message string) plan.Verdict {
		return plan.Verdict{Action: plan.Leave, Reason: reason, Message: message}
	}
	hold := func(reason string) plan.Verdict {
		return plan.Verdict{Action: plan.Hold, Reason: reason, Message: "why"}
	}
	const approve = "kubectl annotate -n shop bucket.gcp.holdfast.dev logs holdfast.dev/approve=abc"
	cases := map[string]struct {
		given given
		want  Outcome
	}{
		"create": {given{verdict: plan.Verdict{Action: plan.Create}}, Outcome{Effect: Create}},
		"create, and a lock": {
			given{verdict: plan.Verdict{Action: plan.Create}, changes: lock},
			Outcome{Effect: Create, Message: "spec.retentionPolicy.locked is left out and waits for approval then: " + kinds.All(nil)[0].FieldTraits.Hold(lock[0])},
		},
		"update": {given{exists: true, owned: true, verdict: plan.Verdict{Action: plan.Update}}, Outcome{Effect: Update}},
		"update that adopts": {
			given{exists: true, verdict: plan.Verdict{Action: plan.Update}},
			Outcome{Effect: Update, Message: "adopts the bucket, which already exists"},
		},
		"update, the policy unread": {
			given{exists: true, owned: true, policyErr: denied, verdict: plan.Verdict{Action: plan.Update}, account: whoeverPlans},
			Outcome{Effect: Update, Message: "reading the IAM policy of the bucket: permission storage.buckets.get is missing on b/logs. Grant a role that has it to " +
				"the account that this plan is made as; if it has one already, an IAM deny policy takes it away. Google says: no."},
		},
		"adopt": {given{exists: true, verdict: leave(v1alpha1.ReasonUpToDate, plan.UpToDate)}, Outcome{Effect: Adopt}},
		"observed, not adopted": {
			given{exists: true, management: v1alpha1.ManagementObserve, verdict: leave(v1alpha1.ReasonUpToDate, "matches (observed)")},
			Outcome{Effect: Nothing, Message: "matches (observed)"},
		},
		"nothing":              {given{exists: true, owned: true, verdict: leave(v1alpha1.ReasonUpToDate, plan.UpToDate)}, Outcome{Effect: Nothing}},
		"nothing to share":     {given{kind: "ProjectPolicy", verdict: leave(v1alpha1.ReasonUpToDate, plan.UpToDate)}, Outcome{Effect: Nothing}},
		"observed differences": {given{exists: true, verdict: leave(v1alpha1.ReasonDiffers, "differs")}, Outcome{Effect: Nothing, Reason: "Differs", Message: "differs"}},
		"waiting": {
			given{exists: true, verdict: leave(v1alpha1.ReasonAwaitingReference, "waits")},
			Outcome{Effect: Nothing, Reason: "AwaitingReference", Message: "waits"},
		},
		"on hold for adoption, in the cluster": {
			given{uid: "u", exists: true, verdict: hold(v1alpha1.ReasonAwaitingAdoption)}, Outcome{
				Effect: OnHold, Reason: "AwaitingAdoption", Message: "why", Hold: HoldAdoption, Hash: "abc",
				Release: "an approval, or spec.adoption: Always: " + approve,
			},
		},
		"on hold for approval, not in the cluster yet": {
			given{exists: true, verdict: hold(v1alpha1.ReasonAwaitingApproval)},
			Outcome{Effect: OnHold, Reason: "AwaitingApproval", Message: "why", Hold: HoldApproval, Release: "an approval"},
		},
		"on hold for data loss": {
			given{uid: "u", exists: true, verdict: hold(v1alpha1.ReasonDataLoss)},
			Outcome{Effect: OnHold, Reason: "DataLoss", Message: "why", Hold: HoldDataLoss, Hash: "abc", Release: "an approval: " + approve},
		},
		"on hold by a glass": {
			given{uid: "u", exists: true, verdict: leave(v1alpha1.ReasonBreakGlass, "why")},
			Outcome{Effect: OnHold, Reason: "BreakGlass", Message: "why", Hold: HoldBreakGlass, Release: "closing the glass"},
		},
		"refused":     {given{verdict: leave(v1alpha1.ReasonConflict, "why")}, Outcome{Effect: Refused, Reason: "Conflict", Message: "why"}},
		"not settled": {given{verdict: leave(v1alpha1.ReasonProgressing, "why")}, Outcome{Effect: Unknown, Reason: "Progressing", Message: "why"}},
		"denied to the operator": {
			given{verdict: plan.Verdict{Action: plan.Leave, Err: denied, Doing: "reading the bucket"}}, Outcome{
				Effect: Unknown, Message: "reading the bucket: permission storage.buckets.get is missing on b/logs. Grant a role that has it to " +
					"Holdfast's service account; if it has one already, an IAM deny policy takes it away. Google says: no.",
			},
		},
		"delete": {given{deletes: v1alpha1.DeletionDelete, verdict: plan.Verdict{Action: plan.Delete}}, Outcome{Effect: Delete, Message: "spec.deletionPolicy is Delete"}},
		"orphan": {
			given{exists: true, verdict: plan.Verdict{Action: plan.Unmark, Deed: plan.Deed{Reason: "Orphaned", Message: "left"}}},
			Outcome{Effect: Orphan, Message: "left; its ownership labels are removed"},
		},
		"let go": {
			given{exists: true, verdict: plan.Verdict{Action: plan.Release, Deed: plan.Deed{Reason: "Released", Message: "untouched"}}},
			Outcome{Effect: Orphan, Message: "untouched"},
		},
		"let go of nothing": {
			given{verdict: plan.Verdict{Action: plan.Release, Deed: plan.Deed{Reason: "Released", Message: "gone"}}},
			Outcome{Effect: Nothing, Message: "gone"},
		},
		"revoke": {given{kind: "ProjectPolicy", policy: writes, verdict: plan.Verdict{Action: plan.Revoke}}, Outcome{Effect: Revoke}},
		"revoke nothing": {
			given{kind: "ProjectPolicy", policy: &plan.PolicyPlan{}, verdict: plan.Verdict{Action: plan.Revoke}},
			Outcome{Effect: Orphan, Message: "nothing that the manifest granted is left to revoke"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, outcomeOf(tc.given.preview())); d != "" {
				t.Errorf("outcome (-want +got):\n%s", d)
			}
		})
	}
}
