package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/projects"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// TestAMistypedProjectBindsToNothing: whatever keeps the resource from being created there, the manifest follows the Namespace's annotation once
// it is corrected, without a person's touching the manifest.
func TestAMistypedProjectBindsToNothing(t *testing.T) {
	t.Parallel()
	const typo = "my-projcet"
	refused := func(status int, message string) func(*world, kind) {
		return func(w *world, k kind) {
			w.cloud.Traffic.Inject(traffic.Fault{Match: traffic.Call{Project: typo, Method: k.creating}, Status: status, Message: message, RetryAfter: time.Second})
		}
	}
	cases := map[string]struct {
		given  func(*world, kind)
		reason string
	}{
		"that belongs to somebody else": {func(w *world, _ kind) {
			w.must(w.cloud.Projects.Add(projects.Project{ID: typo, Foreign: true}))
		}, v1alpha1.ReasonDenied},
		"where creating is denied":   {refused(http.StatusForbidden, ""), v1alpha1.ReasonDenied},
		"whose quota is used up":     {refused(http.StatusTooManyRequests, ""), v1alpha1.ReasonThrottled},
		"where Google refuses it":    {refused(http.StatusBadRequest, ""), v1alpha1.ReasonInvalid},
		"that Google does not know":  {refused(http.StatusNotFound, "The requested project was not found."), v1alpha1.ReasonDenied},
		"whose policy forbids it":    {refused(http.StatusForbidden, "violates constraint 'constraints/gcp.resourceLocations'"), v1alpha1.ReasonDenied},
		"where something is missing": {refused(http.StatusNotFound, ""), v1alpha1.ReasonInvalid},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			forEachKind(t, func(t *testing.T, k kind) {
				w := newWorld(t)
				w.start()
				w.bind(typo)
				tc.given(w, k)
				obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
				w.create(obj)
				w.reason(obj, tc.reason)

				w.bind(w.project)
				w.ready(obj)
				if live := k.console(w).look("orders"); !live.there || !live.on || obj.GetCommonStatus().Project != w.project {
					t.Errorf("in the right project: %+v; status.project is %q", live, obj.GetCommonStatus().Project)
				}
			})
		})
	}
}

// TestAPlanForAMistypedProjectIsNotApprovedElsewhere: what waited there waits anew where it belongs.
func TestAPlanForAMistypedProjectIsNotApprovedElsewhere(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		w.bind("my-projcet")
		obj := k.manifest("orders", v1alpha1.CommonSpec{Management: v1alpha1.ManagementApprove})
		w.create(obj)
		w.reason(obj, v1alpha1.ReasonAwaitingApproval)
		there := obj.GetCommonStatus().Plan.Hash
		w.bind(w.project)
		w.eventually("a plan for the right project", func() (bool, string) {
			w.get(obj)
			status := obj.GetCommonStatus()
			return status.Project == w.project && status.Plan != nil && status.Plan.Hash != there, describe(obj)
		})
		annotate(w, obj, v1alpha1.ApproveAnnotation, there)
		w.settled(obj)
		w.reason(obj, v1alpha1.ReasonAwaitingApproval)
		annotate(w, obj, v1alpha1.ApproveAnnotation, obj.GetCommonStatus().Plan.Hash)
		w.ready(obj)
	})
}

// TestWhatIsOnlyLookedAtFollowsTheAnnotation: a manifest that owns nothing is bound to nothing.
func TestWhatIsOnlyLookedAtFollowsTheAnnotation(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		k.console(w).create("orders", true)
		w.bind("my-projcet")
		obj := k.manifest("orders", v1alpha1.CommonSpec{Management: v1alpha1.ManagementObserve})
		w.create(obj)
		if k.title == buckets.title { // whose names are the world's
			w.reason(obj, v1alpha1.ReasonConflict)
		} else {
			w.reason(obj, k.absent())
		}
		w.bind(w.project)
		w.ready(obj)
	})
}

// TestAWriteThatWasNeverAnsweredStaysBound: it may have been carried out, and the message says how to find out and what to do.
func TestAWriteThatWasNeverAnsweredStaysBound(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		w.cloud.Traffic.Inject(traffic.Fault{Match: call(k.creating), LoseReply: true, Times: 1})
		obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
		paused := w.cloud.Traffic.Pause(call(k.creating))
		w.create(obj)
		w.reached(paused)
		w.cloud.Traffic.Inject(traffic.Fault{Match: call(k.getting), Status: http.StatusForbidden, Message: "No."})
		paused.Release()
		w.reason(obj, v1alpha1.ReasonDenied)
		w.bind("another-project")
		w.reason(obj, v1alpha1.ReasonBindingChanged)
		w.expectAdvice(obj, "Look whether it is there")
		w.expectAdvice(obj, "kubectl annotate --overwrite namespace "+w.namespace+" holdfast.dev/allowed-project-ids="+w.project)

		t.Log("allowed again, it is found to be its own")
		w.cloud.Traffic.RemoveAll()
		w.bind(w.project)
		w.ready(obj)
	})
}

// TestWhatIsBoundToNothingIsNobodysRival: an older manifest that was mistyped into a project does not keep the younger from its resource there.
func TestWhatIsBoundToNothingIsNobodysRival(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := newWorld(t)
		theirs := w.namespace + "-theirs"
		w.makeNamespace(theirs, map[string]string{v1alpha1.ProjectIDAnnotation: "project-of-theirs"})
		w.start(theirs)
		w.bind("project-of-theirs")
		w.cloud.Traffic.Inject(traffic.Fault{Match: traffic.Call{Project: "project-of-theirs", Method: k.creating}, Status: http.StatusForbidden})
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.reason(obj, v1alpha1.ReasonDenied)
		w.cloud.Traffic.RemoveAll()
		w.bind("")
		w.reason(obj, v1alpha1.ReasonProjectUnbound)

		younger := k.manifest("orders", v1alpha1.CommonSpec{})
		younger.SetNamespace(theirs)
		w.create(younger)
		w.ready(younger)
	})
}

// TestAMistypedProjectIDCanBeCorrected: spec.projectID is immutable, so the manifest is deleted and applied again; which needs no access to the
// project that it named, whatever its deletionPolicy.
func TestAMistypedProjectIDCanBeCorrected(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := newWorld(t)
		w.must(w.cloud.Projects.Add(projects.Project{ID: "my-projcet", Foreign: true}))
		w.start()
		w.editNamespace(func(n *corev1.Namespace) { n.Annotations[v1alpha1.AllowedProjectIDsAnnotation] = "my-projcet" })
		obj := k.manifest("orders", v1alpha1.CommonSpec{ProjectID: "my-projcet", DeletionPolicy: v1alpha1.DeletionDelete})
		w.create(obj)
		w.reason(obj, v1alpha1.ReasonDenied)
		w.delete(obj)
		w.gone(obj)
		again := k.manifest("orders", v1alpha1.CommonSpec{ProjectID: w.project})
		w.create(again)
		w.ready(again)
	})
}

// TestABucketWhoseProjectCannotBeProvenIsBound: it was created; that its project cannot be looked up does not unmake it.
func TestABucketWhoseProjectCannotBeProvenIsBound(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	w.cloud.Traffic.Inject(traffic.Fault{Match: traffic.Call{Service: "resourcemanager"}, Status: http.StatusForbidden})
	obj := buckets.manifest("orders", v1alpha1.CommonSpec{})
	w.create(obj)
	w.reason(obj, v1alpha1.ReasonDenied)
	w.bind("another-project")
	w.reason(obj, v1alpha1.ReasonBindingChanged)
	if message := condition(obj, v1alpha1.ConditionReady).Message; !strings.Contains(message, w.project) {
		t.Errorf("the message does not name the project: %s", message)
	}
}
