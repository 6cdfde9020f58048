package topic

import (
	"testing"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator"
	"github.com/holdfast-dev/holdfast/test/policytest"
)

func TestPolicyOfATopic(t *testing.T) {
	cloud := emulator.StartTest(t)
	impl := New(policytest.Clients(t, cloud, methods...).Topics)
	if _, err := impl.Create(t.Context(), ref, &v1alpha1.Topic{}); err != nil {
		t.Fatal(err)
	}
	missing := ref
	missing.ID = "invoices"
	policytest.Check(t, cloud, policytest.Resource{Kind: impl, Ref: ref, Missing: missing, Role: "roles/pubsub.publisher", Unconditional: true})
}

func TestPolicyIsTheManifests(t *testing.T) {
	declared := &v1alpha1.IAMPolicy{Mode: v1alpha1.IAMAdditive}
	if policy, audit := New(nil).Policy(&v1alpha1.Topic{}); policy != nil || audit != nil {
		t.Errorf("of nothing: %v, %v", policy, audit)
	}
	if policy, _ := New(nil).Policy(&v1alpha1.Topic{Spec: v1alpha1.TopicSpec{IAM: declared}}); policy != declared {
		t.Errorf("got %v", policy)
	}
}
