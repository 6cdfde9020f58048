package admission

import (
	"context"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

var ctx = context.Background()

// stamps are installed once, by the first test that needs them.
var stamps = sync.OnceValue(func() error {
	kube, err := as("")
	if err != nil {
		return err
	}
	if err := apply(kube, "stamp.yaml"); err != nil {
		return err
	}
	person, err := as(ada)
	if err != nil {
		return err
	}
	for _, annotations := range []map[string]string{{glassKey: reason}, {approveKey: "0123456789abcdef"}} {
		if err := poll(func() (bool, error) {
			probe := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Name: "probe-stamps", Namespace: metav1.NamespaceDefault, Annotations: annotations}}
			err := person.Create(ctx, probe, client.DryRunAll)
			return err == nil, nil
		}); err != nil {
			return err
		}
	}
	return nil
})

func installStamps(t *testing.T) {
	t.Helper()
	if err := stamps(); err != nil {
		t.Fatalf("installing the stamps: %v", err)
	}
}

// grant binds a person to roles for the rest of the run.
func grant(t *testing.T, user string, roles ...string) {
	t.Helper()
	if err := grantTo(asUser(t, ""), user, roles...); err != nil {
		t.Fatalf("granting: %v", err)
	}
}
