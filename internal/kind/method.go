package kind

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Method is one of Google's methods that a kind calls. A method that needs further permissions in some case has one more entry
// for it, with the same scope: CreateTopic needs pubsub.topics.create, and for spec.schemaSettings pubsub.schemas.attach as well.
type Method struct {
	// Service is the Google service, such as ServiceStorage.
	Service Service
	// Name is the method's name as metrics have it: buckets.get in a JSON API, Publisher.GetTopic in a gRPC API.
	Name string
	// Step is what a call does for a kind. What the quota is that it counts against follows from it.
	Step Step
	// Scope is what a call counts against.
	Scope Scope
	// Permissions are what a call needs, all of them, such as storage.buckets.get. If Google denies a call of the method without
	// saying why, the first of its first entry is taken to be missing.
	Permissions []string
	// OnProject says that the permissions are needed on the project, since there is no resource yet.
	OnProject bool
	// NoPermissions says why a call needs none, if it needs none.
	NoPermissions string
	// Access is what the permissions are granted for, if that does not follow from the step.
	Access Access
	// For says in which case the call is made, or needs these permissions, if not for every resource: the field of the manifest, with
	// its value if only that one matters ("spec.iam", "deletionPolicy: DeleteWithContents"), or a case in words, such as ForLists.
	For string
}

// Cases that no field of a manifest stands for.
const (
	// ForLists is the case of methods that list the resources of a project.
	ForLists = "sweeps and first looks"
	// ForUndelete is the case of methods that undo a deletion.
	ForUndelete = "undoing a deletion in Google Cloud"
)

// Service is a Google service, as metrics and limits name it.
type Service string

// The services that kinds call, and the one that lists all kinds.
const (
	ServiceStorage         Service = "storage"
	ServicePubSub          Service = "pubsub"
	ServiceIAM             Service = "iam"
	ServiceResourceManager Service = "resourcemanager"
	// ServiceAsset is called by no kind.
	ServiceAsset Service = "asset"
)

// Step is a step of a kind that calls Google: a function of Fields or Policy. The zero value is none.
type Step string

// The steps.
const (
	StepObserve   Step = "observe"
	StepCreate    Step = "create"
	StepUpdate    Step = "update"
	StepDelete    Step = "delete"
	StepList      Step = "list"
	StepEmpty     Step = "empty"
	StepUndelete  Step = "undelete"
	StepGetPolicy Step = "get policy"
	StepSetPolicy Step = "set policy"
	// StepIdentify is no kind's: it finds out whose a resource is, or who we are.
	StepIdentify Step = "identify"
)

// Access is what permissions are granted for. The permissions of a kind for one purpose make a custom role, see internal/roles.
type Access string

// The accesses of a kind.
const (
	// AccessObserve is looking: all that management: Observe takes.
	AccessObserve Access = "observe"
	// AccessManage is creating and changing.
	AccessManage Access = "manage"
	// AccessDelete is deleting a resource that is empty.
	AccessDelete Access = "delete"
	// AccessDeleteWithContents is deleting what is in a resource.
	AccessDeleteWithContents Access = "deleteWithContents"
	// AccessGrant is changing who may do what with a resource, which whoever has it may use for himself.
	AccessGrant Access = "grant"
)

// The accesses that are the same for all kinds.
const (
	// AccessImpersonate is acting as a service account.
	AccessImpersonate Access = "impersonate"
	// AccessInventory is listing the assets of many projects.
	AccessInventory Access = "inventory"
	// AccessQuota is having a project's quota used, and the project billed.
	AccessQuota Access = "quota"
)

// accesses has every step.
var accesses = map[Step]Access{
	StepObserve: AccessObserve, StepGetPolicy: AccessObserve, StepIdentify: AccessObserve, StepList: AccessObserve,
	StepCreate: AccessManage, StepUpdate: AccessManage, StepUndelete: AccessManage,
	StepDelete:    AccessDelete,
	StepEmpty:     AccessDeleteWithContents,
	StepSetPolicy: AccessGrant,
}

// PermittedBy is what the permissions are granted for.
func (m Method) PermittedBy() Access { return cmp.Or(m.Access, accesses[m.Step]) }

// Quota is what Google counts together, within a scope.
type Quota string

// The quotas. Where Google has fewer, several of these are one and the same.
const (
	QuotaReads    Quota = "reads"
	QuotaLists    Quota = "lists"
	QuotaWrites   Quota = "writes"
	QuotaCreates  Quota = "creations and deletions"
	QuotaContents Quota = "calls for contents"
)

// quotas has every step.
var quotas = map[Step]Quota{
	StepObserve: QuotaReads, StepGetPolicy: QuotaReads, StepIdentify: QuotaReads,
	StepList:   QuotaLists,
	StepUpdate: QuotaWrites, StepSetPolicy: QuotaWrites,
	StepCreate: QuotaCreates, StepDelete: QuotaCreates, StepUndelete: QuotaCreates,
	StepEmpty: QuotaContents,
}

// Quota is what a call of the step counts against.
func (s Step) Quota() Quota { return quotas[s] }

// Scope is what a call counts against in Google's quotas. The zero value is none, and a call without a scope is refused.
type Scope string

// The scopes.
const (
	// ScopeProject is the project of the resource.
	ScopeProject Scope = "project"
	// ScopeQuotaProject is the quota project of the credentials that the call is made with.
	ScopeQuotaProject Scope = "quota project"
	// ScopeBucket is the project of the bucket, and the bucket itself, whose metadata may be updated about once a second.
	ScopeBucket Scope = "bucket"
	// ScopeContents is what is in the bucket, and nothing else: calls for it do not count against the project.
	ScopeContents Scope = "contents of the bucket"
	// ScopeUnlimited is for calls that are few, and whose quota is out of reach or does not exist.
	ScopeUnlimited Scope = "unlimited"
)

var scopes = []Scope{ScopeProject, ScopeQuotaProject, ScopeBucket, ScopeContents, ScopeUnlimited}

// Validate says what the declaration lacks.
func (m Method) Validate() error {
	var errs []error
	if m.Service == "" {
		errs = append(errs, errors.New("no service"))
	}
	if m.Name == "" {
		errs = append(errs, errors.New("no name"))
	}
	if m.Step.Quota() == "" {
		errs = append(errs, fmt.Errorf("no known step, but %q", m.Step))
	}
	if !slices.Contains(scopes, m.Scope) {
		errs = append(errs, fmt.Errorf("no known scope, but %q", m.Scope))
	}
	if slices.Contains(m.Permissions, "") {
		errs = append(errs, errors.New("an empty permission"))
	}
	if (len(m.Permissions) == 0) == (m.NoPermissions == "") {
		errs = append(errs, errors.New("want either Permissions or a reason in NoPermissions"))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("method %s %s: %w", m.Service, m.Name, err)
	}
	return nil
}
