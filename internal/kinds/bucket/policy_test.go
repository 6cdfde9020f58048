package bucket

import (
	"testing"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator"
	"github.com/holdfast-dev/holdfast/test/policytest"
)

func TestPolicyOfABucket(t *testing.T) {
	cloud := emulator.StartTest(t)
	impl := New(policytest.Clients(t, cloud, methods...))
	if _, err := impl.Create(t.Context(), ref, &v1alpha1.Bucket{Spec: v1alpha1.BucketSpec{
		UniformBucketLevelAccess: &v1alpha1.UniformBucketLevelAccess{Enabled: new(true)},
	}}); err != nil {
		t.Fatal(err)
	}
	missing := ref
	missing.ID = "no-such-bucket"
	policytest.Check(t, cloud, policytest.Resource{Kind: impl, Ref: ref, Missing: missing, Role: "roles/storage.objectViewer"})
}

func TestPolicyIsTheManifests(t *testing.T) {
	declared := &v1alpha1.IAMPolicy{Mode: v1alpha1.IAMAdditive}
	if policy, audit := New(nil).Policy(&v1alpha1.Bucket{}); policy != nil || audit != nil {
		t.Errorf("of nothing: %v, %v", policy, audit)
	}
	if policy, _ := New(nil).Policy(&v1alpha1.Bucket{Spec: v1alpha1.BucketSpec{IAM: declared}}); policy != declared {
		t.Errorf("got %v", policy)
	}
}
