package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// createPhase applies the whole fleet, and waits until all of it is Ready. Sweeps come at the shipped interval, or they would be counted with what
// it costs to create: later phases start the operator with another one.
func (b *bench) createPhase(ctx context.Context) error {
	w, err := b.open(ctx)
	if err != nil {
		return err
	}
	if err := w.startOperator(ctx, 0); err != nil {
		return err
	}
	if err := w.makeNamespaces(ctx); err != nil {
		return err
	}
	var began, last time.Time
	cost, err := w.measure(ctx, "create", func() error {
		began = time.Now()
		applying, ctx := errgroup.WithContext(ctx)
		applying.Go(func() error {
			return w.eachManifest(ctx, func(i int) error { return w.kube.Create(ctx, b.object(i)) })
		})
		applying.Go(func() error {
			return w.until(ctx, func() (bool, string, error) {
				var all, ready int
				all, ready, last = w.tracker.counts()
				return ready >= b.resources, fmt.Sprintf("%d applied, %d Ready", all, ready), nil
			})
		})
		return applying.Wait()
	})
	if err != nil {
		return err
	}
	b.created(cost, last.Sub(began), w.tracker.stored)
	if err := b.createOne(ctx, w); err != nil || b.sweep == 0 {
		return err
	}
	return w.stopOperator()
}

// listedKinds are those that a list of a project shows.
const listedKinds = 3

// created tells what it cost to create the fleet; stored counts how often objects were stored.
func (b *bench) created(cost spent, took time.Duration, stored func([]v1alpha1.Object) int) {
	const name = "create"
	b.measured(name, cost)
	sweeps := int(cost.Seconds / shippedSweep.Seconds()) // of the projects that are there
	b.found.most(count, name, "calls to Google Cloud per new resource, without those of policies (2 each) and of sweeps meanwhile",
		float64(cost.Calls.total()-2*b.policies()-sweeps*listedKinds*b.projects)/float64(b.listed()), 1.3, "")
	for kind, plural := range []string{"buckets", "topics", "accounts"} {
		plain := b.plain(kind)
		each := float64(stored(plain)) / float64(len(plain))
		title := "writes to Kubernetes per new object without spec.iam, its apply included: " + plural
		if plural == "accounts" {
			b.found.add(count, name, title, each, "", "Google keeps no mark of them, so that they are recorded before the write")
		} else {
			b.found.most(count, name, title, each, 2, "")
		}
	}
	least, by := bound(cost.Calls, b.projects, b.share())
	b.found.add(duration, name, "from apply to all Ready", took.Seconds(), "s")
	if b.quotas {
		b.found.add(duration, name, "the quotas' own bound", least.Seconds(), "s", by)
		b.found.most(ratio, name, "time to all Ready, in bounds of the quotas", took.Seconds()/least.Seconds(), 1.1, "×")
	}
	if floors, measured := b.found.Phases["floor"]; measured {
		floor := floors.Seconds * float64(b.resources) / float64(b.floorSize())
		b.found.add(duration, name, "the floor, for as many objects", floor, "s")
		if !b.quotas {
			b.found.most(ratio, name, "time to all Ready, in floors", took.Seconds()/floor, 1.2, "×")
		}
		perFloor := floors.ControlPlaneCPU / float64(b.floorSize())
		b.found.add(ratio, name, "processor time of the control plane per object, in floors", cost.ControlPlaneCPU/float64(b.resources)/perFloor, "×")
	}
}

// plain are the listed manifests of a kind that have no policy.
func (m model) plain(kind int) []v1alpha1.Object {
	var all []v1alpha1.Object
	for i := range m.listed() {
		if m.kindOf(i) == kind && !m.hasPolicy(i) {
			all = append(all, m.object(i))
		}
	}
	return all
}

// makeNamespaces makes the Namespaces and binds them to their projects.
func (w *world) makeNamespaces(ctx context.Context) error {
	return w.each(ctx, w.projects, func(i int) error {
		binding := map[string]string{v1alpha1.ProjectIDAnnotation: projectID(i)}
		if i < w.identities {
			binding[v1alpha1.ImpersonateServiceAccountAnnotation] = "holdfast@" + projectID(i) + ".iam.gserviceaccount.com"
		}
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespaceName(i), Annotations: binding}}
		return client.IgnoreAlreadyExists(w.kube.Create(ctx, namespace))
	})
}

// each does something for each of n numbers, as many at a time as manifests are applied.
func (w *world) each(ctx context.Context, n int, do func(i int) error) error {
	var next atomic.Int64
	workers, ctx := errgroup.WithContext(ctx)
	for range min(n, w.appliers) {
		workers.Go(func() error {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := errors.Join(context.Cause(ctx), do(i)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return workers.Wait()
}

// eachManifest does something with all manifests, project by project.
func (w *world) eachManifest(ctx context.Context, do func(i int) error) error {
	order := w.byProject()
	return w.each(ctx, len(order), func(n int) error { return do(order[n]) })
}

// createOne creates one more of each listed kind, and counts the calls that are about its project.
func (b *bench) createOne(ctx context.Context, w *world) error {
	const name = "create"
	one := model{resources: b.resources + 4*b.projects, projects: b.projects}
	for kind, title := range map[int]string{0: "bucket", 1: "topic", 2: "account"} {
		i := b.listed() + 1 // in the second project, after the last that is there
		for one.kindOf(i) != kind || i%b.projects != 1 || one.hasPolicy(i) {
			i++
		}
		obj := one.object(i)
		obj.SetName("one-more-" + obj.GetName())
		project := projectID(1)
		calls, err := w.callsAbout(ctx, project, func() error {
			if err := w.kube.Create(ctx, obj); err != nil {
				return err
			}
			return w.untilReady(ctx, obj)
		})
		if err != nil {
			return err
		}
		b.found.most(count, name, "calls to Google Cloud for one new "+title, float64(calls.total()), 2, "", groups(calls))
	}
	return nil
}
