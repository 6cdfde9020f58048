package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

const (
	// settleBound is how long it may take until all is well once nothing goes wrong any more.
	settleBound = 5 * time.Minute
	// rests is how long nothing is written once all is well: long enough that everything is listed and each policy read.
	rests = 2 * sweepInterval
	// storm is how long things go wrong that end no process.
	storm = time.Minute
	// goroutinesMore is how many goroutines more an operator may have after the storm, for connections that are kept.
	goroutinesMore = 20
)

// judge looks at what has come of everything, once nothing goes wrong any more.
func (w *world) judge(ctx context.Context) error {
	w.calm()
	for _, o := range w.operators {
		o.mu.Lock()
		o.memory = ""
		o.mu.Unlock()
		if err := o.setClock(0); err != nil {
			return err
		}
	}
	if err := w.settle(ctx); err != nil {
		return err
	}
	if err := w.rest(ctx); err != nil {
		return err
	}
	return w.leaks(ctx)
}

// calm ends what goes wrong with calls.
func (w *world) calm() {
	w.cloud.Traffic.RemoveAll()
	w.ahead.Store(0)
}

// settle waits until every manifest is there, is Ready, and is what there is in Google Cloud, where nothing else is.
func (w *world) settle(ctx context.Context) error {
	began := time.Now()
	for _, o := range w.operators {
		if err := w.await(ctx, settleBound, o.slot+" to be ready", func(ctx context.Context) error {
			o.mu.Lock()
			health := o.health
			o.mu.Unlock()
			return serving(ctx, health)
		}); err != nil {
			return err
		}
	}
	for _, s := range w.subjects {
		if err := w.await(ctx, settleBound, s.String()+" to be as it should", func(ctx context.Context) error { return w.well(ctx, s) }); err != nil {
			return err
		}
	}
	w.tell.linef("%d manifests are Ready after %s", len(w.subjects), time.Since(began).Round(time.Second))
	const each = projects * manifests
	there := []int{len(w.cloud.PubSub.TopicNames()), len(w.cloud.Storage.BucketNames()), len(w.cloud.IAM.Accounts())}
	if !slices.Equal(there, []int{each, each, each}) {
		return fmt.Errorf("there are %d topics, buckets and accounts, want %d of each", there, each)
	}
	return nil
}

// well is an error while a manifest is not there, or not Ready, or not what there is.
func (w *world) well(ctx context.Context, s *subject) error {
	obj := s.made(s, 0)
	err := w.kube.Get(ctx, client.ObjectKeyFromObject(obj), obj)
	if client.IgnoreNotFound(err) != nil {
		return err
	}
	if err != nil {
		return errors.Join(w.comesAgain(ctx, s, 0, requestsBound), fmt.Errorf("%s was not there", s))
	}
	status := obj.GetCommonStatus()
	ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	switch {
	case !obj.GetDeletionTimestamp().IsZero():
		return fmt.Errorf("%s is being deleted: %+v", s, ready)
	case ready == nil || ready.Status != metav1.ConditionTrue || ready.ObservedGeneration != obj.GetGeneration():
		return fmt.Errorf("%s of generation %d: Ready is %+v", s, obj.GetGeneration(), ready)
	case len(status.Pending) > 0:
		return fmt.Errorf("%s is Ready, and still pending is %v", s, status.Pending)
	case status.BreakGlass != nil:
		return fmt.Errorf("%s has a broken glass: %+v", s, status.BreakGlass)
	case !s.agrees(s, obj):
		return fmt.Errorf("%s is not what there is: %s", s, s.state())
	}
	return nil
}

// rest is an error if something is written while all is well.
func (w *world) rest(ctx context.Context) error {
	before := w.rules.carriedOut()
	pause(ctx, rests)
	if after := w.rules.carriedOut(); after != before {
		return fmt.Errorf("%d writes in %s in which nothing changed", after-before, rests)
	}
	return nil
}

// carriedOut is how many writes were carried out so far.
func (r *rules) carriedOut() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.writes
}

// leaks compares how many goroutines the operators have before and after a time in which everything goes wrong that ends no process.
func (w *world) leaks(ctx context.Context) error {
	before, err := w.goroutines(ctx)
	if err != nil {
		return err
	}
	w.tell.linef("a storm of calls that fail, for %s", storm)
	all := schedule(uint64(len(before)), storm)
	for _, ends := range []string{"Kubernetes", slotA, slotB, "break-glass"} {
		delete(all, ends)
	}
	w.play(ctx, all, storm)
	w.calm()
	if err := errors.Join(w.settle(ctx), w.rest(ctx)); err != nil {
		return err
	}
	after, err := w.goroutines(ctx)
	if err != nil {
		return err
	}
	w.tell.linef("goroutines before and after: %v, %v", before, after)
	for i, o := range w.operators {
		if after[i] > before[i]+goroutinesMore {
			return fmt.Errorf("%s had %d goroutines and has %d", o.slot, before[i], after[i])
		}
	}
	return nil
}

// goroutines are how many each operator has.
func (w *world) goroutines(ctx context.Context) ([]int, error) {
	counts := make([]int, len(w.operators))
	for i, o := range w.operators {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, o.profiles+"goroutine?debug=1", http.NoBody)
		if err != nil {
			return nil, err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return nil, err
		}
		line, err := bufio.NewReader(response.Body).ReadString('\n')
		if err := errors.Join(err, response.Body.Close()); err != nil {
			return nil, err
		}
		if _, err := fmt.Sscanf(line, "goroutine profile: total %d", &counts[i]); err != nil {
			return nil, fmt.Errorf("%s says %q: %w", o.slot, line, err)
		}
	}
	return counts, nil
}
