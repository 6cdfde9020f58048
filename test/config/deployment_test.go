package config

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/holdfast-dev/holdfast/test/installed"
)

// release is what belongs to the pods of an operator.
type release struct {
	deployment appsv1.Deployment
	budget     policyv1.PodDisruptionBudget
	network    networkingv1.NetworkPolicy
}

func built(t *testing.T, folder string) *release {
	t.Helper()
	command := exec.CommandContext(t.Context(), tool(t, "kustomize"), "build", folder)
	var problems bytes.Buffer
	command.Stderr = &problems
	out, err := command.Output()
	if err != nil {
		t.Fatalf("kustomize build %s: %v\n%s", folder, err, &problems)
	}
	objects, err := installed.Parse(out)
	if err != nil {
		t.Fatal(err)
	}
	var r release
	into := map[string]any{"Deployment": &r.deployment, "PodDisruptionBudget": &r.budget, "NetworkPolicy": &r.network}
	for _, obj := range objects {
		if to := into[obj.GetKind()]; to != nil {
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, to); err != nil {
				t.Fatal(err)
			}
		}
	}
	return &r
}

// TestPodsOfAllReleases: whatever is installed, the pods are hardened, bounded, spread, and selected by what is there for them; and what they
// listen on can be reached.
func TestPodsOfAllReleases(t *testing.T) {
	for name, folder := range map[string]string{
		"default": "../../config/default", "before 1.36": "../../config/before-1.36", "a shard": "../../config/shard", "plan server": planOverlay(t),
	} {
		t.Run(name, func(t *testing.T) {
			r := built(t, folder)
			pod := r.deployment.Spec.Template
			if n := *r.deployment.Spec.Replicas; n != 2 {
				t.Errorf("%d replicas", n)
			}
			for what, selector := range map[string]*metav1.LabelSelector{
				"Deployment": r.deployment.Spec.Selector, "PodDisruptionBudget": r.budget.Spec.Selector, "NetworkPolicy": &r.network.Spec.PodSelector,
			} {
				if s, err := metav1.LabelSelectorAsSelector(selector); err != nil || s.Empty() || !s.Matches(labels.Set(pod.Labels)) {
					t.Errorf("the %s selects %v, %v: not the pods, which have %v", what, s, err, pod.Labels)
				}
			}
			container := pod.Spec.Containers[0]
			security := &corev1.SecurityContext{
				AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(true), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			}
			if diff := cmp.Diff(security, container.SecurityContext); diff != "" {
				t.Errorf("the container (-want +got):\n%s", diff)
			}
			var listens, open []string
			for _, port := range container.Ports {
				listens = append(listens, port.Name)
			}
			for _, port := range r.network.Spec.Ingress[0].Ports {
				open = append(open, port.Port.StrVal)
			}
			if diff := cmp.Diff(listens, open); diff != "" {
				t.Errorf("ports (-listening +open):\n%s", diff)
			}
			if container.Resources.Requests.Memory().Value() < 396<<20 || container.Resources.Limits.Memory().IsZero() {
				t.Errorf("resources %+v: want what the fleet of the benchmark takes, 396 MiB", container.Resources)
			}
		})
	}
}

// TestWhereTheOperatorGoes: DNS, the API server, Google, and GKE's metadata server at both of its addresses; nowhere else.
func TestWhereTheOperatorGoes(t *testing.T) {
	var got []string
	for _, rule := range built(t, filepath.Join("..", "..", "config", "default")).network.Spec.Egress {
		for _, port := range rule.Ports {
			to := "anywhere"
			if len(rule.To) > 0 {
				to = ""
			}
			for _, peer := range rule.To {
				if peer.IPBlock != nil {
					to += " " + peer.IPBlock.CIDR
				} else {
					to += " " + metav1.FormatLabelSelector(peer.NamespaceSelector)
				}
			}
			got = append(got, string(*port.Protocol)+" "+port.Port.String()+" "+to)
		}
	}
	const dns = "  kubernetes.io/metadata.name=kube-system 169.254.20.10/32 169.254.169.254/32"
	want := []string{
		"UDP 53" + dns, "TCP 53" + dns, "TCP 443 anywhere", "TCP 6443 anywhere", "TCP 988  169.254.169.252/32", "TCP 80  169.254.169.254/32",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("egress (-want +got):\n%s", diff)
	}
}
