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

// IAMPolicy is what a manifest says of a resource's IAM policy.
//
// +kubebuilder:validation:XValidation:rule="!has(self.bindings) || self.bindings.map(b, has(b.members) ? size(b.members) : 0).sum() + self.bindings.map(b, has(b.serviceAccountRefs) ? size(b.serviceAccountRefs) : 0).sum() <= 1500",message="bindings: more than 1,500 members in all, which is as many as Google allows in one policy: grant to groups"
// +kubebuilder:validation:XValidation:rule="!has(self.mode) || self.mode != 'Authoritative' || has(self.bindings) && size(self.bindings) > 0",message="bindings is missing or empty, and with mode Authoritative that would empty the policy: list what shall be granted"
type IAMPolicy struct {
	// mode says how much of the policy this manifest owns. Additive grants what is listed and revokes only what it granted
	// itself; AuthoritativeRoles owns the listed roles; Authoritative owns the policy.
	// +optional
	// +kubebuilder:default=Additive
	Mode IAMMode `json:"mode,omitempty"`

	// bindings are the grants. Order means nothing, and bindings of one role and condition are as one.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=250
	Bindings []IAMBinding `json:"bindings,omitzero"`

	// deletedPrincipals says what becomes of grants whose principal was deleted. Default: Keep.
	// +optional
	DeletedPrincipals IAMDeletedPrincipals `json:"deletedPrincipals,omitempty"`

	// safety bounds what is removed without anybody's approval.
	// +optional
	Safety *IAMSafety `json:"safety,omitempty"`
}

// IAMSafety bounds what is removed without anybody's approval.
type IAMSafety struct {
	// maxRemovals is how many members one plan may remove from their roles, whoever granted them: with more it waits for
	// approval. Default: 10.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1500
	MaxRemovals *int32 `json:"maxRemovals,omitempty"`
}

// IAMBinding grants a role to members.
//
// +kubebuilder:validation:XValidation:rule="has(self.members) && size(self.members) > 0 || has(self.serviceAccountRefs) && size(self.serviceAccountRefs) > 0",message="members and serviceAccountRefs are both empty: name whom the role is granted to, or remove the binding"
type IAMBinding struct {
	// role is roles/NAME, projects/P/roles/NAME or organizations/N/roles/NAME.
	// +required
	// +kubebuilder:validation:MaxLength=200
	// +kubebuilder:validation:Pattern=`^(roles|projects/[a-z0-9.:-]+/roles|organizations/[0-9]+/roles)/[A-Za-z0-9_.]{1,100}$`
	Role string `json:"role"`

	// members are whom the role is granted to.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=1500
	Members []IAMMember `json:"members,omitzero"`

	// serviceAccountRefs are service accounts that the role is granted to once they exist.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=250
	ServiceAccountRefs []ServiceAccountRef `json:"serviceAccountRefs,omitzero"`

	// condition limits the grant.
	// +optional
	Condition *IAMCondition `json:"condition,omitempty"`
}

// IAMMember is a principal: user:E-MAIL, group:E-MAIL, serviceAccount:E-MAIL, serviceAccount:PROJECT.svc.id.goog[NAMESPACE/NAME],
// domain:DOMAIN, principal://…, principalSet://…, projectOwner:P, projectEditor:P, projectViewer:P, allUsers or
// allAuthenticatedUsers. https://cloud.google.com/iam/docs/principal-identifiers
//
// +kubebuilder:validation:MaxLength=512
// +kubebuilder:validation:Pattern=`^(allUsers|allAuthenticatedUsers|(user|group):[^\s:@,]+@[^\s:@,]+\.[^\s:@,]+|serviceAccount:([^\s:@,]+@[^\s:@,]+\.[^\s:@,]+|[a-z0-9.:-]+\.svc\.id\.goog\[[a-z0-9-]+/[a-z0-9.-]+\])|domain:[^\s:@,]+\.[^\s:@,]+|project(Owner|Editor|Viewer):[a-z0-9.:-]+|principal(Set)?://[^\s]+)$`
type IAMMember string

// ServiceAccountRef names a service account, one way or the other.
//
// +kubebuilder:validation:XValidation:rule="has(self.name) != has(self.external)",message="give exactly one of name (a ServiceAccount in this namespace) and external (an e-mail)"
type ServiceAccountRef struct {
	// name is a ServiceAccount of the group gcp.holdfast.dev in the same namespace. It is waited for.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`

	// external is the e-mail of a service account that is managed elsewhere.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^[^\s:@,]+@[^\s:@,]+\.gserviceaccount\.com$`
	External string `json:"external,omitempty"`
}

// IAMCondition limits a grant. Two conditions that differ in white space only are the same.
type IAMCondition struct {
	// title is a short name of what the condition is for.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=100
	Title string `json:"title"`

	// description says more.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Description string `json:"description,omitempty"`

	// expression is in Common Expression Language: https://cloud.google.com/iam/docs/conditions-overview
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

	// members and groups count those in the live policy, of 1,500 and 250 that Google allows.
	// +optional
	Members int64 `json:"members,omitempty"`
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
