package main

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// Field managers by which a person is told from a tool: a GitOps tool applies a mass change in a name of its own, and the person does not use that
// tool. Both in one name would wait together.
const (
	tool   = client.FieldOwner("kustomize-controller")
	person = client.FieldOwner("kubectl-edit")
)

// changePhase changes one field of all listed resources but those of the first project, whose user edits single ones meanwhile.
func (b *bench) changePhase(ctx context.Context) error {
	const name = "change"
	w, err := b.settled(ctx)
	if err != nil {
		return err
	}
	changed := 0
	var user waits
	cost, err := w.measure(ctx, name, func() error {
		began := time.Now()
		var applied atomic.Bool
		var want map[key]int64
		done := func() bool { return applied.Load() && w.tracker.behind(want) == 0 }
		both, ctx := errgroup.WithContext(ctx)
		both.Go(func() (err error) { user, err = b.userEdits(ctx, w, done); return err })
		both.Go(func() (err error) {
			if want, err = w.editAll(ctx, fmt.Sprint(began.Unix())); err != nil {
				return err
			}
			applied.Store(true)
			b.found.add(duration, name, "until all edits were applied to Kubernetes", time.Since(began).Seconds(), "s")
			return w.until(ctx, func() (bool, string, error) {
				behind := w.tracker.behind(want)
				return behind == 0, fmt.Sprintf("%d of %d are behind", behind, len(want)), nil
			})
		})
		if err := both.Wait(); err != nil {
			return err
		}
		changed = len(want)
		b.found.add(duration, name, "until all were Ready", time.Since(began).Seconds(), "s")
		return nil
	})
	if err != nil {
		return err
	}
	b.measured(name, cost)
	edits := float64(changed + len(user.ready))
	b.found.add(count, name, "calls to Google Cloud per edit, sweeps meanwhile included", float64(cost.Calls.total())/edits, "")
	b.found.most(count, name, "writes of the operator to Kubernetes per edit", float64(cost.writes())/edits, 1, "")
	least, by := bound(cost.Calls, b.projects, b.share())
	b.found.add(duration, name, "the quotas' own bound", least.Seconds(), "s", by)
	user.tell(b, name, "a user's edit, from stored until Ready, meanwhile")
	return nil
}

// editAll edits all listed resources but the first project's, and returns the generations that should become Ready.
func (w *world) editAll(ctx context.Context, value string) (map[key]int64, error) {
	edited := make([]v1alpha1.Object, w.listed())
	err := w.eachManifest(ctx, func(i int) error {
		if i >= w.listed() || i%w.projects == 0 {
			return nil
		}
		edited[i] = w.object(i)
		return w.kube.Patch(ctx, edited[i], client.RawPatch(types.MergePatchType, edit(edited[i], value)), tool)
	})
	want := map[key]int64{}
	for _, obj := range edited {
		if obj != nil {
			want[keyOf(obj)] = obj.GetGeneration()
		}
	}
	return want, err
}

// editPhase measures single edits while nothing but sweeps goes on.
func (b *bench) editPhase(ctx context.Context) error {
	w, err := b.settled(ctx)
	if err != nil {
		return err
	}
	user, err := b.userEdits(ctx, w, func() bool { return false })
	if err != nil {
		return err
	}
	user.tell(b, "edit", "a user's edit, from stored until Ready, during sweeps")
	return nil
}

// waits are how long edits took: until the API server had stored them, from then until its watch told of it, and until the objects were Ready.
type waits struct{ stored, told, ready []time.Duration }

// userEdits edits the first project's resources in turn, one at a time, until that was done so often as asked for, or is not to be done
// any more.
func (b *bench) userEdits(ctx context.Context, w *world, enough func() bool) (waits, error) {
	var all waits
	mine := b.listed() / b.projects
	for n := 0; n < b.edits && !enough(); n++ {
		obj := b.object(n % mine * b.projects)
		began := time.Now()
		patch := edit(obj, fmt.Sprintf("%d-%d", began.Unix(), n))
		if err := w.kube.Patch(ctx, obj, client.RawPatch(types.MergePatchType, patch), person); err != nil {
			return all, err
		}
		stored, told := time.Now(), w.tracker.hears(obj)
		if err := w.untilReady(ctx, obj); err != nil {
			return all, err
		}
		all.stored = append(all.stored, stored.Sub(began))
		all.ready = append(all.ready, time.Since(stored))
		select {
		case at := <-told:
			all.told = append(all.told, max(0, at.Sub(stored)))
		case <-ctx.Done():
			return all, context.Cause(ctx)
		}
	}
	return all, nil
}

// untilReady waits until an object's generation is Ready, and asks the API server itself: its watch may tell later.
func (w *world) untilReady(ctx context.Context, obj v1alpha1.Object) error {
	want := obj.GetGeneration()
	return wait.PollUntilContextCancel(ctx, 50*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		if err := w.kube.Get(ctx, client.ObjectKeyFromObject(obj), obj); err != nil {
			return false, err
		}
		ready := meta.FindStatusCondition(obj.GetCommonStatus().Conditions, v1alpha1.ConditionReady)
		return ready != nil && ready.Status == metav1.ConditionTrue && ready.ObservedGeneration >= want, w.ended()
	})
}

// What an edit takes: a read and a write of the resource; and of the API server the reads of the gate, of the object and its Namespace, and a write
// of the status.
const (
	apiCalls     = 2
	kubeRequests = 3
)

// tell adds the figures of edits. The target is beyond the time that the APIs take: Google Cloud's latency, Kubernetes' as measured by the user's own
// writes, and what its watch, by which the operator hears of an edit, took to tell of that one.
func (d waits) tell(b *bench, phase, name string) {
	if len(d.ready) == 0 {
		return
	}
	calls := apiCalls*b.latency + kubeRequests*share(d.stored, 0.5)
	beyond := make([]time.Duration, len(d.ready))
	for i := range beyond {
		beyond[i] = d.ready[i] - d.told[i] - calls
	}
	b.found.add(duration, phase, name+", median", share(d.ready, 0.5).Seconds(), "s", fmt.Sprintf("%d edits", len(d.ready)))
	b.found.add(duration, phase, name+", 99th percentile", share(d.ready, 0.99).Seconds(), "s")
	b.found.add(duration, phase, name+", most", share(d.ready, 1).Seconds(), "s")
	b.found.most(duration, phase, name+", beyond what the APIs take, 99th percentile", share(beyond, 0.99).Seconds(), 2, "s",
		fmt.Sprintf("%.2f s for each, and until the watch told of it", calls.Seconds()))
	for _, by := range []struct {
		what string
		took []time.Duration
	}{{"the API server had stored it", d.stored}, {"its watch told of what was stored", d.told}} {
		b.found.add(duration, phase, "until "+by.what+", median", share(by.took, 0.5).Seconds(), "s")
		b.found.add(duration, phase, "until "+by.what+", most", share(by.took, 1).Seconds(), "s")
	}
}

// share is the time within which a share of them, from 0 to 1, was done.
func share(of []time.Duration, part float64) time.Duration {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[min(len(sorted)-1, int(part*float64(len(sorted))))]
}
