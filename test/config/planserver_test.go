package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/test/installed"
)

// planOverlay is config/default with the plan server, and issuers of its own, as config/plan-server says.
func planOverlay(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := installed.Example("plan-server", folder); err != nil {
		t.Fatal(err)
	}
	mine := []byte("apiVersion: apiserver.config.k8s.io/v1 # mine\n")
	if err := os.WriteFile(filepath.Join(folder, "authentication.yaml"), mine, 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

// TestThePlanServerIsAddedToTheDefault: as its README says; and there is nothing of it in config/default.
func TestThePlanServerIsAddedToTheDefault(t *testing.T) {
	c := startCluster(t)
	c.run(t, "apply", "--server-side", "-k", "../../config/default")
	key := client.ObjectKey{Namespace: "holdfast-system", Name: "holdfast-manager"}
	var deployment appsv1.Deployment
	if err := c.Get(t.Context(), key, &deployment); err != nil {
		t.Fatal(err)
	}
	if args := strings.Join(deployment.Spec.Template.Spec.Containers[0].Args, " "); strings.Contains(args, "plan") {
		t.Errorf("config/default runs the manager with %s", args)
	}

	c.run(t, "apply", "--server-side", "-k", planOverlay(t))
	c.checkPod(t)
	if err := c.Get(t.Context(), key, &deployment); err != nil {
		t.Fatal(err)
	}
	pod := deployment.Spec.Template.Spec
	if args := pod.Containers[0].Args; !slices.Contains(args, "--plan-address=:9443") || !slices.Contains(args, "--leader-elect") {
		t.Errorf("the manager runs with %q", args)
	}
	var service corev1.Service
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: key.Namespace, Name: "holdfast-plans"}, &service); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(pod.Containers[0].Ports, func(p corev1.ContainerPort) bool { return p.Name == service.Spec.Ports[0].TargetPort.StrVal }) {
		t.Errorf("no port of the manager is the Service's %s", service.Spec.Ports[0].TargetPort.StrVal)
	}
	i := slices.IndexFunc(pod.Volumes, func(v corev1.Volume) bool { return v.ConfigMap != nil })
	if i < 0 {
		t.Fatal("no ConfigMap is mounted")
	}
	var issuers corev1.ConfigMap
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: key.Namespace, Name: pod.Volumes[i].ConfigMap.Name}, &issuers); err != nil {
		t.Fatal(err)
	}
	if text := issuers.Data["authentication.yaml"]; !strings.Contains(text, "# mine") {
		t.Errorf("the issuers are not the overlay's:\n%s", text)
	}
}

func TestWhoMayHavePlans(t *testing.T) {
	c := startCluster(t)
	c.run(t, "apply", "--server-side", "-k", planOverlay(t))
	c.bind(t, "default", "github:repository:1234567890", "holdfast-plan")
	c.bind(t, "default", "editor", "edit")
	c.bind(t, "default", "viewer", "view")
	const manager = "system:serviceaccount:holdfast-system:holdfast-manager"
	ours := func(namespace, resource, subresource string) authorizationv1.ResourceAttributes {
		return authorizationv1.ResourceAttributes{Group: "gcp.holdfast.dev", Resource: resource, Subresource: subresource, Namespace: namespace}
	}
	verbs := []string{"get", "list", "watch", "create", "update", "patch", "delete"}
	create := []string{"create"}
	for _, tc := range []struct {
		user string
		what authorizationv1.ResourceAttributes
		want []string
	}{
		{"github:repository:1234567890", ours("default", "buckets", "plan"), create},
		{"github:repository:1234567890", ours("default", "topics", "plan"), create},
		{"github:repository:1234567890", ours("default", "serviceaccounts", "plan"), create},
		{"github:repository:1234567890", ours("default", "projectpolicies", "plan"), create},
		{"github:repository:1234567890", ours("default", "buckets", ""), nil},
		{"github:repository:1234567890", ours("default", "buckets", "status"), nil},
		{"github:repository:1234567890", ours("kube-system", "buckets", "plan"), nil},
		{"github:repository:1234567890", authorizationv1.ResourceAttributes{Resource: "namespaces", Name: "default"}, nil},
		{"editor", ours("default", "buckets", "plan"), nil},
		{"viewer", ours("default", "buckets", "plan"), nil},
		{manager, authorizationv1.ResourceAttributes{Group: "authentication.k8s.io", Resource: "tokenreviews"}, create},
		{manager, authorizationv1.ResourceAttributes{Group: "authorization.k8s.io", Resource: "subjectaccessreviews"}, create},
		{manager, authorizationv1.ResourceAttributes{Resource: "secrets", Namespace: "holdfast-system"}, nil},
	} {
		what := fmt.Sprintf("%s may with %s/%s in %s", tc.user, tc.what.Resource, tc.what.Subresource, tc.what.Namespace)
		if diff := cmp.Diff(tc.want, c.allowed(t, tc.user, verbs, tc.what)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
}
