package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func TestTheModelFleet(t *testing.T) {
	m := model{resources: 50_000, projects: 3_000}
	kinds, perProject, names, policies := map[string]int{}, map[string]int{}, map[key]bool{}, 0
	buckets := map[string]bool{} // their names are the whole world's
	for i := range m.resources {
		obj := m.object(i)
		names[keyOf(obj)] = true
		perProject[obj.GetNamespace()]++
		switch obj := obj.(type) {
		case *v1alpha1.Bucket:
			kinds["buckets"]++
			buckets[obj.Name] = true
			if obj.Spec.IAM != nil {
				policies++
			}
		case *v1alpha1.Topic:
			kinds["topics"]++
			if obj.Spec.IAM != nil {
				policies++
			}
		case *v1alpha1.ServiceAccount:
			kinds["accounts"]++
		case *v1alpha1.ProjectPolicy:
			kinds["project policies"]++
			policies++
		}
	}
	want := map[string]int{"buckets": 17_000, "topics": 15_000, "accounts": 15_000, "project policies": 3_000}
	if d := cmp.Diff(want, kinds); d != "" {
		t.Errorf("kinds (-want +got):\n%s", d)
	}
	if len(names) != m.resources || len(buckets) != want["buckets"] {
		t.Errorf("%d different objects and %d names of buckets, want %d and %d", len(names), len(buckets), m.resources, want["buckets"])
	}
	if policies != m.policies() || policies <= m.projects {
		t.Errorf("%d policies, and %d are told", policies, m.policies())
	}
	plain := 0
	for kind := range listedKinds {
		for _, obj := range m.plain(kind) {
			bucket, _ := obj.(*v1alpha1.Bucket)
			topic, _ := obj.(*v1alpha1.Topic)
			if bucket != nil && bucket.Spec.IAM != nil || topic != nil && topic.Spec.IAM != nil {
				t.Errorf("%s has a policy", obj.GetName())
			}
			plain++
		}
	}
	if plain+policies != m.resources {
		t.Errorf("%d have no policy and %d have, of %d", plain, policies, m.resources)
	}
	if len(perProject) != m.projects {
		t.Errorf("%d Namespaces, want %d", len(perProject), m.projects)
	}
	for namespace, n := range perProject {
		if n < 16 || n > 17 {
			t.Errorf("%s has %d objects, want 16 or 17", namespace, n)
		}
	}
}
