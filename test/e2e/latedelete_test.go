package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// TestALateDeleteTakesNothingElse: a delete that Google carries out long after it was sent, when nobody waits for it any more, must not meet what
// has come by the same name since. So the manifest is there for as long as that may be, also for a process that knows nothing of the delete.
func TestALateDeleteTakesNothingElse(t *testing.T) {
	for name, meanwhile := range map[string]func(*world){
		"in one process":                       func(*world) {},
		"though another process takes it over": (*world).restart,
	} {
		t.Run(name, func(t *testing.T) {
			forEachCreated(t, func(t *testing.T, k kind) {
				w := newWorld(t)
				w.timeout, w.unanswered = time.Second, 5*time.Second
				w.start()
				manifest := func() v1alpha1.Object {
					return k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
				}
				obj := manifest()
				w.create(obj)
				w.ready(obj)

				late := w.cloud.Traffic.Pause(call(k.deleting))
				w.delete(obj)
				w.reached(late)
				meanwhile(w)
				<-time.After(w.timeout + w.unanswered/2)
				if err := w.read(obj); err != nil {
					t.Errorf("the manifest is gone before its delete was carried out: %v", err)
				}
				late.Release()
				if !k.is(immediate) { // that it is not there may mean for minutes that it is not shown yet
					return
				}
				w.eventually("the manifest to be gone, and created again", func() (bool, string) {
					obj = manifest()
					obj.SetNamespace(w.namespace)
					err := w.kube.Create(t.Context(), obj)
					return err == nil, fmt.Sprint(err)
				})
				w.ready(obj)
				mark := w.cloud.Traffic.Mark()
				w.settled(obj)
				w.ready(obj)
				w.noWrites(mark)
			})
		})
	}
}
