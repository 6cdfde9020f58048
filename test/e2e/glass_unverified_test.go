package e2e

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/installed"
)

// ownControlPlane starts an API server of the test's own, which has the CustomResourceDefinitions and nothing else of config/.
func ownControlPlane(t *testing.T) *rest.Config {
	t.Helper()
	environment := &envtest.Environment{CRDDirectoryPaths: []string{filepath.Join("..", "..", "config", "crd", "bases")}, ErrorIfCRDPathMissing: true}
	config, err := installed.Start(environment)
	if err != nil {
		t.Fatalf("starting the control plane: %v", err)
	}
	t.Cleanup(func() {
		if err := environment.Stop(); err != nil {
			t.Errorf("stopping the control plane: %v", err)
		}
	})
	return config
}

// TestWithoutThePoliciesAGlassIsHonouredAndUnverified: an API server of its own has the CRDs and the operator's rights alone.
func TestWithoutThePoliciesAGlassIsHonouredAndUnverified(t *testing.T) {
	t.Parallel()
	config := ownControlPlane(t)
	kube, err := client.New(installed.As(config, ""), client.Options{Scheme: scheme})
	if err := errors.Join(err, installed.Manager(kube), recordsOfWorlds(kube)); err != nil {
		t.Fatal(err)
	}
	w := newWorldAt(t, config)
	w.start()
	obj := topics.manifest("orders", v1alpha1.CommonSpec{})
	w.create(obj)
	w.ready(obj)
	for name, try := range map[string]struct {
		annotations annotations
		by, says    string
	}{
		"nobody's name":        {annotations{v1alpha1.BreakGlassAnnotation: "why"}, "", "an unrecorded user"},
		"anybody's name":       {annotations{v1alpha1.BreakGlassAnnotation: "why", v1alpha1.BreakGlassByAnnotation: "eve"}, "eve", "eve (unverified"},
		"a reason without end": {annotations{v1alpha1.BreakGlassAnnotation: strings.Repeat("on and on, ", 10000)}, "", "on and on"},
	} {
		w.must(try.annotations.write(t.Context(), kube, obj))
		w.glass(obj, metav1.ConditionTrue)
		if r := obj.GetCommonStatus().BreakGlass; r.Verified || r.By != try.by {
			t.Errorf("%s: the record is %+v", name, r)
		}
		if c := condition(obj, v1alpha1.ConditionBreakGlass); !strings.Contains(c.Message, try.says) || !strings.Contains(c.Message, "unverified") {
			t.Errorf("%s: BreakGlass says %q", name, c.Message)
		}
		mark := w.cloud.Traffic.Mark()
		topics.console(w).set("orders", false)
		w.settled(obj)
		w.noWrites(mark)
		w.must(annotations{v1alpha1.BreakGlassAnnotation: nil, v1alpha1.BreakGlassByAnnotation: nil}.write(t.Context(), kube, obj))
		w.glass(obj, metav1.ConditionFalse)
		w.ready(obj)
	}
}
