package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ServiceAccount is an IAM service account of Google Cloud (not to be confused with the kind of that name in Kubernetes
// itself).
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=gsa,categories=gcp;holdfast
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Drifted",type=string,JSONPath=`.status.conditions[?(@.type=="Drifted")].status`
// +kubebuilder:printcolumn:name="Glass",type=string,JSONPath=`.status.conditions[?(@.type=="BreakGlass")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Project",type=string,JSONPath=`.status.project`,priority=1
// +kubebuilder:printcolumn:name="E-Mail",type=string,JSONPath=`.status.email`,priority=1
// +kubebuilder:printcolumn:name="External-Name",type=string,JSONPath=`.status.externalName`,priority=1
// +kubebuilder:printcolumn:name="Broken-By",type=string,JSONPath=`.status.breakGlass.by`,priority=1
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
//
// The same for every kind:
// +kubebuilder:validation:XValidation:rule="(has(self.spec.resourceID) ? self.spec.resourceID : self.metadata.name) == (has(oldSelf.spec.resourceID) ? oldSelf.spec.resourceID : oldSelf.metadata.name)",message="spec.resourceID is immutable: create a new object for another resource"
// +kubebuilder:validation:XValidation:rule="has(self.spec.projectID) || !has(oldSelf.spec.projectID)",message="spec.projectID cannot be removed: create a new object for another project"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.projectID) || has(oldSelf.spec.projectID) || has(self.status.project) && self.status.project == self.spec.projectID",message="spec.projectID can be added only if it is the project that the object is bound to already (status.project): create a new object for another project"
//
// The name, by https://cloud.google.com/iam/docs/service-accounts-create:
// +kubebuilder:validation:XValidation:rule="(has(self.spec.resourceID) ? self.spec.resourceID : self.metadata.name).matches('^[a-z][a-z0-9-]{4,28}[a-z0-9]$')",message="the account ID (spec.resourceID, or else metadata.name) must have 6 to 30 lower-case letters, digits and -, begin with a letter and not end with -: give spec.resourceID another value"
type ServiceAccount struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the desired state of the service account. Unset fields are left unmanaged.
	// +optional
	// +kubebuilder:default={}
	Spec ServiceAccountSpec `json:"spec,omitzero"`

	// status is the observed state of the service account. Only Holdfast writes it.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status ServiceAccountStatus `json:"status,omitzero"`
}

// ServiceAccountSpec is the desired state of the service account. Its resourceID is the account ID, the part of the e-mail before
// the @: 6 to 30 lower-case letters, digits and -. An account that was deleted by deletionPolicy Delete can be undeleted for 30 days.
//
// +kubebuilder:validation:XValidation:rule="!has(self.deletionPolicy) || self.deletionPolicy != 'DeleteWithContents'",message="spec.deletionPolicy DeleteWithContents is for buckets only: use Delete or Orphan for a service account"
type ServiceAccountSpec struct {
	CommonSpec `json:",inline"`

	// displayName is a name for people, at most 100 bytes long in UTF-8. An explicit "" is none, which is Google's default.
	// +optional
	// +kubebuilder:validation:MaxLength=100
	// +kubebuilder:validation:XValidation:rule="size(bytes(self)) <= 100",message="displayName has more than 100 bytes in UTF-8, in which letters such as é take two: shorten it"
	DisplayName *string `json:"displayName,omitempty"`

	// description says what the account is for, in at most 256 bytes of UTF-8. An explicit "" is none, which is Google's default.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="size(bytes(self)) <= 256",message="description has more than 256 bytes in UTF-8, in which letters such as é take two: shorten it"
	Description *string `json:"description,omitempty"`

	// disabled keeps the account from authenticating, without deleting it. Google's default: false.
	// +optional
	Disabled *bool `json:"disabled,omitempty"`

	// iam says who may act as the account, or manage it: the policy on the account itself. What the account may do elsewhere is
	// set there: in spec.iam of a Bucket or Topic, or in a ProjectPolicy.
	// +optional
	IAM *IAMPolicy `json:"iam,omitempty"`
}

// ServiceAccountStatus is the observed state of the service account.
type ServiceAccountStatus struct {
	CommonStatus `json:",inline"`

	// name is the account's full name: projects/P/serviceAccounts/E-MAIL.
	// +optional
	Name string `json:"name,omitempty"`

	// email is the account's e-mail: ID@PROJECT.iam.gserviceaccount.com.
	// +optional
	Email string `json:"email,omitempty"`

	// member is the account as a member of an IAM policy: serviceAccount:E-MAIL.
	// +optional
	Member string `json:"member,omitempty"`

	// uniqueId is the account's numeric ID, of 21 digits. An account of the same name that is created after a deletion has another.
	// +optional
	UniqueID string `json:"uniqueId,omitempty"`

	// oauth2ClientId is the account's OAuth 2.0 client ID.
	// +optional
	OAuth2ClientID string `json:"oauth2ClientId,omitempty"`
}

// ServiceAccountList is a list of service accounts.
//
// +kubebuilder:object:root=true
type ServiceAccountList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ServiceAccount `json:"items"`
}

// GetCommonSpec returns the service account's own common spec.
func (s *ServiceAccount) GetCommonSpec() *CommonSpec { return &s.Spec.CommonSpec }

// GetCommonStatus returns the service account's own common status.
func (s *ServiceAccount) GetCommonStatus() *CommonStatus { return &s.Status.CommonStatus }
