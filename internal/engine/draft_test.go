package engine

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
)

func TestApplied(t *testing.T) {
	live := &v1alpha1.Topic{Spec: v1alpha1.TopicSpec{Labels: v1alpha1.Labels{"team": "shop", "empty": ""}, MessageRetentionSeconds: new(int64(3600))}}
	about := func(path, json string) v1alpha1.PendingChange {
		return v1alpha1.PendingChange{Path: path, Digest: diff.Change{To: json}.Digest()}
	}
	cases := map[string]struct {
		recorded []string
		pending  []v1alpha1.PendingChange
		want     []string
	}{
		"nothing":                              {},
		"recorded":                             {recorded: []string{"spec.b", "spec.a"}, want: []string{"spec.a", "spec.b"}},
		"pending and live with that value":     {pending: []v1alpha1.PendingChange{about("spec.messageRetentionSeconds", "3600")}, want: []string{"spec.messageRetentionSeconds"}},
		"pending and live with another":        {pending: []v1alpha1.PendingChange{about("spec.messageRetentionSeconds", "7200")}},
		"pending and not live":                 {pending: []v1alpha1.PendingChange{about("spec.kmsKeyName", `"k"`)}},
		"a pending label":                      {pending: []v1alpha1.PendingChange{about("spec.labels[team]", `"shop"`)}, want: []string{"spec.labels[team]"}},
		"recorded and pending are listed once": {recorded: []string{"spec.labels[team]"}, pending: []v1alpha1.PendingChange{about("spec.labels[team]", `"shop"`)}, want: []string{"spec.labels[team]"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			obj := shopTopic()
			obj.Status.AppliedFields, obj.Status.Pending = tc.recorded, tc.pending
			if d := cmp.Diff(tc.want, applied(obj, live)); d != "" {
				t.Errorf("applied (-want +got):\n%s", d)
			}
		})
	}
}

func TestADraftIsSavedOnlyWhenItDiffersAndIsNewest(t *testing.T) {
	topic := shopTopic()
	r, _ := testReconciler(t, topic)
	key := client.ObjectKeyFromObject(topic)
	stored := func() *v1alpha1.Topic {
		t.Helper()
		var out v1alpha1.Topic
		if err := r.client.Get(t.Context(), key, &out); err != nil {
			t.Fatal(err)
		}
		return &out
	}

	before := stored()
	d := newDraft(r.client, before.DeepCopy())
	if err := d.save(t.Context()); err != nil || stored().ResourceVersion != before.ResourceVersion {
		t.Errorf("saving no change: %v, and the version is %s, was %s", err, stored().ResourceVersion, before.ResourceVersion)
	}

	old := newDraft(r.client, before.DeepCopy())
	d.obj.Status.Project = "shop-project"
	if err := d.save(t.Context()); err != nil || stored().Status.Project != "shop-project" {
		t.Errorf("saving: %v, status %+v", err, stored().Status)
	}
	old.obj.Status.Project = "bank-project"
	if err := old.save(t.Context()); !errors.Is(err, errStale) {
		t.Errorf("saving over a newer version: %v, want errStale", err)
	}
	if err := old.setFinalizer(t.Context(), true); !errors.Is(err, errStale) {
		t.Errorf("adding the finalizer to a newer version: %v, want errStale", err)
	}
	if err := d.setFinalizer(t.Context(), true); err != nil || !hasFinalizer(stored()) || !hasFinalizer(d.obj) {
		t.Errorf("adding the finalizer: %v, stored %v, in hand %v", err, stored().Finalizers, d.obj.Finalizers)
	}
	if d.obj.Status.Project != "shop-project" {
		t.Error("adding the finalizer lost what is in hand")
	}
}

func TestHoldKeepsAMarkedIdentity(t *testing.T) {
	cases := map[string]struct{ recorded, now, want string }{
		"first seen without marks":     {"", identityUnmarked, identityUnmarked},
		"marked since":                 {identityUnmarked, identityMarked, identityMarked},
		"its marks were taken off":     {identityMarked, identityUnmarked, identityMarked},
		"another UID, which is proven": {"1", "2", "2"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			d := newDraft(nil, shopTopic())
			status := &d.obj.Status
			status.Identity, status.Pending, status.Approved = tc.recorded, []v1alpha1.PendingChange{{}}, &v1alpha1.ApprovedPlan{}
			d.hold(tc.now, []string{"spec.a"})
			if status.Identity != tc.want || status.Pending != nil || status.Approved != nil || len(status.AppliedFields) != 1 {
				t.Errorf("after hold: %+v", status)
			}
		})
	}
}
