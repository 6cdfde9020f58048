package main

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-dev/holdfast/test/process"
)

// reading is what the meters show at one time.
type reading struct {
	at                    time.Time
	calls, requests       tally
	operator, controlling float64
}

// spent is what a phase has cost.
type spent struct {
	Seconds float64 `json:"seconds"`
	// Calls are those to Google Cloud, by method.
	Calls tally `json:"calls"`
	// Requests are those to the API server about manifests, Namespaces and events, by verb and resource, the benchmark's own aside.
	Requests tally `json:"requests"`
	// Processor time in seconds: of the operator, and of kube-apiserver and etcd together.
	OperatorCPU     float64 `json:"operatorCPU"`
	ControlPlaneCPU float64 `json:"controlPlaneCPU"`
	// Resident memory of the operator in MiB: at the end, and the most in the phase.
	RSS     float64 `json:"rss"`
	PeakRSS float64 `json:"peakRSS"`
}

// writes are those to the API server, events aside.
func (s spent) writes() int {
	writes, _ := writesOf(s.Requests)
	return writes
}

func (w *world) read(ctx context.Context) (reading, error) {
	r := reading{at: time.Now()}
	var err error
	if r.calls, err = w.calls(ctx); err != nil {
		return r, err
	}
	if r.requests, err = w.requests(ctx); err != nil {
		return r, err
	}
	if w.operator != nil {
		r.operator = cpuSeconds(w.operator.PID())
	}
	for _, name := range []string{"kube-apiserver", "etcd"} {
		for _, pid := range children(name) {
			r.controlling += cpuSeconds(pid)
		}
	}
	return r, nil
}

// measure says what it costs to do what a phase does. The operator must run all the time, or be started by what is done.
func (w *world) measure(ctx context.Context, phase string, do func() error) (spent, error) {
	before, err := w.read(ctx)
	if err != nil {
		return spent{}, err
	}
	if w.operator != nil {
		resetPeak(w.operator.PID())
	}
	keep := w.profileTime(ctx, phase)
	if err := errors.Join(do(), keep()); err != nil {
		return spent{}, err
	}
	after, err := w.read(ctx)
	if err != nil {
		return spent{}, err
	}
	s := spent{
		Seconds: after.at.Sub(before.at).Seconds(), Calls: after.calls.less(before.calls), Requests: after.requests.less(before.requests),
		OperatorCPU: after.operator - before.operator, ControlPlaneCPU: after.controlling - before.controlling,
	}
	if w.operator != nil {
		s.RSS, s.PeakRSS = process.Memory(w.operator.PID())
	}
	return s, nil
}
