package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ProjectPolicy is who may do what in a Google Cloud project: the project's IAM policy, or a part of it.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=gcppolicy,categories=gcp;holdfast
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Drifted",type=string,JSONPath=`.status.conditions[?(@.type=="Drifted")].status`
// +kubebuilder:printcolumn:name="Glass",type=string,JSONPath=`.status.conditions[?(@.type=="BreakGlass")].reason`
// +kubebuilder:printcolumn:name="Project",type=string,JSONPath=`.status.project`
// +kubebuilder:printcolumn:name="Mode",type=string,JSONPath=`.spec.mode`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Members",type=integer,JSONPath=`.status.iam.members`,priority=1
// +kubebuilder:printcolumn:name="External-Name",type=string,JSONPath=`.status.externalName`,priority=1
// +kubebuilder:printcolumn:name="Broken-By",type=string,JSONPath=`.status.breakGlass.by`,priority=1
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
//
// The same for every kind:
// +kubebuilder:validation:XValidation:rule="has(self.spec.projectID) || !has(oldSelf.spec.projectID)",message="spec.projectID cannot be removed: create a new object for another project"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.projectID) || has(oldSelf.spec.projectID) || has(self.status.project) && self.status.project == self.spec.projectID",message="spec.projectID can be added only if it is the project that the object is bound to already (status.project): create a new object for another project"
type ProjectPolicy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the policy as it shall be. What is not listed stays as it is, unless mode says otherwise.
	// +optional
	// +kubebuilder:default={}
	Spec ProjectPolicySpec `json:"spec,omitzero"`

	// status is the policy as it is. Holdfast alone writes it.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status ProjectPolicyStatus `json:"status,omitzero"`
}

// ProjectPolicySpec is the policy as it shall be. Several manifests may share a project's policy, as long as no two own the
// same role. With deletionPolicy Delete, deleting the manifest revokes what it granted, and nothing else; with Orphan, nothing.
//
// +kubebuilder:validation:XValidation:rule="!has(self.resourceID)",message="spec.resourceID means nothing here: the project is given by spec.projectID, or else by the namespace"
// +kubebuilder:validation:XValidation:rule="!has(self.deletionPolicy) || self.deletionPolicy != 'DeleteWithContents'",message="spec.deletionPolicy DeleteWithContents is for buckets only: use Delete or Orphan for a policy"
//
// What Google refuses of a project's policy, by https://cloud.google.com/resource-manager/reference/rest/v3/projects/setIamPolicy and
// https://cloud.google.com/iam/quotas#limits:
// +kubebuilder:validation:XValidation:rule="!has(self.bindings) || self.bindings.all(b, !has(b.members) || !('allUsers' in b.members || 'allAuthenticatedUsers' in b.members))",message="bindings: a project's policy takes neither allUsers nor allAuthenticatedUsers: grant on the bucket or topic that is to be public"
// +kubebuilder:validation:XValidation:rule="!has(self.auditConfigs) || self.auditConfigs.map(a, a.logTypes.map(l, has(l.exemptedMembers) ? size(l.exemptedMembers) : 0).sum()).sum() + (has(self.bindings) ? self.bindings.map(b, has(b.members) ? size(b.members) : 0).sum() + self.bindings.map(b, has(b.serviceAccountRefs) ? size(b.serviceAccountRefs) : 0).sum() : 0) <= 1500",message="auditConfigs: more than 1,500 members in all, with those of bindings, which is as many as Google allows in one policy: exempt groups"
type ProjectPolicySpec struct {
	CommonSpec `json:",inline"`
	IAMPolicy  `json:",inline"`

	// auditConfigs say which accesses to data are logged, by service. Services that are not listed stay as they are, whatever the
	// mode; one that leaves the list is reset to logging nothing.
	// +optional
	// +listType=map
	// +listMapKey=service
	// +kubebuilder:validation:MaxItems=100
	AuditConfigs []AuditConfig `json:"auditConfigs,omitzero"`
}

// AuditConfig says which accesses to a service's data are logged.
// https://cloud.google.com/logging/docs/audit/configure-data-access
type AuditConfig struct {
	// service is such as storage.googleapis.com, or allServices, to which those of single services are added.
	// +required
	// +kubebuilder:validation:MaxLength=100
	// +kubebuilder:validation:Pattern=`^(allServices|[a-z0-9.-]+\.googleapis\.com)$`
	Service string `json:"service"`

	// logTypes are what is logged, all of them: one that is not listed is not logged. An explicit [] is to log nothing.
	// +required
	// +listType=map
	// +listMapKey=logType
	// +kubebuilder:validation:MaxItems=3
	LogTypes []AuditLogConfig `json:"logTypes,omitzero"`
}

// AuditLogConfig is one sort of access that is logged.
type AuditLogConfig struct {
	// logType is the sort of access.
	// +required
	LogType AuditLogType `json:"logType"`

	// exemptedMembers are those whose accesses are not logged, all of them.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	ExemptedMembers []IAMMember `json:"exemptedMembers,omitzero"`
}

// AuditLogType is a sort of access.
// +kubebuilder:validation:Enum=ADMIN_READ;DATA_READ;DATA_WRITE
type AuditLogType string

// The values of AuditLogType.
const (
	AuditLogAdminRead AuditLogType = "ADMIN_READ"
	AuditLogDataRead  AuditLogType = "DATA_READ"
	AuditLogDataWrite AuditLogType = "DATA_WRITE"
)

// ProjectPolicyStatus is the policy as it is.
type ProjectPolicyStatus struct {
	CommonStatus `json:",inline"`
}

// ProjectPolicyList is a list of project policies.
//
// +kubebuilder:object:root=true
type ProjectPolicyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ProjectPolicy `json:"items"`
}

// GetCommonSpec returns the policy's own common spec.
func (p *ProjectPolicy) GetCommonSpec() *CommonSpec { return &p.Spec.CommonSpec }

// GetCommonStatus returns the policy's own common status.
func (p *ProjectPolicy) GetCommonStatus() *CommonStatus { return &p.Status.CommonStatus }
