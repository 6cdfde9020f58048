package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// IAMMode says how much of an IAM policy a manifest owns.
// +kubebuilder:validation:Enum=Additive;AuthoritativeRoles;Authoritative
type IAMMode string

// The values of IAMMode.
const (
	// IAMAdditive grants what is listed and revokes only what this manifest granted itself.
	IAMAdditive IAMMode = "Additive"
	// IAMAuthoritativeRoles owns the listed roles: a member that is not listed loses the role.
	IAMAuthoritativeRoles IAMMode = "AuthoritativeRoles"
	// IAMAuthoritative owns the whole policy: every grant that is not listed is removed.
	IAMAuthoritative IAMMode = "Authoritative"
)

// IAMDeletedPrincipals says what happens to grants whose principal was deleted (deleted:user:…?uid=…).
// +kubebuilder:validation:Enum=Keep;Remove
type IAMDeletedPrincipals string

// The values of IAMDeletedPrincipals.
const (
	// IAMDeletedPrincipalsKeep leaves them in place and reports them: undeleting an account brings its grants back.
	IAMDeletedPrincipalsKeep IAMDeletedPrincipals = "Keep"
	// IAMDeletedPrincipalsRemove removes them from the listed roles, with mode Authoritative from all roles.
	IAMDeletedPrincipalsRemove IAMDeletedPrincipals = "Remove"
)

// IAMExistingGrants says whose the grants are that a manifest lists and that were there before it.
// +kubebuilder:validation:Enum=Keep;Own
type IAMExistingGrants string

// The values of IAMExistingGrants.
const (
	// IAMExistingGrantsKeep leaves them to whoever made them: they stay when they leave the manifest.
	IAMExistingGrantsKeep IAMExistingGrants = "Keep"
	// IAMExistingGrantsOwn makes them the manifest's own: they are revoked when they leave the manifest.
	IAMExistingGrantsOwn IAMExistingGrants = "Own"
)

// IAMPolicy is the desired state of a resource's IAM policy. The policy is written as a whole, with its etag, whatever the number
// of grants. spec.adoption does not apply to mode Additive, which takes nothing over.
//
// +kubebuilder:validation:XValidation:rule="!has(self.bindings) || self.bindings.map(b, has(b.members) ? size(b.members) : 0).sum() + self.bindings.map(b, has(b.serviceAccountRefs) ? size(b.serviceAccountRefs) : 0).sum() <= 1500",message="bindings: more than 1,500 members in total, the most that Google allows in one policy: grant to groups"
// +kubebuilder:validation:XValidation:rule="!has(self.mode) || self.mode != 'Authoritative' || has(self.bindings) && size(self.bindings) > 0",message="bindings is missing or empty, and with mode Authoritative that would empty the policy: list what should be granted"
type IAMPolicy struct {
	// mode says how much of the policy this manifest owns. Additive grants what is listed and revokes only what it granted
	// itself. AuthoritativeRoles owns the listed roles, under any condition: a member that is not listed loses the role.
	// Authoritative owns the whole policy, including every role that is not listed. Never removed are the access of Holdfast
	// itself, the last owners, Google's service agents, and grants that others made for a limited time: status.iam.kept lists
	// them and says how to remove them.
	// +optional
	// +kubebuilder:default=Additive
	Mode IAMMode `json:"mode,omitempty"`

	// bindings are the grants. Their order does not matter, and bindings with the same role and condition count as one. All
	// bindings of a policy, including those that others made, may have 1,500 members in total, 250 of them groups and domains.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=250
	Bindings []IAMBinding `json:"bindings,omitzero"`

	// existingGrants says whose the grants (and audit configs) are that this manifest lists and that were there before it: its own are revoked
	// when they leave the manifest. Keep leaves them to whoever made them; status.iam.notOwned lists the grants. Own makes them the
	// manifest's own, without a write to Google Cloud; what it has made its own stays so when this is set back to Keep. Default: Keep.
	// +optional
	ExistingGrants IAMExistingGrants `json:"existingGrants,omitempty"`

	// deletedPrincipals says what happens to grants whose principal was deleted (deleted:user:…?uid=…). Keep leaves them in
	// place and reports them: undeleting an account brings its grants back. Remove removes them from the listed roles, with mode
	// Authoritative from all roles. Default: Keep.
	// +optional
	DeletedPrincipals IAMDeletedPrincipals `json:"deletedPrincipals,omitempty"`

	// safety limits what is removed without approval. Removing an owner always waits for approval, and so does the first plan
	// with mode AuthoritativeRoles or Authoritative that removes anything.
	// +optional
	Safety *IAMSafety `json:"safety,omitempty"`
}

// IAMSafety limits what is removed without approval.
type IAMSafety struct {
	// maxRemovals is how many members one plan may remove from their roles, whoever granted them; a plan that removes more
	// waits for approval. 0 to 1500; with 0 every removal waits. Default: 10.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1500
	MaxRemovals *int32 `json:"maxRemovals,omitempty"`
}

// IAMBinding grants a role to members.
//
// What Google rejects in any binding that has a condition, by https://cloud.google.com/iam/docs/managing-conditional-role-bindings:
// +kubebuilder:validation:XValidation:rule="!has(self.condition) || !(self.role in ['roles/owner', 'roles/editor', 'roles/viewer'])",message="condition: Google allows none on the basic roles roles/owner, roles/editor and roles/viewer: remove it, or grant narrower roles"
// +kubebuilder:validation:XValidation:rule="!has(self.condition) || !has(self.members) || !('allUsers' in self.members || 'allAuthenticatedUsers' in self.members)",message="condition: Google allows none for allUsers and allAuthenticatedUsers: remove it, or list other members"
//
// +kubebuilder:validation:XValidation:rule="has(self.members) && size(self.members) > 0 || has(self.serviceAccountRefs) && size(self.serviceAccountRefs) > 0",message="members and serviceAccountRefs are both empty: list who should have the role, or remove the binding"
type IAMBinding struct {
	// role is a predefined role, roles/NAME, or a custom role, projects/P/roles/NAME or organizations/N/roles/NAME.
	// +required
	// +kubebuilder:validation:XValidation:rule="self.startsWith('roles/') || self.startsWith('projects/') || self.startsWith('organizations/')",message="a role must be roles/NAME, or for a custom role projects/P/roles/NAME or organizations/N/roles/NAME"
	// +kubebuilder:validation:MaxLength=200
	// +kubebuilder:validation:Pattern=`^(roles|projects/[a-z0-9.:-]+/roles|organizations/[0-9]+/roles)/[A-Za-z0-9_.]{1,100}$`
	Role string `json:"role"`

	// members are the principals that the role is granted to. The letter case of e-mails does not matter.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=1500
	Members []IAMMember `json:"members,omitzero"`

	// serviceAccountRefs are service accounts that the role is granted to once they exist. While one does not exist, the others
	// are granted the role and nothing is removed.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=250
	ServiceAccountRefs []ServiceAccountRef `json:"serviceAccountRefs,omitzero"`

	// condition limits the grant. A member may have a role under up to 20 conditions.
	// +optional
	Condition *IAMCondition `json:"condition,omitempty"`
}

// IAMMember is a principal identifier, at most 512 characters long (https://cloud.google.com/iam/docs/principal-identifiers):
// user:E-MAIL, group:E-MAIL, serviceAccount:E-MAIL, serviceAccount:POOL.id.goog[NAMESPACE/NAME] for a Kubernetes service
// account (POOL is PROJECT.svc on GKE), domain:DOMAIN, principal://DOMAIN/PATH, principalSet://DOMAIN/PATH and
// principalHierarchy://DOMAIN/PATH for identity pools and the like, projectOwner:P, projectEditor:P, projectViewer:P, allUsers
// or allAuthenticatedUsers. Deleted principals (deleted:…) cannot be granted anything.
//
// +kubebuilder:validation:XValidation:rule="self.startsWith('user:') || self.startsWith('serviceAccount:') || self.startsWith('group:') || self.startsWith('domain:') || self.startsWith('principal') || self.startsWith('project') || self.startsWith('all')",message="a member must be allUsers, allAuthenticatedUsers or have a type, such as user:ada@example.com; the types are user, group, serviceAccount, domain, projectOwner, projectEditor, projectViewer, and principal://, principalSet:// and principalHierarchy://"
// +kubebuilder:validation:MaxLength=512
// +kubebuilder:validation:Pattern=`^(allUsers|allAuthenticatedUsers|(user|group):[^\s:@,]+@[^\s:@,]+\.[^\s:@,.]+|serviceAccount:([^\s:@,/]+@([^\s:@,/]+\.)?gserviceaccount\.com|([a-z0-9.-]+:)?[a-z0-9.-]+\.id\.goog\[[a-z0-9-]+/[a-z0-9.-]+\])|domain:[^\s:@,]+\.[^\s:@,.]+|project(Owner|Editor|Viewer):([a-z0-9.-]+:)?[a-z0-9-]+|principal(Set|Hierarchy)?://[^\s/:]+/\S(.*\S)?)$`
type IAMMember string

// ServiceAccountRef refers to a service account, either by its manifest or by its e-mail.
//
// +kubebuilder:validation:XValidation:rule="has(self.name) != has(self.external)",message="give exactly one of name (a ServiceAccount) and external (an e-mail)"
// +kubebuilder:validation:XValidation:rule="!has(self.namespace) || has(self.name)",message="namespace goes with name only: an external account has none"
type ServiceAccountRef struct {
	// name is the metadata.name of a ServiceAccount of the group gcp.holdfast.dev. The grant is made once that account exists.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`
	Name string `json:"name,omitempty"`

	// namespace is where that ServiceAccount is. Default: the namespace of this object. Another namespace must allow it by its
	// annotation holdfast.dev/allow-references-from.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`
	Namespace string `json:"namespace,omitempty"`

	// external is the e-mail of a service account that is managed elsewhere, such as ID@PROJECT.iam.gserviceaccount.com.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^[^\s:@,/]+@([^\s:@,/]+\.)?gserviceaccount\.com$`
	External string `json:"external,omitempty"`
}

// IAMCondition limits a grant. Conditions that differ only in white space are the same.
type IAMCondition struct {
	// title is a short name for what the condition does, at most 100 characters long.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=100
	Title string `json:"title"`

	// description explains the condition, in at most 256 characters.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Description string `json:"description,omitempty"`

	// expression is in Common Expression Language, at most 12,000 characters long, with at most 12 logical operators:
	// https://cloud.google.com/iam/docs/conditions-overview
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=12000
	Expression string `json:"expression"`
}

// IAMStatus is what Holdfast knows about a resource's IAM policy.
type IAMStatus struct {
	// mode is the mode that was last applied.
	// +optional
	Mode IAMMode `json:"mode,omitempty"`

	// revokedMode is the mode in which a plan that revoked something was last applied. In another authoritative mode the first such plan
	// waits for approval.
	// +optional
	RevokedMode IAMMode `json:"revokedMode,omitempty"`

	// grants are the grants that this manifest made. One that leaves the manifest is revoked.
	// +optional
	// +listType=atomic
	Grants []IAMGrants `json:"grants,omitempty"`

	// pending are grants that were recorded before a write and are not yet confirmed.
	// +optional
	// +listType=atomic
	Pending []IAMGrants `json:"pending,omitempty"`

	// auditServices are the services whose audit configs this manifest has set, or made its own. One that leaves the manifest is reset.
	// +optional
	// +listType=atomic
	AuditServices []string `json:"auditServices,omitempty"`

	// notOwned are live grants that this manifest lists and has not made: they stay when they leave it, in mode Additive, unless
	// existingGrants is Own. At most 64 of them are listed; notOwnedCount counts all.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	NotOwned []IAMGrants `json:"notOwned,omitempty"`

	// notOwnedCount counts the grants of notOwned.
	// +optional
	NotOwnedCount int64 `json:"notOwnedCount,omitempty"`

	// recordLost says that the resource carried this installation's ownership labels when the manifest came to it without a record of its
	// grants, such as one that was restored from a backup without its status: some of notOwned may have been its own.
	// +optional
	RecordLost bool `json:"recordLost,omitempty"`

	// kept are grants that mode would remove but Holdfast does not, with the reason.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Kept []IAMKept `json:"kept,omitempty"`

	// refused are members that Google rejected. They are tried again with pauses that grow to an hour, and at once when the manifest
	// changes, when a reconcile is requested, or when a ServiceAccount with that e-mail becomes ready.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Refused []IAMRefusal `json:"refused,omitempty"`

	// storedAs are members, exempted ones included, that Google stores under another name than the manifest has, such as the primary
	// address behind an alias.
	// +optional
	// +listType=map
	// +listMapKey=member
	// +kubebuilder:validation:MaxItems=1500
	StoredAs []IAMStoredAs `json:"storedAs,omitempty"`

	// takenOver are the UIDs of other manifests of the same resource which yield to this one, and whose grants and audit configs it has taken
	// over as its own.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=1000
	TakenOver []string `json:"takenOver,omitempty"`

	// memberCount counts the members in the live policy, each as often as it is listed. Google allows 1,500.
	// +optional
	MemberCount int64 `json:"memberCount,omitempty"`

	// groupCount counts the groups and domains among them. Google allows 250.
	// +optional
	GroupCount int64 `json:"groupCount,omitempty"`
}

// IAMGrants are members that have a role.
type IAMGrants struct {
	// role is the granted role.
	Role string `json:"role"`
	// condition limits the grants.
	// +optional
	Condition *IAMCondition `json:"condition,omitempty"`
	// members have the role.
	// +listType=atomic
	Members []string `json:"members"`
}

// IAMKept is a grant that is not removed.
type IAMKept struct {
	// role is the granted role.
	Role string `json:"role"`
	// member has the role.
	Member string `json:"member"`
	// why says why it is not removed, and how a person can remove it.
	Why string `json:"why"`
}

// IAMStoredAs is a member that Google stores under another name.
type IAMStoredAs struct {
	// member is the member as the manifest has it.
	Member string `json:"member"`
	// names are the member as Google shows it: one, as a rule. None if Google shows nothing new that could be it, because it was listed already
	// under that other name.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=1500
	Names []string `json:"names,omitempty"`
	// uncertain says that several members were stored under other names at once, so that which name is whose is not certain.
	// +optional
	Uncertain bool `json:"uncertain,omitempty"`
	// generation is that of the manifest that the member was sent for, where no name is certain: it is sent again with the next.
	// +optional
	Generation int64 `json:"generation,omitempty"`
}

// IAMRefusal is a member that Google rejected.
type IAMRefusal struct {
	// member is the member as the manifest has it.
	Member string `json:"member"`
	// message is Google's error message.
	Message string `json:"message"`
	// generation is the generation of the manifest that was refused.
	Generation int64 `json:"generation"`
	// firstTryTime is when Google rejected the member first.
	// +optional
	FirstTryTime *metav1.Time `json:"firstTryTime,omitempty"`
	// lastTryTime is when Google rejected it last.
	// +optional
	LastTryTime *metav1.Time `json:"lastTryTime,omitempty"`
}
