package api

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// policied are the kinds that have an IAM policy, with a spec that says something of it.
var policied = map[string]func(policy string) string{
	"Bucket":         func(policy string) string { return `{iam: ` + policy + `}` },
	"Topic":          func(policy string) string { return `{iam: ` + policy + `}` },
	"ServiceAccount": func(policy string) string { return `{iam: ` + policy + `}` },
	"ProjectPolicy":  func(policy string) string { return policy },
}

// withPolicy is a manifest that says something of an IAM policy.
func withPolicy(t *testing.T, kind, policy string) *unstructured.Unstructured {
	t.Helper()
	return manifest(t, kind, "policied", "spec: "+policied[kind](policy))
}

// binding is a policy with one binding.
func binding(text string) string { return `{bindings: [` + text + `]}` }

// iamRefusals are policies that nobody may have on any resource, with what the refusal says.
var iamRefusals = map[string]struct{ policy, sentence string }{
	"a field that is misspelt":     {`{binding: []}`, `unknown field "spec.`},
	"a member for members":         {binding(`{role: roles/browser, member: "user:ada@example.com"}`), "bindings[0].member\""},
	"one member that is no list":   {binding(`{role: roles/browser, members: "user:ada@example.com"}`), `bindings[0].members: Invalid value: "string"`},
	"an unknown mode":              {`{mode: Authoritive}`, `mode: Unsupported value: "Authoritive": supported values: "Additive", "AuthoritativeRoles", "Authoritative"`},
	"everybody's access removed":   {`{mode: Authoritative}`, "bindings is missing or empty, and with mode Authoritative that would empty the policy: list what should be granted"},
	"everybody's access emptied":   {`{mode: Authoritative, bindings: []}`, "bindings is missing or empty, and with mode Authoritative that would empty the policy"},
	"existing grants' fate":        {`{existingGrants: Adopt}`, `existingGrants: Unsupported value: "Adopt"`},
	"unknown principals' fate":     {`{deletedPrincipals: Delete}`, `deletedPrincipals: Unsupported value: "Delete"`},
	"fewer than no removals":       {`{safety: {maxRemovals: -1}}`, "safety.maxRemovals in body should be greater than or equal to 0"},
	"more removals than members":   {`{safety: {maxRemovals: 1501}}`, "safety.maxRemovals in body should be less than or equal to 1500"},
	"no role":                      {binding(`{members: ["user:ada@example.com"]}`), "bindings[0].role: Required value"},
	"a role by its short name":     {binding(`{role: viewer, members: ["user:ada@example.com"]}`), "a role must be roles/NAME, or for a custom role projects/P/roles/NAME or organizations/N/roles/NAME"},
	"a role by its title":          {binding(`{role: roles/Storage Admin, members: ["user:ada@example.com"]}`), "bindings[0].role in body should match"},
	"a role with a dash":           {binding(`{role: projects/demo-project/roles/look-around, members: ["user:ada@example.com"]}`), "bindings[0].role in body should match"},
	"an organization by its name":  {binding(`{role: organizations/example.com/roles/look, members: ["user:ada@example.com"]}`), "bindings[0].role in body should match"},
	"nobody":                       {binding(`{role: roles/browser}`), "members and serviceAccountRefs are both empty: list who should have the role, or remove the binding"},
	"empty lists":                  {binding(`{role: roles/browser, members: [], serviceAccountRefs: []}`), "members and serviceAccountRefs are both empty"},
	"a member without its type":    {binding(`{role: roles/browser, members: [ada@example.com]}`), "a member must be allUsers, allAuthenticatedUsers or have a type, such as user:ada@example.com; the types are user, group, serviceAccount, domain, projectOwner, projectEditor, projectViewer, and principal://, principalSet:// and principalHierarchy://"},
	"a member with no such type":   {binding(`{role: roles/browser, members: ["user:ada@example.com", "serviceaccount:` + account + `"]}`), "bindings[0].members[1]: Invalid value: \"serviceaccount:" + account + "\": a member must be allUsers, allAuthenticatedUsers or have a type"},
	"a member that was deleted":    {binding(`{role: roles/browser, members: ["deleted:user:ada@example.com?uid=1"]}`), "a member must be allUsers, allAuthenticatedUsers or have a type"},
	"a member twice":               {binding(`{role: roles/browser, members: ["user:ada@example.com", "user:ada@example.com"]}`), `bindings[0].members[1]: Duplicate value: "user:ada@example.com"`},
	"a member that is too long":    {binding(`{role: roles/browser, members: ["user:` + strings.Repeat("a", 496) + `@example.com"]}`), "bindings[0].members[0]: Too long: may not be more than 512"},
	"251 bindings":                 {`{bindings: [` + repeated(`{role: roles/browser, members: ["user:ada@example.com"]}`, 251) + `]}`, "bindings: Too many: 251: must have at most 250 items"},
	"1,501 members at once":        {binding(`{role: roles/browser, members: [` + users(0, 1501) + `]}`), "bindings[0].members: Too many: 1501: must have at most 1500 items"},
	"1,501 members in all":         {`{bindings: [{role: roles/browser, members: [` + users(0, 1000) + `]}, {role: roles/viewer, members: [` + users(0, 501) + `]}]}`, "bindings: more than 1,500 members in total, the most that Google allows in one policy: grant to groups"},
	"1,501 members with accounts":  {binding(`{role: roles/browser, members: [` + users(0, 1500) + `], serviceAccountRefs: [{name: importer}]}`), "bindings: more than 1,500 members in total"},
	"251 accounts":                 {binding(`{role: roles/browser, serviceAccountRefs: [` + repeated(`{name: importer}`, 251) + `]}`), "bindings[0].serviceAccountRefs: Too many: 251: must have at most 250 items"},
	"an account by both ways":      {binding(`{role: roles/browser, serviceAccountRefs: [{name: importer, external: ` + account + `}]}`), "give exactly one of name (a ServiceAccount) and external (an e-mail)"},
	"an account by no way":         {binding(`{role: roles/browser, serviceAccountRefs: [{}]}`), "give exactly one of name"},
	"a namespace within a name":    {binding(`{role: roles/browser, serviceAccountRefs: [{name: shop/importer}]}`), "serviceAccountRefs[0].name in body should match"},
	"a namespace and an e-mail":    {binding(`{role: roles/browser, serviceAccountRefs: [{namespace: shop, external: ` + account + `}]}`), "namespace goes with name only: an external account has none"},
	"a namespace alone":            {binding(`{role: roles/browser, serviceAccountRefs: [{namespace: shop}]}`), "give exactly one of name"},
	"an empty namespace":           {binding(`{role: roles/browser, serviceAccountRefs: [{name: importer, namespace: ""}]}`), "serviceAccountRefs[0].namespace in body should match"},
	"any namespace":                {binding(`{role: roles/browser, serviceAccountRefs: [{name: importer, namespace: "*"}]}`), "serviceAccountRefs[0].namespace in body should match"},
	"a namespace with a dot":       {binding(`{role: roles/browser, serviceAccountRefs: [{name: importer, namespace: shop.eu}]}`), "serviceAccountRefs[0].namespace in body should match"},
	"a namespace that is too long": {binding(`{role: roles/browser, serviceAccountRefs: [{name: importer, namespace: ` + strings.Repeat("n", 64) + `}]}`), "serviceAccountRefs[0].namespace: Too long: may not be more than 63"},
	"an e-mail for a name":         {binding(`{role: roles/browser, serviceAccountRefs: [{name: ` + account + `}]}`), "serviceAccountRefs[0].name in body should match"},
	"an empty name":                {binding(`{role: roles/browser, serviceAccountRefs: [{name: ""}]}`), "serviceAccountRefs[0].name in body should match"},
	"a name for an e-mail":         {binding(`{role: roles/browser, serviceAccountRefs: [{external: importer}]}`), "serviceAccountRefs[0].external in body should match"},
	"a member for an e-mail":       {binding(`{role: roles/browser, serviceAccountRefs: [{external: "serviceAccount:` + account + `"}]}`), "serviceAccountRefs[0].external in body should match"},
	"a person's e-mail":            {binding(`{role: roles/browser, serviceAccountRefs: [{external: ada@example.com}]}`), "serviceAccountRefs[0].external in body should match"},
	"a condition without a title":  {conditional(`{expression: "true"}`), "condition.title: Required value"},
	"an empty title":               {conditional(`{title: "", expression: "true"}`), "condition.title in body should be at least 1 chars long"},
	"a title that is too long":     {conditional(`{title: ` + strings.Repeat("t", 101) + `, expression: "true"}`), "condition.title: Too long: may not be more than 100"},
	"a long description":           {conditional(`{title: t, description: ` + strings.Repeat("d", 257) + `, expression: "true"}`), "condition.description: Too long: may not be more than 256"},
	"a title without a condition":  {conditional(`{title: t}`), "condition.expression: Required value"},
	"an empty expression":          {conditional(`{title: t, expression: ""}`), "condition.expression in body should be at least 1 chars long"},
	"an expression that is long":   {conditional(`{title: t, expression: ` + strings.Repeat("e", 12001) + `}`), "condition.expression: Too long: may not be more than 12000"},
	"a condition with a location":  {conditional(`{title: t, expression: "true", location: here}`), "condition.location\""},
	"a basic role with conditions": {binding(`{role: roles/owner, members: ["user:ada@example.com"], condition: {title: t, expression: "true"}}`), "condition: Google allows none on the basic roles roles/owner, roles/editor and roles/viewer: remove it, or grant narrower roles"},
	"the public with conditions":   {binding(`{role: roles/browser, members: [allUsers], condition: {title: t, expression: "true"}}`), "condition: Google allows none for allUsers and allAuthenticatedUsers: remove it, or list other members"},
	"all users with conditions":    {binding(`{role: roles/browser, members: ["user:ada@example.com", allAuthenticatedUsers], condition: {title: t, expression: "true"}}`), "condition: Google allows none for allUsers and allAuthenticatedUsers"},
}

// conditional is a policy with one binding under a condition.
func conditional(condition string) string {
	return binding(`{role: roles/browser, members: ["user:ada@example.com"], condition: ` + condition + `}`)
}

// users are members, as the inside of a list in YAML.
func users(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, `"user:u%d@example.com", `, i)
	}
	return b.String()
}

func TestPolicyRefusedOnCreate(t *testing.T) {
	for kind := range policied {
		for name, tc := range iamRefusals {
			t.Run(kind+" "+name, func(t *testing.T) {
				expectRefusal(t, create(t, withPolicy(t, kind, tc.policy)), tc.sentence)
			})
		}
	}
}

func TestPolicyAcceptedOnCreate(t *testing.T) {
	for kind := range policied {
		for name, policy := range map[string]string{
			"nothing":                     `{}`,
			"no bindings":                 `{bindings: []}`,
			"roles that nobody names":     `{mode: AuthoritativeRoles}`,
			"a predefined role":           binding(`{role: roles/iam.workloadIdentityUser, members: ["user:ada@example.com"]}`),
			"a basic role":                binding(`{role: roles/viewer, members: ["user:ada@example.com"]}`),
			"a custom role":               binding(`{role: projects/demo-project/roles/Look_Around.v2, members: ["user:ada@example.com"]}`),
			"a role of a domain's":        binding(`{role: "projects/example.com:demo-project/roles/look", members: ["user:ada@example.com"]}`),
			"an organization's role":      binding(`{role: organizations/123456789012/roles/look, members: ["user:ada@example.com"]}`),
			"a role twice":                `{bindings: [{role: roles/browser, members: ["user:ada@example.com"]}, {role: roles/browser, members: ["user:ada@example.com", "user:bob@example.com"]}]}`,
			"a member in two spellings":   binding(`{role: roles/browser, members: ["user:ada@example.com", "user:Ada@Example.com"]}`),
			"accounts alone":              binding(`{role: roles/browser, serviceAccountRefs: [{name: importer}, {name: a.b-c}, {name: importer, namespace: shop-eu}, {external: ` + account + `}, {external: 123-compute@developer.gserviceaccount.com}]}`),
			"the bounds of removals":      `{safety: {maxRemovals: 0}, deletedPrincipals: Remove, existingGrants: Own}`,
			"the other bound of removals": `{safety: {maxRemovals: 1500}, deletedPrincipals: Keep, existingGrants: Keep}`,
			"no bound of removals":        `{safety: {}}`,
			"all of it":                   `{mode: Authoritative, bindings: [{role: roles/browser, members: ["user:ada@example.com"]}]}`,
		} {
			t.Run(kind+" "+name, func(t *testing.T) {
				expectRefusal(t, create(t, withPolicy(t, kind, policy)), "")
			})
		}
	}
}

// Topics take no conditions: topic_test.go.
func TestConditionsAcceptedOnCreate(t *testing.T) {
	for _, kind := range []string{"Bucket", "ServiceAccount", "ProjectPolicy"} {
		for name, policy := range map[string]string{
			"a condition":             conditional(`{title: office hours, description: not at night, expression: "request.time.getHours() < 18"}`),
			"the longest condition":   conditional(`{title: ` + strings.Repeat("題", 100) + `, description: ` + strings.Repeat("文", 256) + `, expression: "` + strings.Repeat("語", 12000) + `"}`),
			"one role twice":          `{bindings: [{role: roles/browser, members: ["user:ada@example.com"]}, {role: roles/browser, members: ["user:ada@example.com"], condition: {title: t, expression: "true"}}]}`,
			"an account's condition":  binding(`{role: roles/browser, serviceAccountRefs: [{name: importer}], condition: {title: t, expression: "true"}}`),
			"a condition that is off": binding(`{role: roles/owner, members: ["user:ada@example.com"], condition: null}`),
		} {
			t.Run(kind+" "+name, func(t *testing.T) {
				expectRefusal(t, create(t, withPolicy(t, kind, policy)), "")
			})
		}
	}
}

// members are in the ways that Google has of naming a principal: https://cloud.google.com/iam/docs/principal-identifiers
var members = []string{
	"user:ada@example.com",
	"user:Ada.O'Brien+gcp@Mail.Example.COM",
	"group:auditors@googlegroups.com",
	"domain:example.com",
	"serviceAccount:importer@demo-project.iam.gserviceaccount.com",
	"serviceAccount:importer@demo-project.example.com.iam.gserviceaccount.com", // of the project example.com:demo-project
	"serviceAccount:Importer@Demo-Project.iam.gserviceaccount.com",
	"serviceAccount:importer@my-project.s3ns.iam.gserviceaccount.com", // of another universe
	"serviceAccount:123456789012-compute@developer.gserviceaccount.com",
	"serviceAccount:123456789012@cloudservices.gserviceaccount.com",
	"serviceAccount:demo-project@appspot.gserviceaccount.com",
	"serviceAccount:demo-project.example.com@appspot.gserviceaccount.com",
	"serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com",
	"serviceAccount:p123456789012-654321@gcp-sa-logging.iam.gserviceaccount.com",
	"serviceAccount:gmail-api-push@system.gserviceaccount.com",
	"serviceAccount:demo-project.svc.id.goog[shop/orders]",
	"serviceAccount:example.com:demo-project.svc.id.goog[shop/orders.v1]",
	"serviceAccount:demo-project.hub.id.goog[gke-connect/connect-agent-sa]", // of a fleet
	"principal://iam.googleapis.com/locations/global/workforcePools/staff/subject/ada@example.com",
	"principalSet://iam.googleapis.com/locations/global/workforcePools/staff/group/abcdef-0123",
	"principalSet://iam.googleapis.com/locations/global/workforcePools/staff/attribute.department/Human Resources",
	"principalSet://iam.googleapis.com/locations/global/workforcePools/staff/*",
	"principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/github/subject/repo:shop/orders:ref:refs/heads/main",
	"principalSet://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/github/attribute.repository/shop/orders",
	"principalSet://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/github/*",
	"principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/demo-project.svc.id.goog/subject/ns/shop/sa/orders",
	"principalSet://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/demo-project.svc.id.goog/namespace/shop",
	"principalSet://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/demo-project.svc.id.goog/kubernetes.cluster/https://container.googleapis.com/v1/projects/demo-project/locations/europe-west1/clusters/shop",
	"principal://agents.global.org-123456789012.system.id.goog/resources/aiplatform/projects/9876543210/locations/us-central1/reasoningEngines/helper",
	"principalSet://agents.global.org-123456789012.system.id.goog/*",
	"principalSet://cloudresourcemanager.googleapis.com/organizations/123456789012/type/ServiceAccount",
	"principalSet://goog/cloudIdentityCustomerId/C01Abc35",
	"principalHierarchy://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools",
	"projectOwner:demo-project",
	"projectEditor:123456789012",
	"projectViewer:example.com:demo-project",
}

// mistaken are members that Google does not know, as they are mistyped.
var mistaken = []string{
	"",
	"ada@example.com",
	"alluser",
	"AllUsers",
	"allUsers:",
	"User:ada@example.com",
	"users:ada@example.com",
	"user: ada@example.com",
	"user:ada@example.com ",
	" user:ada@example.com",
	"user:ada",
	"user:ada@localhost",
	"user:ada@example.com.",
	"user:ada@example.com,user:bob@example.com",
	"user:ada@bob@example.com",
	"user:user:ada@example.com",
	"group:auditors",
	"domain:example",
	"domain:@example.com",
	"serviceaccount:importer@demo-project.iam.gserviceaccount.com",
	"serviceAccount:importer",
	"serviceAccount:ada@example.com",
	"serviceAccount:importer@demo-project.iam.gserviceaccount.co",
	"serviceAccount:importer@demo-project.iam.gserviceacount.com",
	"serviceAccount:importer@demo-projectgserviceaccount.com",
	"serviceAccount:demo-project.svc.id.goog",
	"serviceAccount:demo-project.svc.id.goog[orders]",
	"serviceAccount:demo-project.svc.id.goog[shop/orders",
	"serviceAccount:demo-project.svc.id.goog/shop/orders",
	"serviceAccount:demo-project.svc.id.goog[Shop/orders]",
	"serviceAccount:projects/demo-project/serviceAccounts/importer@demo-project.iam.gserviceaccount.com",
	"principal:iam.googleapis.com/locations/global/workforcePools/staff/subject/ada",
	"principal://iam.googleapis.com",
	"principal://iam.googleapis.com/",
	"principal:///locations/global/workforcePools/staff/subject/ada",
	"principalset://goog/cloudIdentityCustomerId/C01Abc35",
	"principalSet://iam.googleapis.com/locations/global/workforcePools/staff/group/operators ",
	"//iam.googleapis.com/locations/global/workforcePools/staff",
	"projectowner:demo-project",
	"projectOwner:projects/demo-project",
	"projectOwner:",
	"deleted:user:ada@example.com?uid=123456789012345678901",
	"deleted:serviceAccount:importer@demo-project.iam.gserviceaccount.com?uid=123456789012345678901",
}

func TestMembers(t *testing.T) {
	for kind := range policied {
		t.Run(kind, func(t *testing.T) {
			expectRefusal(t, create(t, withMembers(t, kind, members)), "")
			err := create(t, withMembers(t, kind, mistaken))
			for i, member := range mistaken {
				if !strings.Contains(fmt.Sprint(err), fmt.Sprintf("bindings[0].members[%d] in body should match", i)) {
					t.Errorf("%q is not refused", member)
				}
			}
		})
	}
}

func withMembers(t *testing.T, kind string, members []string) *unstructured.Unstructured {
	t.Helper()
	obj := withPolicy(t, kind, `{}`)
	setBindings(t, obj, []any{map[string]any{"role": "roles/browser", "members": anys(members)}})
	return obj
}

// setBindings sets the bindings of a manifest's policy, wherever its kind has them.
func setBindings(t *testing.T, obj *unstructured.Unstructured, bindings []any) {
	t.Helper()
	path := []string{"spec", "iam", "bindings"}
	if obj.GetKind() == "ProjectPolicy" {
		path = []string{"spec", "bindings"}
	}
	if err := unstructured.SetNestedSlice(obj.Object, bindings, path...); err != nil {
		t.Fatal(err)
	}
}

func anys(texts []string) []any {
	list := make([]any, len(texts))
	for i, text := range texts {
		list[i] = text
	}
	return list
}

// The longest policy: as many bindings, members and service accounts as there may be, and texts as long as they may be, as far
// as etcd's limit on an object allows. It is on the object twice, in its old and its new form, when the object is updated.
func TestPolicyAtItsLargest(t *testing.T) {
	for kind, conditions := range map[string]int{"Bucket": 12, "Topic": 0, "ServiceAccount": 12, "ProjectPolicy": 12} {
		t.Run(kind, func(t *testing.T) {
			obj := withPolicy(t, kind, `{mode: Authoritative, deletedPrincipals: Remove, safety: {maxRemovals: 1500}}`)
			if kind == "Bucket" {
				obj.Object["spec"].(map[string]any)["uniformBucketLevelAccess"] = map[string]any{"enabled": conditions > 0}
				obj.Object["spec"].(map[string]any)["publicAccessPrevention"] = "enforced"
			}
			setBindings(t, obj, manyBindings(512, conditions))
			if err := create(t, obj); err != nil {
				t.Fatalf("creating: %.2000v", err)
			}
			setBindings(t, obj, manyBindings(511, conditions))
			if err := kube.Update(t.Context(), obj); err != nil {
				t.Fatalf("updating: %.2000v", err)
			}
		})
	}
}

// manyBindings are 250 bindings, the first with 250 service accounts, and 1,250 members of a length together. Some have the
// longest condition.
func manyBindings(length, conditions int) []any {
	bindings := make([]any, 250)
	for i := range bindings {
		list := make([]string, 5)
		for j := range list {
			suffix := fmt.Sprintf("%04d@example.com", 5*i+j)
			list[j] = "user:" + strings.Repeat("u", length-len("user:")-len(suffix)) + suffix
		}
		b := map[string]any{
			"role":    "organizations/123456789012/roles/" + strings.Repeat("r", 100),
			"members": anys(list),
		}
		if i < conditions {
			b["condition"] = map[string]any{
				"title": strings.Repeat("題", 100), "description": strings.Repeat("文", 256), "expression": strings.Repeat("語", 12000),
			}
		}
		bindings[i] = b
	}
	refs := make([]any, 250)
	for i := range refs {
		refs[i] = map[string]any{"name": fmt.Sprintf("%s%03d", strings.Repeat("n", 250), i), "namespace": strings.Repeat("s", 63)}
		if i%2 == 0 {
			refs[i] = map[string]any{"external": fmt.Sprintf("%s%03d@x.iam.gserviceaccount.com", strings.Repeat("e", 225), i)}
		}
	}
	bindings[0].(map[string]any)["serviceAccountRefs"] = refs
	return bindings
}
