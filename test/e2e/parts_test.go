package e2e

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// readingPolicy is the call that reads the IAM policy of a kind's resources.
var readingPolicy = map[string]string{
	"Bucket": "buckets.getIamPolicy", "Topic": "IAMPolicy.GetIamPolicy", "ServiceAccount": "IAM.GetIamPolicy", "ProjectPolicy": "Projects.GetIamPolicy",
}

// TestAPolicyThatCannotBeReadHidesNothingElse: a resource's own fields are compared and corrected all the same, and Ready names the
// permission.
func TestAPolicyThatCannotBeReadHidesNothingElse(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		const ada = "user:ada@example.com"
		role, reading := rolesOn[k.Kind.Kind][0], readingPolicy[k.Kind.Kind]
		obj := k.manifest("orders", v1alpha1.CommonSpec{Adoption: v1alpha1.AdoptionAlways})
		policyOf(obj).Bindings = append(policyOf(obj).Bindings, granting(role, ada))
		createdAndReady(w, k, obj)

		w.cloud.Traffic.Inject(traffic.Fault{Match: call(reading), Status: http.StatusForbidden})
		k.console(w).set("orders", false)
		w.settled(obj)
		w.reason(obj, v1alpha1.ReasonDenied)
		w.expectAdvice(obj, "permission "+k.permission(reading)+" is missing")
		if k.is(comesAndGoes) {
			w.expectFieldsMatter(k, obj)
		} else if k.console(w).look("orders").on { // there is nothing but the policy
			t.Error("a policy was written that could not be read")
		}

		w.cloud.Traffic.RemoveAll()
		w.settled(obj)
		w.ready(obj)
		if !k.console(w).look("orders").on {
			t.Error("the drift was not corrected")
		}
		w.expectRoles(ada, obj, role)
	})
}

// expectFieldsMatter checks, of an object whose policy cannot be read, that a drift of its fields was corrected, and that another one shows
// while nothing may be written; and that what is new is created.
func (w *world) expectFieldsMatter(k kind, obj v1alpha1.Object) {
	w.t.Helper()
	if !k.console(w).look("orders").on {
		w.t.Error("the drift was not corrected")
	}
	edit(w, obj, func(o v1alpha1.Object) { o.GetCommonSpec().Management = v1alpha1.ManagementObserve })
	w.reason(obj, v1alpha1.ReasonDenied)
	k.console(w).set("orders", false)
	w.settled(obj)
	if d := cmp.Diff(k.paths("orders"), paths(obj.GetCommonStatus().Drift)); d != "" {
		w.t.Errorf("drift that is observed (-want +got):\n%s", d)
	}
	edit(w, obj, func(o v1alpha1.Object) { o.GetCommonSpec().Management = v1alpha1.ManagementManage })
	w.reason(obj, v1alpha1.ReasonDenied)
	if !k.console(w).look("orders").on {
		w.t.Error("the drift was not corrected once it could be")
	}

	fresh := k.manifest("refunds", v1alpha1.CommonSpec{})
	policyOf(fresh).Bindings = append(policyOf(fresh).Bindings, granting(rolesOn[k.Kind.Kind][0], "user:ada@example.com"))
	w.create(fresh)
	w.progresses(fresh)
	if live := k.console(w).look("refunds"); !live.there || !live.on {
		w.t.Errorf("live: %+v", live)
	}
}
