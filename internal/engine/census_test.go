package engine

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/metrics"
)

// listed is what each identity finds in each project, as "project as identity"; what is not there cannot be listed.
type listed map[string][]string

func (l listed) list(_ context.Context, ref kind.Ref, yield func(page []kind.Listed) bool) error {
	names, ok := l[ref.Project+" as "+ref.Impersonate]
	if !ok {
		return errors.New("denied")
	}
	for _, name := range names { // a page each
		if !yield([]kind.Listed{{ID: name}}) {
			return nil
		}
	}
	return nil
}

func TestCensus(t *testing.T) {
	namespace := func(name string, annotations map[string]string) *corev1.Namespace {
		return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: annotations}}
	}
	topic := func(namespace, name string, change func(*v1alpha1.Topic)) *v1alpha1.Topic {
		obj := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
		change(obj)
		return obj
	}
	kube := fake.NewClientBuilder().WithScheme(testScheme(t)).WithObjects(
		namespace("shop", map[string]string{v1alpha1.ProjectIDAnnotation: "shop-project", v1alpha1.AllowedProjectIDsAnnotation: "shop-test, shop-secret"}),
		namespace("bank", map[string]string{v1alpha1.ProjectIDAnnotation: "shop-project", v1alpha1.ImpersonateServiceAccountAnnotation: "bank@p"}),
		namespace("unbound", nil),
		topic("shop", "bound", func(obj *v1alpha1.Topic) { obj.Status.Project = "shop-project" }),
		topic("shop", "new", func(*v1alpha1.Topic) {}),
		topic("shop", "elsewhere", func(obj *v1alpha1.Topic) { obj.Spec.ProjectID, obj.Spec.ResourceID = "shop-test", "named" }),
	).Build()
	cases := map[string]struct {
		found listed
		want  metrics.Listing
	}{
		"all is declared": {
			listed{"shop-project as ": {"bound", "new"}, "shop-project as bank@p": {"bound"}, "shop-test as ": {"named"}, "shop-secret as ": nil},
			metrics.Listing{},
		},
		"what one identity sees counts once": {
			listed{"shop-project as ": {"bound", "found"}, "shop-project as bank@p": {"found", "other"}, "shop-test as ": {}, "shop-secret as ": {}},
			metrics.Listing{Unmanaged: 2},
		},
		"declared in another project is not declared": {
			listed{"shop-project as ": {"named"}, "shop-test as ": {"bound"}, "shop-secret as ": {"named"}}, metrics.Listing{Unmanaged: 3},
		},
		"a project that nobody may list is said": {
			listed{"shop-project as bank@p": {"other"}, "shop-test as ": {}}, metrics.Listing{Unmanaged: 1, NotListed: 1},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			topics := kind.Of(&fakeKind{})
			topics.Fields.List = tc.found.list
			c := &census{kind: topics, inventory: &inventory.Inventory{Source: cached{kube, testScheme(t), tenantsOf(t, kube, "")}}}
			got, err := c.take(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("listing (-want +got):\n%s", d)
			}
		})
	}
}
