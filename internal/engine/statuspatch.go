package engine

import (
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// statusPatch makes the merge patch that leads from the status of one state of an object to that of another, on condition that the stored object
// has a resourceVersion, empty for any; nil if the status is the same. Statuses are compared as they are, and nothing but a status that
// differs is written as JSON: most passes change nothing, and most of an object is not its status.
func statusPatch(from, to v1alpha1.Object, version string) (client.Patch, error) {
	if equality.Semantic.DeepEqual(statusOf(from).Interface(), statusOf(to).Interface()) {
		return nil, nil
	}
	data, err := client.MergeFrom(statusAlone(from)).Data(statusAlone(to))
	if err != nil || string(data) == "{}" { // the same, written otherwise
		return nil, err
	}
	if version != "" {
		data = fmt.Appendf(nil, `{"metadata":{"resourceVersion":%q},%s`, version, data[1:])
	}
	return client.RawPatch(types.MergePatchType, data), nil
}

// statusAlone is an object that has nothing but the status of another, which it shares.
func statusAlone(of v1alpha1.Object) v1alpha1.Object {
	alone := emptyOf(of)
	setStatus(alone, of)
	return alone
}

// emptyOf is an empty object of the same kind.
func emptyOf(obj v1alpha1.Object) v1alpha1.Object {
	return reflect.New(reflect.TypeOf(obj).Elem()).Interface().(v1alpha1.Object)
}
