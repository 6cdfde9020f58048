package admission

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// crowded was there before the policies, with as many annotations as the API server takes.
var crowded = func() *v1alpha1.Topic {
	annotations := map[string]string{}
	for i := range 40_000 {
		annotations[fmt.Sprintf("a%x", i)] = ""
	}
	return &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: "crowded", Annotations: annotations, Finalizers: []string{v1alpha1.Finalizer}}}
}()
