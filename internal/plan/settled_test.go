package plan

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breakglass"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/tenancy"
)

var toReader = kind.Reference{Kind: "ServiceAccount", Name: "reader"}

// atRest is a resource of a manifest that was found to be as it should be.
func atRest(k kind.Kind, obj v1alpha1.Object) *situation {
	s := situationOf(k, obj)
	obj.SetFinalizers([]string{v1alpha1.Finalizer})
	obj.SetAnnotations(map[string]string{v1alpha1.ReconcileRequestedAtAnnotation: "noon"})
	s.env.References = References{toReader: {Value: "reader@p"}}
	if k.Shared() {
		other := k.New()
		other.SetUID("2")
		other.SetGeneration(1)
		other.SetCreationTimestamp(metav1.NewTime(three))
		s.env.Rivals = []Rival{{Object: other}}
	}
	status := obj.GetCommonStatus()
	status.ObservedGeneration, status.LastHandledReconcileAt = 1, "noon"
	status.Project, status.Identity, status.ExternalName = "shop-project", "4711", "//x"
	for kind, is := range map[string]metav1.ConditionStatus{v1alpha1.ConditionReady: metav1.ConditionTrue, v1alpha1.ConditionDrifted: metav1.ConditionFalse} {
		status.Conditions = append(status.Conditions, metav1.Condition{Type: kind, Status: is, ObservedGeneration: 1})
	}
	status.EnvironmentDigest = EnvironmentDigest(k, obj, s.env)
	s.record = RecordOf(status)
	return s
}

func TestSettled(t *testing.T) {
	status := func(change func(*v1alpha1.CommonStatus)) given {
		return func(s *situation) {
			change(s.Object.GetCommonStatus())
			s.record = RecordOf(s.Object.GetCommonStatus())
		}
	}
	annotated := func(key, value string) given {
		return func(s *situation) { s.Object.GetAnnotations()[key] = value }
	}
	ready := func(change func(*metav1.Condition)) given {
		return status(func(is *v1alpha1.CommonStatus) {
			for i := range is.Conditions {
				if is.Conditions[i].Type == v1alpha1.ConditionReady {
					change(&is.Conditions[i])
				}
			}
		})
	}
	limit := func(key, value string) given {
		return func(s *situation) { s.env.Limits = tenancy.ReadLimits(map[string]string{key: value}) }
	}
	rival := func(change func(*Rival)) given {
		return func(s *situation) {
			if len(s.env.Rivals) == 0 {
				other := s.Kind.New()
				other.SetUID("2")
				other.SetCreationTimestamp(metav1.NewTime(three))
				s.env.Rivals = []Rival{{Object: other}}
			}
			change(&s.env.Rivals[0])
		}
	}
	open := breakglass.Read(map[string]string{v1alpha1.BreakGlassAnnotation: "INC-1"}, nil, three)
	cases := map[string]struct {
		given given
		// settled, and policySettled for a shared policy.
		settled, policySettled bool
	}{
		"nothing has changed":              {func(*situation) {}, true, true},
		"time has":                         {func(s *situation) { s.env.Now = three.Add(24 * time.Hour) }, true, true},
		"so has since when we have looked": {func(s *situation) { s.env.Since = three }, true, true},
		"what is referred to is old now": {func(s *situation) {
			s.env.References[toReader] = Resolved{Value: "reader@p", Fresh: three}
		}, true, true},
		"an annotation of others":              {annotated("team", "shop"), true, true},
		"the spec was edited":                  {func(s *situation) { s.Object.SetGeneration(2) }, false, false},
		"it is deleted":                        {func(s *situation) { s.Object.SetDeletionTimestamp(&metav1.Time{Time: three}) }, false, false},
		"the finalizer was taken off":          {func(s *situation) { s.Object.SetFinalizers(nil) }, false, false},
		"a reconcile is requested":             {annotated(v1alpha1.ReconcileRequestedAtAnnotation, "one"), false, false},
		"one is requested no more":             {func(s *situation) { s.Object.SetAnnotations(nil) }, false, false},
		"a plan is approved":                   {annotated(v1alpha1.ApproveAnnotation, "4711"), false, false},
		"there are annotations of a glass":     {annotated(v1alpha1.BreakGlassUntilAnnotation, "now"), false, false},
		"the glass is broken":                  {func(s *situation) { s.env.Glass = open }, false, false},
		"the glass is on record":               {status(func(s *v1alpha1.CommonStatus) { s.BreakGlass = &v1alpha1.BreakGlass{} }), false, false},
		"the glass of another is broken":       {rival(func(r *Rival) { r.Glass = open }), false, false},
		"it is not Ready":                      {ready(func(c *metav1.Condition) { c.Status = metav1.ConditionFalse }), false, false},
		"it is Ready as it was before":         {ready(func(c *metav1.Condition) { c.ObservedGeneration = 0 }), false, false},
		"nobody has looked":                    {status(func(s *v1alpha1.CommonStatus) { s.Conditions = nil }), false, false},
		"whether it differs is not known":      {status(func(s *v1alpha1.CommonStatus) { s.Conditions = s.Conditions[:1] }), false, false},
		"something is pending":                 {status(func(s *v1alpha1.CommonStatus) { s.Pending = []v1alpha1.PendingChange{{}} }), false, false},
		"a grant is":                           {status(func(s *v1alpha1.CommonStatus) { s.IAM = &v1alpha1.IAMStatus{Pending: make([]v1alpha1.IAMGrants, 1)} }), false, false},
		"a member was refused":                 {status(func(s *v1alpha1.CommonStatus) { s.IAM = &v1alpha1.IAMStatus{Refused: make([]v1alpha1.IAMRefusal, 1)} }), false, false},
		"a plan waits":                         {status(func(s *v1alpha1.CommonStatus) { s.Plan = &v1alpha1.Plan{} }), false, false},
		"an approved one has begun":            {status(func(s *v1alpha1.CommonStatus) { s.Approved = &v1alpha1.ApprovedPlan{} }), false, false},
		"the record is to change":              {func(s *situation) { s.record.Policy.TakenOver = []string{"2"} }, false, false},
		"there is no digest":                   {status(func(s *v1alpha1.CommonStatus) { s.EnvironmentDigest = "" }), false, false},
		"the binding is refused":               {func(s *situation) { s.env.Refusal = &tenancy.Refusal{} }, false, false},
		"the project is another":               {func(s *situation) { s.env.Binding.Project = "other" }, false, false},
		"the identity is another":              {func(s *situation) { s.env.Binding.Impersonate = "other" }, false, false},
		"the namespace reaches further":        {func(s *situation) { s.env.Binding.Reach = "other" }, false, false},
		"the namespace allows more":            {func(s *situation) { s.env.Binding.Permissions = v1alpha1.AllowDataLoss }, false, false},
		"the namespace limits management":      {limit(v1alpha1.LeastManagementAnnotation, "Approve"), false, false},
		"the namespace limits removals":        {limit(v1alpha1.MaxRemovalsAnnotation, "0"), false, false},
		"a reference leads elsewhere":          {func(s *situation) { s.env.References[toReader] = Resolved{Value: "other@p"} }, false, false},
		"a reference leads nowhere":            {func(s *situation) { s.env.References[toReader] = Resolved{Missing: "gone"} }, false, false},
		"a reference is not allowed":           {func(s *situation) { s.env.References[toReader] = Resolved{NotAllowed: "no"} }, false, false},
		"another manifest loses":               {rival(func(*Rival) {}), true, true},
		"another manifest of the policy came":  {func(s *situation) { s.env.Rivals = append(s.env.Rivals, s.env.Rivals...) }, true, false},
		"another manifest of the policy went":  {func(s *situation) { s.env.Rivals = nil }, true, false},
		"another manifest goes":                {rival(func(r *Rival) { r.Object.SetDeletionTimestamp(&metav1.Time{Time: three}) }), true, false},
		"another manifest was edited":          {rival(func(r *Rival) { r.Object.SetGeneration(7) }), true, false},
		"another manifest refers to something": {rival(func(r *Rival) { r.References = References{toReader: {Value: "reader@p"}} }), true, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for _, s := range []*situation{atRest(buckets, &v1alpha1.Bucket{}), atRest(projects, &v1alpha1.ProjectPolicy{})} {
				want := tc.settled
				if s.Kind.Shared() {
					want = tc.policySettled
				}
				tc.given(s)
				if got := Settled(s.Manifest, s.record, s.env); got != want {
					t.Errorf("%s: settled is %v, want %v", s.Kind.Kind, got, want)
				}
			}
		})
	}
	t.Run("another owner", func(t *testing.T) {
		s := atRest(buckets, &v1alpha1.Bucket{})
		s.env.Ref.Ownership = Ownership("cluster-b", s.Object)
		if Settled(s.Manifest, s.record, s.env) {
			t.Error("it is settled")
		}
	})
}
