package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Bucket is a Cloud Storage bucket.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=gcsbucket,categories=gcp;holdfast
type Bucket struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the bucket as it shall be. What is unset stays as Google has it.
	// +optional
	// +kubebuilder:default={}
	Spec BucketSpec `json:"spec,omitzero"`

	// status is the bucket as it is. Holdfast alone writes it.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status BucketStatus `json:"status,omitzero"`
}

// BucketSpec is the bucket as it shall be.
type BucketSpec struct {
	CommonSpec `json:",inline"`
}

// BucketStatus is the bucket as it is.
type BucketStatus struct {
	CommonStatus `json:",inline"`
}

// BucketList is a list of buckets.
//
// +kubebuilder:object:root=true
type BucketList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Bucket `json:"items"`
}

// GetCommonSpec returns the bucket's own common spec.
func (b *Bucket) GetCommonSpec() *CommonSpec { return &b.Spec.CommonSpec }

// GetCommonStatus returns the bucket's own common status.
func (b *Bucket) GetCommonStatus() *CommonStatus { return &b.Status.CommonStatus }
