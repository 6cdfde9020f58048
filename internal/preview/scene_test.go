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

// TestOverlay: the file's word counts for what it says, and the cluster's for all else.
func TestOverlay(t *testing.T) {
	live := topic("orders", labelled("old"), func(t *v1alpha1.Topic) {
		t.UID, t.Generation, t.Finalizers, t.ResourceVersion = "u", 7, []string{v1alpha1.Finalizer}, "9"
		t.CreationTimestamp = metav1.Time{Time: noon.Add(-time.Hour)}
		t.Annotations = map[string]string{
			v1alpha1.BreakGlassAnnotation: "INC-1", v1alpha1.ApproveAnnotation: "live", "example.com/other": "x",
		}
		t.Status.Identity = "seen"
	})
	file := func(value string) *v1alpha1.Topic {
		return topic("orders", labelled(value), func(t *v1alpha1.Topic) { t.Annotations = map[string]string{v1alpha1.ApproveAnnotation: "file"} })
	}
	for name, generation := range map[string]int64{"old": 7, "new": 8} {
		t.Run(name, func(t *testing.T) {
			o := NewOverlay(kinds.All(nil), noon)
			applied := file(name)
			o.Apply(plan.Manifest{Kind: kindOf(t, "Topic"), Object: applied})
			o.Live(plan.Manifest{Kind: kindOf(t, "Topic"), Object: live.DeepCopy()})
			want := live.DeepCopy()
			want.TypeMeta = metav1.TypeMeta{APIVersion: "gcp.holdfast.dev/v1alpha1", Kind: "Topic"}
			want.Spec, want.Generation = file(name).Spec, generation
			want.Annotations = map[string]string{v1alpha1.BreakGlassAnnotation: "INC-1", v1alpha1.ApproveAnnotation: "file"}
			o.source()
			if d := cmp.Diff(want, applied); d != "" {
				t.Errorf("overlaid (-want +got):\n%s", d)
			}
		})
	}
	t.Run("what is new is the youngest", func(t *testing.T) {
		o := NewOverlay(kinds.All(nil), noon)
		applied := file("new")
		o.Apply(plan.Manifest{Kind: kindOf(t, "Topic"), Object: applied})
		o.source()
		if !applied.CreationTimestamp.Time.Equal(noon) || applied.Generation != 1 || applied.UID != "" {
			t.Errorf("got %+v", applied.ObjectMeta)
		}
	})
}

// TestOverlayKeepsWhatMatters: of a cluster it keeps rivals, and what is referred to.
func TestOverlayKeepsWhatMatters(t *testing.T) {
	o := NewOverlay(kinds.All(nil), noon)
	for _, namespace := range []string{"shop", "shop-too", "bank"} {
		project := map[string]string{"shop": "shop-prod", "shop-too": "shop-prod", "bank": "bank-prod"}[namespace]
		o.Namespace(namespace, map[string]string{v1alpha1.ProjectIDAnnotation: project, "example.com/other": "x"})
	}
	applied := topic("orders", func(t *v1alpha1.Topic) {
		t.Spec.IAM = &v1alpha1.IAMPolicy{Bindings: []v1alpha1.IAMBinding{{ServiceAccountRefs: []v1alpha1.ServiceAccountRef{{Name: "reader"}}}}}
	})
	o.Apply(plan.Manifest{Kind: kindOf(t, "Topic"), Object: applied})
	in := func(namespace, name string) func(*v1alpha1.Topic) {
		return func(t *v1alpha1.Topic) { t.Namespace, t.Name = namespace, name }
	}
	for _, live := range []*v1alpha1.Topic{
		topic("", in("shop-too", "orders")), topic("", in("bank", "orders")), topic("", in("shop", "others")),
		topic("", in("shop", "renamed"), func(t *v1alpha1.Topic) { t.Spec.ResourceID = "orders" }),
	} {
		o.Live(plan.Manifest{Kind: kindOf(t, "Topic"), Object: live})
	}
	for _, name := range []string{"reader", "writer"} {
		account := &v1alpha1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}}
		o.Live(plan.Manifest{Kind: kindOf(t, "ServiceAccount"), Object: account})
	}
	var kept []string
	for _, m := range o.others {
		kept = append(kept, m.Kind.Kind+" "+m.Object.GetNamespace()+"/"+m.Object.GetName())
	}
	if d := cmp.Diff([]string{"Topic shop-too/orders", "Topic shop/renamed", "ServiceAccount shop/reader"}, kept); d != "" {
		t.Errorf("kept (-want +got):\n%s", d)
	}
	if len(o.namespaces["shop"]) != 1 {
		t.Errorf("of a Namespace it keeps %v", o.namespaces["shop"])
	}
	if order := o.Order(); order[len(order)-1].Kind != "ServiceAccount" {
		t.Error("what others refer to does not come last")
	}
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
			s := NewScene(kinds.All(nil), noon, tc.after, tc.before)
			s.Begin("")
			_, all := s.Done()
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

// TestSceneTakesTheProjectThatIsSaid where no Namespace is.
func TestSceneTakesTheProjectThatIsSaid(t *testing.T) {
	for project, want := range map[string]string{"": "", "said": "said"} {
		s := NewScene(kinds.All(nil), noon, &manifests.Tree{Objects: []manifests.Object{{Object: topic("a")}}}, nil)
		s.Begin(project)
		source, _ := s.Done()
		if got, _ := source.Namespace(t.Context(), "shop"); got[v1alpha1.ProjectIDAnnotation] != want {
			t.Errorf("with %q it is %v", project, got)
		}
	}
}
