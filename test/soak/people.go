package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// settingsOf is how many values a setting has.
const settingsOf = 1000

// one draws a subject and a setting.
func one(r *rand.Rand) (nth, setting int) { return r.IntN(subjects), r.IntN(settingsOf) }

func manifestChanges(r *rand.Rand, _ time.Duration) (string, time.Duration, func(context.Context, *world) error) {
	nth, setting := one(r)
	return fmt.Sprintf("manifest %d gets setting %d", nth, setting), 0, func(ctx context.Context, w *world) error {
		s := w.subjects[nth]
		return w.edit(ctx, s, func(obj v1alpha1.Object) { s.set(obj, setting) })
	}
}

func lookIsRequested(r *rand.Rand, _ time.Duration) (string, time.Duration, func(context.Context, *world) error) {
	nth, token := one(r)
	return fmt.Sprintf("a look at manifest %d is requested", nth), 0, func(ctx context.Context, w *world) error {
		return w.edit(ctx, w.subjects[nth], func(obj v1alpha1.Object) {
			metav1.SetMetaDataAnnotation(metaOf(obj), v1alpha1.ReconcileRequestedAtAnnotation, fmt.Sprint(token))
		})
	}
}

// goneBound is how long somebody waits for a manifest to be gone before it is created again. If it is not, that is done in the end.
const goneBound = 20 * time.Second

func manifestComesAgain(r *rand.Rand, _ time.Duration) (string, time.Duration, func(context.Context, *world) error) {
	nth, setting := one(r)
	return fmt.Sprintf("manifest %d is deleted, and comes again with setting %d", nth, setting), 0, func(ctx context.Context, w *world) error {
		s := w.subjects[nth]
		if s.deletes == nil {
			return nil // what it revokes, it may grant by another manifest
		}
		w.rules.note(s, func(k *known) { k.deleted = true })
		if err := w.kube.Delete(ctx, s.made(s, 0)); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		return w.comesAgain(ctx, s, setting, goneBound)
	}
}

// comesAgain creates a manifest once it is gone.
func (w *world) comesAgain(ctx context.Context, s *subject, setting int, bound time.Duration) error {
	return w.await(ctx, bound, s.String()+" to be gone and created again", func(ctx context.Context) error {
		obj := s.made(s, setting)
		if err := w.kube.Create(ctx, obj); err != nil {
			return err
		}
		w.rules.note(s, func(k *known) { k.created(obj, time.Now()) })
		return nil
	})
}

func consoleChanges(r *rand.Rand, _ time.Duration) (string, time.Duration, func(context.Context, *world) error) {
	nth, setting := one(r)
	return fmt.Sprintf("somebody gives resource %d setting %d", nth, setting), 0, func(_ context.Context, w *world) error {
		s := w.subjects[nth]
		w.rules.touch(s, func(*known) { _ = s.console(s, setting) }) // it may not be there
		return nil
	}
}

func consoleDeletes(r *rand.Rand, _ time.Duration) (string, time.Duration, func(context.Context, *world) error) {
	nth, _ := one(r)
	return fmt.Sprintf("somebody deletes resource %d", nth), 0, func(_ context.Context, w *world) error {
		s := w.subjects[nth]
		if s.deletes == nil || s.service == "iam" { // that a new account is not there may mean for minutes that Google does not show it yet
			return nil
		}
		w.rules.touch(s, func(k *known) {
			if s.deletes(s) == nil {
				k.absent = true
			}
		})
		return nil
	}
}

// How long a glass is waited for, and stays.
const (
	acknowledged  = 75 * time.Second
	stays         = 10 * time.Second
	incident      = "INC-1: the soak"
	closedAtLast  = 5 * time.Minute
	approvalPace  = time.Second
	pollPace      = 200 * time.Millisecond
	requestsBound = 15 * time.Second
)

func glassOfOne(r *rand.Rand, _ time.Duration) (string, time.Duration, func(context.Context, *world) error) {
	nth, setting := one(r)
	open := between(r, time.Second, stays)
	return fmt.Sprintf("the glass of manifest %d is broken for %s", nth, open), 0, func(ctx context.Context, w *world) error {
		s := w.subjects[nth]
		return w.glass(ctx, s.made(s, 0), []*subject{s}, setting, open)
	}
}

func glassOfNamespace(r *rand.Rand, _ time.Duration) (string, time.Duration, func(context.Context, *world) error) {
	nth, setting := one(r)
	open := between(r, time.Second, stays)
	return fmt.Sprintf("the glass of the namespace of manifest %d is broken for %s", nth, open), 0, func(ctx context.Context, w *world) error {
		namespace := w.subjects[nth].namespace
		var all []*subject
		for _, s := range w.subjects {
			if s.namespace == namespace {
				all = append(all, s)
			}
		}
		return w.glass(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, all, setting, open)
	}
}

// glass breaks a glass, and once that is acknowledged has somebody change what it holds. Whatever comes between, it is closed in the end.
func (w *world) glass(ctx context.Context, of client.Object, holds []*subject, setting int, open time.Duration) error {
	annotate := func(value string) error {
		patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%s}}}`, v1alpha1.BreakGlassAnnotation, value)
		ctx, cancel := context.WithTimeout(ctx, requestsBound)
		defer cancel()
		return client.IgnoreNotFound(w.kube.Patch(ctx, of, client.RawPatch("application/merge-patch+json", patch)))
	}
	defer func() {
		for _, s := range holds {
			w.rules.note(s, func(k *known) { k.held = time.Time{} })
		}
		err := w.await(ctx, closedAtLast, "the glass to be closed", func(context.Context) error { return annotate("null") })
		if err != nil && ctx.Err() == nil {
			w.rules.breach("%v", err)
		}
	}()
	if err := annotate(fmt.Sprintf("%q", incident)); err != nil {
		return err
	}
	for _, s := range holds {
		what := "the glass of " + s.String() + " to be acknowledged"
		if err := w.await(ctx, acknowledged, what, func(ctx context.Context) error { return w.broken(ctx, s) }); err != nil {
			return err
		}
	}
	pause(ctx, open)
	for _, s := range holds {
		w.rules.touch(s, func(*known) { _ = s.console(s, setting) }) // it may not be there
	}
	pause(ctx, open)
	return nil
}

// broken takes note of a glass that is acknowledged, and is an error while it is not.
func (w *world) broken(ctx context.Context, s *subject) error {
	obj := s.made(s, 0)
	if err := w.kube.Get(ctx, client.ObjectKeyFromObject(obj), obj); err != nil {
		return client.IgnoreNotFound(err) // a glass holds nothing for a manifest that is not there
	}
	c := meta.FindStatusCondition(obj.GetCommonStatus().Conditions, v1alpha1.ConditionBreakGlass)
	if c == nil || c.Status != metav1.ConditionTrue {
		return fmt.Errorf("BreakGlass is %v", c)
	}
	w.rules.note(s, func(k *known) { k.held = time.Now() })
	w.rules.acknowledged()
	return nil
}

// edit changes a manifest, if it is there.
func (w *world) edit(ctx context.Context, s *subject, change func(v1alpha1.Object)) error {
	ctx, cancel := context.WithTimeout(ctx, requestsBound)
	defer cancel()
	obj := s.made(s, 0)
	if err := w.kube.Get(ctx, client.ObjectKeyFromObject(obj), obj); err != nil {
		return client.IgnoreNotFound(err)
	}
	before := obj.DeepCopyObject().(v1alpha1.Object)
	change(obj)
	if err := w.kube.Patch(ctx, obj, client.MergeFrom(before)); err != nil {
		return client.IgnoreNotFound(err)
	}
	w.rules.note(s, func(k *known) { k.edited(obj, time.Now()) })
	return nil
}

// approve approves whatever waits for that, until the context is done.
func (w *world) approve(ctx context.Context) {
	for ctx.Err() == nil {
		for _, s := range w.subjects {
			_ = w.edit(ctx, s, func(obj v1alpha1.Object) { // what fails now is approved the next time
				c := meta.FindStatusCondition(obj.GetCommonStatus().Conditions, v1alpha1.ConditionReady)
				if plan := obj.GetCommonStatus().Plan; c != nil && c.Status == metav1.ConditionFalse && plan != nil && plan.Hash != "" {
					metav1.SetMetaDataAnnotation(metaOf(obj), v1alpha1.ApproveAnnotation, plan.Hash)
				}
			})
		}
		pause(ctx, approvalPace)
	}
}

// await tries until something works.
func (w *world) await(ctx context.Context, bound time.Duration, what string, try func(context.Context) error) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, pollPace, bound, true, func(ctx context.Context) (bool, error) {
		ctx, cancel := context.WithTimeout(ctx, requestsBound)
		defer cancel()
		last = try(ctx)
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("waited %s for %s: %w", bound, what, last)
	}
	return nil
}

// metaOf is the metadata of a manifest.
func metaOf(obj v1alpha1.Object) *metav1.ObjectMeta {
	return obj.(metav1.ObjectMetaAccessor).GetObjectMeta().(*metav1.ObjectMeta)
}
