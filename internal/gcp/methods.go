package gcp

import (
	"errors"
	"fmt"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// The services that only this package calls.
const (
	serviceCredentials kind.Service = "iamcredentials"
	serviceOAuth       kind.Service = "oauth2"
	serviceMetadata    kind.Service = "metadata"
)

// The methods of those.
const (
	methodToken     = "ServiceAccounts.generateAccessToken"
	methodTokenInfo = "tokeninfo"
	methodEmail     = "email"
)

// ForProjects is the case in which projects are asked for.
const ForProjects = "a `Bucket`, whose project number is compared, and for recognizing a project that is shut down"

// ForQuotaProject is the case in which calls use the quota of a project that is named.
const ForQuotaProject = "`--quota-project`, on that project"

// ForAssets is the case in which assets are listed.
const ForAssets = "`--asset-scope`, on that organization, folder or project"

// Methods are those of Google's methods that Clients calls by itself, whatever the kind.
func Methods() []kind.Method {
	return []kind.Method{
		{
			Service: kind.ServiceResourceManager, Name: "Projects.GetProject", Step: kind.StepIdentify, Scope: kind.ScopeQuotaProject,
			Permissions: []string{"resourcemanager.projects.get"}, For: ForProjects,
		},
		{
			// Of all methods, of all accounts.
			Service: kind.ServiceResourceManager, Name: "Projects.GetProject", Step: kind.StepIdentify, Scope: kind.ScopeQuotaProject,
			Permissions: []string{useProject}, Access: kind.AccessQuota, For: ForQuotaProject,
		},
		{
			Service: serviceCredentials, Name: methodToken, Step: kind.StepIdentify, Scope: kind.ScopeUnlimited,
			Permissions: []string{"iam.serviceAccounts.getAccessToken"}, Access: kind.AccessImpersonate,
			For: "holdfast.dev/impersonate-service-account",
		},
		{
			Service: serviceOAuth, Name: methodTokenInfo, Step: kind.StepIdentify, Scope: kind.ScopeUnlimited,
			NoPermissions: "whoever has a token may ask about it",
		},
		{
			Service: serviceMetadata, Name: methodEmail, Step: kind.StepIdentify, Scope: kind.ScopeUnlimited,
			NoPermissions: "it answers everybody on its machine",
		},
		{
			Service: kind.ServiceAsset, Name: "AssetService.ListAssets", Step: kind.StepList, Scope: kind.ScopeQuotaProject,
			Permissions: []string{assetPermissions[kind.AssetResources]}, Access: kind.AccessInventory, For: ForAssets,
		},
		{
			Service: kind.ServiceAsset, Name: "AssetService.ListAssets", Step: kind.StepList, Scope: kind.ScopeQuotaProject,
			Permissions: []string{assetPermissions[kind.AssetPolicies]}, Access: kind.AccessInventory, For: ForAssets,
		},
	}
}

type methodName struct {
	service kind.Service
	name    string
}

// methods are those that may be called, each as its first entry has it.
type methods map[methodName]kind.Method

// newMethods fails if a declaration lacks something, two of one method differ in step or scope, or nobody knows the quota of a limited one.
func newMethods(declared []kind.Method) (methods, error) {
	all := methods{}
	var errs []error
	for _, m := range declared {
		name := methodName{m.Service, m.Name}
		first, again := all[name]
		if again && (first.Scope != m.Scope || first.Step != m.Step) {
			errs = append(errs, fmt.Errorf("method %s %s: declared as %s in the scope %q and as %s in the scope %q",
				m.Service, m.Name, first.Step, first.Scope, m.Step, m.Scope))
		}
		if !again {
			all[name] = m
		}
		if err := m.Validate(); err != nil {
			errs = append(errs, err)
		} else if _, known := quotaOf(m); !known && m.Scope != kind.ScopeUnlimited {
			errs = append(errs, fmt.Errorf("method %s %s: no quota is known of %s for %s", m.Service, m.Name, m.Service, m.Step.Quota()))
		}
	}
	return all, errors.Join(errs...)
}

// declared is the declaration of a call's method, or an error of class Invalid if there is none: what is not limited is not sent.
func (m methods) declared(c call) (kind.Method, error) {
	if declared, ok := m[methodName{c.service, c.method}]; ok {
		return declared, nil
	}
	return kind.Method{}, &Error{Class: kind.Invalid, Message: fmt.Sprintf(
		"no quota scope is declared for %s %s: add it to the kind's Methods", c.service, c.title())}
}
