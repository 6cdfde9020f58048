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

// Methods are those of Google's methods that Clients calls by itself, whatever the kind.
func Methods() []kind.Method {
	return []kind.Method{
		{
			Service: kind.ServiceResourceManager, Name: "Projects.GetProject", Scope: kind.ScopeQuotaProject,
			Permissions: []string{"resourcemanager.projects.get"},
		},
		{
			Service: serviceCredentials, Name: methodToken, Scope: kind.ScopeUnlimited,
			Permissions: []string{"iam.serviceAccounts.getAccessToken"}, For: "holdfast.dev/impersonate-service-account",
		},
		{Service: serviceOAuth, Name: methodTokenInfo, Scope: kind.ScopeUnlimited, NoPermissions: "whoever has a token may ask about it"},
		{Service: serviceMetadata, Name: methodEmail, Scope: kind.ScopeUnlimited, NoPermissions: "it answers everybody on its machine"},
	}
}

type methodName struct {
	service kind.Service
	name    string
}

// methods are those that may be called, each as its first entry has it.
type methods map[methodName]kind.Method

// newMethods fails if a declaration lacks something, or two of one method differ in the scope.
func newMethods(declared []kind.Method) (methods, error) {
	all := methods{}
	var errs []error
	for _, m := range declared {
		name := methodName{m.Service, m.Name}
		first, again := all[name]
		if again && first.Scope != m.Scope {
			errs = append(errs, fmt.Errorf("method %s %s: declared with the scopes %q and %q", m.Service, m.Name, first.Scope, m.Scope))
		}
		if !again {
			all[name] = m
		}
		errs = append(errs, m.Validate())
	}
	return all, errors.Join(errs...)
}

// scope is the scope of a call, or an error of class Invalid if none is declared: what is not limited is not sent.
func (m methods) scope(c call) (kind.Scope, error) {
	if declared, ok := m[methodName{c.service, c.method}]; ok {
		return declared.Scope, nil
	}
	return "", &Error{Class: kind.Invalid, Message: fmt.Sprintf(
		"no quota scope is declared for %s %s: add it to the kind's Methods", c.service, c.title())}
}
