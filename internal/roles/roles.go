// Package roles has the custom roles of Google Cloud by which Holdfast may do what it does and nothing else: their permissions are those that
// the kinds declare for their calls. config/gcp is written from it.
package roles

import (
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
)

// Role is a custom role.
type Role struct {
	// ID is its name within an organization or a project, such as holdfast.bucket.observe.
	ID string
	// Title and Description are what people see of it.
	Title, Description string
	// Permissions are what it allows, sorted.
	Permissions []string
}

// access is how a role for an access is called, and what is said of it. In both, {kind} stands for the kind, and {name} for what people
// call the resource.
type access struct {
	is kind.Access
	// with are further accesses that the role has, so that it is enough by itself.
	with               []kind.Access
	title, description string
}

// ofKinds are the roles that each kind has, as far as it declares permissions for them.
var ofKinds = []access{
	{is: kind.AccessObserve, title: "{kind}, Observe", description: "All that a {kind} takes whose management is Observe: reads alone."},
	{
		is: kind.AccessManage, with: []kind.Access{kind.AccessObserve}, title: "{kind}, Manage or Approve",
		description: "What a {kind} takes whose management is Manage or Approve, reads included.",
	},
	{
		is: kind.AccessDelete, title: "{kind}, deletionPolicy: Delete",
		description: "Deletes a {name}: on top of Manage, for deletionPolicy: Delete.",
	},
	{
		is: kind.AccessDeleteWithContents, title: "{kind}, deletionPolicy: DeleteWithContents",
		description: "Deletes what is in a {name}: on top of Manage and Delete, for deletionPolicy: DeleteWithContents.",
	},
	{
		is: kind.AccessGrant, title: "{kind}, grants",
		description: "Grants on a {name}, to anybody: on top of Manage, for {cases}.",
	},
}

// shared are the roles that are the same for all kinds.
var shared = []access{
	{is: kind.AccessImpersonate, title: "act as an account", description: "Acts as a service account. To be granted on the account, for {cases}."},
	{is: kind.AccessInventory, title: "asset inventory", description: "Lists assets, for {cases}."},
	{is: kind.AccessQuota, title: "quota", description: "Has the quota of a project used, and the project billed, for {cases}."},
}

// All are all roles: those of each kind, then the ones that are shared.
func All() []Role {
	var roles []Role
	var all []kind.Method
	for _, k := range kinds.All(nil) {
		roles = append(roles, of(k)...)
		all = append(all, k.Methods...)
	}
	all = append(all, gcp.Methods()...)
	for _, a := range shared {
		roles = append(roles, a.role("holdfast."+string(a.is), all))
	}
	return roles
}

// of are the roles of a kind.
func of(k kind.Kind) []Role {
	methods := slices.Concat(gcp.Methods(), k.Methods)
	fill := strings.NewReplacer("{kind}", k.Kind, "{name}", k.Name)
	var roles []Role
	for _, a := range ofKinds {
		if !slices.ContainsFunc(k.Methods, func(m kind.Method) bool { return m.PermittedBy() == a.is }) {
			continue
		}
		r := a.role("holdfast."+k.Label()+"."+string(a.is), methods)
		r.Title, r.Description = fill.Replace(r.Title), fill.Replace(r.Description)
		roles = append(roles, r)
	}
	return roles
}

// role is the role for an access among methods.
func (a access) role(id string, methods []kind.Method) Role {
	var cases, permissions []string
	for _, m := range methods {
		if by := m.PermittedBy(); by != a.is && !slices.Contains(a.with, by) {
			continue
		}
		permissions = append(permissions, m.Permissions...)
		if c := strings.ReplaceAll(m.For, "`", ""); c != "" && !slices.Contains(cases, c) {
			cases = append(cases, c)
		}
	}
	slices.Sort(permissions)
	return Role{
		ID: id, Title: "Holdfast: " + a.title, Description: strings.ReplaceAll(a.description, "{cases}", strings.Join(cases, " and ")),
		Permissions: slices.Compact(permissions),
	}
}

// Named finds a role by its ID.
func Named(id string) (Role, error) {
	all := All()
	i := slices.IndexFunc(all, func(r Role) bool { return r.ID == id })
	if i < 0 {
		return Role{}, fmt.Errorf("there is no role %s", id)
	}
	return all[i], nil
}
