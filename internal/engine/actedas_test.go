package engine

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// TestWhatIsAboutAnAccountIsLookedAtOnceItIsActedAs: settled or not, before its policy is due; and nothing else is, nor anything because the
// process begins.
func TestWhatIsAboutAnAccountIsLookedAtOnceItIsActedAs(t *testing.T) {
	const email = "shop@p.iam.gserviceaccount.com"
	before, now := aNamespace("bank", "eu", "b", ""), aNamespace("bank", "eu", "b", "Shop@p.iam.gserviceaccount.com")
	naming, referring, other, elsewhere := shopTopic(), shopTopic(), shopTopic(), shopTopic()
	referring.Name, other.Name, elsewhere.Name, elsewhere.Namespace = "referring", "other", "elsewhere", "bank"
	naming.Spec.IAM, other.Spec.IAM, elsewhere.Spec.IAM = grantTo("serviceAccount:"+email), grantTo(ada), grantTo("serviceAccount:"+email)
	referring.Spec.IAM = &v1alpha1.IAMPolicy{Bindings: []v1alpha1.IAMBinding{{ServiceAccountRefs: []v1alpha1.ServiceAccountRef{{Name: "account"}}}}}
	account := &v1alpha1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "account"}}
	account.Status.Email = email

	r, _ := policied(t)
	accounts := r.kind
	accounts.Kind, accounts.Principal = "ServiceAccount", &kind.Principal{}
	accounts.References = func(v1alpha1.Object) []kind.Reference { return nil }
	accounts.Names = func(v1alpha1.Object) []kind.Name { return nil }
	accounts.Referent = func(obj v1alpha1.Object) string { return obj.(*v1alpha1.ServiceAccount).Status.Email }
	r.kind.References = func(obj v1alpha1.Object) []kind.Reference {
		return kind.PolicyReferences(obj.(*v1alpha1.Topic).Spec.IAM)
	}
	kube := fake.NewClientBuilder().WithScheme(r.scheme).WithObjects(naming, referring, other, elsewhere, account, shopNamespace(nil), now).Build()
	names := cached{scan{kube}, kube, tenantsOf(t, kube, "")}
	ofAccounts := &Reconciler{kind: accounts, due: newDues(time.Now)}
	for _, of := range []*Reconciler{r, ofAccounts} {
		lookAtActedAs(names, of, []kind.Kind{r.kind, accounts})(t.Context(), now)
	}
	got := slices.Sorted(func(yield func(string) bool) {
		for _, of := range []*Reconciler{r, ofAccounts} {
			for name := range of.due.at {
				if of.due.isDue(name) && !yield(name.Name) {
					return
				}
			}
		}
	})
	if d := cmp.Diff([]string{"account", "orders", "referring"}, got); d != "" {
		t.Errorf("to be looked at (-want +got):\n%s", d)
	}

	is := actsAsAnother()
	for name, got := range map[string][2]bool{
		"it acts as another account":    {true, is.Update(event.UpdateEvent{ObjectOld: before, ObjectNew: now})},
		"it acts as nobody else":        {false, is.Update(event.UpdateEvent{ObjectOld: now, ObjectNew: before})},
		"nothing changed":               {false, is.Update(event.UpdateEvent{ObjectOld: now, ObjectNew: now})},
		"it is new":                     {true, is.Create(event.CreateEvent{Object: now})},
		"it was there when we began":    {false, is.Create(event.CreateEvent{Object: now, IsInInitialList: true})},
		"it is new, and acts as nobody": {false, is.Create(event.CreateEvent{Object: before})},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %v, want %v", name, got[1], got[0])
		}
	}
}
