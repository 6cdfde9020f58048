package api

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// What is refused of every policy, whatever it is on, is in iam_test.go.
func TestProjectPolicyRefusedOnCreate(t *testing.T) {
	for name, tc := range map[string]struct{ spec, sentence string }{
		"an unknown field":       {`{project: demo-project}`, `unknown field "spec.project"`},
		"a policy in the policy": {`{iam: {}}`, `unknown field "spec.iam"`},
		"a resourceID":           {`{resourceID: demo-project}`, "spec.resourceID does not apply to a ProjectPolicy: the project is spec.projectID, or else the namespace's"},
		"a project's number":     {`{projectID: "123456789012"}`, "spec.projectID in body should match"},
		"a project's full name":  {`{projectID: projects/demo-project}`, "spec.projectID in body should match"},
		"a policy for buckets":   {`{deletionPolicy: DeleteWithContents}`, "spec.deletionPolicy DeleteWithContents is for buckets only: use Delete or Orphan for a policy"},
		"an unknown policy":      {`{deletionPolicy: Revoke}`, `spec.deletionPolicy: Unsupported value: "Revoke"`},
		"the public":             {binding(`{role: roles/browser, members: [allUsers]}`), "bindings: Google allows neither allUsers nor allAuthenticatedUsers in a project's policy: grant on the bucket or topic that should be public"},
		"all users":              {`{bindings: [{role: roles/browser, serviceAccountRefs: [{name: importer}]}, {role: roles/viewer, members: ["user:ada@example.com", allAuthenticatedUsers]}]}`, "bindings: Google allows neither allUsers nor allAuthenticatedUsers in a project's policy"},

		"a log of no service":            {`{auditConfigs: [{auditLogConfigs: []}]}`, "spec.auditConfigs[0].service: Required value"},
		"a service by its short name":    {auditing(`{service: storage, auditLogConfigs: []}`), "spec.auditConfigs[0].service in body should match"},
		"all services misspelt":          {auditing(`{service: allservices, auditLogConfigs: []}`), "spec.auditConfigs[0].service in body should match"},
		"a service that is Kubernetes'":  {auditing(`{service: k8s.io, auditLogConfigs: []}`), "spec.auditConfigs[0].service in body should match"},
		"a service's URL":                {auditing(`{service: "https://storage.googleapis.com", auditLogConfigs: []}`), "spec.auditConfigs[0].service in body should match"},
		"a long service":                 {auditing(`{service: ` + strings.Repeat("s", 86) + `.googleapis.com, auditLogConfigs: []}`), "spec.auditConfigs[0].service: Too long"},
		"a service twice":                {auditing(`{service: allServices, auditLogConfigs: []}, {service: allServices, auditLogConfigs: []}`), `spec.auditConfigs[1]: Duplicate value: {"service":"allServices"}`},
		"a service without types":        {auditing(`{service: allServices}`), "spec.auditConfigs[0].auditLogConfigs: Required value"},
		"the types under another name":   {auditing(`{service: allServices, auditLogConfigs: [], logTypes: []}`), `unknown field "spec.auditConfigs[0].logTypes"`},
		"a type by itself":               {auditing(`{service: allServices, auditLogConfigs: [DATA_READ]}`), `spec.auditConfigs[0].auditLogConfigs[0]: Invalid value: "string"`},
		"no type":                        {auditing(`{service: allServices, auditLogConfigs: [{}]}`), "spec.auditConfigs[0].auditLogConfigs[0].logType: Required value"},
		"an unknown type":                {auditing(`{service: allServices, auditLogConfigs: [{logType: ADMIN_WRITE}]}`), `spec.auditConfigs[0].auditLogConfigs[0].logType: Unsupported value: "ADMIN_WRITE": supported values: "ADMIN_READ", "DATA_READ", "DATA_WRITE"`},
		"a type twice":                   {auditing(`{service: allServices, auditLogConfigs: [{logType: DATA_READ}, {logType: DATA_READ}]}`), `spec.auditConfigs[0].auditLogConfigs[1]: Duplicate value: {"logType":"DATA_READ"}`},
		"an exempted member mistyped":    {auditing(`{service: allServices, auditLogConfigs: [{logType: DATA_READ, exemptedMembers: [ada@example.com]}]}`), "a member must be allUsers, allAuthenticatedUsers or have a type"},
		"an exempted member twice":       {auditing(`{service: allServices, auditLogConfigs: [{logType: DATA_READ, exemptedMembers: ["user:ada@example.com", "user:ada@example.com"]}]}`), `exemptedMembers[1]: Duplicate value: "user:ada@example.com"`},
		"101 exempted members":           {auditing(`{service: allServices, auditLogConfigs: [{logType: DATA_READ, exemptedMembers: [` + users(0, 101) + `]}]}`), "exemptedMembers: Too many: 101: must have at most 100 items"},
		"101 services":                   {auditing(services(101, `[]`)), "spec.auditConfigs: Too many: 101: must have at most 100 items"},
		"1,600 exempted members":         {auditing(services(16, `[{logType: DATA_READ, exemptedMembers: [`+users(0, 100)+`]}]`)), "auditConfigs: more than 1,500 members in total, including those of bindings, the most that Google allows in one policy: exempt groups"},
		"1,501 members, one of them not": {`{bindings: [{role: roles/browser, members: [` + users(0, 1499) + `], serviceAccountRefs: [{name: importer}]}], auditConfigs: [{service: allServices, auditLogConfigs: [{logType: DATA_READ, exemptedMembers: [` + users(0, 1) + `]}]}]}`, "auditConfigs: more than 1,500 members in total, including those of bindings"},
	} {
		t.Run(name, func(t *testing.T) {
			expectRefusal(t, create(t, projectPolicyManifest(t, tc.spec)), tc.sentence)
		})
	}
}

func auditing(configs string) string { return `{auditConfigs: [` + configs + `]}` }

// services are audit configs that differ in their service alone, as the inside of a list in YAML.
func services(n int, auditLogConfigs string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{service: s%d.googleapis.com, auditLogConfigs: %s}, `, i, auditLogConfigs)
	}
	return b.String()
}

func TestProjectPolicyAcceptedOnCreate(t *testing.T) {
	for name, spec := range map[string]string{
		"nothing at all":            ``,
		"an empty spec":             `{}`,
		"a project of a domain":     `{projectID: "example.com:some-project"}`,
		"an owner":                  `{mode: Authoritative, bindings: [{role: roles/owner, members: ["user:ada@example.com"]}]}`,
		"explicit empties":          `{bindings: [], auditConfigs: []}`,
		"a service that logs none":  auditing(`{service: allServices, auditLogConfigs: []}`),
		"all types":                 auditing(`{service: allServices, auditLogConfigs: [{logType: ADMIN_READ}, {logType: DATA_READ, exemptedMembers: []}, {logType: DATA_WRITE, exemptedMembers: ["group:robots@example.com"]}]}, {service: cloudkms.googleapis.com, auditLogConfigs: [{logType: DATA_READ}]}`),
		"1,500 exempted members":    auditing(services(15, `[{logType: DATA_READ, exemptedMembers: [`+users(0, 100)+`]}]`)),
		"1,500 members of each way": `{bindings: [{role: roles/browser, members: [` + users(0, 1498) + `], serviceAccountRefs: [{name: importer}]}], auditConfigs: [{service: allServices, auditLogConfigs: [{logType: DATA_READ, exemptedMembers: [` + users(0, 1) + `]}]}]}`,
		"the other common fields":   `{management: Approve, adoption: Never, deletionPolicy: Delete}`,
	} {
		t.Run(name, func(t *testing.T) {
			expectRefusal(t, create(t, projectPolicyManifest(t, spec)), "")
		})
	}
}

func TestProjectPolicyUpdates(t *testing.T) {
	for name, tc := range map[string]struct{ before, status, after, sentence string }{
		"a resourceID":                       {before: `{}`, after: `{resourceID: policy}`, sentence: "spec.resourceID does not apply to a ProjectPolicy"},
		"another projectID":                  {before: `{projectID: project-one}`, after: `{projectID: project-two}`, sentence: "projectID is immutable: create a new object for another project"},
		"projectID removed":                  {before: `{projectID: project-one}`, after: `{}`, sentence: "spec.projectID cannot be removed: create a new object for another project"},
		"projectID added before it is bound": {before: `{}`, after: `{projectID: project-one}`, sentence: "spec.projectID can be added only if it is the project that the object is bound to already (status.project)"},
		"another projectID added":            {before: `{}`, status: `{project: project-two}`, after: `{projectID: project-one}`, sentence: "spec.projectID can be added only if it is the project"},
		"projectID added as it is":           {before: `{}`, status: `{project: project-one}`, after: `{projectID: project-one}`},

		"bindings come and go":        {before: binding(`{role: roles/browser, members: ["user:ada@example.com"]}`), after: `{bindings: [], auditConfigs: [{service: allServices, auditLogConfigs: []}]}`},
		"all of it removed":           {before: `{mode: AuthoritativeRoles, deletedPrincipals: Remove, safety: {maxRemovals: 0}, bindings: [{role: roles/browser, members: ["user:ada@example.com"]}], auditConfigs: []}`, after: `{}`},
		"more is owned":               {before: binding(`{role: roles/browser, members: ["user:ada@example.com"]}`), after: `{mode: Authoritative, bindings: [{role: roles/browser, members: ["user:ada@example.com"]}]}`},
		"the last binding of all":     {before: `{mode: Authoritative, bindings: [{role: roles/browser, members: ["user:ada@example.com"]}]}`, after: `{mode: Authoritative}`, sentence: "bindings is missing or empty, and with mode Authoritative that would empty the policy"},
		"management and other common": {before: `{}`, after: `{management: Observe, adoption: Always, deletionPolicy: Delete}`},
		"a bad value after a good":    {before: binding(`{role: roles/browser, members: ["user:ada@example.com"]}`), after: binding(`{role: roles/browser, members: ["ada@example.com"]}`), sentence: "spec.bindings[0].members[0] in body should match"},
	} {
		t.Run(name, func(t *testing.T) {
			expectUpdate(t, projectPolicyManifest(t, tc.before), tc.status, projectPolicyManifest(t, tc.after), tc.sentence)
		})
	}
}

// An object that nobody has looked at says so, and what was explicitly empty or zero is still there for Go to see.
func TestProjectPolicyDefaultsAndEmpties(t *testing.T) {
	obj := projectPolicyManifest(t, `{bindings: [], safety: {maxRemovals: 0}, auditConfigs: [{service: allServices, auditLogConfigs: []}]}`)
	want := v1alpha1.ProjectPolicySpec{
		CommonSpec: commonDefaults,
		IAMPolicy: v1alpha1.IAMPolicy{
			Mode: v1alpha1.IAMAdditive, Bindings: []v1alpha1.IAMBinding{}, Safety: &v1alpha1.IAMSafety{MaxRemovals: new(int32(0))},
		},
		AuditConfigs: []v1alpha1.AuditConfig{{Service: "allServices", AuditLogConfigs: []v1alpha1.AuditLogConfig{}}},
	}
	var got v1alpha1.ProjectPolicy
	expectDefaults(t, obj, &got, &got.Spec, want)
}

// As many audit configs as there may be, with as many members exempted, as long as they may be. The largest bindings are in
// iam_test.go.
func TestProjectPolicyAtItsLargest(t *testing.T) {
	configs := make([]any, 100)
	for i := range configs {
		logConfigs := make([]any, 3)
		for j, logType := range []string{"ADMIN_READ", "DATA_READ", "DATA_WRITE"} {
			exempted := make([]string, 5)
			for k := range exempted {
				exempted[k] = fmt.Sprintf("user:%s%d@example.com", strings.Repeat("u", 494), k)
			}
			logConfigs[j] = map[string]any{"logType": logType, "exemptedMembers": anys(exempted)}
		}
		configs[i] = map[string]any{"service": fmt.Sprintf("%s%03d.googleapis.com", strings.Repeat("s", 82), i), "auditLogConfigs": logConfigs}
	}
	obj := projectPolicyManifest(t, `{projectID: "`+strings.Repeat("d", 32)+":"+strings.Repeat("p", 30)+`"}`)
	if err := unstructured.SetNestedSlice(obj.Object, configs, "spec", "auditConfigs"); err != nil {
		t.Fatal(err)
	}
	if err := create(t, obj); err != nil {
		t.Fatalf("creating: %.2000v", err)
	}
	if err := unstructured.SetNestedSlice(obj.Object, configs[1:], "spec", "auditConfigs"); err != nil {
		t.Fatal(err)
	}
	if err := kube.Update(t.Context(), obj); err != nil {
		t.Fatalf("updating: %.2000v", err)
	}
}

func projectPolicyManifest(t *testing.T, spec string) *unstructured.Unstructured {
	t.Helper()
	return specManifest(t, "ProjectPolicy", "policy", "", spec)
}
