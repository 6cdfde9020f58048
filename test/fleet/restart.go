package main

import (
	"context"
	"time"
)

// restartPhase stops the operator and starts it, and watches it for almost a sweep.
func (b *bench) restartPhase(ctx context.Context) error {
	const name = "restart"
	return b.restart(ctx, name, func(*world) error { return nil }, func(cost spent, stored int) {
		b.found.most(count, name, "writes to Kubernetes", float64(cost.writes()), 0, "")
		b.found.most(count, name, "objects that were stored again", float64(stored), 0, "")
	})
}

// upgradePhase does so with the operator and what is installed of an earlier version, which are followed by those of this one.
func (b *bench) upgradePhase(ctx context.Context) error {
	const name = "upgrade"
	return b.restart(ctx, name, func(w *world) error {
		w.root = "."
		return w.install(ctx)
	}, func(cost spent, stored int) { // a version may remember more than the one before
		b.found.add(count, name, "writes to Kubernetes", float64(cost.writes()), "")
		b.found.add(count, name, "objects that were stored again", float64(stored), "")
	})
}

// restart stops the operator, has something done, starts it, and watches it for almost a sweep. Stores tells of what was written to Kubernetes.
func (b *bench) restart(ctx context.Context, name string, meanwhile func(*world) error, stores func(cost spent, stored int)) error {
	w, err := b.populated(ctx)
	if err != nil {
		return err
	}
	if err := w.stopOperator(); err != nil {
		return err
	}
	before := w.tracker.snapshot()
	var first time.Duration
	cost, err := w.measure(ctx, name, func() error {
		if err := meanwhile(w); err != nil {
			return err
		}
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
	b.found.most(count, name, "calls to Google Cloud that write", float64(writing(cost.Calls)), 0, "")
	stores(cost, stored)
	b.found.most(count, name, "conditions that changed", float64(flips), 0, "")
	b.found.add(duration, name, "until the first call to Google Cloud", first.Seconds(), "s")
	return nil
}
