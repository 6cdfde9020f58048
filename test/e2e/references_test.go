package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"cloud.google.com/go/iam/apiv1/iampb"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// bind makes a manifest grant a role to an account, in the IAM policy that the manifest has or is.
func bind(obj v1alpha1.Object, role string, ref v1alpha1.ServiceAccountRef) {
	binding := v1alpha1.IAMBinding{Role: role, ServiceAccountRefs: []v1alpha1.ServiceAccountRef{ref}}
	policy := policyOf(obj)
	policy.Bindings = append(policy.Bindings, binding)
}

// policyOf is the IAM policy in a manifest; an Additive one if there was none.
func policyOf(obj v1alpha1.Object) *v1alpha1.IAMPolicy {
	var iam **v1alpha1.IAMPolicy
	switch o := obj.(type) {
	case *v1alpha1.ProjectPolicy:
		return &o.Spec.IAMPolicy
	case *v1alpha1.Bucket:
		iam = &o.Spec.IAM
	case *v1alpha1.Topic:
		iam = &o.Spec.IAM
	case *v1alpha1.ServiceAccount:
		iam = &o.Spec.IAM
	}
	if *iam == nil {
		*iam = &v1alpha1.IAMPolicy{Mode: v1alpha1.IAMAdditive}
	}
	return *iam
}

// rolesOn are two roles that can be granted on a kind's resources.
var rolesOn = map[string][2]string{
	"Bucket":         {"roles/storage.objectUser", "roles/storage.objectViewer"},
	"Topic":          {"roles/pubsub.publisher", "roles/pubsub.viewer"},
	"ServiceAccount": {"roles/iam.serviceAccountUser", "roles/iam.workloadIdentityUser"},
	"ProjectPolicy":  {"roles/logging.logWriter", "roles/logging.viewer"},
}

// policyOn reads the IAM policy of a manifest's resource behind everybody's back.
func (w *world) policyOn(obj v1alpha1.Object) *iampb.Policy {
	w.t.Helper()
	var (
		policy *iampb.Policy
		err    error
	)
	switch o := obj.(type) {
	case *v1alpha1.ProjectPolicy:
		policy = w.cloud.ResourceManager.Policy(w.project)
	case *v1alpha1.Bucket:
		policy, err = w.cloud.Storage.Policy(o.Name)
	case *v1alpha1.Topic:
		policy, err = w.cloud.PubSub.Policy(w.topicName(o.Name))
	case *v1alpha1.ServiceAccount:
		var there bool
		if policy, there = w.cloud.IAM.Policy(w.accountEmail(accountID(o.Name))); !there {
			w.t.Fatalf("there is no account %s", o.Name)
		}
	}
	w.must(err)
	return policy
}

// rolesOf are those that somebody has on a manifest's resource.
func (w *world) rolesOf(member string, obj v1alpha1.Object) []string {
	w.t.Helper()
	var roles []string
	for _, line := range granted(w.policyOn(obj)) {
		if role, is := strings.CutSuffix(line, " "+member); is {
			roles = append(roles, role)
		}
	}
	return roles
}

// expectRoles checks which roles somebody has.
func (w *world) expectRoles(member string, obj v1alpha1.Object, want ...string) {
	w.t.Helper()
	slices.Sort(want)
	if d := cmp.Diff(want, w.rolesOf(member, obj), cmpopts.EquateEmpty()); d != "" {
		w.t.Errorf("roles of %s (-want +got):\n%s", member, d)
	}
}

// allowReferences lets a namespace refer to what is in another one, or none if it is empty.
func (w *world) allowReferences(in, from string) {
	w.t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: in}}
	annotate(w, namespace, v1alpha1.AllowReferencesFromAnnotation, from)
}

// expectNotAllowed waits until an object says that it must not refer to another namespace, and nothing beside it.
func (w *world) expectNotAllowed(obj v1alpha1.Object, namespace string) {
	w.t.Helper()
	w.reason(obj, v1alpha1.ReasonReferenceNotAllowed)
	want := fmt.Sprintf("namespace %[1]s does not allow references from %[2]s: ask its administrator for holdfast.dev/allow-references-from=%[2]s",
		namespace, obj.GetNamespace())
	for _, kind := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionStalled} {
		if c := condition(obj, kind); c == nil || c.Message != want {
			w.t.Errorf("%s is %+v, want the message\n%s", kind, c, want)
		}
	}
}

// newNeighbours makes a world of two namespaces that are bound to one project.
func newNeighbours(t *testing.T) (w *world, other string) {
	t.Helper()
	w, other = neighbours(t)
	w.start(other)
	return w, other
}

// neighbours are those of newNeighbours before the operator runs.
func neighbours(t *testing.T) (w *world, other string) {
	t.Helper()
	w = newWorld(t)
	other = w.namespace + "-b"
	w.makeNamespace(other, map[string]string{v1alpha1.ProjectIDAnnotation: w.project, v1alpha1.AllowAnnotation: v1alpha1.AllowDataLoss})
	return w, other
}

func inNamespace[T v1alpha1.Object](obj T, namespace string) T {
	obj.SetNamespace(namespace)
	return obj
}

func TestAReferenceToAnotherNamespace(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w, other := newNeighbours(t)
		roles, ref := rolesOn[k.Kind.Kind], v1alpha1.ServiceAccountRef{Namespace: other, Name: "orders-writer"}
		member := "serviceAccount:" + w.accountEmail("orders-writer")
		obj := k.manifest("orders", v1alpha1.CommonSpec{Adoption: v1alpha1.AdoptionAlways})
		bind(obj, roles[0], ref)
		w.create(obj)
		w.expectNotAllowed(obj, other)
		if live := k.console(w).look("orders"); !live.on || live.team != "shop" {
			t.Errorf("everything else is to be applied: %+v", live)
		}

		t.Log("the same where the account exists")
		account := inNamespace(anAccount("orders-writer", v1alpha1.ServiceAccountSpec{}), other)
		w.create(account)
		w.ready(account)
		w.settled(obj)
		w.expectNotAllowed(obj, other)
		w.expectRoles(member, obj)

		t.Log("allowed, it is granted at once")
		quiet := w.cloud.Traffic.Mark()
		w.allowReferences(other, w.namespace)
		w.ready(obj)
		w.expectRoles(member, obj, roles[0])
		if spent := w.methodsSince(quiet); len(spent) > 4 {
			t.Errorf("calls to Google Cloud: %v; there is no polling in it", spent)
		}

		t.Log("withdrawn, nothing is revoked")
		w.allowReferences(other, "somebody-else")
		w.expectNotAllowed(obj, other)
		w.expectRoles(member, obj, roles[0])

		t.Log("and nothing is granted any more")
		edit(w, obj, func(o v1alpha1.Object) { bind(o, roles[1], ref) })
		w.expectNotAllowed(obj, other)
		w.settled(obj)
		w.expectNotAllowed(obj, other)
		w.expectRoles(member, obj, roles[0])

		w.allowReferences(other, "somebody-else,"+w.namespace)
		w.ready(obj)
		w.expectRoles(member, obj, roles[0], roles[1])
	})
}

func TestAReferenceToWhatIsCreatedLaterInAnotherNamespace(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w, other := neighbours(t)
		w.allowReferences(other, w.namespace)
		w.start(other)
		role := rolesOn[k.Kind.Kind][0]
		obj := k.manifest("orders", v1alpha1.CommonSpec{Adoption: v1alpha1.AdoptionAlways})
		bind(obj, role, v1alpha1.ServiceAccountRef{Namespace: other, Name: "orders-writer"})
		w.create(obj)
		w.reason(obj, v1alpha1.ReasonAwaitingReference)
		w.expectAdvice(obj, fmt.Sprintf("%q", other))

		quiet := w.cloud.Traffic.Mark()
		account := inNamespace(anAccount("orders-writer", v1alpha1.ServiceAccountSpec{}), other)
		w.create(account)
		w.ready(account)
		w.ready(obj)
		w.expectRoles("serviceAccount:"+w.accountEmail("orders-writer"), obj, role)
		if spent := w.methodsSince(quiet); len(spent) > 2+4 {
			t.Errorf("calls to Google Cloud: %v; there is no polling in it", spent)
		}
		w.noWarnings(obj)
	})
}

// TestANamespaceThatDoesNotExistAllowsNothing, and says no more than one that does.
func TestANamespaceThatDoesNotExistAllowsNothing(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := aPolicy("team", additive(v1alpha1.IAMBinding{
		Role: "roles/viewer", ServiceAccountRefs: []v1alpha1.ServiceAccountRef{{Namespace: "nowhere", Name: "orders-writer"}},
	}))
	w.create(p)
	w.expectNotAllowed(p, "nowhere")
}
