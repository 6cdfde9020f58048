package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

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
	before, tokens := w.tracker.snapshot(), w.tokens()
	cost, err := w.measure(ctx, name, func() error {
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
	due := float64(min(b.listed(), 3*b.projects)) * counted // one for each kind in each project; when is drawn, so some fall behind the end
	b.found.most(count, name, "lists of a sweep that were not made, as a share", max(0, 1-float64(grouped(cost.Calls)["lists"])/due), 0.25, "")
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
	if b.identities > 0 {
		asked := float64(w.tokens()-tokens) / counted
		b.found.add(count, name, "tokens of accounts that were asked for in one sweep", asked, "", fmt.Sprintf("%d accounts", b.identities))
	}
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
