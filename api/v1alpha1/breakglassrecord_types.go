package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// BreakGlassRecord keeps the closed glasses of one Google Cloud resource beyond the manifests of it: deleting a manifest and creating it
// again erases nothing. It is in Holdfast's own namespace. Only Holdfast writes it, when a glass is closed and before it lets go of a
// manifest.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:categories=holdfast
// +kubebuilder:printcolumn:name="External-Name",type=string,JSONPath=`.spec.externalName`
// +kubebuilder:printcolumn:name="Project",type=string,JSONPath=`.spec.project`
// +kubebuilder:printcolumn:name="Last-By",type=string,JSONPath=`.spec.episodes[0].by`
// +kubebuilder:printcolumn:name="Last-Closed",type=date,JSONPath=`.spec.episodes[0].closedAt`
type BreakGlassRecord struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what is recorded.
	// +required
	Spec BreakGlassRecordSpec `json:"spec,omitzero"`
}

// BreakGlassRecordSpec is what is recorded about the glass of a resource.
type BreakGlassRecordSpec struct {
	// externalName is the full resource name, such as //storage.googleapis.com/logs.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	ExternalName string `json:"externalName"`

	// project is the Google Cloud project of the manifests that the glass was broken on. A manifest of another project, which can only
	// claim the name, has a record of its own.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Project string `json:"project"`

	// episodes are the last ten closed glasses, newest first; fewer where they are long.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=10
	Episodes []BreakGlassEpisode `json:"episodes,omitempty"`
}

// BreakGlassRecordList is a list of records.
//
// +kubebuilder:object:root=true
type BreakGlassRecordList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []BreakGlassRecord `json:"items"`
}
