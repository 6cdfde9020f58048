package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
	"github.com/holdfast-dev/holdfast/test/installed"
)

// asShipped sets what the operator does by default.
func (w *world) asShipped() {
	w.sweep, w.policySweep, w.quotaShare = 10*time.Minute, time.Hour, gcp.DefaultQuotaShare
}

// known waits until the controllers have reconciled all objects of a fleet.
func (w *world) known(fleet map[string][]v1alpha1.Object) {
	w.t.Helper()
	for _, k := range table {
		w.eventually(fmt.Sprintf("all %s to be known", k.Plural), func() (bool, string) {
			n, _ := w.gauge("holdfast_objects", k.Label())
			return int(n) == len(fleet[k.title]), fmt.Sprint(n)
		})
	}
}

// perProject is how many objects of each kind the fleet has in a project that is restarted over: 22, of which two are accounts.
var perProject = map[string]int{buckets.title: 10, topics.title: 9, accounts.title: 2, policies.title: 1}

// TestARestartIsNoEvent: with what is shipped, and Google's quotas, nobody is called and nothing is written. One sweep then lists, and does no
// more. HOLDFAST_RESTART says of how many objects, which are in projects of 22 each.
func TestARestartIsNoEvent(t *testing.T) {
	projects := 3
	if set, err := strconv.Atoi(os.Getenv("HOLDFAST_RESTART")); err == nil {
		projects = max(1, set/22)
	} else {
		t.Parallel()
	}
	w := newWorld(t)
	w.workers = 10
	namespaces := []string{w.namespace}
	for i := 1; i < projects; i++ {
		name := fmt.Sprintf("%s-%d", w.namespace, i)
		w.makeNamespace(name, map[string]string{v1alpha1.ProjectIDAnnotation: fmt.Sprintf("%s-%d", w.project, i)})
		namespaces = append(namespaces, name)
	}
	w.start(namespaces[1:]...)
	fleet := w.fleetIn(namespaces, func(k kind) int { return perProject[k.title] })
	w.stop()
	before := w.versions(fleet)
	for name, calls := range traffic.GoogleQuotas {
		w.cloud.Traffic.SetQuota(name, "", calls)
	}
	mark := w.cloud.Traffic.Mark()
	w.cloud.Traffic.ResetCounts()
	w.kubeWrites.Store(0)
	w.asShipped()
	w.start(namespaces[1:]...)
	w.known(fleet)
	lists := []string{"iam IAM.ListServiceAccounts", "pubsub Publisher.ListTopics", "storage buckets.list"}
	for method, calls := range w.cloud.Traffic.Counts() { // by now perhaps, by chance, the first ones
		if !slices.Contains(lists, method) || calls > projects {
			t.Errorf("a restart calls %s %d times; one sweep of %d projects does no more than list", method, calls, projects)
		}
	}
	w.stop()
	w.sweep = time.Duration(projects) * 25 * time.Millisecond // half of what the quota of lists of accounts allows
	w.start(namespaces[1:]...)
	w.eventually("a sweep", func() (bool, string) {
		counts := w.cloud.Traffic.Counts()
		return !slices.ContainsFunc(lists, func(method string) bool { return counts[method] < projects }), fmt.Sprint(counts)
	})
	if d := cmp.Diff(lists, slices.Sorted(maps.Keys(w.cloud.Traffic.Counts()))); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
	for _, entry := range w.cloud.Traffic.Since(mark) {
		if entry.Status == http.StatusTooManyRequests {
			t.Fatalf("a call was beyond Google's quotas: %+v", entry)
		}
	}
	w.expectKubeWrites(0)
	if d := cmp.Diff(before, w.versions(fleet)); d != "" {
		t.Errorf("versions (-before +after):\n%s", d)
	}
}

// TestWhatChangedWhileTheOperatorWasDownIsActedOn, whatever it is, once it starts: nothing waits for a sweep but what only Google Cloud knows.
func TestWhatChangedWhileTheOperatorWasDownIsActedOn(t *testing.T) {
	for name, tc := range map[string]struct {
		// given is what the manifest has, and is there, before.
		given  func(w *world, k kind, obj v1alpha1.Object)
		change func(w *world, k kind, obj v1alpha1.Object)
		acted  func(w *world, k kind, obj v1alpha1.Object) bool
		// swept says that a sweep has to find it.
		swept bool
	}{
		"the spec": {
			change: func(w *world, k kind, obj v1alpha1.Object) {
				edit(w, obj, func(o v1alpha1.Object) { k.team(o, "bank") })
			},
			acted: func(w *world, k kind, _ v1alpha1.Object) bool { return k.console(w).look("orders").team == "bank" },
		},
		"the binding goes": {
			change: func(w *world, _ kind, _ v1alpha1.Object) { w.unbind(w.namespace) },
			acted: func(_ *world, _ kind, obj v1alpha1.Object) bool {
				return condition(obj, v1alpha1.ConditionReady).Reason == v1alpha1.ReasonBindingChanged
			},
		},
		"the binding reaches further": {
			change: func(w *world, _ kind, _ v1alpha1.Object) {
				w.limit(v1alpha1.AllowedProjectIDsAnnotation, "another-project")
			},
			acted: looked,
		},
		"the account that the Namespace names": {
			change: func(w *world, _ kind, _ v1alpha1.Object) {
				w.limit(v1alpha1.ImpersonateServiceAccountAnnotation, "shop@operations.iam.gserviceaccount.com")
			},
			acted: looked,
		},
		"a reference is not allowed any more": {
			given: func(w *world, k kind, obj v1alpha1.Object) {
				other := w.namespace + "-b"
				w.makeNamespace(other, map[string]string{v1alpha1.ProjectIDAnnotation: w.project, v1alpha1.AllowReferencesFromAnnotation: w.namespace})
				w.create(inNamespace(anAccount("robot-account", v1alpha1.ServiceAccountSpec{}), other))
				bind(obj, rolesOn[k.Kind.Kind][0], v1alpha1.ServiceAccountRef{Namespace: other, Name: "robot-account"})
			},
			change: func(w *world, _ kind, _ v1alpha1.Object) { w.allowReferences(w.namespace+"-b", "somebody-else") },
			acted: func(_ *world, _ kind, obj v1alpha1.Object) bool {
				return condition(obj, v1alpha1.ConditionReady).Reason == v1alpha1.ReasonReferenceNotAllowed
			},
		},
		"a record of a write without an answer": {
			change: func(w *world, k kind, obj v1alpha1.Object) {
				editStatus(w, obj, func(status *v1alpha1.CommonStatus) {
					if !k.Shared() {
						status.Pending = []v1alpha1.PendingChange{{Path: "spec.labels", Digest: "4711"}}
						return
					}
					status.IAM.Pending = []v1alpha1.IAMGrants{{Role: "roles/viewer", Members: []string{"user:bob@example.com"}}}
				})
			},
			acted: func(w *world, k kind, obj v1alpha1.Object) bool {
				status := obj.GetCommonStatus()
				return looked(w, k, obj) && len(status.Pending) == 0 && (status.IAM == nil || len(status.IAM.Pending) == 0)
			},
		},
		"what the Namespace limits": {
			change: func(w *world, _ kind, _ v1alpha1.Object) { w.limit(v1alpha1.LeastManagementAnnotation, "Approve") },
			acted:  looked,
		},
		"a reconcile is requested": {
			change: func(w *world, _ kind, obj v1alpha1.Object) {
				annotate(w, obj, v1alpha1.ReconcileRequestedAtAnnotation, "now")
			},
			acted: func(w *world, k kind, obj v1alpha1.Object) bool {
				return looked(w, k, obj) && obj.GetCommonStatus().LastHandledReconcileAt == "now"
			},
		},
		"an approval of what is no more": {
			change: func(w *world, _ kind, obj v1alpha1.Object) {
				w.annotates(installed.Ada, obj, annotations{v1alpha1.ApproveAnnotation: "4711"})
			},
			acted: func(w *world, k kind, obj v1alpha1.Object) bool {
				return looked(w, k, obj) && obj.GetAnnotations()[v1alpha1.ApproveAnnotation] == ""
			},
		},
		"the glass is broken": {
			change: func(w *world, _ kind, obj v1alpha1.Object) { w.breakGlass(obj) },
			acted: func(_ *world, _ kind, obj v1alpha1.Object) bool {
				return obj.GetCommonStatus().BreakGlass != nil && condition(obj, v1alpha1.ConditionBreakGlass).Reason == v1alpha1.ReasonOpen
			},
		},
		"the glass of the namespace is broken": {
			change: func(w *world, _ kind, _ v1alpha1.Object) { w.breakGlass(w.space()) },
			acted: func(_ *world, _ kind, obj v1alpha1.Object) bool {
				return obj.GetCommonStatus().BreakGlass != nil && condition(obj, v1alpha1.ConditionBreakGlass).Reason == v1alpha1.ReasonOpen
			},
		},
		"the deletion": {
			change: func(w *world, _ kind, obj v1alpha1.Object) { w.delete(obj) },
			acted:  func(w *world, _ kind, obj v1alpha1.Object) bool { return w.read(obj) != nil },
		},
		"drift": {
			change: func(w *world, k kind, _ v1alpha1.Object) { k.console(w).set("orders", false) },
			acted:  func(w *world, k kind, _ v1alpha1.Object) bool { return k.console(w).look("orders").on },
			swept:  true,
		},
		"no digest, as of an older version": {
			change: func(w *world, _ kind, obj v1alpha1.Object) {
				editStatus(w, obj, func(status *v1alpha1.CommonStatus) { status.EnvironmentDigest = "" })
			},
			acted: func(_ *world, _ kind, obj v1alpha1.Object) bool { return obj.GetCommonStatus().EnvironmentDigest != "" },
		},
	} {
		t.Run(name, func(t *testing.T) {
			forEachKind(t, func(t *testing.T, k kind) {
				w := newWorld(t)
				neighbour := w.namespace + "-b"
				w.start(neighbour)
				obj := k.manifest("orders", v1alpha1.CommonSpec{})
				if tc.given != nil {
					tc.given(w, k, obj)
				}
				w.create(obj)
				w.ready(obj)
				w.stop()
				tc.change(w, k, obj)
				w.cloud.Traffic.ResetCounts()
				w.asShipped()
				if tc.swept {
					w.sweepOften()
				}
				w.start(neighbour)
				w.eventually("it to be acted on", func() (bool, string) {
					if w.read(obj) == nil && condition(obj, v1alpha1.ConditionReady) == nil {
						return false, "no conditions"
					}
					return tc.acted(w, k, obj), describe(obj)
				})
			})
		})
	}
}

// looked says that the resource was read.
func looked(w *world, k kind, _ v1alpha1.Object) bool {
	return w.cloud.Traffic.Count(call(k.getting)) > 0
}
