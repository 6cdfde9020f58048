// Package access enforces IAM where it is asked to: each call is held against
// the policies that the emulator stores, of the resource and of its project.
// Elsewhere in the emulator policies are kept and refuse nobody.
package access

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"cloud.google.com/go/iam/apiv1/iampb"

	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// Cloud has the policies that decide.
type Cloud interface {
	// ResourcePolicy is the policy of what a call is about; nil if it has
	// none, or is not there.
	ResourcePolicy(call traffic.Call) *iampb.Policy
	// ProjectPolicy is the policy of a project.
	ProjectPolicy(projectID string) *iampb.Policy
}

// Enforcer knows who the callers are and what roles are for. All methods may
// be called at any time.
type Enforcer struct {
	cloud Cloud

	mu      sync.Mutex
	bearers map[string]string
	custom  map[string][]string
	used    map[string]map[string]bool
}

// New returns an Enforcer that knows of no token.
func New(cloud Cloud) *Enforcer {
	return &Enforcer{cloud: cloud, bearers: map[string]string{}, custom: map[string][]string{}, used: map[string]map[string]bool{}}
}

// Token issues an access token of a member, such as "user:eve@example.com".
func (e *Enforcer) Token(member string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	token := "ya29." + strconv.Itoa(len(e.bearers)+1)
	e.bearers[token] = member
	return token
}

// SetRole says which permissions a custom role has, such as
// "projects/p/roles/operator", or one that is not known here. The last
// character of a permission may be *.
func (e *Enforcer) SetRole(role string, permissions ...string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.custom[role] = permissions
}

// Used returns the permissions that calls of a member took, and that he had.
func (e *Enforcer) Used(member string) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Sorted(maps.Keys(e.used[member]))
}

func (e *Enforcer) use(member, permission string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.used[member] == nil {
		e.used[member] = map[string]bool{}
	}
	e.used[member][permission] = true
}

// Check is the guard of the traffic: it knows callers by their tokens, and
// refuses what takes a permission that the caller lacks, whatever the content
// of the call. What Google would find wrong with a call before it looks at
// policies is left to the service: a call about no project passes.
func (e *Enforcer) Check(call traffic.Call, credentials traffic.Credentials) (traffic.Principal, *traffic.Refusal) {
	member, known := e.caller(credentials.Token)
	who := e.principal(call, member)
	if !known {
		return who, &traffic.Refusal{Call: call, Status: http.StatusUnauthorized}
	}
	permission, known := permissionOf(call)
	switch billed := credentials.UserProject; {
	case !known:
		return who, &traffic.Refusal{
			Call: call, Status: http.StatusForbidden, Message: fmt.Sprintf("The emulator does not know which permission %s needs.", call),
		}
	case billed != "" && call.Service != "storage" && !who.HasOn(traffic.Call{Service: "serviceusage", Project: billed}, useProject):
		return who, notBilled(call, billed)
	case permission != "" && call.Project != "" && !who.Has(permission):
		return who, denied(call, who.Email(), permission)
	}
	return who, nil
}

// caller is whose token it is. Without one it is the caller of all calls that
// carry no credentials.
func (e *Enforcer) caller(token string) (member string, known bool) {
	if token == "" {
		return "serviceAccount:" + traffic.Caller, true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	member, known = e.bearers[token]
	return member, known
}

// principal is a member who makes a call. The policies are read at once: a
// service that asks has a lock that whoever reads its policies needs.
type principal struct {
	*Enforcer
	member            string
	project, resource *iampb.Policy
}

func (e *Enforcer) principal(call traffic.Call, member string) principal {
	return principal{e, member, e.cloud.ProjectPolicy(call.Project), e.cloud.ResourcePolicy(call)}
}

// Email implements traffic.Principal.
func (p principal) Email() string {
	_, email, _ := strings.Cut(p.member, ":")
	return email
}

// Has implements traffic.Principal: the policy of what the call is about, or
// the one of its project, which is inherited, gives the permission.
func (p principal) Has(permission string, granting ...string) bool {
	if p.gives(p.project, permission, granting) || !onProject(permission) && p.gives(p.resource, permission, granting) {
		p.use(p.member, permission)
		return true
	}
	return false
}

// HasOn implements traffic.Principal.
func (p principal) HasOn(other traffic.Call, permission string) bool {
	return p.principal(other, p.member).Has(permission)
}

func (p principal) gives(policy *iampb.Policy, permission string, granting []string) bool {
	return slices.ContainsFunc(policy.GetBindings(), func(b *iampb.Binding) bool {
		return met(b.GetCondition(), granting) && p.has(b.GetRole(), permission) &&
			slices.ContainsFunc(b.GetMembers(), func(member string) bool { return p.covers(member, p.member) })
	})
}

// convenience are the members that stand for those who have a basic role in a
// project.
var convenience = map[string]string{"projectOwner": "roles/owner", "projectEditor": "roles/editor", "projectViewer": "roles/viewer"}

// covers reports whether a member of a policy is the caller, or one of many
// among whom the caller is. Groups and principal sets have nobody in them.
func (e *Enforcer) covers(member, caller string) bool {
	kind, name, _ := strings.Cut(member, ":")
	switch {
	case strings.EqualFold(member, caller), member == "allUsers", member == "allAuthenticatedUsers":
		return true
	case kind == "domain":
		return strings.HasPrefix(caller, "user:") && strings.HasSuffix(strings.ToLower(caller), "@"+strings.ToLower(name))
	case convenience[kind] != "":
		return slices.ContainsFunc(e.cloud.ProjectPolicy(name).GetBindings(), func(b *iampb.Binding) bool {
			return b.GetCondition() == nil && b.GetRole() == convenience[kind] && slices.Contains(b.GetMembers(), caller)
		})
	}
	return false
}

// has reports whether a permission is in a role.
func (e *Enforcer) has(role, permission string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	included, known := e.custom[role]
	if !known {
		included = predefined[role].includes
	}
	return matches(included, permission) && !matches(predefined[role].excludes, permission)
}

func matches(patterns []string, permission string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		prefix, open := strings.CutSuffix(pattern, "*")
		return pattern == permission || open && strings.HasPrefix(permission, prefix)
	})
}
