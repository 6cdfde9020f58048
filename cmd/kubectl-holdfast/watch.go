package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/fleet"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// pauseLost is how long a watch waits after it was lost before it goes on.
const pauseLost = time.Second

// follow prints a line each time that a manifest comes to stand otherwise, until interrupted. Without a name it begins with the counts.
func (s *statusCommand) follow(ctx context.Context, kube client.WithWatch, selected selection, name string) error {
	lines := make(chan string)
	group, ctx := errgroup.WithContext(ctx)
	first := make(chan *fleet.Summary, len(selected.kinds))
	for _, k := range selected.kinds {
		f := &follower{kube: kube, kind: k, selected: selected, name: name, known: map[string]stands{}, lines: lines, now: s.now}
		group.Go(func() error { return f.run(ctx, first) })
	}
	group.Go(func() error {
		summary := newSummary(selected, 0)
		for range selected.kinds {
			select {
			case <-ctx.Done():
				return nil
			case of := <-first:
				summary.Join(of)
			}
		}
		if name == "" {
			if err := summary.Counts(s.streams.Out); err != nil {
				return err
			}
		}
		for {
			select {
			case <-ctx.Done():
				return nil
			case line := <-lines:
				if _, err := fmt.Fprintln(s.streams.Out, line); err != nil {
					return err
				}
			}
		}
	})
	return group.Wait()
}

// follower follows the manifests of one kind. It remembers of each how it stands, and nothing else.
type follower struct {
	kube     client.WithWatch
	kind     kind.Kind
	selected selection
	name     string
	known    map[string]stands
	lines    chan<- string
	now      func() time.Time
}

// stands is how a manifest stood when it was last seen.
type stands struct {
	state  fleet.State
	reason string
	// round is the list that it was last seen in.
	round int
}

// run lists and then watches; a watch that is lost goes on where it ended, and, where the API server does not remember that any more, by a new
// list. What happened meanwhile is told then.
func (f *follower) run(ctx context.Context, first chan<- *fleet.Summary) error {
	for round := 1; ; round++ {
		summary := newSummary(f.selected, 0)
		version, err := f.list(ctx, round, summary)
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // an interrupt is how a watch ends
		case err != nil && round == 1:
			return err
		case err == nil:
			if round == 1 {
				first <- summary
			}
			err = f.watch(ctx, version)
		}
		if ctx.Err() != nil {
			return nil //nolint:nilerr // an interrupt is how a watch ends
		}
		if err != nil && !passes(err) {
			return err
		}
		if !pause(ctx, pauseLost) {
			return nil
		}
	}
}

// passes says whether a watch that failed may be tried again: because the API server is away, is busy, or forgot where the watch was.
func passes(err error) bool {
	return !apierrors.IsForbidden(err) && !apierrors.IsUnauthorized(err) && !apierrors.IsNotFound(err) && !apierrors.IsBadRequest(err)
}

// pause waits; false if that was interrupted.
func pause(ctx context.Context, how time.Duration) bool {
	timer := time.NewTimer(how)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// list sees all manifests, and tells of those that came, went or changed since the last time.
func (f *follower) list(ctx context.Context, round int, summary *fleet.Summary) (version string, err error) {
	version, err = f.selected.eachOf(ctx, f.kube, f.kind, func(obj v1alpha1.Object) error {
		if f.name != "" && obj.GetName() != f.name {
			return nil
		}
		summary.Count(fleet.LineOf(f.kind.Kind, obj))
		return f.see(ctx, obj, round, round == 1)
	}, nil)
	if err != nil {
		return "", err
	}
	for key, was := range f.known {
		if was.round != round {
			if err := f.gone(ctx, key); err != nil {
				return "", err
			}
		}
	}
	return version, nil
}

// watch sees what changes from a version on, until the API server forgets it.
func (f *follower) watch(ctx context.Context, version string) error {
	for {
		list, err := listOf(f.kube, f.kind)
		if err != nil {
			return err
		}
		options := &client.ListOptions{
			Namespace: f.selected.namespace, LabelSelector: f.selected.selector,
			Raw: &metav1.ListOptions{ResourceVersion: version, AllowWatchBookmarks: true},
		}
		if f.name != "" {
			options.FieldSelector = fields.OneTermEqualSelector("metadata.name", f.name)
		}
		events, err := f.kube.Watch(ctx, list, options)
		if err != nil {
			return err
		}
		version, err = f.take(ctx, events, version)
		events.Stop()
		if err != nil || !pause(ctx, pauseLost) {
			return err
		}
	}
}

// take sees the events of one watch until it is lost, and returns how far they went.
func (f *follower) take(ctx context.Context, events watch.Interface, version string) (string, error) {
	for {
		var event watch.Event
		var open bool
		select {
		case <-ctx.Done():
			return version, nil
		case event, open = <-events.ResultChan():
		}
		if !open {
			return version, nil
		}
		if event.Type == watch.Error {
			return version, apierrors.FromObject(event.Object)
		}
		obj, ok := event.Object.(v1alpha1.Object)
		if !ok {
			return version, fmt.Errorf("watching %s: the API server sent a %T", f.kind.Plural, event.Object)
		}
		version = obj.GetResourceVersion()
		var err error
		switch event.Type {
		case watch.Added, watch.Modified:
			err = f.see(ctx, obj, f.known[keyOf(obj)].round, false)
		case watch.Deleted:
			err = f.gone(ctx, keyOf(obj))
		default: // a bookmark, which only says how far the watch is
		}
		if err != nil {
			return version, err
		}
	}
}

func keyOf(obj client.Object) string { return obj.GetNamespace() + "/" + obj.GetName() }

// see tells how a manifest stands if it stood otherwise, unless it is quiet.
func (f *follower) see(ctx context.Context, obj v1alpha1.Object, round int, quiet bool) error {
	l := fleet.LineOf(f.kind.Kind, obj)
	was, known := f.known[keyOf(obj)]
	f.known[keyOf(obj)] = stands{l.State, l.Reason, round}
	if quiet || known && was.state == l.State && was.reason == l.Reason {
		return nil
	}
	from := ""
	if known && was.state != l.State {
		from = string(was.state) + " → "
	}
	return f.tell(ctx, fmt.Sprintf("%s: %s%s, %s: %s", fleet.Title(l.Kind, l.Namespace, l.Name), from, l.State, l.Reason, l.Message))
}

func (f *follower) gone(ctx context.Context, key string) error {
	if _, known := f.known[key]; !known {
		return nil
	}
	delete(f.known, key)
	return f.tell(ctx, fmt.Sprintf("%s %s: gone", f.kind.Kind, key))
}

func (f *follower) tell(ctx context.Context, what string) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case f.lines <- f.now().UTC().Format(time.RFC3339) + "  " + what:
		return nil
	}
}
