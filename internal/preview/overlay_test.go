package preview

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
	"github.com/holdfast-dev/holdfast/internal/manifests"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// empty is a cluster that has nothing.
func empty() inventory.Source { return NewExcerpt(kinds.All(nil)).Source() }

// TestOverlayLays: the file's word counts for what it says, and the cluster's for all else.
func TestOverlayLays(t *testing.T) {
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
			o := NewOverlay(empty(), noon)
			applied, stored := file(name), live.DeepCopy()
			o.Apply(plan.Manifest{Kind: kindOf(t, "Topic"), Object: applied}, stored)
			want := live.DeepCopy()
			want.TypeMeta = metav1.TypeMeta{APIVersion: "gcp.holdfast.dev/v1alpha1", Kind: "Topic"}
			want.Spec, want.Generation = file(name).Spec, generation
			want.Annotations = map[string]string{v1alpha1.BreakGlassAnnotation: "INC-1", v1alpha1.ApproveAnnotation: "file"}
			if d := cmp.Diff(want, applied); d != "" {
				t.Errorf("overlaid (-want +got):\n%s", d)
			}
			if d := cmp.Diff(live, stored); d != "" {
				t.Errorf("what the cluster has was changed (-before +after):\n%s", d)
			}
		})
	}
	t.Run("what is new is the youngest", func(t *testing.T) {
		o := NewOverlay(empty(), noon)
		applied := file("new")
		o.Apply(plan.Manifest{Kind: kindOf(t, "Topic"), Object: applied}, nil)
		if !applied.CreationTimestamp.Time.Equal(noon) || applied.Generation != 1 || applied.UID != "" {
			t.Errorf("got %+v", applied.ObjectMeta)
		}
	})
}

// folderOf is a cluster that has these manifests.
func folderOf(t *testing.T, text string, all []kind.Kind) inventory.Source {
	t.Helper()
	tree, err := manifests.Read(t.Context(), manifests.Options{Paths: []string{"-"}, Stdin: strings.NewReader(text), Kinds: all})
	if err != nil || len(tree.Problems) > 0 {
		t.Fatal(err, tree)
	}
	return tree.Folder(all)
}

// TestOverlayReplaces: what is applied is there in the place of what the cluster has of it, and beside all else.
func TestOverlayReplaces(t *testing.T) {
	all := kinds.All(nil)
	buckets, _ := kind.Named(all, "Bucket")
	folder := folderOf(t, `
apiVersion: gcp.holdfast.dev/v1alpha1
kind: Bucket
metadata: {namespace: shop, name: logs}
---
apiVersion: gcp.holdfast.dev/v1alpha1
kind: Bucket
metadata: {namespace: other, name: logs}
---
apiVersion: gcp.holdfast.dev/v1alpha1
kind: Bucket
metadata: {namespace: shop, name: media}
`, all)
	over := NewOverlay(folder, noon)
	stored := func(cluster inventory.Source, name string) v1alpha1.Object {
		obj, err := cluster.Manifest(t.Context(), buckets, "shop", name)
		if err != nil {
			t.Fatal(err)
		}
		return obj
	}
	moved := &v1alpha1.Bucket{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "logs"}}
	moved.Spec.ResourceID = "media"
	elsewhere := &v1alpha1.Bucket{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "archive"}}
	elsewhere.Spec.ResourceID, elsewhere.Spec.ProjectID = "media", "elsewhere"
	over.Apply(plan.Manifest{Kind: buckets, Object: moved}, stored(folder, "logs"))
	over.Apply(plan.Manifest{Kind: buckets, Object: elsewhere}, stored(folder, "archive"))

	names := func(found []v1alpha1.Object, err error) (out []string) {
		if err != nil {
			t.Fatal(err)
		}
		for _, obj := range found {
			out = append(out, nameOf(obj).String())
		}
		return out
	}
	for what, tc := range map[string]struct{ got, want []string }{
		"of logs":             {names(over.ByResource(t.Context(), buckets, "p", "logs")), []string{"other/logs"}},
		"of media":            {names(over.ByResource(t.Context(), buckets, "p", "media")), []string{"shop/media", "shop/logs"}},
		"of media, elsewhere": {names(over.ByResource(t.Context(), buckets, "elsewhere", "media")), []string{"shop/media", "shop/logs", "shop/archive"}},
		"holding media":       {names(over.Holding(t.Context(), buckets, "p", "media")), nil},
	} {
		if diff := cmp.Diff(tc.want, tc.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	if got, err := over.Manifest(t.Context(), buckets, "shop", "logs"); got != moved || err != nil {
		t.Errorf("the manifest is %v (%v)", got, err)
	}
	if got, err := over.Manifest(t.Context(), buckets, "shop", "media"); got == nil || err != nil {
		t.Errorf("a manifest that nothing is applied over is %v (%v)", got, err)
	}
}
