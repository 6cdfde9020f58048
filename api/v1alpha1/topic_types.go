package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Topic is a Pub/Sub topic.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=pstopic,categories=gcp;holdfast
type Topic struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what the topic shall be.
	// +optional
	// +kubebuilder:default={}
	Spec TopicSpec `json:"spec,omitzero"`
	// status is what the topic is.
	// +optional
	// +kubebuilder:default={"observedGeneration": -1}
	Status TopicStatus `json:"status,omitzero"`
}

// TopicSpec is what a topic shall be. What is unset is left as Google has it.
type TopicSpec struct {
	CommonSpec `json:",inline"`
}

// TopicStatus is what a topic is.
type TopicStatus struct {
	CommonStatus `json:",inline"`
}

// TopicList is a list of topics.
//
// +kubebuilder:object:root=true
type TopicList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Topic `json:"items"`
}

// GetCommonSpec implements Object.
func (t *Topic) GetCommonSpec() *CommonSpec { return &t.Spec.CommonSpec }

// GetCommonStatus implements Object.
func (t *Topic) GetCommonStatus() *CommonStatus { return &t.Status.CommonStatus }
