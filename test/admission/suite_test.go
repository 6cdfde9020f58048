// Package admission tests the policies of config/admission in a real API server, as the people whom they are about.
package admission

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// The people of the tests.
const (
	ada      = "ada"                                                    // holds every verb that Holdfast asks for
	bob      = "bob"                                                    // may edit everything and holds none of them
	gitops   = "system:serviceaccount:flux-system:kustomize-controller" // is cluster-admin
	operator = "system:serviceaccount:holdfast-system:holdfast-manager"
)

var (
	admin  *rest.Config
	scheme = runtime.NewScheme()
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		fmt.Fprintln(os.Stderr, "these tests need kube-apiserver and etcd: run `make test`, or set KUBEBUILDER_ASSETS to a directory that has both")
		return 1
	}
	for _, add := range []func(*runtime.Scheme) error{v1alpha1.AddToScheme, corev1.AddToScheme, rbacv1.AddToScheme} {
		if err := add(scheme); err != nil {
			fmt.Fprintln(os.Stderr, "building the scheme:", err)
			return 1
		}
	}
	ctrl.SetLogger(logr.Discard())
	environment := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join("..", "..", "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
	}
	defer func() {
		if err := environment.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stopping the control plane:", err)
		}
	}()
	var err error
	if admin, err = environment.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "starting the control plane:", err)
		return 1
	}
	if err := setUp(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// setUp installs the roles, the policies without the stamps, and binds the people.
func setUp() error {
	kube, err := as("")
	if err != nil {
		return err
	}
	for _, file := range []string{"roles.yaml", "guard.yaml", "approve.yaml", "finalizer.yaml", "bind.yaml"} {
		if err := apply(kube, file); err != nil {
			return err
		}
	}
	edit := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "edit-without-verbs"}, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{"gcp.holdfast.dev"}, Resources: []string{"*"}, Verbs: []string{"get", "list", "watch", "create", "update", "patch", "delete"}},
		{APIGroups: []string{""}, Resources: []string{"namespaces", "namespaces/status", "namespaces/finalize"}, Verbs: []string{"get", "create", "update", "patch"}},
	}}
	if err := kube.Create(context.Background(), edit); err != nil {
		return err
	}
	for user, roles := range map[string][]string{
		ada:      {"edit-without-verbs", "holdfast-break-glass", "holdfast-break-glass-namespaces", "holdfast-approve", "holdfast-bind"},
		bob:      {"edit-without-verbs"},
		operator: {"edit-without-verbs"},
		gitops:   {"cluster-admin"},
	} {
		if err := grantTo(kube, user, roles...); err != nil {
			return err
		}
	}
	return inForce(kube)
}

// grantTo binds a person to roles, everywhere.
func grantTo(kube client.Client, user string, roles ...string) error {
	for _, role := range roles {
		binding := &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: strings.ReplaceAll(user, ":", "-") + "-" + role},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
		}
		if err := kube.Create(context.Background(), binding); err != nil {
			return err
		}
	}
	return nil
}

// as returns a client that acts as a person; as the cluster's administrator for nobody.
func as(user string) (client.Client, error) {
	config := rest.CopyConfig(admin)
	config.QPS = -1
	if user != "" {
		config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{"system:authenticated"}}
	}
	return client.New(config, client.Options{Scheme: scheme})
}

// apply creates the objects of a file of config/admission.
func apply(kube client.Client, file string) error {
	return eachObject(file, func(obj *unstructured.Unstructured) error {
		return kube.Create(context.Background(), obj)
	})
}

func eachObject(file string, do func(*unstructured.Unstructured) error) error {
	f, err := os.Open(filepath.Join("..", "..", "config", "admission", file))
	if err != nil {
		return err
	}
	defer f.Close()
	for decoder := yaml.NewYAMLOrJSONDecoder(f, 4096); ; {
		obj := &unstructured.Unstructured{}
		switch err := decoder.Decode(obj); {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("reading %s: %w", file, err)
		}
		if err := do(obj); err != nil {
			return fmt.Errorf("%s %s of %s: %w", obj.GetKind(), obj.GetName(), file, err)
		}
	}
}

// inForce waits until the API server has taken in the policies: a glass that nobody may break is refused.
func inForce(kube client.Client) error {
	probe, err := as(bob)
	if err != nil {
		return err
	}
	name := 0
	refused := func(annotations map[string]string, namespace bool) (bool, error) {
		name++
		meta := metav1.ObjectMeta{Name: fmt.Sprintf("probe-%d", name), Annotations: annotations}
		var obj client.Object = &corev1.Namespace{ObjectMeta: meta}
		if !namespace {
			meta.Namespace = metav1.NamespaceDefault
			obj = &v1alpha1.Topic{ObjectMeta: meta}
		}
		err := probe.Create(context.Background(), obj, client.DryRunAll)
		return apierrors.IsForbidden(err) || apierrors.IsInvalid(err), nil
	}
	for _, p := range []struct {
		key       string
		namespace bool
	}{
		{v1alpha1.BreakGlassAnnotation, false}, {v1alpha1.ApproveAnnotation, false}, {v1alpha1.ProjectIDAnnotation, true}, {v1alpha1.BreakGlassAnnotation, true},
	} {
		if err := poll(func() (bool, error) {
			return refused(map[string]string{p.key: "INC-1 a probe of the policies"}, p.namespace)
		}); err != nil {
			return fmt.Errorf("the policy on %s is not in force: %w", p.key, err)
		}
	}
	return nil
}

func poll(holds func() (bool, error)) error {
	return wait.PollUntilContextTimeout(context.Background(), 50*time.Millisecond, 30*time.Second, true, func(context.Context) (bool, error) { return holds() })
}
