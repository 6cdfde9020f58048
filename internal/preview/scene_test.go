package preview

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
	"github.com/holdfast-dev/holdfast/internal/manifests"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func topic(name string, changes ...func(*v1alpha1.Topic)) *v1alpha1.Topic {
	obj := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}}
	for _, change := range changes {
		change(obj)
	}
	return obj
}

func labelled(value string) func(*v1alpha1.Topic) {
	return func(t *v1alpha1.Topic) { t.Spec.Labels = v1alpha1.Labels{"team": v1alpha1.LabelValue(value)} }
}

func kindOf(t *testing.T, name string) kind.Kind {
	t.Helper()
	k, ok := kind.Named(kinds.All(nil), name)
	if !ok {
		t.Fatalf("no kind %s", name)
	}
	return k
}

func tree(namespace map[string]string, objects ...v1alpha1.Object) *manifests.Tree {
	out := &manifests.Tree{Namespaces: []manifests.Namespace{{Name: "shop", Annotations: namespace}}}
	for _, obj := range objects {
		out.Objects = append(out.Objects, manifests.Object{Object: obj, Origin: manifests.Origin{File: obj.GetName() + ".yaml"}})
	}
	return out
}

// TestSceneShowsWhatChanges: of two trees what differs is shown, what has to do with it, and what leaves.
func TestSceneShowsWhatChanges(t *testing.T) {
	bound := map[string]string{v1alpha1.ProjectIDAnnotation: "shop-prod"}
	refers := func(t *v1alpha1.Topic) {
		t.Spec.IAM = &v1alpha1.IAMPolicy{Bindings: []v1alpha1.IAMBinding{{ServiceAccountRefs: []v1alpha1.ServiceAccountRef{{Name: "reader"}}}}}
	}
	account := func(name string) *v1alpha1.ServiceAccount {
		return &v1alpha1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "reader"}, Spec: v1alpha1.ServiceAccountSpec{DisplayName: &name}}
	}
	cases := map[string]struct {
		before, after   *manifests.Tree
		shown, previews []string
		leaving         string
	}{
		"nothing": {tree(bound, topic("a")), tree(bound, topic("a")), nil, nil, ""},
		"an edit": {tree(bound, topic("a"), topic("b")), tree(bound, topic("a", labelled("x")), topic("b")), []string{"a"}, []string{"a"}, ""},
		"new":     {tree(bound), tree(bound, topic("a")), []string{"a"}, []string{"a"}, ""},
		"leaves":  {tree(bound, topic("a")), tree(bound), []string{"a"}, []string{"a"}, "a"},
		"what refers to it": {
			tree(bound, account("x"), topic("a", refers), topic("b")), tree(bound, account("y"), topic("a", refers), topic("b")),
			[]string{"reader", "a"}, []string{"reader", "a"}, "",
		},
		"what it refers to is looked at": {
			tree(bound, account("x"), topic("a")), tree(bound, account("x"), topic("a", refers)), []string{"a"}, []string{"reader", "a"}, "",
		},
		"another manifest of the resource": {
			tree(bound, topic("a"), topic("b")),
			tree(bound, topic("a"), topic("b"), topic("c", func(t *v1alpha1.Topic) { t.Spec.ResourceID = "a" })), []string{"a", "c"}, []string{"a", "c"}, "",
		},
		"the Namespace": {tree(bound, topic("a")), tree(map[string]string{v1alpha1.ProjectIDAnnotation: "other"}, topic("a")), []string{"a"}, []string{"a"}, ""},
		"what is not valid any more does not leave": {
			tree(bound, topic("a"), topic("b")), func() *manifests.Tree {
				after := tree(bound)
				after.Problems = []manifests.Problem{{Kind: "Topic", Namespace: "shop", Name: "a"}, {Origin: manifests.Origin{File: "b.yaml"}}}
				return after
			}(), nil, nil, "",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s, cluster := NewScene(kinds.All(nil), tc.after, tc.before), NewExcerpt(kinds.All(nil))
			s.Begin(cluster, "")
			_, all, err := s.Over(t.Context(), cluster.Source(), noon)
			if err != nil {
				t.Fatal(err)
			}
			var previewed, shown []string
			var previews []Preview
			for _, m := range all {
				previewed = append(previewed, m.Object.GetName())
				previews = append(previews, Preview{Kind: m.Kind, Object: m.Object})
				if leaves := !m.Object.GetDeletionTimestamp().IsZero(); leaves != (m.Object.GetName() == tc.leaving) {
					t.Errorf("%s leaves: %v", m.Object.GetName(), leaves)
				}
			}
			for _, v := range s.Shown(previews) {
				shown = append(shown, v.Object.GetName())
			}
			if !slices.Equal(previewed, tc.previews) || !slices.Equal(shown, tc.shown) {
				t.Errorf("previewed are %v, shown %v", previewed, shown)
			}
		})
	}
}

// TestWhatLeavesIsAsTheClusterHasIt: a manifest that is not there any more says nothing of how it goes, and one that nobody applied does not go.
func TestWhatLeavesIsAsTheClusterHasIt(t *testing.T) {
	said := func(policy v1alpha1.DeletionPolicy) func(*v1alpha1.Topic) {
		return func(t *v1alpha1.Topic) { t.Spec.DeletionPolicy = policy }
	}
	stored := topic("a", said(v1alpha1.DeletionDelete), func(t *v1alpha1.Topic) { t.UID, t.Finalizers = "u", []string{v1alpha1.Finalizer} })
	before := stored.DeepCopy()
	s, cluster := NewScene(kinds.All(nil), tree(nil), tree(nil, topic("a", said(v1alpha1.DeletionOrphan)), topic("never"))), NewExcerpt(kinds.All(nil))
	s.Knows.Records = true
	s.Begin(cluster, "")
	cluster.Live(plan.Manifest{Kind: kindOf(t, "Topic"), Object: stored})
	source, all, err := s.Over(t.Context(), cluster.Source(), noon)
	if err != nil {
		t.Fatal(err)
	}
	want := stored.DeepCopy()
	want.TypeMeta = metav1.TypeMeta{APIVersion: "gcp.holdfast.dev/v1alpha1", Kind: "Topic"}
	want.DeletionTimestamp, want.Finalizers = &metav1.Time{Time: noon}, nil
	if len(all) != 1 {
		t.Fatalf("%d manifests go", len(all))
	}
	if diff := cmp.Diff(v1alpha1.Object(want), all[0].Object); diff != "" {
		t.Errorf("what goes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, stored); diff != "" {
		t.Errorf("what the cluster has was changed (-before +after):\n%s", diff)
	}
	if obj, err := source.Manifest(t.Context(), kindOf(t, "Topic"), "shop", "never"); obj != nil || err != nil {
		t.Errorf("what nobody applied is there: %v (%v)", obj, err)
	}
}

// TestSceneTakesTheProjectThatIsSaid where no Namespace is.
func TestSceneTakesTheProjectThatIsSaid(t *testing.T) {
	for project, want := range map[string]string{"": "", "said": "said"} {
		s := NewScene(kinds.All(nil), &manifests.Tree{Objects: []manifests.Object{{Object: topic("a")}}}, nil)
		cluster := NewExcerpt(kinds.All(nil))
		s.Begin(cluster, project)
		source, _, err := s.Over(t.Context(), cluster.Source(), noon)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := source.Namespace(t.Context(), "shop"); got[v1alpha1.ProjectIDAnnotation] != want {
			t.Errorf("with %q it is %v", project, got)
		}
	}
}
