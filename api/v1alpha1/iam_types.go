package v1alpha1

// IAMMode says how much of an IAM policy a manifest owns.
// +kubebuilder:validation:Enum=Additive;AuthoritativeRoles;Authoritative
type IAMMode string

// The values of IAMMode.
const (
	// IAMAdditive grants what is listed, and revokes only what this manifest granted itself.
	IAMAdditive IAMMode = "Additive"
	// IAMAuthoritativeRoles owns the roles that are listed: nobody else is granted them.
	IAMAuthoritativeRoles IAMMode = "AuthoritativeRoles"
	// IAMAuthoritative owns the whole policy: nothing is granted but what is listed.
	IAMAuthoritative IAMMode = "Authoritative"
)

// IAMDeletedPrincipals says what becomes of grants whose principal was deleted (deleted:user:…?uid=…).
// +kubebuilder:validation:Enum=Keep;Remove
type IAMDeletedPrincipals string

// The values of IAMDeletedPrincipals.
const (
	// IAMDeletedPrincipalsKeep leaves and reports them: undeleting an account brings its grants back.
	IAMDeletedPrincipalsKeep IAMDeletedPrincipals = "Keep"
	// IAMDeletedPrincipalsRemove removes them: in the roles that are listed, with mode Authoritative in all.
	IAMDeletedPrincipalsRemove IAMDeletedPrincipals = "Remove"
)

// IAMPolicy is what a manifest says of a resource's IAM policy. It is written as one policy, with its etag, whatever the number
// of grants. spec.adoption does not apply with mode Additive: granting takes nothing over.
//
// +kubebuilder:validation:XValidation:rule="!has(self.bindings) || self.bindings.map(b, has(b.members) ? size(b.members) : 0).sum() + self.bindings.map(b, has(b.serviceAccountRefs) ? size(b.serviceAccountRefs) : 0).sum() <= 1500",message="bindings: more than 1,500 members in all, which is as many as Google allows in one policy: grant to groups"
// +kubebuilder:validation:XValidation:rule="!has(self.mode) || self.mode != 'Authoritative' || has(self.bindings) && size(self.bindings) > 0",message="bindings is missing or empty, and with mode Authoritative that would empty the policy: list what shall be granted"
type IAMPolicy struct {
	// mode says how much of the policy this manifest owns. Additive grants what is listed and revokes only what it granted
	// itself. AuthoritativeRoles owns the roles that are listed, under any condition: whoever else holds one loses it.
	// Authoritative owns the whole policy, and with it every role that is not listed. Kept all the same are the access of
	// Holdfast itself, the last owners, Google's service agents, and grants that others made for a limited time:
	// status.iam.kept names them, and how to remove one.
	// +optional
	// +kubebuilder:default=Additive
	Mode IAMMode `json:"mode,omitempty"`

	// bindings are the grants. Order means nothing, and bindings of one role and condition are as one. All the bindings of a
	// policy, whoever made them, may have 1,500 members together, and among them 250 groups and domains.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=250
	Bindings []IAMBinding `json:"bindings,omitzero"`

	// deletedPrincipals says what becomes of grants whose principal was deleted (deleted:user:…?uid=…). Keep leaves and reports
	// them: undeleting an account brings its grants back. Remove removes them in the roles that are listed, with mode
	// Authoritative in all. Default: Keep.
	// +optional
	DeletedPrincipals IAMDeletedPrincipals `json:"deletedPrincipals,omitempty"`

	// safety bounds what is removed without anybody's approval. Removing an owner waits for approval in any case, and so does
	// the first plan of mode AuthoritativeRoles or Authoritative that removes anything.
	// +optional
	Safety *IAMSafety `json:"safety,omitempty"`
}

// IAMSafety bounds what is removed without anybody's approval.
type IAMSafety struct {
	// maxRemovals is how many members one plan may remove from their roles, whoever granted them: with more it waits for
	// approval. 0 to 1500; 0 is to ask before each removal. Default: 10.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1500
	MaxRemovals *int32 `json:"maxRemovals,omitempty"`
}

// IAMBinding grants a role to members.
//
// What Google refuses of any binding that has a condition, by https://cloud.google.com/iam/docs/managing-conditional-role-bindings:
// +kubebuilder:validation:XValidation:rule="!has(self.condition) || !(self.role in ['roles/owner', 'roles/editor', 'roles/viewer'])",message="condition: Google takes none with the basic roles roles/owner, roles/editor and roles/viewer: remove it, or grant narrower roles"
// +kubebuilder:validation:XValidation:rule="!has(self.condition) || !has(self.members) || !('allUsers' in self.members || 'allAuthenticatedUsers' in self.members)",message="condition: Google takes none with allUsers and allAuthenticatedUsers: remove it, or name other members"
//
// +kubebuilder:validation:XValidation:rule="has(self.members) && size(self.members) > 0 || has(self.serviceAccountRefs) && size(self.serviceAccountRefs) > 0",message="members and serviceAccountRefs are both empty: name whom the role is granted to, or remove the binding"
type IAMBinding struct {
	// role is a predefined role, roles/NAME, or a custom one, projects/P/roles/NAME or organizations/N/roles/NAME.
	// +required
	// +kubebuilder:validation:XValidation:rule="self.startsWith('roles/') || self.startsWith('projects/') || self.startsWith('organizations/')",message="a role is roles/NAME, or a custom one, projects/P/roles/NAME or organizations/N/roles/NAME"
	// +kubebuilder:validation:MaxLength=200
	// +kubebuilder:validation:Pattern=`^(roles|projects/[a-z0-9.:-]+/roles|organizations/[0-9]+/roles)/[A-Za-z0-9_.]{1,100}$`
	Role string `json:"role"`

	// members are whom the role is granted to. The case of e-mails means nothing.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=1500
	Members []IAMMember `json:"members,omitzero"`

	// serviceAccountRefs are service accounts that the role is granted to once they exist. While one is waited for, the others
	// are granted the role already and nothing is removed.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=250
	ServiceAccountRefs []ServiceAccountRef `json:"serviceAccountRefs,omitzero"`

	// condition limits the grant. A member may hold a role under up to 20 conditions.
	// +optional
	Condition *IAMCondition `json:"condition,omitempty"`
}

// IAMMember is a principal, at most 512 characters long, as https://cloud.google.com/iam/docs/principal-identifiers has them:
// user:E-MAIL, group:E-MAIL, serviceAccount:E-MAIL, serviceAccount:POOL.id.goog[NAMESPACE/NAME] for a Kubernetes service
// account (POOL is PROJECT.svc on GKE), domain:DOMAIN, principal://DOMAIN/PATH, principalSet://DOMAIN/PATH and
// principalHierarchy://DOMAIN/PATH for identity pools and the like, projectOwner:P, projectEditor:P, projectViewer:P, allUsers
// or allAuthenticatedUsers. Principals that were deleted (deleted:…) cannot be granted anything.
//
// +kubebuilder:validation:XValidation:rule="self.startsWith('user:') || self.startsWith('serviceAccount:') || self.startsWith('group:') || self.startsWith('domain:') || self.startsWith('principal') || self.startsWith('project') || self.startsWith('all')",message="a member is allUsers, allAuthenticatedUsers or a name with its type, such as user:ada@example.com; the types are user, group, serviceAccount, domain, projectOwner, projectEditor, projectViewer, and principal://, principalSet:// and principalHierarchy://"
// +kubebuilder:validation:MaxLength=512
// +kubebuilder:validation:Pattern=`^(allUsers|allAuthenticatedUsers|(user|group):[^\s:@,]+@[^\s:@,]+\.[^\s:@,.]+|serviceAccount:([^\s:@,/]+@([^\s:@,/]+\.)?gserviceaccount\.com|([a-z0-9.-]+:)?[a-z0-9.-]+\.id\.goog\[[a-z0-9-]+/[a-z0-9.-]+\])|domain:[^\s:@,]+\.[^\s:@,.]+|project(Owner|Editor|Viewer):([a-z0-9.-]+:)?[a-z0-9-]+|principal(Set|Hierarchy)?://[^\s/:]+/\S(.*\S)?)$`
type IAMMember string

// ServiceAccountRef names a service account, one way or the other.
//
// +kubebuilder:validation:XValidation:rule="has(self.name) != has(self.external)",message="give exactly one of name (a ServiceAccount) and external (an e-mail)"
// +kubebuilder:validation:XValidation:rule="!has(self.namespace) || has(self.name)",message="namespace goes with name only: an external account has none"
type ServiceAccountRef struct {
	// name is the metadata.name of a ServiceAccount of the group gcp.holdfast.dev. The grant waits until that account exists.
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

// IAMCondition limits a grant. Two conditions that differ in white space only are the same.
type IAMCondition struct {
	// title is a short name of what the condition is for, at most 100 characters long.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=100
	Title string `json:"title"`

	// description says more, in at most 256 characters.
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

// IAMStatus is what Holdfast knows of a resource's IAM policy.
type IAMStatus struct {
	// mode is the mode that was last applied.
	// +optional
	Mode IAMMode `json:"mode,omitempty"`

	// grants are those that this manifest made, and that it revokes when they leave it.
	// +optional
	// +listType=atomic
	Grants []IAMGrants `json:"grants,omitempty"`

	// pending are grants that were about to be made when this was recorded and are not yet confirmed.
	// +optional
	// +listType=atomic
	Pending []IAMGrants `json:"pending,omitempty"`

	// auditServices are the services whose audit configs this manifest has set.
	// +optional
	// +listType=atomic
	AuditServices []string `json:"auditServices,omitempty"`

	// kept are grants that the manifest would remove and that are left alone, with the reason.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Kept []IAMKept `json:"kept,omitempty"`

	// refused are members that Google does not accept. They are tried again when the manifest changes, or when a reconcile is
	// asked for.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Refused []IAMRefusal `json:"refused,omitempty"`

	// members counts those in the live policy, each at every appearance, of 1,500 that Google allows.
	// +optional
	Members int64 `json:"members,omitempty"`

	// groups counts the groups and domains among them, of 250 that Google allows.
	// +optional
	Groups int64 `json:"groups,omitempty"`
}

// IAMGrants are members that hold a role.
type IAMGrants struct {
	// role is what is granted.
	Role string `json:"role"`
	// condition limits it.
	// +optional
	Condition *IAMCondition `json:"condition,omitempty"`
	// members hold it.
	// +listType=atomic
	Members []string `json:"members"`
}

// IAMKept is a grant that is left alone.
type IAMKept struct {
	// role is what is granted.
	Role string `json:"role"`
	// member holds it.
	Member string `json:"member"`
	// why says what keeps it, and how a person can remove it all the same.
	Why string `json:"why"`
}

// IAMRefusal is a member that Google does not accept.
type IAMRefusal struct {
	// member is as in the manifest.
	Member string `json:"member"`
	// message is what Google says.
	Message string `json:"message"`
	// generation is the manifest's when it was refused.
	Generation int64 `json:"generation"`
}
