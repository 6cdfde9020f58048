package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// bench runs the phases.
type bench struct {
	settings

	show  *progress
	found *report
	// world is that of the fleet, once a phase needed it.
	world *world
}

// phase is a part of the benchmark that can be run by itself once the fleet is there.
type phase struct {
	name, what string
	run        func(*bench, context.Context) error
}

// phases are all of them, in their order. It is filled by init, since the command line names them.
var phases []phase

func init() { //nolint:gochecknoinits // the phases read the settings, which name the phases
	phases = []phase{
		{"floor", "a plain client makes the same reads and writes, and the same calls", (*bench).floorPhase},
		{"create", "the fleet is applied", (*bench).createPhase},
		{"steady", "nothing happens", (*bench).steadyPhase},
		{"edit", "a user edits single objects while sweeps run", (*bench).editPhase},
		{"change", "one field of all objects is changed, and a user edits single ones meanwhile", (*bench).changePhase},
		{"drift", "somebody changes 1 % of the resources and of the policies of projects in Google Cloud", (*bench).driftPhase},
		{"restart", "the operator is stopped and started", (*bench).restartPhase},
	}
}

func phaseNames() []string {
	names := make([]string, 0, len(phases))
	for _, p := range phases {
		names = append(names, p.name)
	}
	return names
}

func (s settings) runs(phase string) bool { return slices.Contains(s.phases, phase) }

func (b *bench) close() error {
	if b.world == nil {
		return nil
	}
	return errors.Join(b.world.stopOperator(), b.world.close())
}

// open opens the world of the fleet, if that is not done yet.
func (b *bench) open(ctx context.Context) (*world, error) {
	if b.world != nil {
		return b.world, nil
	}
	var err error
	b.world, err = open(ctx, b.settings, b.show, b.folder)
	return b.world, err
}

// settled is the world with the whole fleet in it, all Ready, and the operator at its sweeps.
func (b *bench) settled(ctx context.Context) (*world, error) {
	w, err := b.populated(ctx)
	if err != nil || w.operator != nil {
		return w, err
	}
	if err := w.startOperator(ctx, w.sweep); err != nil {
		return w, err
	}
	err = w.pause(ctx, "until a sweep has ended", w.sweepInterval()*11/10)
	return w, err
}

// populated is the world with the whole fleet in it, all Ready.
func (b *bench) populated(ctx context.Context) (*world, error) {
	w, err := b.open(ctx)
	if err != nil {
		return w, err
	}
	if all, ready, _ := w.tracker.counts(); all < b.resources || ready < all {
		return w, fmt.Errorf("%d objects of %d are there, and %d are Ready: run the phase create first, in the same run or with --dir", all, b.resources, ready)
	}
	return w, nil
}

// measured notes what a phase has cost.
func (b *bench) measured(name string, s spent) {
	b.found.Phases[name] = s
	per := func(n int) float64 { return float64(n) / float64(b.resources) }
	_, events := writesOf(s.Requests)
	b.found.add(count, name, "calls to Google Cloud per resource", per(s.Calls.total()), "", groups(s.Calls))
	b.found.add(count, name, "writes of the operator to Kubernetes per resource", per(s.writes()), "", fmt.Sprintf("and %.2g of events", per(events)))
	b.found.add(processor, name, "the operator", s.OperatorCPU, "s")
	b.found.add(processor, name, "kube-apiserver and etcd", s.ControlPlaneCPU, "s")
	b.found.add(memorySize, name, "most in the phase", s.PeakRSS, "MiB")
}

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
	cost, err := w.measure(ctx, func() error {
		began = time.Now()
		applying, ctx := errgroup.WithContext(ctx)
		applying.Go(func() error {
			return w.each(ctx, b.resources, func(i int) error { return w.kube.Create(ctx, b.object(i)) })
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
		return client.IgnoreAlreadyExists(w.kube.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
			Name: namespaceName(i), Annotations: map[string]string{v1alpha1.ProjectIDAnnotation: projectID(i)},
		}}))
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
			<-w.tracker.await(obj)
			return nil
		})
		if err != nil {
			return err
		}
		b.found.most(count, name, "calls to Google Cloud for one new "+title, float64(calls.total()), 2, "", groups(calls))
	}
	return nil
}

// steadyPhase waits for sweeps, and counts what all but the first cost.
func (b *bench) steadyPhase(ctx context.Context) error {
	const name = "steady"
	w, err := b.settled(ctx)
	if err != nil {
		return err
	}
	if err := w.pause(ctx, "the first sweep", w.sweepInterval()); err != nil {
		return err
	}
	first, err := w.footprint(ctx, "first")
	if err != nil {
		return err
	}
	counted := float64(b.sweeps - 1)
	before := w.tracker.snapshot()
	cost, err := w.measure(ctx, func() error {
		return w.pause(ctx, fmt.Sprintf("%g sweeps", counted), time.Duration(b.sweeps-1)*w.sweepInterval())
	})
	if err != nil {
		return err
	}
	last, err := w.footprint(ctx, name)
	if err != nil {
		return err
	}
	b.measured(name, cost)
	policies := float64(b.policies()-b.projects) * b.sweepInterval().Seconds() / b.policyInterval().Seconds()
	b.found.most(count, name, "calls to Google Cloud of one sweep", float64(cost.Calls.total())/counted,
		12_500*float64(b.projects)/3_000+policies, "", groups(cost.Calls)+" in all")
	part, by := sweepShare(cost.Calls, counted, b.projects, b.share(), shippedSweep)
	b.found.most(count, name, "time that the calls of a sweep of 3,000 projects take at the operator's share of the quotas, in shipped intervals", part, 1, "", by)
	stored, flips := w.tracker.since(before)
	b.found.most(count, name, "writes to Kubernetes", float64(cost.writes()), 0, "")
	b.found.most(count, name, "objects that were stored again", float64(stored), 0, "")
	b.found.most(count, name, "conditions that changed", float64(flips), 0, "")
	b.found.most(processor, name, "the operator, for one sweep", cost.OperatorCPU/counted, 60*float64(b.resources)/50_000, "s")
	b.found.most(memorySize, name, "resident, after the last sweep", cost.RSS, 400, "MiB")
	b.found.most(memorySize, name, "most resident at any time", max(cost.PeakRSS, b.found.Phases["create"].PeakRSS), 600, "MiB")
	b.found.most(memorySize, name, "heap in use after the last sweep", last.heap, max(1.1*first.heap, first.heap+5), "MiB",
		"the target is that after the first, and a tenth")
	b.found.most(count, name, "goroutines after the last sweep, beyond those after the first", last.goroutines-first.goroutines, 10, "", fmt.Sprintf("%.0f", last.goroutines))
	b.found.most(duration, name, "a scrape of the metrics", last.scrape.Seconds(), 1, "s")
	b.found.most(count, name, "series of the metrics", float64(last.series), 20_000, "")
	return nil
}

// footprint is what the operator takes of its machine.
type footprint struct {
	goroutines, heap float64
	series           int
	scrape           time.Duration
}

// footprint looks at the operator once it has collected its garbage.
func (w *world) footprint(ctx context.Context, phase string) (footprint, error) {
	if err := errors.Join(w.profile(ctx, phase, "heap?gc=1"), w.profile(ctx, phase, "allocs")); err != nil {
		return footprint{}, err
	}
	began := time.Now()
	families, err := w.operatorMetrics(ctx)
	return footprint{
		goroutines: gauge(families, "go_goroutines"), heap: gauge(families, "go_memstats_heap_alloc_bytes") / (1 << 20),
		series: series(families), scrape: time.Since(began),
	}, err
}

// changePhase changes one field of all listed resources but those of the first project, whose user edits single ones meanwhile.
func (b *bench) changePhase(ctx context.Context) error {
	const name = "change"
	w, err := b.settled(ctx)
	if err != nil {
		return err
	}
	changed := 0
	var user waits
	cost, err := w.measure(ctx, func() error {
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
	edits := float64(changed + len(user))
	b.found.add(count, name, "calls to Google Cloud per edit, sweeps meanwhile included", float64(cost.Calls.total())/edits, "")
	b.found.most(count, name, "writes of the operator to Kubernetes per edit", float64(cost.writes())/edits, 1, "")
	least, by := bound(cost.Calls, b.projects, b.share())
	b.found.add(duration, name, "the quotas' own bound", least.Seconds(), "s", by)
	user.tell(b, name, "a user's edit until Ready, meanwhile")
	return nil
}

// editAll edits all listed resources but the first project's, and returns the generations that should become Ready.
func (w *world) editAll(ctx context.Context, value string) (map[key]int64, error) {
	edited := make([]v1alpha1.Object, w.listed())
	err := w.each(ctx, w.listed(), func(i int) error {
		if i%w.projects == 0 {
			return nil
		}
		edited[i] = w.object(i)
		return w.kube.Patch(ctx, edited[i], client.RawPatch(types.MergePatchType, edit(edited[i], value)))
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
	user.tell(b, "edit", "a user's edit until Ready, during sweeps")
	return nil
}

// waits are how long edits took.
type waits []time.Duration

// userEdits edits the first project's resources in turn, one at a time, until that was done so often as asked for, or is not to be done
// any more.
func (b *bench) userEdits(ctx context.Context, w *world, enough func() bool) (waits, error) {
	var all waits
	mine := b.listed() / b.projects
	for n := 0; n < b.edits && !enough(); n++ {
		obj := b.object(n % mine * b.projects)
		began := time.Now()
		patch := edit(obj, fmt.Sprintf("%d-%d", began.Unix(), n))
		if err := w.kube.Patch(ctx, obj, client.RawPatch(types.MergePatchType, patch)); err != nil {
			return all, err
		}
		select {
		case at := <-w.tracker.await(obj):
			all = append(all, at.Sub(began))
		case <-ctx.Done():
			return all, context.Cause(ctx)
		}
	}
	return all, nil
}

// apiCalls are how many calls to Google Cloud an edit takes: a read and a write.
const apiCalls = 2

// tell adds the figures of edits; the target is beyond the time that Google's API takes.
func (d waits) tell(b *bench, phase, name string) {
	if len(d) == 0 {
		return
	}
	slices.Sort(d)
	at := func(share float64) float64 { return d[min(len(d)-1, int(share*float64(len(d))))].Seconds() }
	b.found.add(duration, phase, name+", median", at(0.5), "s", fmt.Sprintf("%d edits", len(d)))
	b.found.most(duration, phase, name+", 99th percentile", at(0.99), (2*time.Second + apiCalls*b.latency).Seconds(), "s")
	b.found.add(duration, phase, name+", most", at(1), "s")
}

// restartPhase stops the operator and starts it, and watches it for almost a sweep.
func (b *bench) restartPhase(ctx context.Context) error {
	const name = "restart"
	w, err := b.populated(ctx)
	if err != nil {
		return err
	}
	if err := w.stopOperator(); err != nil {
		return err
	}
	before := w.tracker.snapshot()
	var first time.Duration
	cost, err := w.measure(ctx, func() error {
		began := time.Now()
		idle, err := w.calls(ctx)
		if err != nil {
			return err
		}
		if err := w.startOperator(ctx, w.sweep); err != nil {
			return err
		}
		b.found.add(duration, name, "until the operator was ready", time.Since(began).Seconds(), "s")
		if err := w.until(ctx, func() (bool, string, error) {
			now, err := w.calls(ctx)
			return now.less(idle).total() > 0 || time.Since(began) > w.sweepInterval(), "waiting for the first call", err
		}); err != nil {
			return err
		}
		first = time.Since(began)
		// Intervals vary by a tenth: within nine tenths of one nothing is due twice.
		return w.pause(ctx, "most of a sweep", w.sweepInterval()*9/10)
	})
	if err != nil {
		return err
	}
	b.measured(name, cost)
	stored, flips := w.tracker.since(before)
	b.found.most(count, name, "calls to Google Cloud", float64(cost.Calls.total()), 12_500*float64(b.projects)/3_000+float64(b.policies()-b.projects), "", groups(cost.Calls))
	b.found.most(count, name, "writes to Kubernetes", float64(cost.writes()), 0, "")
	b.found.most(count, name, "objects that were stored again", float64(stored), 0, "")
	b.found.most(count, name, "conditions that changed", float64(flips), 0, "")
	b.found.add(duration, name, "until the first call to Google Cloud", first.Seconds(), "s")
	return nil
}
