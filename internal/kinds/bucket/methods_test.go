package bucket

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// The methods that are declared are those that are called.
func TestMethods(t *testing.T) {
	e := emulate(t)
	mark := e.cloud.Traffic.Mark()
	obj := &v1alpha1.Bucket{Spec: v1alpha1.BucketSpec{RetentionPolicy: &v1alpha1.RetentionPolicy{RetentionSeconds: new(int64(1))}}}
	e.create(t, obj)
	obj.Spec.RetentionPolicy = &v1alpha1.RetentionPolicy{RetentionSeconds: new(int64(2)), Locked: new(true)}
	e.apply(t, obj)
	policy, err := e.impl.GetPolicy(t.Context(), e.ref)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.impl.SetPolicy(t.Context(), e.ref, policy); err != nil {
		t.Fatal(err)
	}
	if err := e.impl.List(t.Context(), e.ref, func([]kind.Item[*Live]) bool { return true }); err != nil {
		t.Fatal(err)
	}
	e.ref.ID = "contents"
	live := e.full(t)
	e.empty(t, live)
	if err := e.impl.Delete(t.Context(), e.ref, live); !gcp.IsNotEmpty(err) {
		t.Fatalf("deleting a bucket with a cache that was disabled a moment ago: %v", err)
	}

	called, declared := map[string]bool{}, map[string]bool{}
	for _, entry := range e.cloud.Traffic.Since(mark) {
		called[entry.Method] = true
	}
	for _, method := range e.impl.Traits().Methods {
		declared[method.Name] = true
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(called)), slices.Sorted(maps.Keys(declared))); diff != "" {
		t.Errorf("methods (-called +declared):\n%s", diff)
	}
}

// What Google allows about once a second per bucket counts against the bucket; what is in it against nothing else; nothing is without a scope and a permission.
func TestMethodsAreWhole(t *testing.T) {
	updates := []string{"buckets.patch", "buckets.lockRetentionPolicy", "buckets.setIamPolicy"}
	for _, method := range methods {
		want := kind.ScopeProject
		switch {
		case slices.Contains(updates, method.Name):
			want = kind.ScopeBucket
		case !strings.HasPrefix(method.Name, "buckets."):
			want = kind.ScopeContents
		}
		if method.Service != kind.ServiceStorage || method.Scope != want {
			t.Errorf("%s: service %q, scope %q; want %q", method.Name, method.Service, method.Scope, want)
		}
		foreign := func(p string) bool { return !strings.HasPrefix(p, "storage.") && p != "serviceusage.services.use" }
		if len(method.Permissions) == 0 || slices.ContainsFunc(method.Permissions, foreign) {
			t.Errorf("%s: permissions %q", method.Name, method.Permissions)
		}
	}
}
