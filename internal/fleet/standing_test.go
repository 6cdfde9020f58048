package fleet

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// bucket is one as the operator leaves it: Ready, in sync, with a closed glass, unless a change says otherwise.
func bucket(changes ...func(*v1alpha1.Bucket)) *v1alpha1.Bucket {
	b := &v1alpha1.Bucket{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "logs", Generation: 1, CreationTimestamp: metav1.NewTime(noon.Add(-time.Hour))}}
	b.Status.ObservedGeneration = 1
	conditions(
		condition(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonUpToDate, "Google Cloud matches the manifest"),
		condition(v1alpha1.ConditionDrifted, metav1.ConditionFalse, v1alpha1.ReasonInSync, "no difference"),
		condition(v1alpha1.ConditionBreakGlass, metav1.ConditionFalse, v1alpha1.ReasonClosed, "break-glass is not active"),
	)(b)
	for _, change := range changes {
		change(b)
	}
	return b
}

func condition(kind string, status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: message, LastTransitionTime: metav1.NewTime(noon)}
}

func conditions(set ...metav1.Condition) func(*v1alpha1.Bucket) {
	return func(b *v1alpha1.Bucket) {
		for _, c := range set {
			i := 0
			for i < len(b.Status.Conditions) && b.Status.Conditions[i].Type != c.Type {
				i++
			}
			b.Status.Conditions = append(b.Status.Conditions[:i], append([]metav1.Condition{c}, b.Status.Conditions[min(i+1, len(b.Status.Conditions)):]...)...)
		}
	}
}

func stalled(reason, message string) func(*v1alpha1.Bucket) {
	return conditions(condition(v1alpha1.ConditionReady, metav1.ConditionFalse, reason, message), condition(v1alpha1.ConditionStalled, metav1.ConditionTrue, reason, message))
}

func reconciling(reason, message string) func(*v1alpha1.Bucket) {
	return conditions(condition(v1alpha1.ConditionReady, metav1.ConditionFalse, reason, message), condition(v1alpha1.ConditionReconciling, metav1.ConditionTrue, reason, message))
}

func drifted(paths ...string) func(*v1alpha1.Bucket) {
	return func(b *v1alpha1.Bucket) {
		conditions(condition(v1alpha1.ConditionDrifted, metav1.ConditionTrue, v1alpha1.ReasonDiffers, "Google Cloud differs in "+strings.Join(paths, ", ")))(b)
		for _, path := range paths {
			b.Status.Drift = append(b.Status.Drift, v1alpha1.Change{Path: path, From: "false", To: "true"})
		}
	}
}

func broken(scope v1alpha1.BreakGlassScope) func(*v1alpha1.Bucket) {
	return func(b *v1alpha1.Bucket) {
		b.Status.BreakGlass = &v1alpha1.BreakGlass{Scope: scope, Reason: "INC-4711: partner", By: "ada", Verified: true, Since: metav1.NewTime(noon)}
		conditions(condition(v1alpha1.ConditionBreakGlass, metav1.ConditionTrue, v1alpha1.ReasonOpen, "opened by ada: INC-4711: partner"))(b)
	}
}

func annotated(b *v1alpha1.Bucket) {
	b.Annotations = map[string]string{v1alpha1.BreakGlassAnnotation: "INC-4711: partner", v1alpha1.BreakGlassByAnnotation: "ada"}
}

func TestStandingOf(t *testing.T) {
	for name, tc := range map[string]struct {
		obj  *v1alpha1.Bucket
		want Standing
	}{
		"ready": {bucket(), Standing{Ready, "UpToDate", "Google Cloud matches the manifest", noon}},
		"never seen": {
			bucket(func(b *v1alpha1.Bucket) { b.Status = v1alpha1.BucketStatus{} }),
			Standing{Waiting, ReasonNotSeen, "Holdfast has not looked at it yet", noon.Add(-time.Hour)},
		},
		"a new generation": {
			bucket(func(b *v1alpha1.Bucket) { b.Generation = 2 }),
			Standing{Waiting, ReasonNotSeen, "Holdfast has not looked at generation 2 yet", time.Time{}},
		},
		"being deleted": {
			bucket(func(b *v1alpha1.Bucket) { b.Generation, b.DeletionTimestamp = 2, new(metav1.NewTime(noon)) }),
			Standing{Waiting, ReasonNotSeen, "it is being deleted, and Holdfast has not looked at that yet", noon},
		},
		"being corrected": {bucket(drifted("spec.a")), Standing{Differing, "Differs", "Google Cloud differs in spec.a", noon}},
		"only observed, and different": {
			bucket(drifted("spec.a"), stalled("Differs", "only observed")),
			Standing{Differing, "Differs", "only observed", noon},
		},
		"only observed, and not there": {bucket(stalled("NotFound", "there is none")), Standing{Refused, "NotFound", "there is none", noon}},
		"retried":                      {bucket(reconciling("Unavailable", "503")), Standing{Waiting, "Unavailable", "503", noon}},
		"differing while retried": {
			bucket(reconciling("Throttled", "slow"), drifted("spec.a")),
			Standing{Differing, "Differs", "Google Cloud differs in spec.a", noon},
		},
		"adoption":  {bucket(drifted("spec.a"), stalled("AwaitingAdoption", "exists")), Standing{OnHold, "AwaitingAdoption", "exists", noon}},
		"approval":  {bucket(stalled("AwaitingApproval", "approve")), Standing{OnHold, "AwaitingApproval", "approve", noon}},
		"data loss": {bucket(stalled("DataLoss", "loses")), Standing{OnHold, "DataLoss", "loses", noon}},
		"denied":    {bucket(drifted("spec.a"), stalled("Denied", "permission")), Standing{Refused, "Denied", "permission", noon}},
		"glass": {
			bucket(broken(v1alpha1.BreakGlassOnObject), annotated),
			Standing{Glass, "Open", "opened by ada: INC-4711: partner", noon},
		},
		"glass over everything else": {
			bucket(broken(v1alpha1.BreakGlassOnNamespace), drifted("spec.a", "spec.b"), stalled("BreakGlass", "on hold"), func(b *v1alpha1.Bucket) { b.Generation = 2 }),
			Standing{Glass, "Open", "opened by ada: INC-4711: partner; Google Cloud differs in 2 fields", noon},
		},
		"glass that nobody has acknowledged": {
			bucket(annotated),
			Standing{Glass, ReasonUnacknowledged, "opened by ada: INC-4711: partner; Holdfast has not acknowledged it yet", time.Time{}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, StandingOf(tc.obj)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestIsAcknowledged(t *testing.T) {
	inFlight := conditions(condition(v1alpha1.ConditionBreakGlass, metav1.ConditionUnknown, v1alpha1.ReasonWriteInFlight, "a write"))
	for name, tc := range map[string]struct {
		obj  *v1alpha1.Bucket
		want bool
	}{
		"closed":            {bucket(), false},
		"only annotated":    {bucket(annotated), false},
		"a write in flight": {bucket(broken(v1alpha1.BreakGlassOnObject), inFlight), false},
		"acknowledged":      {bucket(broken(v1alpha1.BreakGlassOnObject)), true},
	} {
		if got := IsAcknowledged(tc.obj); got != tc.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestIsSettled(t *testing.T) {
	for name, tc := range map[string]struct {
		obj  *v1alpha1.Bucket
		want bool
	}{
		"ready":                 {bucket(), true},
		"denied":                {bucket(stalled("Denied", "x")), true},
		"never seen":            {bucket(func(b *v1alpha1.Bucket) { b.Status = v1alpha1.BucketStatus{} }), false},
		"a new generation":      {bucket(func(b *v1alpha1.Bucket) { b.Generation = 2 }), false},
		"about to be corrected": {bucket(drifted("spec.a"), reconciling("Progressing", "x")), false},
		"tried again":           {bucket(reconciling("Unavailable", "x")), false},
		"waiting for somebody":  {bucket(reconciling("AwaitingReference", "x")), true},
	} {
		if got := IsSettled(tc.obj); got != tc.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestHasDrift(t *testing.T) {
	unknown := conditions(condition(v1alpha1.ConditionDrifted, metav1.ConditionUnknown, v1alpha1.ReasonUnknown, "outage"))
	for name, tc := range map[string]struct {
		obj  *v1alpha1.Bucket
		want bool
	}{
		"in sync":                               {bucket(), false},
		"drifted":                               {bucket(drifted("spec.a")), true},
		"could not be looked at":                {bucket(unknown), false},
		"seen before, under glass in an outage": {bucket(broken(v1alpha1.BreakGlassOnObject), drifted("spec.a"), unknown), true},
	} {
		if got := HasDrift(tc.obj); got != tc.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}
