package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ProjectPolicy is the IAM policy of a Google Cloud project, or a part of it: who may do what in the project.
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
// +kubebuilder:printcolumn:name="Members",type=integer,JSONPath=`.status.iam.memberCount`,priority=1
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

	// spec is the desired state of the policy. What is not listed is left unmanaged, unless mode says otherwise.
	// +optional
	// +kubebuilder:default={}
	Spec ProjectPolicySpec `json:"spec,omitzero"`

	// status is the observed state of the policy. Only Holdfast writes it.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status ProjectPolicyStatus `json:"status,omitzero"`
}

// ProjectPolicySpec is the desired state of the policy. Several manifests may share a project's policy, as long as no two own
// the same role. With deletionPolicy Delete, deleting the manifest revokes what it granted and nothing else; with Orphan, nothing.
//
// +kubebuilder:validation:XValidation:rule="!has(self.resourceID)",message="spec.resourceID does not apply to a ProjectPolicy: the project is spec.projectID, or else the namespace's"
// +kubebuilder:validation:XValidation:rule="!has(self.deletionPolicy) || self.deletionPolicy != 'DeleteWithContents'",message="spec.deletionPolicy DeleteWithContents is for buckets only: use Delete or Orphan for a policy"
//
// What Google rejects in a project's policy, by https://cloud.google.com/resource-manager/reference/rest/v3/projects/setIamPolicy and
// https://cloud.google.com/iam/quotas#limits:
// +kubebuilder:validation:XValidation:rule="!has(self.bindings) || self.bindings.all(b, !has(b.members) || !('allUsers' in b.members || 'allAuthenticatedUsers' in b.members))",message="bindings: Google allows neither allUsers nor allAuthenticatedUsers in a project's policy: grant on the bucket or topic that should be public"
// +kubebuilder:validation:XValidation:rule="!has(self.auditConfigs) || self.auditConfigs.map(a, a.auditLogConfigs.map(l, has(l.exemptedMembers) ? size(l.exemptedMembers) : 0).sum()).sum() + (has(self.bindings) ? self.bindings.map(b, has(b.members) ? size(b.members) : 0).sum() + self.bindings.map(b, has(b.serviceAccountRefs) ? size(b.serviceAccountRefs) : 0).sum() : 0) <= 1500",message="auditConfigs: more than 1,500 members in total, including those of bindings, the most that Google allows in one policy: exempt groups"
type ProjectPolicySpec struct {
	CommonSpec `json:",inline"`
	IAMPolicy  `json:",inline"`

	// auditConfigs say which data accesses are logged, by service. Services that are not listed are unmanaged, whatever the mode;
	// one that leaves the list is reset to logging nothing if this manifest has set it. What others had set like this before stays,
	// unless existingGrants is Own.
	// +optional
	// +listType=map
	// +listMapKey=service
	// +kubebuilder:validation:MaxItems=100
	AuditConfigs []AuditConfig `json:"auditConfigs,omitzero"`
}

// AuditConfig says which accesses to a service's data are logged.
// https://cloud.google.com/logging/docs/audit/configure-data-access
type AuditConfig struct {
	// service is a service, such as storage.googleapis.com, or allServices, whose settings are added to those of each service.
	// +required
	// +kubebuilder:validation:MaxLength=100
	// +kubebuilder:validation:Pattern=`^(allServices|[a-z0-9.-]+\.googleapis\.com)$`
	Service string `json:"service"`

	// auditLogConfigs are all the types of access that are logged: one that is not listed is not logged. An explicit [] logs
	// nothing.
	// +required
	// +listType=map
	// +listMapKey=logType
	// +kubebuilder:validation:MaxItems=3
	AuditLogConfigs []AuditLogConfig `json:"auditLogConfigs,omitzero"`
}

// AuditLogConfig is one type of access that is logged.
type AuditLogConfig struct {
	// logType is the type of access.
	// +required
	LogType AuditLogType `json:"logType"`

	// exemptedMembers are all the members whose accesses are not logged.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	ExemptedMembers []IAMMember `json:"exemptedMembers,omitzero"`
}

// AuditLogType is a type of access.
// +kubebuilder:validation:Enum=ADMIN_READ;DATA_READ;DATA_WRITE
type AuditLogType string

// The values of AuditLogType.
const (
	AuditLogAdminRead AuditLogType = "ADMIN_READ"
	AuditLogDataRead  AuditLogType = "DATA_READ"
	AuditLogDataWrite AuditLogType = "DATA_WRITE"
)

// ProjectPolicyStatus is the observed state of the policy.
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
