package policy_test

import (
	"testing"

	"cloud.google.com/go/iam/apiv1/iampb"
	"google.golang.org/genproto/googleapis/type/expr"

	"github.com/holdfast-dev/holdfast/test/emulator/policy"
	"github.com/holdfast-dev/holdfast/test/emulator/projects"
)

// The accounts of the tests, by e-mail address; those in gone are deleted.
const (
	reader = "reader@my-project.iam.gserviceaccount.com"
	writer = "writer@my-project.iam.gserviceaccount.com"
)

// accounts are service accounts whose unique IDs tests choose.
type accounts map[string]string

func (a accounts) UniqueID(email string) (string, bool) {
	uid, ok := a[email]
	return uid, ok
}

func (a accounts) Exists(uid string) bool {
	for _, other := range a {
		if other == uid {
			return true
		}
	}
	return false
}

// newDirectory returns a directory of the project "my-project" with the
// accounts reader (11) and writer (22).
func newDirectory(t testing.TB) (*policy.Directory, accounts) {
	t.Helper()
	registry := projects.New(true)
	if err := registry.Add(projects.Project{ID: "my-project"}); err != nil {
		t.Fatal(err)
	}
	if err := registry.Add(projects.Project{ID: "example.com:scoped"}); err != nil {
		t.Fatal(err)
	}
	known := accounts{reader: "11", writer: "22"}
	directory := policy.NewDirectory(registry)
	directory.UseAccounts(known)
	return directory, known
}

func binding(role string, members ...string) *iampb.Binding {
	return &iampb.Binding{Role: role, Members: members}
}

func under(title string, b *iampb.Binding) *iampb.Binding {
	b.Condition = &expr.Expr{Title: title, Expression: `request.time < timestamp("2030-01-01T00:00:00Z")`}
	return b
}

func of(bindings ...*iampb.Binding) *iampb.Policy {
	return &iampb.Policy{Version: 3, Bindings: bindings}
}

func set(p *iampb.Policy) *iampb.SetIamPolicyRequest { return &iampb.SetIamPolicyRequest{Policy: p} }
