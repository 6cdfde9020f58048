package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// quotaOf is what the emulator counts a kind's reads against, and whose project that is.
func (k kind) quotaOf(w *world) (service, project string) {
	service, project = string(k.Methods[0].Service), w.project
	if service == "iam" || service == "resourcemanager" {
		project = "emulator" // of the credentials
	}
	return service, project
}

// TestAQuotaThatIsUsedUpChangesNoCondition of an object that is Ready: it is looked at again once Google lets it be.
func TestAQuotaThatIsUsedUpChangesNoCondition(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		w.settled(obj)
		w.kubeWrites.Store(0)
		flips := watchReady(t, w, obj)
		w.cloud.Traffic.Inject(traffic.Fault{Match: call(k.getting), Times: 2, Status: http.StatusTooManyRequests, RetryAfter: time.Second})
		k.console(w).set("orders", false)
		w.ask(obj)
		w.eventually("the difference to be corrected", func() (bool, string) {
			got := k.console(w).look("orders")
			return got.on, describe(obj)
		})
		w.ready(obj)
		flips.none()
	})
}

// ask requests a reconcile, and does not wait for it.
func (w *world) ask(obj v1alpha1.Object) {
	w.t.Helper()
	annotate(w, obj, v1alpha1.ReconcileRequestedAtAnnotation, time.Now().Format(time.RFC3339Nano))
}

// TestAProjectOutOfQuotaSlowsOnlyItself: while the quota of one service is used up, everything of another one goes on; and so do other projects,
// where the quota is the project's.
func TestAProjectOutOfQuotaSlowsOnlyItself(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := newWorld(t)
		elsewhere := w.namespace + "-b"
		w.makeNamespace(elsewhere, map[string]string{v1alpha1.ProjectIDAnnotation: w.project + "-b", v1alpha1.AllowAnnotation: v1alpha1.AllowDataLoss})
		w.start(elsewhere)
		service, project := k.quotaOf(w)
		w.cloud.Traffic.SetQuota(service, project, 1)
		first, second := k.manifest("first", v1alpha1.CommonSpec{}), k.manifest("second", v1alpha1.CommonSpec{})
		w.create(first)
		w.create(second)
		w.eventually("the quota to be used up", func() (bool, string) {
			w.get(first)
			w.get(second)
			is, other := condition(first, v1alpha1.ConditionReady), condition(second, v1alpha1.ConditionReady)
			return is != nil && is.Reason == v1alpha1.ReasonThrottled || other != nil && other.Reason == v1alpha1.ReasonThrottled, describe(first) + describe(second)
		})
		for _, other := range table {
			its := other.manifest("other", v1alpha1.CommonSpec{})
			theirs, whose := other.quotaOf(w)
			switch {
			case theirs != service: // in the very project
			case whose == w.project:
				its.SetNamespace(elsewhere)
			default:
				continue // the quota of the credentials is used up for all
			}
			if other.Kind.Kind == "Bucket" && service == "resourcemanager" {
				continue // it takes the project's number, which is a call to that service
			}
			w.create(its)
			w.ready(its)
		}
	})
}
