package projectpolicy

import (
	"context"
	"errors"
	"strings"
	"testing"

	resourcemanager "cloud.google.com/go/resourcemanager/apiv3"
	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/test/emulator"
	"github.com/holdfast-dev/holdfast/test/emulator/projects"
	"github.com/holdfast-dev/holdfast/test/policytest"
)

var ref = kind.Ref{Project: "demo-project"}

func TestPolicyOfAProject(t *testing.T) {
	cloud := emulator.StartTest(t, emulator.Options{Strict: true, Projects: []projects.Project{{ID: ref.Project, Number: 4711}}})
	impl := New(policytest.Clients(t, cloud, methods...).Projects)
	policytest.Check(t, cloud, policytest.Resource{
		Kind: impl, Ref: ref, Missing: kind.Ref{Project: "no-such-project"}, Role: "roles/pubsub.viewer",
	})
	_, err := impl.GetPolicy(t.Context(), kind.Ref{Project: "no-such-project"})
	if got := gcp.Classify(err); got.Class != kind.Denied || got.Permission != "resourcemanager.projects.getIamPolicy" || !strings.HasSuffix(got.Resource, "projects/no-such-project") {
		t.Errorf("the policy of a project that is not there: %+v", got)
	}
}

// Audit configs are written only where they change.
func TestAuditConfigs(t *testing.T) {
	cloud := emulator.StartTest(t)
	impl := New(policytest.Clients(t, cloud, methods...).Projects)
	set := func(change func(*iampolicy.Policy), wantMask string) iampolicy.Policy {
		t.Helper()
		policy, err := impl.GetPolicy(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		change(&policy)
		mask, err := maskOf(policy)
		if err != nil || strings.Join(mask.GetPaths(), " ") != wantMask {
			t.Errorf("mask %v, %v, want %s", mask, err, wantMask)
		}
		stored, err := impl.SetPolicy(t.Context(), ref, policy)
		if err != nil {
			t.Fatal(err)
		}
		return stored
	}
	logged := []iampolicy.AuditConfig{{Service: "storage.googleapis.com", Logs: []iampolicy.AuditLog{{Type: "DATA_READ", Exempted: []string{"user:ann@example.com"}}}}}
	grant := func(p *iampolicy.Policy) {
		p.Bindings = append(p.Bindings, iampolicy.Binding{Role: "roles/viewer", Members: []string{"user:ann@example.com"}})
	}
	set(grant, "bindings etag")
	set(func(p *iampolicy.Policy) { p.AuditConfigs = logged }, "bindings etag audit_configs")
	stored := set(func(p *iampolicy.Policy) { p.Bindings = p.Bindings[:1] }, "bindings etag")
	if diff := cmp.Diff(logged, stored.AuditConfigs); diff != "" {
		t.Errorf("audit configs that nobody touched (-want +got):\n%s", diff)
	}
	stored = set(func(p *iampolicy.Policy) { p.AuditConfigs = []iampolicy.AuditConfig{} }, "bindings etag audit_configs")
	if len(stored.AuditConfigs) > 0 {
		t.Errorf("left: %+v", stored.AuditConfigs)
	}
	set(func(p *iampolicy.Policy) { p.AuditConfigs = []iampolicy.AuditConfig{} }, "bindings etag")
}

func TestPolicyWithoutAClient(t *testing.T) {
	closed := errors.New("closed")
	impl := New(func(context.Context, string) (*resourcemanager.ProjectsClient, error) { return nil, closed })
	if _, err := impl.GetPolicy(t.Context(), ref); !errors.Is(err, closed) || err.Error() != `getting the policy of project "demo-project": closed` {
		t.Errorf("reading: %v", err)
	}
	if _, err := impl.SetPolicy(t.Context(), ref, iampolicy.Policy{}); !errors.Is(err, closed) || err.Error() != `setting the policy of project "demo-project": closed` {
		t.Errorf("writing: %v", err)
	}
}

func TestKind(t *testing.T) {
	impl := New(nil)
	if got, want := impl.ExternalName(ref), "//cloudresourcemanager.googleapis.com/projects/demo-project"; got != want {
		t.Errorf("external name %q, want %q", got, want)
	}
	obj := &v1alpha1.ProjectPolicy{Spec: v1alpha1.ProjectPolicySpec{
		IAMPolicy: v1alpha1.IAMPolicy{Mode: v1alpha1.IAMAuthoritative}, AuditConfigs: []v1alpha1.AuditConfig{{Service: "allServices"}},
	}}
	policy, audit := impl.Policy(obj)
	if policy != &obj.Spec.IAMPolicy || len(audit) != 1 {
		t.Errorf("the manifest's: %v, %v", policy, audit)
	}
}
