package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// TestAnAccountDoesNotWaitForThoseOfAnotherTenant: what Google grants to all goes to tenants in turn, so that few calls of another tenant come
// before, whatever waits.
func TestAnAccountDoesNotWaitForThoseOfAnotherTenant(t *testing.T) {
	t.Parallel()
	const many, writesPerSecond = 80, 10
	w := newWorld(t)
	w.quotaShare = 1
	other := w.namespace + "-b"
	w.makeNamespace(other, map[string]string{v1alpha1.ProjectIDAnnotation: w.project + "-b"})
	w.start(other)
	for i := range many {
		w.create(anAccount(fmt.Sprintf("account-%02d", i), v1alpha1.ServiceAccountSpec{}))
	}
	w.eventually("the line to grow", func() (bool, string) {
		counts := w.cloud.Traffic.Counts()
		return counts["iam IAM.CreateServiceAccount"] >= writesPerSecond, fmt.Sprint(counts)
	})
	theirs := anAccount("another", v1alpha1.ServiceAccountSpec{})
	theirs.SetNamespace(other)
	before := w.cloud.Traffic.Counts()["iam IAM.CreateServiceAccount"]
	began := time.Now()
	w.create(theirs)
	w.ready(theirs)
	if n := w.cloud.Traffic.Counts()["iam IAM.CreateServiceAccount"] - before; n > 2*writesPerSecond {
		t.Errorf("%d accounts were created before that of another tenant was Ready", n)
	}
	t.Logf("Ready after %v", time.Since(began))
}

// TestATenantWhoseCallsTakeLongLeavesWorkersToOthers: their resources come to be, and a glass is acknowledged, while its calls get no answer.
func TestATenantWhoseCallsTakeLongLeavesWorkersToOthers(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		if !k.is(comesAndGoes) {
			t.Skip("a project has one policy")
		}
		w := newWorld(t)
		w.timeout = patience
		other := w.namespace + "-b"
		w.makeNamespace(other, map[string]string{v1alpha1.ProjectIDAnnotation: w.project + "-b"})
		w.start(other)
		w.cannotList(k)
		quiet := k.manifest("quiet", v1alpha1.CommonSpec{})
		w.create(quiet)
		w.ready(quiet)
		w.cloud.Traffic.Inject(traffic.Fault{Match: traffic.Call{Method: k.getting, Project: w.project}, Latency: 4 * time.Second})
		const many = 20
		for i := range many {
			w.create(k.manifest(fmt.Sprintf("slow-%02d", i), v1alpha1.CommonSpec{}))
		}
		w.eventually("calls that take long", func() (bool, string) {
			n := w.called(k.getting)
			return n > 2, fmt.Sprint(n)
		})
		theirs := k.manifest("another", v1alpha1.CommonSpec{})
		theirs.SetNamespace(other)
		w.create(theirs)
		w.ready(theirs)
		w.breakGlass(quiet)
		w.glass(quiet, metav1.ConditionTrue)
		if n := w.cloud.Traffic.Count(traffic.Call{Method: k.getting, Project: w.project}); n > many/2 {
			t.Errorf("meanwhile %d of %d calls that take long have begun, as if others had to wait for their end", n, many)
		}
	})
}

// called counts the calls of a method.
func (w *world) called(method string) int {
	calls := 0
	for name, n := range w.cloud.Traffic.Counts() {
		if strings.HasSuffix(name, " "+method) {
			calls += n
		}
	}
	return calls
}
