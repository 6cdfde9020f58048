package e2e

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/installed"
)

// TestWhatTheOperatorMayNotDo: somebody who has its credentials can do no more than it needs.
func TestWhatTheOperatorMayNotDo(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	operator := w.as(installed.Operator)
	whole, broken := topics.manifest("whole", v1alpha1.CommonSpec{}), topics.manifest("broken", v1alpha1.CommonSpec{})
	for _, obj := range []v1alpha1.Object{whole, broken} {
		w.create(obj)
		w.ready(obj)
	}
	later := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	w.annotates(installed.Ada, broken, annotations{v1alpha1.BreakGlassAnnotation: incident, v1alpha1.BreakGlassUntilAnnotation: later})
	w.glass(broken, metav1.ConditionTrue)
	w.coOwned(broken)
	w.stop()

	ctx := t.Context()
	write := func(obj client.Object, a annotations) func() error {
		return func() error { return a.write(ctx, operator, obj) }
	}
	change := func(obj client.Object, change func(client.Object)) func() error {
		return func() error {
			live := obj.DeepCopyObject().(client.Object)
			if err := w.kube.Get(ctx, client.ObjectKeyFromObject(obj), live); err != nil {
				return err
			}
			before := live.DeepCopyObject().(client.Object)
			change(live)
			return operator.Patch(ctx, live, client.MergeFrom(before))
		}
	}
	cleared := annotations{
		v1alpha1.BreakGlassAnnotation: nil, v1alpha1.BreakGlassByAnnotation: nil, v1alpha1.BreakGlassUntilAnnotation: nil, v1alpha1.BreakGlassClosedByAnnotation: "expired",
	}
	const aPerson, forbidden = "only a person may", "cannot "
	const onlyGlass = "may change only the annotations of break-glass and allow-destructive of a Namespace"
	const onlyOwn = "may change only its finalizer and the break-glass and approval annotations of an object"
	for name, try := range map[string]struct {
		do      func() error
		refusal string
	}{
		"break the glass":                  {write(whole, annotations{v1alpha1.BreakGlassAnnotation: incident}), aPerson},
		"break it in its own name":         {write(whole, annotations{v1alpha1.BreakGlassAnnotation: incident, v1alpha1.BreakGlassByAnnotation: installed.Operator}), aPerson},
		"break it in somebody's name":      {write(whole, annotations{v1alpha1.BreakGlassAnnotation: incident, v1alpha1.BreakGlassByAnnotation: installed.Ada}), aPerson},
		"change the reason":                {write(broken, annotations{v1alpha1.BreakGlassAnnotation: "INC-4712: a better one"}), aPerson},
		"shorten the time":                 {write(broken, annotations{v1alpha1.BreakGlassUntilAnnotation: "2026-01-01T00:00:00Z"}), aPerson},
		"close it":                         {write(broken, annotations{v1alpha1.BreakGlassAnnotation: nil}), aPerson},
		"close it before its time is over": {write(broken, cleared), aPerson},
		"approve":                          {write(whole, annotations{v1alpha1.ApproveAnnotation: "0123456789abcdef"}), aPerson},
		"break the glass of a Namespace":   {write(w.space(), annotations{v1alpha1.BreakGlassAnnotation: incident}), aPerson},
		"bind a Namespace":                 {write(w.space(), annotations{v1alpha1.ProjectIDAnnotation: "bank-prod"}), ""},
		"annotate a Namespace":             {write(w.space(), annotations{"example.com/x": "y"}), onlyGlass},
		"label a Namespace":                {change(w.space(), func(o client.Object) { o.SetLabels(map[string]string{"world": "mine"}) }), onlyGlass},
		"take a Namespace's finalizers":    {change(w.space(), func(o client.Object) { o.SetFinalizers([]string{"example.com/x"}) }), onlyGlass},
		"make a Namespace": {func() error {
			return operator.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "mine"}})
		}, forbidden},
		"delete a Namespace": {func() error { return operator.Delete(ctx, w.space()) }, forbidden},
		"make a topic":       {func() error { return operator.Create(ctx, inside(w, topics.manifest("new", v1alpha1.CommonSpec{}))) }, forbidden},
		"delete a topic":     {func() error { return operator.Delete(ctx, whole) }, forbidden},
		"make a bucket":      {func() error { return operator.Create(ctx, inside(w, buckets.manifest("new", v1alpha1.CommonSpec{}))) }, forbidden},
		"change a manifest": {change(whole, func(o client.Object) {
			o.(*v1alpha1.Topic).Spec.MessageRetentionSeconds = new(int64(7200))
		}), onlyOwn},
		"label a topic":                        {change(whole, func(o client.Object) { o.SetLabels(map[string]string{"x": "y"}) }), onlyOwn},
		"annotate a topic":                     {write(whole, annotations{"example.com/x": "y"}), onlyOwn},
		"ask for a reconcile":                  {write(whole, annotations{v1alpha1.ReconcileRequestedAtAnnotation: "now"}), onlyOwn},
		"put another finalizer on a topic":     {change(whole, func(o client.Object) { o.SetFinalizers(append(o.GetFinalizers(), "example.com/x")) }), onlyOwn},
		"replace a topic":                      {func() error { return operator.Update(ctx, whole) }, forbidden},
		"let go of an object under its glass":  {change(broken, func(o client.Object) { o.SetFinalizers(nil) }), "while break-glass is active"},
		"change a definition":                  {func() error { return operator.Delete(ctx, definition("topics.gcp.holdfast.dev")) }, forbidden},
		"change the policy that it answers to": {func() error { return operator.Delete(ctx, guard()) }, forbidden},
		"read a Secret": {func() error {
			return operator.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: "any"}, &corev1.Secret{})
		}, forbidden},
	} {
		t.Run(name, func(t *testing.T) {
			if err := try.do(); err == nil || !strings.Contains(err.Error(), try.refusal) {
				t.Errorf("refused with\n  %v\nwant\n  %s", err, try.refusal)
			}
		})
	}
	if err := (annotations{"example.com/x": "y"}).write(ctx, w.as(installed.Bob), whole); err != nil {
		t.Errorf("and Bob, who may edit, is refused: %v", err)
	}
}

func inside(w *world, obj client.Object) client.Object {
	obj.SetNamespace(w.namespace)
	return obj
}

func definition(name string) client.Object {
	return partial("apiextensions.k8s.io", "CustomResourceDefinition", name)
}

func guard() client.Object {
	return partial("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", "holdfast-guard-break-glass")
}

func partial(group, kind, name string) client.Object {
	obj := &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: group + "/v1", Kind: kind}}
	obj.SetName(name)
	return obj
}
