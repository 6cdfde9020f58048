package admission

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// specOf reads a spec from YAML.
func specOf(t *testing.T, text string) map[string]any {
	t.Helper()
	spec := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &spec); err != nil {
		t.Fatal(err)
	}
	return spec
}

func withSpec(t *testing.T, kind, namespace, spec string) *unstructured.Unstructured {
	t.Helper()
	obj := &unstructured.Unstructured{Object: map[string]any{"spec": specOf(t, spec)}}
	obj.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind))
	obj.SetNamespace(namespace)
	obj.SetName(fmt.Sprintf("thing-%d", objects.Add(1)))
	return obj
}

// TestEditorsLetNobodyIn: what gives rights on an account or in a project takes the verb grant, which Kubernetes' own role admin has and edit
// has not; so does what opens something to everybody.
func TestEditorsLetNobodyIn(t *testing.T) {
	namespace := tenant(t)
	const letsIn, everybody = "edit may not change who is granted what by ", "edit may not grant anything to "
	const one = `{role: roles/iam.workloadIdentityUser, members: ["user:ada@example.com", "user:bob@example.com"]}`
	const other = `{role: roles/iam.serviceAccountUser, members: ["user:ada@example.com"], serviceAccountRefs: [{name: first}, {name: second}]}`
	iam := func(rest string) string { return "iam: {" + rest + "}" }
	bindings := func(all ...string) string { return "bindings: [" + strings.Join(all, ", ") + "]" }
	const public = `{role: roles/storage.objectViewer, members: [allUsers, "user:ada@example.com"]}`
	tries := map[string]struct {
		kind          string
		before, after string // nothing before is a create
		refusal       string // of edit; admin may all of it
	}{
		"create with a grant":              {"ServiceAccount", "", iam(bindings(one)), letsIn},
		"create with a mode":               {"ServiceAccount", "", iam("mode: AuthoritativeRoles"), letsIn},
		"create without":                   {"ServiceAccount", "", "displayName: x", ""},
		"create with an empty policy":      {"ServiceAccount", "", "iam: {}", ""},
		"the first grant":                  {"ServiceAccount", "{}", iam(bindings(one)), letsIn},
		"another role":                     {"ServiceAccount", iam(bindings(one)), iam(bindings(one, other)), letsIn},
		"the same for another role":        {"ServiceAccount", iam(bindings(one)), iam(bindings(strings.Replace(one, "workloadIdentityUser", "serviceAccountTokenCreator", 1))), letsIn},
		"another member":                   {"ServiceAccount", iam(bindings(one)), iam(bindings(strings.Replace(one, `"user:ada`, `"user:eve@example.com", "user:ada`, 1))), letsIn},
		"a member for another":             {"ServiceAccount", iam(bindings(one)), iam(bindings(strings.Replace(one, "user:ada", "user:eve", 1))), letsIn},
		"another reference":                {"ServiceAccount", iam(bindings(other)), iam(bindings(strings.Replace(other, "{name: second}", "{name: second}, {name: third}", 1))), letsIn},
		"a reference to another namespace": {"ServiceAccount", iam(bindings(other)), iam(bindings(strings.Replace(other, "{name: second}", "{name: second, namespace: platform}", 1))), letsIn},
		"without its condition": {
			"ServiceAccount", iam(bindings(`{role: roles/iam.serviceAccountUser, members: ["user:ada@example.com"], condition: {title: x, expression: "false"}}`)),
			iam(bindings(`{role: roles/iam.serviceAccountUser, members: ["user:ada@example.com"]}`)), letsIn,
		},
		"with another condition": {
			"ServiceAccount", iam(bindings(`{role: roles/iam.serviceAccountUser, members: ["user:ada@example.com"], condition: {title: x, expression: "false"}}`)),
			iam(bindings(`{role: roles/iam.serviceAccountUser, members: ["user:ada@example.com"], condition: {title: x, expression: "true"}}`)), letsIn,
		},
		"another field":                        {"ServiceAccount", iam(bindings(one, other)), iam(bindings(one, other)) + "\ndisplayName: x", ""},
		"a member less":                        {"ServiceAccount", iam(bindings(one, other)), iam(bindings(strings.Replace(one, `"user:ada@example.com", `, "", 1), other)), ""},
		"a role less":                          {"ServiceAccount", iam(bindings(one, other)), iam(bindings(other)), ""},
		"no policy any more":                   {"ServiceAccount", iam(bindings(one, other)), "{}", ""},
		"no policy any more, with its safety":  {"ServiceAccount", iam("safety: {maxRemovals: 1}, deletedPrincipals: Remove, " + bindings(one)), "{}", ""},
		"a role less, and others lose it":      {"ServiceAccount", iam("mode: Authoritative, " + bindings(one, other)), iam("mode: Authoritative, " + bindings(other)), letsIn},
		"a member less, and others lose it":    {"ServiceAccount", iam("mode: AuthoritativeRoles, " + bindings(one)), iam("mode: AuthoritativeRoles, " + bindings(strings.Replace(one, `"user:ada@example.com", `, "", 1))), letsIn},
		"no authoritative policy any more":     {"ServiceAccount", iam("mode: AuthoritativeRoles, " + bindings(one)), "{}", letsIn},
		"owning the roles from now on":         {"ServiceAccount", iam(bindings(one)), iam("mode: AuthoritativeRoles, " + bindings(one)), letsIn},
		"removing more at a time":              {"ServiceAccount", iam(bindings(one)), iam("safety: {maxRemovals: 1500}, " + bindings(one)), letsIn},
		"removing deleted principals":          {"ServiceAccount", iam(bindings(one)), iam("deletedPrincipals: Remove, " + bindings(one)), letsIn},
		"a bucket for somebody":                {"Bucket", "{}", iam(bindings(`{role: roles/storage.objectViewer, members: ["user:ada@example.com"]}`)), ""},
		"a bucket for everybody":               {"Bucket", "{}", iam(bindings(public)), everybody + "allUsers: the RBAC verb grant on buckets"},
		"a new bucket for everybody":           {"Bucket", "", iam(bindings(public)), everybody},
		"a topic for everybody who signs in":   {"Topic", "{}", iam(bindings(`{role: roles/pubsub.publisher, members: [allAuthenticatedUsers]}`)), everybody},
		"everybody by another name":            {"Topic", "{}", iam(bindings(`{role: roles/pubsub.publisher, members: ["principalSet://goog/public:all"]}`)), everybody},
		"more for everybody":                   {"Bucket", iam(bindings(public)), iam(bindings(public, strings.Replace(public, "objectViewer", "admin", 1))), everybody},
		"something else for everybody":         {"Bucket", iam(bindings(public)), iam(bindings(strings.Replace(public, "objectViewer", "admin", 1))), everybody},
		"for everybody who signs in, instead":  {"Bucket", iam(bindings(public)), iam(bindings(strings.Replace(public, "allUsers", "allAuthenticatedUsers", 1))), everybody},
		"what is open already, and somebody":   {"Bucket", iam(bindings(public)), iam(bindings(public, `{role: roles/storage.admin, members: ["user:ada@example.com"]}`)), ""},
		"what is open already, split in two":   {"Bucket", iam(bindings(public)), iam(bindings(`{role: roles/storage.objectViewer, members: ["user:ada@example.com"]}`, `{role: roles/storage.objectViewer, members: [allUsers]}`)), ""},
		"what is open already, another field":  {"Bucket", iam(bindings(public)), iam(bindings(public)) + "\nversioning: {enabled: true}", ""},
		"not for everybody any more":           {"Bucket", iam(bindings(public)), iam(bindings(`{role: roles/storage.objectViewer, members: ["user:ada@example.com"]}`)), ""},
		"an account for everybody":             {"ServiceAccount", "{}", iam(bindings(`{role: roles/iam.serviceAccountUser, members: [allUsers]}`)), "edit may not "},
		"a policy of the project":              {"ProjectPolicy", "", bindings(one), `cannot create resource "projectpolicies"`},
		"another in the policy of the project": {"ProjectPolicy", bindings(one), bindings(one, other), `cannot patch resource "projectpolicies"`},
	}
	for name, try := range tries {
		for _, user := range []string{"edit", "admin"} {
			t.Run(name+"/"+user, func(t *testing.T) {
				t.Parallel()
				err := write(t, user, withSpec(t, try.kind, namespace, try.before), try.before == "", specOf(t, try.after))
				if try.refusal != "" && user == "edit" {
					expectRefusal(t, err, try.refusal)
				} else if err != nil {
					t.Errorf("refused: %v", err)
				}
			})
		}
	}
}

// write creates an object with a spec, or gives it that spec instead of the one that it has.
func write(t *testing.T, user string, obj *unstructured.Unstructured, create bool, spec map[string]any) error {
	t.Helper()
	if create {
		obj.Object["spec"] = spec
		return asUser(t, user).Create(ctx, obj)
	}
	if err := asUser(t, "").Create(ctx, obj); err != nil {
		t.Fatal(err)
	}
	before := obj.DeepCopy()
	obj.Object["spec"] = spec
	return asUser(t, user).Patch(ctx, obj, client.MergeFrom(before))
}

// TestWhoMayWriteAProjectPolicyByOtherMeansLetsNobodyIn: on GKE, Google's IAM can let people write objects whom no role of Kubernetes does. The
// verb grant it does not know.
func TestWhoMayWriteAProjectPolicyByOtherMeansLetsNobodyIn(t *testing.T) {
	const refusal = "bob may not change who is granted what by projectpolicies.gcp.holdfast.dev: the RBAC verb grant is missing. The role admin has it, and the ClusterRole holdfast-grant"
	const one = `bindings: [{role: roles/viewer, members: ["user:ada@example.com", "user:bob@example.com"]}]`
	for name, after := range map[string]string{
		"create": "", "another role": strings.ReplaceAll(one, "viewer", "owner"), "a member less": strings.ReplaceAll(one, `"user:ada@example.com", `, ""),
		"audits": one + "\nauditConfigs: [{service: allServices, auditLogConfigs: [{logType: DATA_READ}]}]", "management": one + "\nmanagement: Observe", "deleting": one + "\ndeletionPolicy: Delete",
	} {
		t.Run(name, func(t *testing.T) {
			if after == "" {
				expectRefusal(t, write(t, bob, withSpec(t, "ProjectPolicy", "default", one), true, specOf(t, one)), refusal)
				return
			}
			expectRefusal(t, write(t, bob, withSpec(t, "ProjectPolicy", "default", one), false, specOf(t, after)), refusal)
		})
	}
	labelled := withSpec(t, "ProjectPolicy", "default", one)
	if err := asUser(t, ada).Create(ctx, labelled); err != nil {
		t.Fatal(err)
	}
	if err := asUser(t, bob).Patch(ctx, labelled, client.RawPatch(types.MergePatchType, []byte(besides["label"]))); err != nil {
		t.Errorf("a label: %v", err)
	}
}

// TestGrantComesOnTopOfEdit: the role that has the verb alone lets an editor grant, and nobody else write anything.
func TestGrantComesOnTopOfEdit(t *testing.T) {
	namespace := tenant(t)
	bind(t, namespace, "edit-and-grant", "edit", "holdfast-grant")
	spec := `iam: {bindings: [{role: roles/iam.serviceAccountUser, members: ["user:ada@example.com"]}]}`
	if err := poll(func() (bool, error) {
		return asUser(t, "edit-and-grant").Create(ctx, withSpec(t, "ServiceAccount", namespace, spec)) == nil, nil
	}); err != nil {
		t.Error("refused")
	}
	expectRefusal(t, asUser(t, "grant").Create(ctx, withSpec(t, "ServiceAccount", namespace, spec)), `cannot create resource "serviceaccounts"`)
}

// TestTheLargestPoliciesAreNoWayAround: what is too large to compare takes the verb, and with it costs no more than the API server allows.
func TestTheLargestPoliciesAreNoWayAround(t *testing.T) {
	namespace := tenant(t)
	var everybody, members []string
	for i := range 250 {
		everybody = append(everybody, fmt.Sprintf("{role: roles/r%d, members: [allUsers, 'user:a%d@example.com', 'user:b%d@example.com']}", i, i, i))
	}
	for i := range 1500 {
		members = append(members, fmt.Sprintf("'user:a%d@example.com'", i))
	}
	wide := "iam: {bindings: [" + strings.Join(everybody, ", ") + "]}"
	narrow := "iam: {bindings: [" + strings.Join(everybody[1:], ", ") + "]}"
	long := "iam: {bindings: [{role: roles/r, members: [" + strings.Join(members, ", ") + "]}]}"
	shorter := "iam: {bindings: [{role: roles/r, members: [" + strings.Join(members[1:], ", ") + "]}]}"
	shifted := "iam: {bindings: [{role: roles/r, members: [" + strings.Join(append(members[1:], "'user:eve@example.com'"), ", ") + "]}]}"
	for name, try := range map[string]struct {
		kind, before, after string
		refused             bool // for edit
	}{
		"a bucket, opened":                    {"Bucket", "{}", wide, true},
		"a bucket that is open":               {"Bucket", wide, narrow, false},
		"a bucket, opened more":               {"Bucket", narrow, wide, true},
		"an account, opened":                  {"ServiceAccount", narrow, wide, true},
		"an account, closed a little":         {"ServiceAccount", wide, narrow, true},
		"an account with many members":        {"ServiceAccount", long, shifted, true},
		"an account with many members, fewer": {"ServiceAccount", long, shorter, true},
		"an account, closed":                  {"ServiceAccount", long, "{}", false},
	} {
		for _, user := range []string{"edit", "admin"} {
			t.Run(name+"/"+user, func(t *testing.T) {
				t.Parallel()
				err := write(t, user, withSpec(t, try.kind, namespace, try.before), false, specOf(t, try.after))
				if try.refused && user == "edit" {
					expectRefusal(t, err, "edit may not ")
				} else if err != nil {
					t.Errorf("refused: %.1000s", err)
				}
			})
		}
	}
}
