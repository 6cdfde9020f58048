package e2e

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func TestDeletingTheDefinitionsDeletesNothing(t *testing.T) {
	t.Parallel()
	w := newWorldAt(t, anotherCluster(t))
	w.start()
	for _, k := range table {
		obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
		w.create(obj)
		w.ready(obj)
		w.delete(&apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: k.Plural + "." + v1alpha1.GroupVersion.Group}})
		w.gone(obj)
		if d := cmp.Diff(look{there: true, on: true, team: "shop"}, k.console(w).look("orders"), looks); d != "" {
			t.Errorf("%s (-want +got):\n%s", k.title, d)
		}
	}
}

func TestADeletionWaitsWhileTheDefinitionCannotBeRead(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := newWorld(t)
		var unreadable atomic.Bool
		unreadable.Store(true)
		w.refuse = func(r *http.Request) bool {
			return unreadable.Load() && strings.Contains(r.URL.Path, "/customresourcedefinitions/")
		}
		w.start()
		obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
		w.create(obj)
		w.ready(obj)
		mark := w.cloud.Traffic.Mark()
		w.delete(obj)
		w.reason(obj, v1alpha1.ReasonUnavailable)
		w.expectAdvice(obj, "CustomResourceDefinition")
		w.noWrites(mark)
		unreadable.Store(false)
		w.gone(obj)
		if k.console(w).look("orders").there {
			t.Errorf("the %s is still there", k.Name)
		}
	})
}
