package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/iam"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

var createAccount = traffic.Call{Method: "IAM.CreateServiceAccount"}

// account reads an account behind everybody's back.
func (w *world) account(id string) (*adminpb.ServiceAccount, bool) {
	w.t.Helper()
	return w.cloud.IAM.Account(w.accountEmail(id))
}

func TestAnAccountsLife(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	a := anAccount("orders-writer", v1alpha1.ServiceAccountSpec{
		CommonSpec: v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete}, DisplayName: new("Writes orders"), Disabled: new(true),
	})
	w.create(a)
	w.ready(a)
	live, there := w.account("orders-writer")
	if !there || live.GetDisplayName() != "Writes orders" || !live.GetDisabled() {
		t.Fatalf("created as %v", live)
	}
	email := w.accountEmail("orders-writer")
	want := v1alpha1.ServiceAccountStatus{
		Name: "projects/" + w.project + "/serviceAccounts/" + email, Email: email, Member: "serviceAccount:" + email,
		UniqueID: live.GetUniqueId(), OAuth2ClientID: live.GetOauth2ClientId(),
	}
	got := a.Status
	got.CommonStatus = v1alpha1.CommonStatus{}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("outputs (-want +got):\n%s", d)
	}

	edit(w, a, func(a *v1alpha1.ServiceAccount) {
		a.Spec.DisplayName, a.Spec.Description, a.Spec.Disabled = nil, new("for the shop"), new(false)
	})
	w.ready(a)
	live, _ = w.account("orders-writer")
	if live.GetDisplayName() != "" || live.GetDescription() != "for the shop" || live.GetDisabled() {
		t.Errorf("changed to %v", live)
	}

	quiet := w.cloud.Traffic.Total()
	w.kubeWrites.Store(0)
	w.delete(a)
	w.gone(a)
	if _, there := w.account("orders-writer"); there {
		t.Error("the account is still there")
	}
	if spent := w.cloud.Traffic.Total() - quiet; spent != 3 {
		t.Errorf("%d calls to delete it, want a read, another once others were waited for, and a write", spent)
	}
}

// unseen are the ways in which Google does not show an account that was just created: not for a while, or not to each call.
var unseen = map[string]iam.Settings{
	"for a while":  {Quota: 100, VisibilityDelay: 4 * time.Second},
	"now and then": {Quota: 100, Sightings: iam.RecordedSightings()},
}

// TestAnAccountThatIsNotSeenYet is created once, however long Google takes to show it, and what is granted to it by reference
// gets through in the end, with no error.
func TestAnAccountThatIsNotSeenYet(t *testing.T) {
	t.Parallel()
	for name, settings := range unseen {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := startWorld(t)
			w.cloud.IAM.Set(settings)
			p := aPolicy("team", additive(v1alpha1.IAMBinding{Role: "roles/viewer", ServiceAccountRefs: []v1alpha1.ServiceAccountRef{{Name: "orders-writer"}}}))
			a := anAccount("orders-writer", v1alpha1.ServiceAccountSpec{DisplayName: new("Writes orders")})
			w.create(p)
			w.create(a)
			w.ready(a)
			w.settled(a)
			w.ready(a)
			edit(w, a, func(a *v1alpha1.ServiceAccount) { a.Spec.Disabled = new(true) })
			w.ready(a)
			if got := w.cloud.Traffic.Count(createAccount); got != 1 {
				t.Errorf("%d creates", got)
			}
			w.ready(p)
			w.expectGrants("roles/viewer serviceAccount:" + w.accountEmail("orders-writer"))
			w.noWarnings(p)
			w.noWarnings(a)
		})
	}
}

// TestAnAccountThatIsDeletedBeforeItIsSeen is not left behind.
func TestAnAccountThatIsDeletedBeforeItIsSeen(t *testing.T) {
	t.Parallel()
	for name, settings := range unseen {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := startWorld(t)
			w.cloud.IAM.Set(settings)
			a := anAccount("orders-writer", v1alpha1.ServiceAccountSpec{CommonSpec: v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete}})
			w.create(a)
			w.ready(a)
			w.delete(a)
			w.gone(a)
			if _, there := w.account("orders-writer"); there {
				t.Error("the account was left behind")
			}
		})
	}
}

func TestAnAccountMadeAnewBySomebodyElse(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	a := anAccount("orders-writer", v1alpha1.ServiceAccountSpec{DisplayName: new("Writes orders"), CommonSpec: v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete}})
	w.create(a)
	w.ready(a)
	w.must(w.cloud.IAM.DeleteAccount(w.accountEmail("orders-writer")))
	_, err := w.cloud.IAM.CreateAccount(w.project, "orders-writer")
	w.must(err)
	w.settled(a)
	w.reason(a, v1alpha1.ReasonAwaitingAdoption)
	if said := condition(a, v1alpha1.ConditionReady).Message; !strings.Contains(said, "recreated by somebody else") {
		t.Errorf("it says: %s", said)
	}
	w.delete(a)
	w.reason(a, v1alpha1.ReasonConflict)
	if _, there := w.account("orders-writer"); !there {
		t.Error("somebody else's account was deleted")
	}
}

func TestADeletedAccountIsBroughtBack(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	a := anAccount("orders-writer", v1alpha1.ServiceAccountSpec{DisplayName: new("Writes orders"), CommonSpec: v1alpha1.CommonSpec{Management: v1alpha1.ManagementApprove}})
	w.create(a)
	w.reason(a, v1alpha1.ReasonAwaitingApproval)
	approve(w, a)
	w.ready(a)
	was := a.Status.UniqueID
	forgetCreation(w, a)
	w.must(w.cloud.IAM.DeleteAccount(w.accountEmail("orders-writer")))
	w.settled(a)
	w.reason(a, v1alpha1.ReasonAwaitingApproval)
	if plan := a.Status.Plan.Changes; len(plan) != 1 || !strings.Contains(plan[0].To, "undeleted ("+was+")") {
		t.Errorf("the plan does not say that it undeletes: %+v", plan)
	}
	approve(w, a)
	w.ready(a)
	if a.Status.UniqueID != was {
		t.Errorf("unique ID %s, was %s", a.Status.UniqueID, was)
	}
	if got := w.cloud.Traffic.Count(createAccount); got != 1 {
		t.Errorf("%d creates", got)
	}
}

// forgetCreation makes an object's resource look as if it had been created long ago, if it is one that may be invisible for a while.
func forgetCreation(w *world, obj v1alpha1.Object) {
	w.t.Helper()
	w.get(obj)
	created := obj.GetCommonStatus().LastCreateAttemptTime
	if created == nil {
		return
	}
	editStatus(w, obj, func(status *v1alpha1.CommonStatus) {
		status.LastCreateAttemptTime = new(metav1.NewTime(created.Add(-time.Hour)))
	})
}

func TestTheQuotaOfAccounts(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	w.cloud.IAM.Set(iam.Settings{Quota: 1})
	first, second := anAccount("orders-writer", v1alpha1.ServiceAccountSpec{}), anAccount("orders-reader", v1alpha1.ServiceAccountSpec{})
	w.create(first)
	w.ready(first)
	w.create(second)
	w.reason(second, v1alpha1.ReasonQuotaExceeded)
	if said := condition(second, v1alpha1.ConditionReady).Message; !strings.Contains(said, "quota") {
		t.Errorf("it says: %s", said)
	}
	if got := w.cloud.Traffic.Count(createAccount); got != 2 {
		t.Errorf("%d creates: a full quota is no reason to hurry", got)
	}
}

// TestACreateWhoseReplyIsLost makes one account, which the manifest knows for its own.
func TestACreateOfAnAccountWhoseReplyIsLost(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	w.cloud.Traffic.Inject(traffic.Fault{Match: createAccount, LoseReply: true, Times: 1})
	a := anAccount("orders-writer", v1alpha1.ServiceAccountSpec{DisplayName: new("Writes orders")})
	w.create(a)
	w.ready(a)
	if live, _ := w.account("orders-writer"); a.Status.UniqueID != live.GetUniqueId() || a.Status.Identity == "" {
		t.Errorf("held is %q, there is %v", a.Status.Identity, live)
	}
	if got := w.cloud.Traffic.Count(createAccount); got != 1 {
		t.Errorf("%d creates", got)
	}
}

func TestAMissingPermissionIsNamed(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		call       traffic.Call
		obj        func(w *world) v1alpha1.Object
		permission string
	}{
		"to make accounts": {createAccount, func(*world) v1alpha1.Object { return anAccount("orders-writer", v1alpha1.ServiceAccountSpec{}) }, "iam.serviceAccounts.create"},
		"to read a policy": {readProjectPolicy, func(*world) v1alpha1.Object {
			return aPolicy("team", additive(granting("roles/viewer", "user:ada@example.com")))
		}, "resourcemanager.projects.getIamPolicy"},
		"to write a policy": {setProjectPolicy, func(*world) v1alpha1.Object {
			return aPolicy("team", additive(granting("roles/viewer", "user:ada@example.com")))
		}, "resourcemanager.projects.setIamPolicy"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := startWorld(t)
			w.cloud.Traffic.Inject(traffic.Fault{Match: tc.call, Status: http.StatusForbidden, Message: "The caller does not have permission"})
			obj := tc.obj(w)
			w.create(obj)
			w.reason(obj, v1alpha1.ReasonDenied)
			said := condition(obj, v1alpha1.ConditionReady).Message
			if !strings.Contains(said, tc.permission) || !strings.Contains(said, w.project) {
				t.Errorf("it says: %s", said)
			}
		})
	}
}
