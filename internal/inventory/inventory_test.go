package inventory

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breakglass"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/plan"
	"github.com/holdfast-dev/holdfast/internal/tenancy"
)

func TestProjectOf(t *testing.T) {
	cases := map[string]struct{ namespace, more, want string }{
		"its namespace's":                           {"shop", "", "shop-project"},
		"its own, which is allowed":                 {"shop", "spec: {projectID: shop-test}\n", "shop-test"},
		"its own, which is not":                     {"shop", "spec: {projectID: bank-project}\n", ""},
		"permanently bound":                         {"shop", "status: {project: shop-test, identity: by-labels}\n", "shop-test"},
		"permanently bound, and not allowed since":  {"shop", "status: {project: bank-project, identity: by-labels}\n", "bank-project"},
		"permanently bound, whatever the namespace": {"unbound", "status: {project: bank-project, identity: by-labels}\n", "bank-project"},
		"looked for where it was never found":       {"shop", "status: {project: bank-project}\n", "shop-project"},
		"none":                                      {"unbound", "", ""},
		"no such namespace":                         {"elsewhere", "", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			i := inventoryOf(t, namespaces, topicIn(tc.namespace, "orders", tc.more))
			got, err := i.ProjectOf(t.Context(), manifest(t, i, "Topic", tc.namespace, "orders"))
			if err != nil || got != tc.want {
				t.Errorf("project %q, %v; want %q", got, err, tc.want)
			}
		})
	}
}

func TestRivals(t *testing.T) {
	const named = "spec: {resourceID: orders}\n"
	cases := map[string]struct {
		more   string // of the manifest shop/orders
		others []string
		want   []string
	}{
		"itself is none":                {"", nil, nil},
		"of the same namespace":         {"", []string{topicIn("shop", "other", named)}, []string{"shop/other"}},
		"of another one of the project": {"", []string{topicIn("bank", "orders", "")}, []string{"bank/orders"}},
		"of another name":               {"", []string{topicIn("shop", "other", "")}, nil},
		"of another project":            {"", []string{topicIn("shop", "other", "spec: {resourceID: orders, projectID: shop-test}\n")}, nil},
		"that says the project itself":  {"", []string{topicIn("shop", "other", "spec: {resourceID: orders, projectID: shop-project}\n")}, []string{"shop/other"}},
		"that says it, this one too":    {"spec: {projectID: shop-project}\n", []string{topicIn("shop", "other", "spec: {resourceID: orders, projectID: shop-project}\n")}, []string{"shop/other"}},
		"that is permanently bound":     {"", []string{topicIn("unbound", "orders", "status: {project: shop-project, identity: by-labels}\n")}, []string{"unbound/orders"}},
		"that is bound elsewhere":       {"", []string{topicIn("shop", "other", named+"status: {project: shop-test, identity: by-labels}\n")}, nil},
		"that was only looked for here": {"", []string{topicIn("unbound", "orders", "status: {project: shop-project}\n")}, nil},
		"that was looked for elsewhere": {"", []string{topicIn("shop", "other", named+"status: {project: bank-project}\n")}, []string{"shop/other"}},
		"of an unbound namespace":       {"", []string{topicIn("unbound", "orders", "")}, nil},
		"several":                       {"status: {project: shop-project, identity: by-labels}\n", []string{topicIn("bank", "orders", ""), topicIn("shop", "other", named+"status: {project: shop-project, identity: by-labels}\n")}, []string{"bank/orders", "shop/other"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			i := inventoryOf(t, append([]string{namespaces, topicIn("shop", "orders", tc.more)}, tc.others...)...)
			got, err := i.Rivals(t.Context(), kindOf(t, "Topic"), manifest(t, i, "Topic", "shop", "orders"), "shop-project")
			if err != nil {
				t.Fatal(err)
			}
			found := names(got)
			slices.Sort(found)
			if d := cmp.Diff(tc.want, found); d != "" {
				t.Errorf("rivals (-want +got):\n%s", d)
			}
		})
	}
}

func TestAManifestOfNoProjectHasNoRivals(t *testing.T) {
	i := inventoryOf(t, namespaces, topicIn("unbound", "orders", ""), topicIn("unbound", "other", "spec: {resourceID: orders}\n"), topicIn("shop", "orders", ""))
	got, err := i.Rivals(t.Context(), kindOf(t, "Topic"), manifest(t, i, "Topic", "unbound", "orders"), "")
	if len(got) > 0 || err != nil {
		t.Errorf("rivals: %q, %v", names(got), err)
	}
}

func TestReferences(t *testing.T) {
	account := func(status string) string {
		return "apiVersion: gcp.holdfast.dev/v1alpha1\nkind: ServiceAccount\nmetadata: {namespace: shop, name: reader}\n" + status
	}
	const email = "reader@shop-project.iam.gserviceaccount.com"
	ready := func(reason string) string {
		return "  conditions: [{type: Ready, status: \"False\", reason: " + reason + ", message: \"\", lastTransitionTime: null}]\n"
	}
	cases := map[string]struct {
		accounts []string
		want     plan.Resolved
	}{
		"resolved": {[]string{account("status: {email: " + email + "}\n")}, plan.Resolved{Value: email}},
		"resolved, created long ago": {
			[]string{account("status: {email: " + email + ", lastCreateAttemptTime: \"2026-03-01T02:53:00Z\"}\n")}, plan.Resolved{Value: email},
		},
		"resolved, created a moment ago": {
			[]string{account("status: {email: " + email + ", lastCreateAttemptTime: \"2026-03-01T02:53:01Z\"}\n")}, plan.Resolved{Value: email, Fresh: time.Date(2026, 3, 1, 2, 53, 1, 0, time.UTC)},
		},
		"missing": {nil, plan.Resolved{Missing: `ServiceAccount "reader" (gcp.holdfast.dev), which does not exist in this namespace`}},
		"missing here, there is one elsewhere": {
			[]string{"apiVersion: gcp.holdfast.dev/v1alpha1\nkind: ServiceAccount\nmetadata: {namespace: bank, name: reader}\nstatus: {email: " + email + "}\n"},
			plan.Resolved{Missing: `ServiceAccount "reader" (gcp.holdfast.dev), which does not exist in this namespace`},
		},
		"not looked at yet": {
			[]string{account("")}, plan.Resolved{Missing: `ServiceAccount "reader", which has no service account in Google Cloud yet (Holdfast has not looked at it yet)`},
		},
		"not there yet, for a reason": {
			[]string{account("status:\n" + ready("AwaitingApproval"))}, plan.Resolved{Missing: `ServiceAccount "reader", which has no service account in Google Cloud yet (AwaitingApproval)`},
		},
		"not there yet, for the glass": {
			[]string{account("status:\n  breakGlass: {scope: Object, reason: INC-1, since: null}\n" + ready("BreakGlass"))},
			plan.Resolved{Missing: `ServiceAccount "reader", which has no service account in Google Cloud yet (BreakGlass, and break-glass is active: INC-1)`},
		},
	}
	const grants = "spec: {iam: {bindings: [{role: roles/pubsub.publisher, serviceAccountRefs: [{name: reader}]}]}}\n"
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			i := inventoryOf(t, append([]string{namespaces, topicIn("shop", "orders", grants)}, tc.accounts...)...)
			got, err := i.References(t.Context(), kindOf(t, "Topic"), manifest(t, i, "Topic", "shop", "orders"))
			if err != nil {
				t.Fatal(err)
			}
			want := plan.References{{Kind: "ServiceAccount", Name: "reader"}: tc.want}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("references (-want +got):\n%s", d)
			}
		})
	}
}

func TestWhatCannotBeReferredToIsAnError(t *testing.T) {
	i := inventoryOf(t, namespaces, topicIn("shop", "orders", ""))
	for _, of := range []string{"Topic", "Nothing"} {
		topics := kindOf(t, "Topic")
		topics.References = func(v1alpha1.Object) []kind.Reference { return []kind.Reference{{Kind: of, Name: "orders"}} }
		_, err := i.References(t.Context(), topics, manifest(t, i, "Topic", "shop", "orders"))
		if err == nil || !strings.Contains(err.Error(), "nothing can refer to the kind "+of) {
			t.Errorf("a reference to a %s: %v", of, err)
		}
	}
}

func TestEnvironment(t *testing.T) {
	bucket := func(namespace, more string) string {
		return "apiVersion: gcp.holdfast.dev/v1alpha1\nkind: Bucket\nmetadata:\n  namespace: " + namespace + "\n  name: logs\n" + more
	}
	glass := "  annotations: {holdfast.dev/break-glass: INC-1, holdfast.dev/break-glass-by: ada}\n"
	const bank = "bank@bank-project.iam.gserviceaccount.com"
	owner := func(namespace string) map[string]string {
		return map[string]string{v1alpha1.OwnerLabel: "cluster", v1alpha1.OwnerNamespaceLabel: namespace, v1alpha1.OwnerNameLabel: "logs"}
	}
	cases := map[string]struct {
		namespace, more string
		want            plan.Environment
	}{
		"bound": {"shop", "", plan.Environment{
			Binding: tenancy.Binding{Project: "shop-project", Reach: "shop-project,shop-test"}, Ref: kind.Ref{Project: "shop-project", ID: "logs", Ownership: owner("shop")},
		}},
		"as somebody else": {"bank", "spec: {resourceID: bank-logs}\n", plan.Environment{
			Binding: tenancy.Binding{Project: "shop-project", Impersonate: bank, Reach: "shop-project"},
			Ref:     kind.Ref{Project: "shop-project", ID: "bank-logs", Impersonate: bank, Ownership: owner("bank")},
		}},
		"a broken glass": {"shop", glass, plan.Environment{
			Binding: tenancy.Binding{Project: "shop-project", Reach: "shop-project,shop-test"}, Ref: kind.Ref{Project: "shop-project", ID: "logs", Ownership: owner("shop")},
			Glass: breakglass.Glass{Scope: v1alpha1.BreakGlassOnObject, Reason: "INC-1", By: "ada"},
		}},
		"unbound": {"unbound", "", plan.Environment{
			Refusal: &tenancy.Refusal{Reason: v1alpha1.ReasonProjectUnbound}, Ref: kind.Ref{ID: "logs", Ownership: owner("unbound")},
		}},
		"no such namespace": {"elsewhere", "", plan.Environment{
			Refusal: &tenancy.Refusal{Reason: v1alpha1.ReasonProjectUnbound}, Ref: kind.Ref{ID: "logs", Ownership: owner("elsewhere")},
		}},
		"bound to what is not allowed any more": {"shop", "status: {project: bank-project, identity: by-labels}\n", plan.Environment{
			Refusal: &tenancy.Refusal{Reason: v1alpha1.ReasonBindingChanged}, Ref: kind.Ref{ID: "logs", Ownership: owner("shop")},
		}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			i := inventoryOf(t, namespaces, bucket(tc.namespace, tc.more))
			got, err := i.Environment(t.Context(), kindOf(t, "Bucket"), manifest(t, i, "Bucket", tc.namespace, "logs"))
			if err != nil {
				t.Fatal(err)
			}
			if got.Refusal != nil {
				got.Refusal.Message, got.Refusal.Allow = "", "" // tenancy's own words
			}
			tc.want.Now = three
			if d := cmp.Diff(tc.want, got, cmpopts.EquateComparable(tenancy.Limits{})); d != "" {
				t.Errorf("environment (-want +got):\n%s", d)
			}
		})
	}
}

// TestSharersAreKnownWithWhomTheyMean: of a policy that several manifests share, each has to know what the others grant.
func TestSharersAreKnownWithWhomTheyMean(t *testing.T) {
	policy := func(name string) string {
		return "apiVersion: gcp.holdfast.dev/v1alpha1\nkind: ProjectPolicy\nmetadata: {namespace: shop, name: " + name + "}\n" +
			"spec: {bindings: [{role: roles/viewer, serviceAccountRefs: [{name: " + name + "}]}]}\n"
	}
	i := inventoryOf(t, namespaces, policy("first"), policy("second"))
	env, err := i.Environment(t.Context(), kindOf(t, "ProjectPolicy"), manifest(t, i, "ProjectPolicy", "shop", "first"))
	if err != nil {
		t.Fatal(err)
	}
	missing := func(name string) plan.References {
		return plan.References{{Kind: "ServiceAccount", Name: name}: {Missing: `ServiceAccount "` + name + `" (gcp.holdfast.dev), which does not exist in this namespace`}}
	}
	if d := cmp.Diff(missing("first"), env.References); d != "" {
		t.Errorf("its own references (-want +got):\n%s", d)
	}
	if len(env.Rivals) != 1 || env.Rivals[0].Object.GetName() != "second" {
		t.Fatalf("rivals %+v", env.Rivals)
	}
	if d := cmp.Diff(missing("second"), env.Rivals[0].References); d != "" {
		t.Errorf("the other's references (-want +got):\n%s", d)
	}
}

// failing is a source that fails in one respect.
type failing struct {
	Source

	at string
}

var errAway = errors.New("away")

func (f failing) fails(at string) error {
	if f.at == at {
		return errAway
	}
	return nil
}

func (f failing) Namespace(ctx context.Context, name string) (map[string]string, error) {
	annotations, err := f.Source.Namespace(ctx, name)
	return annotations, errors.Join(err, f.fails("Namespace"))
}

func (f failing) Manifest(ctx context.Context, k kind.Kind, namespace, name string) (v1alpha1.Object, error) {
	obj, err := f.Source.Manifest(ctx, k, namespace, name)
	return obj, errors.Join(err, f.fails("Manifest"))
}

func (f failing) ByResource(ctx context.Context, k kind.Kind, project, name string) ([]v1alpha1.Object, error) {
	objects, err := f.Source.ByResource(ctx, k, project, name)
	return objects, errors.Join(err, f.fails("ByResource"))
}

func TestASourceThatFailsIsNoAnswer(t *testing.T) {
	const grants = "spec: {iam: {bindings: [{role: roles/pubsub.publisher, serviceAccountRefs: [{name: reader}]}]}}\n"
	for at, says := range map[string]string{
		"Namespace": `reading the Namespace "shop"`, "Manifest": `reading the ServiceAccount "reader"`, "ByResource": "looking for other manifests of the same resource",
	} {
		t.Run(at, func(t *testing.T) {
			i := inventoryOf(t, namespaces, topicIn("shop", "orders", grants))
			obj := manifest(t, i, "Topic", "shop", "orders")
			i.Source = failing{i.Source, at}
			_, err := i.Environment(t.Context(), kindOf(t, "Topic"), obj)
			if !errors.Is(err, errAway) || !strings.Contains(err.Error(), says) {
				t.Errorf("the error is %v, want one that says %q", err, says)
			}
		})
	}
}

func TestDeclaring(t *testing.T) {
	i := inventoryOf(t, namespaces,
		topicIn("shop", "orders", ""),
		topicIn("bank", "other", "spec: {resourceID: orders}\n"),
		topicIn("shop", "elsewhere", "spec: {projectID: shop-test, resourceID: named}\n"),
		topicIn("unbound", "bound", "status: {project: bank-project, identity: by-labels}\n"),
	)
	for name, want := range map[string][]string{
		"shop-project/orders": {"shop/orders", "bank/other"}, "shop-test/named": {"shop/elsewhere"}, "bank-project/bound": {"unbound/bound"},
		"shop-project/named": nil, "shop-test/orders": nil, "shop-project/bound": nil, "shop-project/elsewhere": nil,
	} {
		project, id, _ := strings.Cut(name, "/")
		got, err := i.Declaring(t.Context(), kindOf(t, "Topic"), project, id)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, names(got)); d != "" {
			t.Errorf("who declares %s (-want +got):\n%s", name, d)
		}
	}
}
