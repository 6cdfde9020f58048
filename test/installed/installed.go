// Package installed installs config/ into the API server of a test, and lets tests act as the users that its roles and
// policies apply to.
package installed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// The people of the tests.
const (
	Ada      = "ada"                                                    // holds every verb that Holdfast asks for
	Bob      = "bob"                                                    // may edit everything and holds none of them
	GitOps   = "system:serviceaccount:flux-system:kustomize-controller" // is cluster-admin
	Operator = "system:serviceaccount:holdfast-system:holdfast-manager" // is Holdfast itself
)

// Guards are the files of config/admission that hold on every version of Kubernetes; Stamps needs mutating policies.
var (
	Guards = []string{
		"roles.yaml", "guard.yaml", "approve.yaml", "finalizer.yaml", "bind.yaml", "destructive.yaml", "operator.yaml",
		"annotate.yaml", "grant.yaml", "status.yaml", "record.yaml", "size.yaml",
	}
	Stamps = []string{"stamp.yaml", "stamp_finalizer.yaml"}
)

// editor may edit everything and holds no verb.
const editor = "edit-without-verbs"

// As returns how to reach the API server as somebody, in the groups that a service account is in if that is who it is; as
// the cluster's administrator for nobody. No limit is kept on this side.
func As(admin *rest.Config, user string) *rest.Config {
	config := rest.CopyConfig(admin)
	config.QPS = -1
	if user == "" {
		return config
	}
	config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{"system:authenticated"}}
	if parts := strings.Split(user, ":"); strings.HasPrefix(user, "system:serviceaccount:") && len(parts) == 4 {
		config.Impersonate.Groups = append(config.Impersonate.Groups, "system:serviceaccounts", "system:serviceaccounts:"+parts[2])
	}
	return config
}

// People makes the people, with what they may do. The ClusterRoles of config/admission must be there.
func People(kube client.Client) error {
	edit := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: editor}, Rules: []rbacv1.PolicyRule{
		{
			APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"*"},
			Verbs: []string{"get", "list", "watch", "create", "update", "patch", "delete"},
		},
		{
			APIGroups: []string{""}, Resources: []string{"namespaces", "namespaces/status", "namespaces/finalize"},
			Verbs: []string{"get", "create", "update", "patch"},
		},
	}}
	return errors.Join(
		kube.Create(context.Background(), edit),
		Grant(kube, Ada, editor, "holdfast-break-glass", "holdfast-break-glass-namespaces", "holdfast-approve", "holdfast-bind",
			"holdfast-allow-destructive", "holdfast-grant"),
		Grant(kube, Bob, editor),
		Grant(kube, GitOps, "cluster-admin"),
	)
}

// Grant binds somebody to ClusterRoles, everywhere, if that is not done already.
func Grant(kube client.Client, user string, roles ...string) error {
	for _, role := range roles {
		binding := &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: strings.ReplaceAll(user, ":", "-") + "-" + role},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
		}
		if err := client.IgnoreAlreadyExists(kube.Create(context.Background(), binding)); err != nil {
			return err
		}
	}
	return nil
}

// Manager gives the operator the rights that config/rbac has for it.
func Manager(kube client.Client) error {
	return errors.Join(
		client.IgnoreAlreadyExists(kube.Create(context.Background(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "holdfast-system"}})),
		Create(kube, "rbac", "role.yaml", "role_bindings.yaml"),
	)
}

// Policies creates the objects of files of config/admission.
func Policies(kube client.Client, files ...string) error { return Create(kube, "admission", files...) }

// Create creates the objects of files in a folder of config/, from two folders below the root of the repository.
func Create(kube client.Client, folder string, files ...string) error {
	for _, file := range files {
		objects, err := Objects(folder, file)
		if err != nil {
			return err
		}
		for _, obj := range objects {
			if err := kube.Create(context.Background(), obj); err != nil {
				return fmt.Errorf("creating %s %s of %s: %w", obj.GetKind(), obj.GetName(), file, err)
			}
		}
	}
	return nil
}

// Objects reads the objects of a file in a folder of config/.
func Objects(folder, file string) ([]*unstructured.Unstructured, error) {
	text, err := os.ReadFile(filepath.Join("..", "..", "config", folder, file))
	if err != nil {
		return nil, err
	}
	objects, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	return objects, nil
}

// Parse reads objects from YAML.
func Parse(text []byte) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	for decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096); ; {
		obj := &unstructured.Unstructured{}
		switch err := decoder.Decode(obj); {
		case errors.Is(err, io.EOF):
			return objects, nil
		case err != nil:
			return nil, err
		case len(obj.Object) > 0:
			objects = append(objects, obj)
		}
	}
}

// Kinds are those of config/crd that are about Google Cloud resources, by their names and the names of their resources.
func Kinds() ([]metav1.APIResource, error) {
	served, err := Served()
	return slices.CompactFunc(served, func(a, b metav1.APIResource) bool { return a.Kind == b.Kind }), err
}

// Served are those kinds in each version that is served.
func Served() ([]metav1.APIResource, error) {
	bases := filepath.Join("crd", "bases")
	files, err := os.ReadDir(filepath.Join("..", "..", "config", bases))
	if err != nil {
		return nil, err
	}
	var served []metav1.APIResource
	for _, file := range files {
		definitions, err := Objects(bases, file.Name())
		if err != nil {
			return nil, err
		}
		for _, definition := range definitions {
			categories, _, _ := unstructured.NestedStringSlice(definition.Object, "spec", "names", "categories")
			if !slices.Contains(categories, "gcp") {
				continue
			}
			kind, _, _ := unstructured.NestedString(definition.Object, "spec", "names", "kind")
			name, _, _ := unstructured.NestedString(definition.Object, "spec", "names", "plural")
			versions, _, _ := unstructured.NestedSlice(definition.Object, "spec", "versions")
			for _, version := range versions {
				version, _, _ := unstructured.NestedString(version.(map[string]any), "name")
				served = append(served, metav1.APIResource{Group: v1alpha1.GroupVersion.Group, Version: version, Kind: kind, Name: name})
			}
		}
	}
	return served, nil
}

// Guarded waits until the API server has taken in the Guards: what Bob may not do is refused. Those that apply to objects that exist are
// not tried; the API server takes them in together with the last, that on the size.
func Guarded(admin *rest.Config, scheme *runtime.Scheme) error {
	meta := func(key string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Name: "probe-of-the-guards", Annotations: map[string]string{key: "INC-1 a probe of the policies"}}
	}
	namespace := func(key string) client.Object { return &corev1.Namespace{ObjectMeta: meta(key)} }
	topic := func(key string) client.Object {
		topic := &v1alpha1.Topic{ObjectMeta: meta(key)}
		topic.Namespace = metav1.NamespaceDefault
		return topic
	}
	public, crowded := topic("team"), topic("team")
	everybody := v1alpha1.IAMBinding{Role: "roles/viewer", Members: []v1alpha1.IAMMember{"allUsers"}}
	public.(*v1alpha1.Topic).Spec.IAM = &v1alpha1.IAMPolicy{Bindings: []v1alpha1.IAMBinding{everybody}}
	for i := range 300 {
		crowded.GetAnnotations()[fmt.Sprint("a", i)] = ""
	}
	bob, err := client.New(As(admin, Bob), client.Options{Scheme: scheme})
	if err != nil {
		return err
	}
	for what, probe := range map[string]client.Object{
		"break-glass": topic(v1alpha1.BreakGlassAnnotation), "approvals": topic(v1alpha1.ApproveAnnotation),
		"bindings": namespace(v1alpha1.ProjectIDAnnotation), "break-glass of Namespaces": namespace(v1alpha1.BreakGlassAnnotation),
		"grants to everybody": public, "the size": crowded,
	} {
		if err := poll(func() bool {
			err := bob.Create(context.Background(), probe.DeepCopyObject().(client.Object), client.DryRunAll)
			return apierrors.IsForbidden(err) || apierrors.IsInvalid(err)
		}); err != nil {
			return fmt.Errorf("the policy on %s is not in force: %w", what, err)
		}
	}
	return nil
}

// Stamped waits until the API server has taken in the Stamps: what Ada annotates carries her name, and what she creates the finalizer.
func Stamped(admin *rest.Config, scheme *runtime.Scheme) error {
	return poll(func() bool { return StampsOnce(admin, scheme) == nil })
}

// Unstamped waits until the API server has taken in that the Stamps are deleted, in their order: it takes them in by that order too, so
// that none is in force any more once the last is not, that of the finalizer.
func Unstamped(admin *rest.Config, scheme *runtime.Scheme) error {
	return poll(func() bool {
		probe, err := stamp(admin, scheme, "team")
		return err == nil && !slices.Contains(probe.GetFinalizers(), v1alpha1.Finalizer)
	})
}

// StampsOnce tries whether what Ada annotates carries her name, and what she creates the finalizer, and returns why it does not.
func StampsOnce(admin *rest.Config, scheme *runtime.Scheme) error {
	for _, key := range []string{v1alpha1.BreakGlassAnnotation, v1alpha1.ApproveAnnotation} {
		switch probe, err := stamp(admin, scheme, key); {
		case err != nil:
			return fmt.Errorf("%s is not stamped: %w", key, err)
		case !slices.Contains(probe.GetFinalizers(), v1alpha1.Finalizer):
			return errors.New("what is created has no finalizer")
		}
	}
	return nil
}

// stamp returns what becomes of a topic with an annotation that Ada would create.
func stamp(admin *rest.Config, scheme *runtime.Scheme, key string) (client.Object, error) {
	ada, err := client.New(As(admin, Ada), client.Options{Scheme: scheme})
	if err != nil {
		return nil, err
	}
	probe := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{
		Name: "probe-of-the-stamps", Namespace: metav1.NamespaceDefault, Annotations: map[string]string{key: "INC-1 a probe of the policies"},
	}}
	return probe, ada.Create(context.Background(), probe, client.DryRunAll)
}

func poll(holds func() bool) error {
	return wait.PollUntilContextTimeout(context.Background(), 50*time.Millisecond, time.Minute, true,
		func(context.Context) (bool, error) { return holds(), nil })
}

// Example writes the overlay that the comment of a kustomization in a folder of config/ shows, as kustomization.yaml into a new folder.
func Example(of, folder string) error {
	config, err := filepath.Abs(filepath.Join("..", "..", "config"))
	if err != nil {
		return err
	}
	above, err := filepath.Rel(folder, config)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(config, of, "kustomization.yaml"))
	if err != nil {
		return err
	}
	var overlay strings.Builder
	for line := range strings.Lines(string(text)) {
		if shown, found := strings.CutPrefix(line, "#   "); found {
			overlay.WriteString(strings.ReplaceAll(shown, "../", above+"/"))
		}
	}
	if overlay.Len() == 0 {
		return fmt.Errorf("config/%s/kustomization.yaml shows no overlay", of)
	}
	return os.WriteFile(filepath.Join(folder, "kustomization.yaml"), []byte(overlay.String()), 0o600)
}
