package e2e

import (
	"context"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/installed"
)

// watchInvariants looks at every state that the objects of a namespace go through, and fails the test at one that would
// mislead a person or a tool.
func watchInvariants(t *testing.T, config *rest.Config, namespace string) {
	t.Helper()
	mapper, err := installed.Mapper(config)
	if err != nil {
		t.Fatalf("asking for what is served: %v", err)
	}
	kube, err := client.NewWithWatch(config, client.Options{Scheme: scheme, Mapper: mapper})
	if err != nil {
		t.Fatalf("making a watching client: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	for _, list := range []client.ObjectList{
		&v1alpha1.BucketList{}, &v1alpha1.TopicList{}, &v1alpha1.ServiceAccountList{}, &v1alpha1.ProjectPolicyList{},
	} {
		states, err := kube.Watch(ctx, list, client.InNamespace(namespace))
		if err != nil {
			t.Fatalf("watching: %v", err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			for event := range states.ResultChan() {
				if obj, ok := event.Object.(v1alpha1.Object); ok && event.Type != watch.Deleted {
					checkInvariants(t, obj)
				}
			}
		}()
		t.Cleanup(func() { states.Stop(); <-done })
	}
}

// checkInvariants holds one state against what conditions promise, and against kstatus.
func checkInvariants(t *testing.T, obj v1alpha1.Object) {
	conditions := obj.GetCommonStatus().Conditions
	if len(conditions) == 0 {
		if obj.GetDeletionTimestamp().IsZero() {
			expectKStatus(t, obj, status.InProgressStatus)
		}
		return
	}
	has := map[string]metav1.Condition{}
	for _, c := range conditions {
		has[c.Type] = c
		if c.Reason == "" || c.ObservedGeneration == 0 {
			t.Errorf("condition %s has no reason or no generation:\n%s", c.Type, describe(obj))
		}
	}
	for _, always := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionDrifted, v1alpha1.ConditionBreakGlass} {
		if _, there := has[always]; !there {
			t.Errorf("condition %s is missing:\n%s", always, describe(obj))
		}
	}
	_, reconciling := has[v1alpha1.ConditionReconciling]
	_, stalled := has[v1alpha1.ConditionStalled]
	isReady := has[v1alpha1.ConditionReady].Status == metav1.ConditionTrue
	if isReady && (reconciling || stalled) || reconciling && stalled || !isReady && !reconciling && !stalled {
		t.Errorf("exactly one of Ready, Reconciling and Stalled must hold:\n%s", describe(obj))
	}
	broken := obj.GetCommonStatus().BreakGlass != nil
	if whole := has[v1alpha1.ConditionBreakGlass].Status == metav1.ConditionFalse; whole == broken {
		t.Errorf("the condition BreakGlass and the record of the glass do not agree:\n%s", describe(obj))
	}
	if isReady && !broken && has[v1alpha1.ConditionDrifted].Status == metav1.ConditionTrue {
		t.Errorf("Ready while different, and the glass is not broken:\n%s", describe(obj))
	}
	switch current := obj.GetGeneration() == obj.GetCommonStatus().ObservedGeneration; {
	case !obj.GetDeletionTimestamp().IsZero():
		expectKStatus(t, obj, status.TerminatingStatus)
	case !current || reconciling:
		expectKStatus(t, obj, status.InProgressStatus)
	case stalled:
		expectKStatus(t, obj, status.FailedStatus)
	default:
		expectKStatus(t, obj, status.CurrentStatus)
	}
}

func expectKStatus(t *testing.T, obj v1alpha1.Object, want status.Status) {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		t.Errorf("converting %s: %v", obj.GetName(), err)
		return
	}
	got, err := status.Compute(&unstructured.Unstructured{Object: fields})
	if err != nil || got.Status != want {
		t.Errorf("kstatus is %v (%v), want %s:\n%s", got, err, want, describe(obj))
	}
}
