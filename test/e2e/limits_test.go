package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// TestAFleetIsAppliedAtTheRateOfItsQuota: accounts that each cost two writes, applied at once, of which the quota lets ten a second pass.
// That they are read one by one then, because they cannot be listed, is no event, though the quota lets no more than twenty reads a second pass.
func TestAFleetIsAppliedAtTheRateOfItsQuota(t *testing.T) {
	const (
		accounts        = 60
		writesPerSecond = 10 // of IAM, by all of its quota
	)
	w := newWorld(t)
	w.quotaShare = 1
	w.start()
	began := time.Now()
	for i := range accounts {
		iam := additive(granting("roles/iam.serviceAccountUser", "user:ann@example.com"))
		w.create(anAccount(fmt.Sprintf("account-%02d", i), v1alpha1.ServiceAccountSpec{IAM: &iam}))
	}
	applied := w.accountsReady(accounts)
	took := time.Since(began)

	ideal := time.Duration(2*accounts-writesPerSecond) * time.Second / writesPerSecond
	if took < ideal-time.Second || took > 5*ideal {
		t.Errorf("it took %v; the quota allows for %v", took, ideal)
	}
	counts := w.cloud.Traffic.Counts()
	t.Logf("%v, ideally %v: %v", took, ideal, counts)
	for method, most := range map[string]int{
		// A few look before there is a line: those may find that the write has to wait, and look once more.
		"iam IAM.GetIamPolicy":         accounts + accounts/6,
		"iam IAM.CreateServiceAccount": accounts, "iam IAM.SetIamPolicy": accounts,
	} {
		if counts[method] < accounts || counts[method] > most {
			t.Errorf("%d calls of %s, want %d to %d", counts[method], method, accounts, most)
		}
	}
	if reads := counts["iam IAM.ListServiceAccounts"] + counts["iam IAM.GetServiceAccount"]; reads < 1 || reads > accounts/6 {
		t.Errorf("%d reads of accounts, want one list, and few others", reads)
	}

	w.stop()
	w.quotaShare, w.sweep = 0.2, 5*time.Second
	w.cloud.Traffic.Inject(traffic.Fault{Match: call("IAM.ListServiceAccounts"), Status: http.StatusForbidden})
	w.cloud.Traffic.ResetCounts()
	w.kubeWrites.Store(0)
	w.start()
	w.eventually("all accounts to be looked at again", func() (bool, string) {
		counts := w.cloud.Traffic.Counts()
		return counts["iam IAM.GetIamPolicy"] >= accounts, fmt.Sprint(counts)
	})
	w.expectKubeWrites(0)
	if d := cmp.Diff(applied, w.accountsReady(accounts)); d != "" {
		t.Errorf("accounts after the restart, by version (-want +got):\n%s", d)
	}
}

// accountsReady waits until so many accounts are Ready, and returns which version each is.
func (w *world) accountsReady(want int) map[string]string {
	w.t.Helper()
	versions := map[string]string{}
	w.eventually(fmt.Sprintf("%d accounts to be ready", want), func() (bool, string) {
		var list v1alpha1.ServiceAccountList
		if err := w.kube.List(w.t.Context(), &list, client.InNamespace(w.namespace)); err != nil {
			return false, err.Error()
		}
		clear(versions)
		for _, a := range list.Items {
			switch c := condition(&a, v1alpha1.ConditionReady); {
			case c == nil:
			case c.Reason == v1alpha1.ReasonUpToDate:
				versions[a.Name] = a.ResourceVersion
			case c.Reason == v1alpha1.ReasonThrottled:
				w.t.Errorf("%s is told to be throttled: %s", a.Name, c.Message)
			}
		}
		return len(versions) == want, fmt.Sprintf("%d are ready: %v", len(versions), w.cloud.Traffic.Counts())
	})
	return versions
}
