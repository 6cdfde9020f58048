package e2e

import (
	"context"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// behind is a client whose reads of one object can be frozen, as those of a cache that is behind.
type behind struct {
	client.Client

	mu     sync.Mutex
	frozen client.Object
	served int
}

// startBehind starts a world whose cache can be frozen, and that looks at everything again and again.
func startBehind(t *testing.T) (*world, *behind) {
	t.Helper()
	w, b := newWorld(t), &behind{}
	w.sweep = 50 * time.Millisecond
	w.newClient = func(config *rest.Config, options client.Options) (client.Client, error) {
		c, err := client.New(config, options)
		b.Client = c
		return b, err
	}
	w.start()
	return w, b
}

// Get implements client.Reader.
func (b *behind) Get(ctx context.Context, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.frozen == nil || reflect.TypeOf(obj) != reflect.TypeOf(b.frozen) || key != client.ObjectKeyFromObject(b.frozen) {
		return b.Client.Get(ctx, key, obj, opts...)
	}
	b.served++
	reflect.ValueOf(obj).Elem().Set(reflect.ValueOf(b.frozen.DeepCopyObject()).Elem())
	return nil
}

// freeze serves the object as it is now from now on; nil thaws.
func (b *behind) freeze(obj client.Object) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.frozen, b.served = nil, 0
	if obj != nil {
		b.frozen = obj.DeepCopyObject().(client.Object)
	}
}

// reads waits until the frozen object was read some times.
func (b *behind) reads(w *world, n int) {
	w.t.Helper()
	w.eventually("reads of the stale cache", func() (bool, string) {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.served >= n, ""
	})
}

func TestAStaleCacheDoesNotUndoAnEdit(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w, cache := startBehind(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		old := obj.DeepCopyObject().(v1alpha1.Object)
		edit(w, obj, func(o v1alpha1.Object) { k.set(o, new(false)) })
		w.ready(obj)
		mark := w.cloud.Traffic.Mark()

		t.Log("the cache falls back to before the edit: what was applied looks like drift")
		cache.freeze(old)
		cache.reads(w, 4)
		w.noWrites(mark)
		cache.freeze(nil)
		w.settled(obj)
		w.ready(obj)
		w.noWrites(mark)
		if k.console(w).look("orders").on {
			t.Error("the edit was undone")
		}
	})
}

func TestAStaleCacheDoesNotMakeAgainWhatIsBeingDeleted(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w, cache := startBehind(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
		w.create(obj)
		w.ready(obj)
		forgetCreation(w, obj)
		cache.freeze(obj)
		w.delete(obj)
		mark := w.cloud.Traffic.Mark()
		k.console(w).delete("orders")
		cache.reads(w, 4)
		w.noWrites(mark)
		cache.freeze(nil)
		w.gone(obj)
		if k.console(w).look("orders").there {
			t.Errorf("the %s is back", k.Name)
		}
	})
}

func TestAStaleCacheThatDoesNotKnowOfTheCreateYet(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w, cache := startBehind(t)
		held := k.manifest("orders", v1alpha1.CommonSpec{Management: v1alpha1.ManagementObserve, Adoption: v1alpha1.AdoptionNever})
		w.create(held)
		w.reason(held, k.absent())
		edit(w, held, func(o v1alpha1.Object) { o.GetCommonSpec().Management = v1alpha1.ManagementManage })
		before := held.DeepCopyObject().(v1alpha1.Object)
		w.ready(held)

		t.Log("the cache has the manifest as it was before all was made, and adoption is Never")
		mark := w.cloud.Traffic.Mark()
		cache.freeze(before)
		cache.reads(w, 4)
		cache.freeze(nil)
		w.settled(held)
		w.ready(held)
		w.noWrites(mark)
		if n := w.carriedOut(0, k.creating, ""); n != 1 {
			t.Errorf("%d creates", n)
		}
		if d := cmp.Diff([]string{v1alpha1.Finalizer}, held.GetFinalizers()); d != "" {
			t.Errorf("finalizers (-want +got):\n%s", d)
		}
	})
}
