package engine

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/fair"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// oneTopic is a source of one manifest, or none, in a Namespace that is bound to a project, or not.
type oneTopic struct {
	inventory.Source

	topic   *v1alpha1.Topic
	project string
}

func (s oneTopic) Manifest(context.Context, kind.Kind, string, string) (v1alpha1.Object, error) {
	if s.topic == nil {
		return nil, nil
	}
	return s.topic, nil
}

func (s oneTopic) Namespace(context.Context, string) (map[string]string, error) {
	return map[string]string{v1alpha1.ProjectIDAnnotation: s.project}, nil
}

func TestOnWhoseBehalfAManifestIsLookedAt(t *testing.T) {
	const spec = `{"f:spec":{"f:labels":{}}}`
	edited := func(fields ...metav1.ManagedFieldsEntry) *v1alpha1.Topic {
		topic := shopTopic()
		topic.ManagedFields = fields
		kept, err := KeepOwnFields()(topic)
		if err != nil {
			t.Fatal(err)
		}
		return kept.(*v1alpha1.Topic)
	}
	cases := map[string]struct {
		topic   *v1alpha1.Topic
		project string
		want    fair.Tenant
	}{
		"no manifest":   {nil, "p", fair.Tenant{Namespace: "shop"}},
		"no project":    {edited(wrote("flux", 60, "", spec)), "", fair.Tenant{Namespace: "shop", Editor: "flux"}},
		"nobody edited": {edited(), "p", fair.Tenant{Namespace: "shop", Project: "p"}},
		"a tool edited": {edited(wrote("flux", 60, "", spec)), "p", fair.Tenant{Namespace: "shop", Project: "p", Editor: "flux"}},
		"a person has since": {
			edited(wrote("flux", 60, "", spec), wrote("ada", 90, "", spec)), "p", fair.Tenant{Namespace: "shop", Project: "p", Editor: "ada"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			of := reconcile.Request{NamespacedName: client.ObjectKey{Namespace: "shop", Name: "orders"}}
			got := tenantOf(t.Context(), &inventory.Inventory{Source: oneTopic{topic: tc.topic, project: tc.project}}, kind.Kind{}, of)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("tenant (-want +got):\n%s", diff)
			}
		})
	}
}
