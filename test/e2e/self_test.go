package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"cloud.google.com/go/iam/apiv1/iampb"
	corev1 "k8s.io/api/core/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// operations is the project that the operator's account is in.
const operations = "operations"

const (
	tokenCreator  = "roles/iam.serviceAccountTokenCreator"
	workloadUser  = "roles/iam.workloadIdentityUser"
	ourKubernetes = "serviceAccount:operations.svc.id.goog[holdfast-system/holdfast-manager]"
)

// atTheOperators makes a world whose namespace is bound to the operator's own project, in which the operator's account is, with its way in.
func atTheOperators(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.project = operations
	w.bind(operations)
	if _, err := w.cloud.IAM.CreateAccount(operations, "holdfast"); err != nil {
		t.Fatal(err)
	}
	w.must(w.cloud.IAM.EditPolicy(operator, func(policy *iampb.Policy) {
		policy.Bindings = []*iampb.Binding{{Role: workloadUser, Members: []string{ourKubernetes}}}
	}))
	w.start()
	return w
}

// allow is what an administrator permits the namespace, and nothing else.
func (w *world) allow(permissions ...string) {
	w.t.Helper()
	w.editNamespace(func(n *corev1.Namespace) {
		if len(permissions) == 0 {
			delete(n.Annotations, v1alpha1.AllowAnnotation)
			return
		}
		n.Annotations[v1alpha1.AllowAnnotation] = strings.Join(permissions, ",")
	})
}

// TestNobodyBecomesTheOperator: no manifest of its account lets anybody in, or takes its own way in away; in no mode, and by no detour.
func TestNobodyBecomesTheOperator(t *testing.T) {
	t.Parallel()
	ways := map[string]v1alpha1.IAMPolicy{
		"Additive":           additive(granting(tokenCreator, "user:editor@example.com"), granting(workloadUser, "serviceAccount:evil.svc.id.goog[default/default]")),
		"AuthoritativeRoles": {Mode: v1alpha1.IAMAuthoritativeRoles, Bindings: []v1alpha1.IAMBinding{granting(workloadUser, "user:editor@example.com")}},
		"Authoritative":      authoritative(granting("roles/iam.serviceAccountUser", "user:editor@example.com")),
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := atTheOperators(t)
			own := func() []string {
				policy, _ := w.cloud.IAM.Policy(operator)
				return granted(policy)
			}
			before := own()
			obj := anAccount("innocent", v1alpha1.ServiceAccountSpec{CommonSpec: v1alpha1.CommonSpec{
				ResourceID: "holdfast", Adoption: v1alpha1.AdoptionAlways, Management: v1alpha1.ManagementObserve,
			}, IAM: &way})
			w.create(obj)
			w.reason(obj, v1alpha1.ReasonDiffers)
			edit(w, obj, func(a *v1alpha1.ServiceAccount) { a.Spec.Management = v1alpha1.ManagementManage })
			w.reason(obj, v1alpha1.ReasonNotAllowed)
			w.expectAdvice(obj, "kubectl annotate --overwrite namespace "+w.namespace+" holdfast.dev/allow=DataLoss,PolicyOfOwnAccounts")
			edit(w, obj, func(a *v1alpha1.ServiceAccount) { a.Spec.Management = v1alpha1.ManagementApprove })
			w.reason(obj, v1alpha1.ReasonNotAllowed)
			if got := own(); !slices.Equal(got, before) {
				t.Errorf("the operator's policy grants %q, was %q", got, before)
			}

			t.Log("an administrator allows it: the operator keeps its way in all the same")
			edit(w, obj, func(a *v1alpha1.ServiceAccount) { a.Spec.Management = v1alpha1.ManagementManage })
			w.allow(v1alpha1.AllowPolicyOfOwnAccounts)
			w.eventually("the manifest to be applied, or to wait for approval", func() (bool, string) {
				w.get(obj)
				reason := condition(obj, v1alpha1.ConditionReady).Reason
				return reason == v1alpha1.ReasonUpToDate || reason == v1alpha1.ReasonAwaitingApproval, describe(obj)
			})
			if condition(obj, v1alpha1.ConditionReady).Reason == v1alpha1.ReasonAwaitingApproval {
				approve(w, obj)
				w.ready(obj)
			}
			if got := own(); !slices.Contains(got, workloadUser+" "+ourKubernetes) || len(got) == len(before) {
				t.Errorf("the operator's policy grants %q", got)
			}

			t.Log("the permission ends: what was granted cannot be changed by the manifest any more")
			after := own()
			w.allow()
			edit(w, obj, func(a *v1alpha1.ServiceAccount) {
				a.Spec.IAM.Bindings = []v1alpha1.IAMBinding{granting(tokenCreator, "user:other@example.com")}
			})
			w.reason(obj, v1alpha1.ReasonNotAllowed)
			if got := own(); !slices.Equal(got, after) {
				t.Errorf("the operator's policy grants %q, was %q", got, after)
			}
		})
	}
}

// TestAnAccountThatBecomesTheOperatorsIsLetGo: from when a Namespace names it, its policy, and whether it is there, is no manifest's affair.
func TestAnAccountThatBecomesTheOperatorsIsLetGo(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	role := granting(tokenCreator, "user:editor@example.com")
	obj := anAccount("shop-holdfast", v1alpha1.ServiceAccountSpec{
		CommonSpec: v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete}, IAM: &v1alpha1.IAMPolicy{Bindings: []v1alpha1.IAMBinding{role}},
	})
	w.create(obj)
	w.ready(obj)
	w.makeNamespace(w.namespace+"-other", map[string]string{v1alpha1.ProjectIDAnnotation: "other", v1alpha1.ImpersonateServiceAccountAnnotation: w.accountEmail("shop-holdfast")})
	w.eventually("the new Namespace to be known", func() (bool, string) {
		edit(w, obj, func(a *v1alpha1.ServiceAccount) { a.Spec.Disabled = new(true) })
		w.settled(obj)
		reason := condition(obj, v1alpha1.ConditionReady).Reason
		if reason != v1alpha1.ReasonInvalid {
			edit(w, obj, func(a *v1alpha1.ServiceAccount) { a.Spec.Disabled = new(false) })
			w.settled(obj)
		}
		return reason == v1alpha1.ReasonInvalid, describe(obj)
	})
	edit(w, obj, func(a *v1alpha1.ServiceAccount) { a.Spec.Disabled, a.Spec.IAM = nil, nil })
	w.reason(obj, v1alpha1.ReasonNotAllowed)
	if policy, _ := w.cloud.IAM.Policy(w.accountEmail("shop-holdfast")); !slices.Contains(granted(policy), role.Role+" "+string(role.Members[0])) {
		t.Errorf("the policy was changed: %q", granted(policy))
	}
	w.delete(obj)
	w.eventually("the deletion to be refused", func() (bool, string) {
		w.get(obj)
		return strings.Contains(condition(obj, v1alpha1.ConditionReady).Message, "deleting it would lock Holdfast out"), describe(obj)
	})
	if _, there := w.account("shop-holdfast"); !there {
		t.Error("the account is gone")
	}
	edit(w, obj, func(a *v1alpha1.ServiceAccount) { a.Spec.DeletionPolicy = v1alpha1.DeletionOrphan })
	w.gone(obj)
}

// TestNoPlanRevokesAnAccessOfTheOperators, of whatever kind and in whatever form: also one that is not of the namespace's own identity.
func TestNoPlanRevokesAnAccessOfTheOperators(t *testing.T) {
	ways := []string{
		"serviceAccount:" + operator,
		"serviceAccount:bank@bank-project.iam.gserviceaccount.com",
		ourKubernetes,
		"principal://iam.googleapis.com/projects/4711/locations/global/workloadIdentityPools/operations.svc.id.goog/subject/ns/holdfast-system/sa/holdfast-manager",
		"principalSet://iam.googleapis.com/projects/4711/locations/global/workloadIdentityPools/operations.svc.id.goog/namespace/holdfast-system",
		"group:operators@example.com",
	}
	const stranger = "user:left@example.com"
	forEachGranter(t, func(t *testing.T, g granter) {
		w := newWorld(t)
		w.selfMembers = []string{ourKubernetes, "group:operators@example.com"}
		w.makeNamespace(w.namespace+"-bank", map[string]string{
			v1alpha1.ProjectIDAnnotation: "bank-project", v1alpha1.ImpersonateServiceAccountAnnotation: "bank@bank-project.iam.gserviceaccount.com",
		})
		w.start()
		id := w.namespace + "-x"
		obj := g.manifest(id, v1alpha1.CommonSpec{}, "user:ada@example.com")
		w.create(obj)
		w.ready(obj)
		w.must(g.edit(w, id, func(policy *iampb.Policy) {
			policy.Bindings = append(policy.Bindings, &iampb.Binding{Role: g.role, Members: append(slices.Clone(ways), stranger)})
		}))
		edit(w, obj, func(o v1alpha1.Object) {
			policy := iamOfObject(o)
			policy.Mode = v1alpha1.IAMAuthoritativeRoles
		})
		w.reason(obj, v1alpha1.ReasonAwaitingApproval)
		approve(w, obj)
		w.ready(obj)
		got := granted(g.policy(w, id))
		for _, way := range ways {
			if !slices.Contains(got, g.role+" "+way) {
				t.Errorf("%s was revoked; left are %q", way, got)
			}
		}
		if slices.Contains(got, g.role+" "+stranger) {
			t.Errorf("nothing was revoked: %q", got)
		}
	})
}

// iamOfObject is what a manifest says of its policy.
func iamOfObject(obj v1alpha1.Object) *v1alpha1.IAMPolicy {
	switch o := obj.(type) {
	case *v1alpha1.Bucket:
		return o.Spec.IAM
	case *v1alpha1.Topic:
		return o.Spec.IAM
	case *v1alpha1.ServiceAccount:
		return o.Spec.IAM
	default:
		panic(fmt.Sprintf("%T has no spec.iam", obj))
	}
}

// TestNoProjectPolicyReachesTheOperatorsAccount that is in the project.
func TestNoProjectPolicyReachesTheOperatorsAccount(t *testing.T) {
	t.Parallel()
	w := atTheOperators(t)
	for i, role := range []string{"roles/owner", "roles/editor", tokenCreator, workloadUser, "roles/resourcemanager.projectIamAdmin", "projects/operations/roles/mine"} {
		p := aPolicy(fmt.Sprintf("p-%d", i), additive(granting(role, "user:editor@example.com")))
		w.create(p)
		w.reason(p, v1alpha1.ReasonNotAllowed)
		w.expectAdvice(p, "holdfast.dev/allow=DataLoss,GrantsOverOwnAccounts")
		w.delete(p)
		w.gone(p)
	}
	harmless := aPolicy("harmless", additive(granting("roles/viewer", "user:ada@example.com")))
	w.create(harmless)
	w.ready(harmless)
	w.expectGrants("roles/viewer user:ada@example.com")
	w.allow(v1alpha1.AllowGrantsOverOwnAccounts)
	p := aPolicy("allowed", additive(granting(tokenCreator, "user:editor@example.com")))
	w.create(p)
	w.ready(p)
}

// TestNobodyLetsHimselfInToAnAccountThatWasThere: it may have any rights, which the manifest's author has not.
func TestNobodyLetsHimselfInToAnAccountThatWasThere(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	if _, err := w.cloud.IAM.CreateAccount(w.project, "terraform"); err != nil {
		t.Fatal(err)
	}
	in := &v1alpha1.IAMPolicy{Bindings: []v1alpha1.IAMBinding{granting(tokenCreator, "user:editor@example.com")}}
	obj := anAccount("terraform", v1alpha1.ServiceAccountSpec{CommonSpec: v1alpha1.CommonSpec{Adoption: v1alpha1.AdoptionAlways}, IAM: in})
	w.create(obj)
	w.reason(obj, v1alpha1.ReasonNotAllowed)
	w.expectAdvice(obj, "holdfast.dev/allow=DataLoss,GrantsOnAdoptedAccounts")

	t.Log("one that a manifest has created may be granted on, until its status is lost")
	created := anAccount("created", v1alpha1.ServiceAccountSpec{IAM: in.DeepCopy()})
	w.create(created)
	w.ready(created)
	w.stop()
	created.Status = v1alpha1.ServiceAccountStatus{}
	w.must(w.kube.Status().Update(t.Context(), created))
	w.start()
	edit(w, created, func(a *v1alpha1.ServiceAccount) {
		a.Spec.IAM.Bindings = append(a.Spec.IAM.Bindings, granting("roles/iam.serviceAccountUser", "user:other@example.com"))
	})
	w.reason(created, v1alpha1.ReasonNotAllowed)
	for _, id := range []string{"terraform", "created"} {
		policy, _ := w.cloud.IAM.Policy(w.accountEmail(id))
		if got := granted(policy); slices.ContainsFunc(got, func(g string) bool { return id == "terraform" || strings.Contains(g, "other@") }) {
			t.Errorf("%s grants %q", id, got)
		}
	}
	w.allow(v1alpha1.AllowGrantsOnAdoptedAccounts)
	w.ready(obj)
	w.ready(created)
}

// TestNoTopicUsesWhatItsNamespaceDoesNotReach, nor finds out whether it is there.
func TestNoTopicUsesWhatItsNamespaceDoesNotReach(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	specs := map[string]v1alpha1.TopicSpec{
		"a schema":               {SchemaSettings: &v1alpha1.TopicSchemaSettings{Schema: "projects/bank-prod/schemas/payment", Encoding: "JSON"}},
		"one that is not there":  {SchemaSettings: &v1alpha1.TopicSchemaSettings{Schema: "projects/bank-prod/schemas/nonexistent", Encoding: "JSON"}},
		"a schema by the number": {SchemaSettings: &v1alpha1.TopicSchemaSettings{Schema: "projects/4711/schemas/payment", Encoding: "JSON"}},
		"an account": {Ingestion: &v1alpha1.TopicIngestion{Source: &v1alpha1.TopicIngestionSource{ConfluentCloud: &v1alpha1.TopicConfluentCloudSource{
			BootstrapServer: "server:9092", ClusterID: "c", Topic: "t", IdentityPoolID: "p", GCPServiceAccount: "teller@bank-prod.iam.gserviceaccount.com",
		}}}},
	}
	i := 0
	for name, spec := range specs {
		i++
		obj := aTopic(fmt.Sprintf("topic-%d", i), spec)
		w.create(obj)
		w.reason(obj, v1alpha1.ReasonNotAllowed)
		if said := condition(obj, v1alpha1.ConditionReady).Message; !strings.Contains(said, "is not known to be in a project that namespace") {
			t.Errorf("%s: %s", name, said)
		}
	}
	if n := w.cloud.Traffic.Count(call("Publisher.CreateTopic")); n > 0 {
		t.Errorf("%d topics were tried", n)
	}
}

// TestAHarmlessFirstPlanIsNoApprovalOfTheNext: listing what is there, and then less, waits; in both authoritative modes.
func TestAHarmlessFirstPlanIsNoApprovalOfTheNext(t *testing.T) {
	t.Parallel()
	for _, mode := range []v1alpha1.IAMMode{v1alpha1.IAMAuthoritativeRoles, v1alpha1.IAMAuthoritative} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			w := startWorld(t)
			w.grant("roles/resourcemanager.projectIamAdmin", "serviceAccount:"+operator)
			w.grant("roles/viewer", "user:ada@example.com")
			w.grant("roles/viewer", "user:bob@example.com")
			w.grant("roles/viewer", "user:cleo@example.com")
			p := aPolicy("all", v1alpha1.IAMPolicy{Mode: mode, Bindings: []v1alpha1.IAMBinding{granting("roles/viewer", "user:ada@example.com", "user:bob@example.com", "user:cleo@example.com")}})
			w.create(p)
			w.ready(p)
			rebind(w, p, granting("roles/viewer", "user:ada@example.com", "user:bob@example.com"))
			w.reason(p, v1alpha1.ReasonAwaitingApproval)
			if got := w.projectGrants(); !slices.Contains(got, "roles/viewer user:cleo@example.com") {
				t.Errorf("revoked without approval: %q", got)
			}
			approve(w, p)
			w.ready(p)
			rebind(w, p, granting("roles/viewer", "user:ada@example.com"))
			w.ready(p)
			if got := w.projectGrants(); slices.Contains(got, "roles/viewer user:bob@example.com") {
				t.Errorf("left: %q", got)
			}
		})
	}
}

// TestANamespaceAtTheOperatorsProjectIsWarnedOf, once.
func TestANamespaceAtTheOperatorsProjectIsWarnedOf(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{ProjectID: w.project})
		w.create(obj)
		w.ready(obj)
		if condition(obj, v1alpha1.ConditionExposed) != nil {
			t.Errorf("a warning without a reason:\n%s", describe(obj))
		}
		w.editNamespace(func(n *corev1.Namespace) { n.Annotations[v1alpha1.AllowedProjectIDsAnnotation] = operations })
		w.eventually("the warning", func() (bool, string) {
			w.get(obj)
			c := condition(obj, v1alpha1.ConditionExposed)
			return c != nil && strings.Contains(c.Message, `bound to project "operations"`), describe(obj)
		})
		w.kubeWrites.Store(0)
		w.settled(obj)
		writes := w.kubeWrites.Load()
		told := 0
		w.eventually("one event", func() (bool, string) {
			told = 0
			for _, event := range w.eventsOf(obj) {
				if event.Reason == v1alpha1.ReasonOperatorProject {
					told++
				}
			}
			return told > 0, ""
		})
		if told != 1 || writes > 1 {
			t.Errorf("%d events, and %d writes of a pass in which nothing changed but the request", told, writes)
		}
		w.editNamespace(func(n *corev1.Namespace) { delete(n.Annotations, v1alpha1.AllowedProjectIDsAnnotation) })
		w.eventually("no warning any more", func() (bool, string) {
			w.get(obj)
			return condition(obj, v1alpha1.ConditionExposed) == nil, describe(obj)
		})
	})
}
