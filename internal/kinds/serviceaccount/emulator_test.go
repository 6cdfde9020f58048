package serviceaccount

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cloud.google.com/go/iam/admin/apiv1/adminpb"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/test/emulator"
	"github.com/holdfast-dev/holdfast/test/policytest"
)

func emulate(t *testing.T) (*Kind, *emulator.Emulator) {
	t.Helper()
	cloud := emulator.StartTest(t)
	return New(policytest.Clients(t, cloud, methods...).ServiceAccounts), cloud
}

// compare looks at the account and holds it against the manifest.
func compare(t *testing.T, impl *Kind, ref kind.Ref, desired *v1alpha1.ServiceAccount, applied []string) (diff.Result[*v1alpha1.ServiceAccount], *adminpb.ServiceAccount) {
	t.Helper()
	live, err := impl.Observe(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	return diff.Compare(desired, impl.Describe(live), applied, fields), live
}

// TestLifecycle takes one account through everything that can happen to it.
func TestLifecycle(t *testing.T) {
	for name, project := range map[string]string{"ordinary": "demo-project", "project in a domain": "example.com:demo-project"} {
		t.Run(name, func(t *testing.T) {
			impl, cloud := emulate(t)
			ref := kind.Ref{Project: project, ID: "importer"}
			if _, err := impl.Observe(t.Context(), ref); !gcp.IsNotFound(err) {
				t.Fatalf("before it is made: %v", err)
			}
			desired := &v1alpha1.ServiceAccount{Spec: v1alpha1.ServiceAccountSpec{
				DisplayName: new("Importer"), Description: new("Imports."), Disabled: new(true),
			}}
			created, err := impl.Create(t.Context(), ref, desired)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := impl.Create(t.Context(), ref, desired); !gcp.IsAlreadyExists(err) {
				t.Errorf("made again: %v", err)
			}
			if left := diff.Compare(desired, impl.Describe(created), nil, fields).Changes.Paths(); strings.Join(left, " ") != "spec.disabled" {
				t.Errorf("left after the create: %v", left)
			}

			applied := []string{"spec.description", "spec.disabled", "spec.displayName"}
			for _, spec := range []v1alpha1.ServiceAccountSpec{
				desired.Spec,
				{DisplayName: new("Reader"), Disabled: new(false)},
				{},
			} {
				desired.Spec = spec
				result, live := compare(t, impl, ref, desired, applied)
				for _, call := range impl.Update(ref, result.Want, result.Changes) {
					if live, err = call.Do(t.Context(), live); err != nil {
						t.Fatal(err)
					}
				}
				if left := diff.Compare(desired, impl.Describe(live), applied, fields).Changes; len(left) > 0 {
					t.Errorf("the answers show a difference: %+v", left)
				}
				if result, seen := compare(t, impl, ref, desired, applied); len(result.Changes) > 0 || impl.Identify(seen).UID != impl.Identify(live).UID {
					t.Errorf("still different: %+v", result.Changes)
				}
			}

			live := created
			if err := impl.Delete(t.Context(), ref, live); err != nil {
				t.Fatal(err)
			}
			if err := impl.Delete(t.Context(), ref, live); !gcp.IsNotFound(err) {
				t.Errorf("deleted again: %v", err)
			}
			restored, err := impl.Undelete(t.Context(), ref, created.GetUniqueId())
			if err != nil || restored.GetUniqueId() != created.GetUniqueId() || restored.GetEmail() != created.GetEmail() {
				t.Errorf("restored %v: %v", restored, err)
			}
			if _, ok := cloud.IAM.Account(created.GetEmail()); !ok {
				t.Error("it is not there")
			}
		})
	}
}

// An account that somebody deleted and made anew is another one: nothing that was meant for the first reaches it.
func TestReplacedAccount(t *testing.T) {
	impl, cloud := emulate(t)
	first, err := impl.Create(t.Context(), ref, &v1alpha1.ServiceAccount{})
	if err != nil {
		t.Fatal(err)
	}
	if err := cloud.IAM.DeleteAccount(first.GetEmail()); err != nil {
		t.Fatal(err)
	}
	second, err := cloud.IAM.CreateAccount(ref.Project, ref.ID)
	if err != nil {
		t.Fatal(err)
	}
	observed, err := impl.Observe(t.Context(), ref)
	if err != nil || impl.Identify(observed).UID != second.GetUniqueId() || impl.Identify(observed).UID == impl.Identify(first).UID {
		t.Errorf("observed %v: %v", observed, err)
	}
	want := &v1alpha1.ServiceAccount{Spec: v1alpha1.ServiceAccountSpec{DisplayName: new("Mine"), Disabled: new(true)}}
	for _, call := range impl.Update(ref, want, diff.Changes{{Path: "spec.displayName"}, {Path: "spec.disabled"}}) {
		if _, err := call.Do(t.Context(), first); !gcp.IsNotFound(err) {
			t.Errorf("%s: %v", call.Name, err)
		}
	}
	if err := impl.Delete(t.Context(), ref, first); !gcp.IsNotFound(err) {
		t.Errorf("deleting what is gone: %v", err)
	}
	if account, ok := cloud.IAM.Account(second.GetUniqueId()); !ok || account.GetDisplayName() != "" || account.GetDisabled() {
		t.Errorf("the namesake was touched: %v", account)
	}
	if _, err := impl.Undelete(t.Context(), ref, first.GetUniqueId()); !gcp.IsInvalid(err) && !gcp.IsNotFound(err) {
		t.Errorf("undeleting beside a namesake: %v", err)
	}
}

func TestTooLateToUndelete(t *testing.T) {
	var later atomic.Int64
	cloud := emulator.StartTest(t, emulator.Options{Now: func() time.Time { return time.Now().Add(time.Duration(later.Load())) }})
	impl := New(policytest.Clients(t, cloud, methods...).ServiceAccounts)
	account, err := impl.Create(t.Context(), ref, &v1alpha1.ServiceAccount{})
	if err != nil {
		t.Fatal(err)
	}
	if err := impl.Delete(t.Context(), ref, account); err != nil {
		t.Fatal(err)
	}
	later.Store(int64(31 * 24 * time.Hour))
	if _, err := impl.Undelete(t.Context(), ref, account.GetUniqueId()); !gcp.IsNotFound(err) && !gcp.IsInvalid(err) {
		t.Errorf("got %v", err)
	}
}

func TestLimitsOfAccounts(t *testing.T) {
	impl, cloud := emulate(t)
	settings := cloud.IAM.Settings()
	settings.Quota, settings.VisibilityDelay = 1, time.Hour
	cloud.IAM.Set(settings)
	if _, err := impl.Create(t.Context(), ref, &v1alpha1.ServiceAccount{}); err != nil {
		t.Fatal(err)
	}
	if _, err := impl.Observe(t.Context(), ref); !gcp.IsNotFound(err) {
		t.Errorf("a moment after it was made: %v", err)
	}
	another := ref
	another.ID = "exporter"
	if _, err := impl.Create(t.Context(), another, &v1alpha1.ServiceAccount{}); !gcp.IsQuotaExceeded(err) {
		t.Errorf("one too many: %v", err)
	}
	another.ID = "one"
	if _, err := impl.Create(t.Context(), another, &v1alpha1.ServiceAccount{}); !gcp.IsInvalid(err) {
		t.Errorf("too short a name: %v", err)
	}
}

func TestPolicyOfAnAccount(t *testing.T) {
	impl, cloud := emulate(t)
	if _, err := impl.Create(t.Context(), ref, &v1alpha1.ServiceAccount{}); err != nil {
		t.Fatal(err)
	}
	missing := ref
	missing.ID = "exporter"
	policytest.Check(t, cloud, policytest.Resource{Kind: impl, Ref: ref, Missing: missing, Role: "roles/iam.serviceAccountUser"})
}
