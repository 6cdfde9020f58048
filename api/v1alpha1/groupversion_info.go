package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the API group and version of every kind in this package.
var GroupVersion = schema.GroupVersion{Group: "gcp.holdfast.dev", Version: "v1alpha1"}

// AddToScheme registers the kinds of this package with a scheme.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&Bucket{}, &BucketList{},
		&Topic{}, &TopicList{},
		&ServiceAccount{}, &ServiceAccountList{},
		&ProjectPolicy{}, &ProjectPolicyList{},
		&BreakGlassRecord{}, &BreakGlassRecordList{},
	)
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
