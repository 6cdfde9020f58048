package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/projects"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

func TestAnUnboundNamespaceReachesNothing(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := newWorld(t)
		w.bind("")
		w.start() // which sees the Namespace as it is now
		obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
		w.create(obj)
		w.reason(obj, v1alpha1.ReasonProjectUnbound)
		w.expectAdvice(obj, "kubectl annotate namespace "+w.namespace+" holdfast.dev/project-id=PROJECT_ID")
		if n := w.cloud.Traffic.Total(); n > 0 {
			t.Errorf("Google Cloud was called: %v", w.cloud.Traffic.Counts())
		}

		t.Log("binding it is noticed at once")
		w.bind(w.project)
		w.ready(obj)
	})
}

func TestAProjectThatTheNamespaceMayNotUse(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{ProjectID: "another-project"})
		w.create(obj)
		w.reason(obj, v1alpha1.ReasonProjectNotAllowed)
		w.expectAdvice(obj, "kubectl annotate --overwrite namespace "+w.namespace+" holdfast.dev/allowed-project-ids=another-project")
		if n := w.cloud.Traffic.Total(); n > 0 {
			t.Errorf("Google Cloud was called: %v", w.cloud.Traffic.Counts())
		}

		t.Log("allowing it is noticed at once")
		w.editNamespace(func(n *corev1.Namespace) { n.Annotations[v1alpha1.AllowedProjectIDsAnnotation] = "another-project" })
		w.ready(obj)
		if project := obj.GetCommonStatus().Project; project != "another-project" {
			t.Errorf("status.project is %q", project)
		}
	})
}

func TestABindingThatChangesStopsAllWrites(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
		w.create(obj)
		w.ready(obj)
		mark := w.cloud.Traffic.Mark()

		w.bind("another-project")
		w.reason(obj, v1alpha1.ReasonBindingChanged)
		w.expectAdvice(obj, "kubectl annotate --overwrite namespace "+w.namespace+" holdfast.dev/allowed-project-ids="+w.project)
		edit(w, obj, func(o v1alpha1.Object) { k.set(o, new(false)) })
		w.reason(obj, v1alpha1.ReasonBindingChanged)
		w.delete(obj)
		w.settled(obj)
		w.reason(obj, v1alpha1.ReasonBindingChanged)
		w.noWrites(mark)
		if live := k.console(w).look("orders"); !live.there || !live.on {
			t.Errorf("there: %v, setting on: %v", live.there, live.on)
		}

		t.Log("bound again, the deletion goes on")
		w.bind(w.project)
		w.gone(obj)
		if k.console(w).look("orders").there {
			t.Errorf("the %s is still there", k.Name)
		}
	})
}

func TestAnOrphanOfABindingThatChangedIsLetGo(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		mark := w.cloud.Traffic.Mark()
		w.bind("")
		w.reason(obj, v1alpha1.ReasonBindingChanged)
		w.delete(obj)
		w.gone(obj)
		w.noWrites(mark)
	})
}

func TestABucketOfAnotherProjectIsNobodysBusiness(t *testing.T) {
	t.Parallel()
	for _, management := range []v1alpha1.Management{v1alpha1.ManagementManage, v1alpha1.ManagementObserve} {
		t.Run(string(management), func(t *testing.T) {
			t.Parallel()
			w := startWorld(t)
			w.must(w.cloud.Storage.CreateBucket("project-of-others", map[string]any{
				"name": "orders", "location": "EUROPE-WEST4", "labels": map[string]any{"secret": "plans"},
			}))
			mark := w.cloud.Traffic.Mark()
			bucket := aBucket("orders", v1alpha1.BucketSpec{CommonSpec: v1alpha1.CommonSpec{
				Management: management, Adoption: v1alpha1.AdoptionAlways, DeletionPolicy: v1alpha1.DeletionDelete,
			}})
			w.create(bucket)
			w.reason(bucket, v1alpha1.ReasonConflict)
			w.expectNothingShown(bucket)
			w.delete(bucket)
			w.gone(bucket)
			w.nothingWasWritten(mark)
			if _, there := w.liveBucket("orders"); !there {
				t.Error("the bucket of others is gone")
			}
		})
	}
}

func TestABucketWhoseNameWentToAnotherProject(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	bucket := aBucket("orders", v1alpha1.BucketSpec{CommonSpec: v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete}})
	w.create(bucket)
	w.ready(bucket)
	w.must(w.cloud.Storage.DeleteBucket("orders"))
	w.must(w.cloud.Storage.CreateBucket("project-of-others", map[string]any{
		"name": "orders", "location": "EUROPE-WEST4", "labels": map[string]any{"secret": "plans"},
	}))
	mark := w.cloud.Traffic.Mark()
	w.settled(bucket)
	w.reason(bucket, v1alpha1.ReasonConflict)
	w.expectNothingShown(bucket)
	w.noWrites(mark)
	if d := cmp.Diff(v1alpha1.BucketStatus{CommonStatus: bucket.Status.CommonStatus}, bucket.Status); d != "" {
		t.Errorf("outputs of the bucket that was ours (-want +got):\n%s", d)
	}
}

func TestABucketWhoseProjectCannotBeProvenIsNotTouched(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	k := buckets
	w.cloud.Traffic.Inject(traffic.Fault{Match: traffic.Call{Service: "resourcemanager"}, Status: http.StatusForbidden})
	k.console(w).create("orders", false)
	mark := w.cloud.Traffic.Mark()
	obj := k.manifest("orders", v1alpha1.CommonSpec{Adoption: v1alpha1.AdoptionAlways})
	w.create(obj)
	w.reason(obj, v1alpha1.ReasonDenied)
	w.expectAdvice(obj, "permission resourcemanager.projects.get is missing on projects/"+w.project)
	w.noWrites(mark)

	w.cloud.Traffic.RemoveAll()
	w.settled(obj)
	w.ready(obj)
}

func TestABucketThatMayNotBeSeen(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	w.must(w.cloud.Projects.Add(projects.Project{ID: "project-of-others", Foreign: true}))
	w.must(w.cloud.Storage.CreateBucket("project-of-others", map[string]any{"name": "orders"}))
	mark := w.cloud.Traffic.Mark()
	bucket := aBucket("orders", v1alpha1.BucketSpec{})
	w.create(bucket)
	w.reason(bucket, v1alpha1.ReasonDenied)
	w.nothingWasWritten(mark)
}

// nothingWasWritten checks that Google has carried out no write: at the most it refused to create what is there, under a name that the list of
// one's own project does not show.
func (w *world) nothingWasWritten(mark int64) {
	w.t.Helper()
	for _, e := range w.cloud.Traffic.WritesSince(mark) {
		if e.Method != "buckets.insert" || e.Status != http.StatusConflict {
			w.t.Errorf("Google Cloud was written to: %s, answered %d", e.Method, e.Status)
		}
	}
}

// bind binds the world's namespace to a project; to none if it is empty.
func (w *world) bind(project string) {
	w.t.Helper()
	w.editNamespace(func(n *corev1.Namespace) {
		delete(n.Annotations, v1alpha1.ProjectIDAnnotation)
		if project != "" {
			n.Annotations[v1alpha1.ProjectIDAnnotation] = project
		}
	})
}

func (w *world) editNamespace(change func(*corev1.Namespace)) {
	w.t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}
	edit(w, namespace, func(n *corev1.Namespace) {
		if n.Annotations == nil {
			n.Annotations = map[string]string{}
		}
		change(n)
	})
}

func (w *world) expectAdvice(obj v1alpha1.Object, command string) {
	w.t.Helper()
	if message := condition(obj, v1alpha1.ConditionReady).Message; !strings.Contains(message, command) {
		w.t.Errorf("the message does not have the command %q: %s", command, message)
	}
}

// expectNothingShown fails the test if an object gives away anything of a bucket that others own.
func (w *world) expectNothingShown(bucket *v1alpha1.Bucket) {
	w.t.Helper()
	text := encoded(w, bucket)
	for _, secret := range []string{"EUROPE-WEST4", "plans", w.cloud.Projects.NumberText("project-of-others")} {
		if strings.Contains(text, secret) {
			w.t.Errorf("the object shows %q:\n%s", secret, text)
		}
	}
	if c := condition(bucket, v1alpha1.ConditionDrifted); c.Status != metav1.ConditionUnknown {
		w.t.Errorf("Drifted is %s, want Unknown", c.Status)
	}
}
