package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
		{"upgrade", "the earlier version is followed by this one", (*bench).upgradePhase},
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

// runs says whether a phase is to be run. That of an upgrade needs an earlier version.
func (s settings) runs(phase string) bool {
	return slices.Contains(s.phases, phase) && (phase != "upgrade" || s.from != "")
}

func (b *bench) close() error {
	if b.world == nil {
		return nil
	}
	return errors.Join(b.world.stopOperator(), b.world.Undo.All())
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
