// Package config applies config/ to a real API server, and checks what its roles allow.
package config

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/holdfast-dev/holdfast/test/installed"
)

// cluster is an API server that admin is the kubeconfig of.
type cluster struct {
	client.Client
	kubectl, admin string
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	ctrl.SetLogger(logr.Discard()) // envtest's; what fails is in its errors
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		t.Fatal("this test needs kube-apiserver, etcd and kubectl: run `make test`, or set KUBEBUILDER_ASSETS to a directory that has them")
	}
	env := &envtest.Environment{}
	config, err := installed.Start(env)
	if err != nil {
		t.Fatalf("starting the control plane: %v", err)
	}
	t.Cleanup(func() {
		if err := env.Stop(); err != nil {
			t.Errorf("stopping the control plane: %v", err)
		}
	})
	admin := filepath.Join(t.TempDir(), "admin")
	if err := os.WriteFile(admin, env.KubeConfig, 0o600); err != nil {
		t.Fatal(err)
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		appsv1.AddToScheme, authorizationv1.AddToScheme, corev1.AddToScheme, rbacv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	kube, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return &cluster{kube, filepath.Join(assets, "kubectl"), admin}
}

func (c *cluster) run(t *testing.T, args ...string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), c.kubectl, append(args, "--kubeconfig", c.admin)...).CombinedOutput()
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// bind gives a user a ClusterRole in a namespace.
func (c *cluster) bind(t *testing.T, namespace, user, role string) {
	t.Helper()
	binding := &rbacv1.RoleBinding{
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	}
	binding.Namespace, binding.Name = namespace, user
	if err := c.Create(t.Context(), binding); err != nil {
		t.Fatal(err)
	}
}

// allowed returns those of the verbs that the user may do.
func (c *cluster) allowed(t *testing.T, user string, verbs []string, what authorizationv1.ResourceAttributes) []string {
	t.Helper()
	var may []string
	for _, verb := range verbs {
		what.Verb = verb
		review := authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{User: user, ResourceAttributes: &what}}
		if err := c.Create(t.Context(), &review); err != nil {
			t.Fatal(err)
		}
		if review.Status.Allowed {
			may = append(may, verb)
		}
	}
	return may
}

// checkPod has the API server admit a pod of the manager's, which its namespace allows only restricted ones.
func (c *cluster) checkPod(t *testing.T) {
	t.Helper()
	var deployment appsv1.Deployment
	key := client.ObjectKey{Namespace: "holdfast-system", Name: "holdfast-manager"}
	if err := c.Get(t.Context(), key, &deployment); err != nil {
		t.Fatal(err)
	}
	pod := &corev1.Pod{ObjectMeta: deployment.Spec.Template.ObjectMeta, Spec: deployment.Spec.Template.Spec}
	pod.Namespace, pod.Name = key.Namespace, key.Name
	if err := c.Create(t.Context(), pod, client.DryRunAll); err != nil {
		t.Error(err)
	}
	pod.Spec.Containers[0].SecurityContext = nil
	if err := c.Create(t.Context(), pod, client.DryRunAll); !apierrors.IsForbidden(err) {
		t.Errorf("an unrestricted pod is admitted: %v", err)
	}
}

func TestDefault(t *testing.T) {
	c := startCluster(t)
	c.run(t, "apply", "--server-side", "-k", "../../config/default")
	c.run(t, "diff", "--server-side", "-k", "../../config/default") // fails if it finds any
	c.checkPod(t)
	c.bind(t, "default", "viewer", "holdfast-view")
	c.bind(t, "default", "editor", "holdfast-edit")
	c.bind(t, "default", "administrator", "holdfast-admin")
	c.bind(t, "default", "breaker", "holdfast-break-glass")
	c.bind(t, "default", "approver", "holdfast-approve")
	c.bind(t, "default", "restorer", "holdfast-restore")
	c.bind(t, "default", "destroyer", "holdfast-allow-destructive")

	const manager = "system:serviceaccount:holdfast-system:holdfast-manager"
	verbs := []string{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "break-glass", "approve", "bind", "grant", "restore", "allow-destructive"}
	looking := []string{"get", "list", "watch"}
	ours := func(resource, subresource string) authorizationv1.ResourceAttributes {
		return authorizationv1.ResourceAttributes{Group: "gcp.holdfast.dev", Resource: resource, Subresource: subresource, Namespace: "default"}
	}
	type may struct {
		user string
		what authorizationv1.ResourceAttributes
		want []string
	}
	cases := map[string]may{
		"the manager reads no secrets":           {manager, authorizationv1.ResourceAttributes{Resource: "secrets"}, nil},
		"the manager clears a namespace's glass": {manager, authorizationv1.ResourceAttributes{Resource: "namespaces"}, append(slices.Clone(looking), "patch")},
		"the manager reads no other definitions": {
			manager, authorizationv1.ResourceAttributes{Group: "apiextensions.k8s.io", Resource: "customresourcedefinitions", Name: "others.example.com"}, nil,
		},
		"the manager's lease": {
			manager, authorizationv1.ResourceAttributes{Group: "coordination.k8s.io", Resource: "leases", Namespace: "holdfast-system", Name: "holdfast-manager"}, []string{"get", "create", "update"},
		},
		"no other lease, but for making one": {
			manager, authorizationv1.ResourceAttributes{Group: "coordination.k8s.io", Resource: "leases", Namespace: "holdfast-system", Name: "another"}, []string{"create"},
		},
		"the record of the breaker": {
			manager, authorizationv1.ResourceAttributes{Resource: "configmaps", Namespace: "holdfast-system", Name: "holdfast-breaker"}, []string{"get", "create", "update"},
		},
		"no other ConfigMap, but for making one": {
			manager, authorizationv1.ResourceAttributes{Resource: "configmaps", Namespace: "holdfast-system", Name: "holdfast-plans"}, []string{"create"},
		},
		"no ConfigMap elsewhere":       {manager, authorizationv1.ResourceAttributes{Resource: "configmaps", Namespace: "default"}, nil},
		"no lease elsewhere":           {manager, authorizationv1.ResourceAttributes{Group: "coordination.k8s.io", Resource: "leases", Namespace: "default"}, nil},
		"events":                       {manager, authorizationv1.ResourceAttributes{Group: "events.k8s.io", Resource: "events", Namespace: "default"}, []string{"create", "patch"}},
		"an editor binds no namespace": {"editor", authorizationv1.ResourceAttributes{Resource: "namespaces", Name: "default"}, nil},
		"one lets be destroyed": {
			"destroyer", authorizationv1.ResourceAttributes{Resource: "namespaces", Namespace: "default", Name: "default"}, append(slices.Clone(looking), "patch", "allow-destructive"),
		},
	}
	kinds, err := installed.Kinds()
	if err != nil {
		t.Fatal(err)
	}
	editing := append(slices.Clone(looking), "create", "update", "patch", "delete", "deletecollection")
	for _, kind := range kinds {
		edited := editing
		if kind.Kind == "ProjectPolicy" {
			edited = looking // who may do what in a project is for administrators
		}
		definition := authorizationv1.ResourceAttributes{Group: "apiextensions.k8s.io", Resource: "customresourcedefinitions", Name: kind.Name + ".gcp.holdfast.dev"}
		for name, tc := range map[string]may{
			"the manager makes and deletes none":   {manager, ours(kind.Name, ""), append(slices.Clone(looking), "patch")},
			"the manager's status":                 {manager, ours(kind.Name, "status"), []string{"get", "patch"}},
			"the manager owns nothing":             {manager, ours(kind.Name, "finalizers"), nil},
			"the manager reads the definition":     {manager, definition, []string{"get"}},
			"a viewer looks":                       {"viewer", ours(kind.Name, ""), looking},
			"a viewer looks at status":             {"viewer", ours(kind.Name, "status"), looking},
			"an editor does not break the glass":   {"editor", ours(kind.Name, ""), edited},
			"an editor does not write status":      {"editor", ours(kind.Name, "status"), nil},
			"an administrator does not approve":    {"administrator", ours(kind.Name, ""), append(slices.Clone(editing), "grant")},
			"one restores":                         {"restorer", ours(kind.Name, ""), append(slices.Clone(looking), "restore")},
			"one restores status":                  {"restorer", ours(kind.Name, "status"), []string{"get", "update", "patch"}},
			"one breaks the glass":                 {"breaker", ours(kind.Name, ""), append(slices.Clone(looking), "patch", "break-glass")},
			"one approves":                         {"approver", ours(kind.Name, ""), append(slices.Clone(looking), "patch", "approve")},
			"Kubernetes' own are none of a role's": {"administrator", authorizationv1.ResourceAttributes{Resource: kind.Name, Namespace: "default"}, nil},
			"nor the manager's":                    {manager, authorizationv1.ResourceAttributes{Resource: kind.Name, Namespace: "default"}, nil},
		} {
			cases[kind.Name+": "+name] = tc
		}
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, c.allowed(t, tc.user, verbs, tc.what)); diff != "" {
				t.Errorf("what %s may do (-want +got):\n%s", tc.user, diff)
			}
		})
	}
}
