package install

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// live reads an object; nil if there is none.
func (s *site) live(group, version, kind, namespace, name string) *unstructured.Unstructured {
	s.t.Helper()
	obj := &unstructured.Unstructured{}
	obj.SetGroupVersionKind(schema.GroupVersionKind{Group: group, Version: version, Kind: kind})
	err := s.Get(s.t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, obj)
	if apierrors.IsNotFound(err) {
		return nil
	}
	s.must(err)
	return obj
}

// standing is what there is of an installation.
type standing struct {
	// Image is the one that the operator's Deployment runs.
	Image string
	// Policy, Role, Definition, New, Namespace and Manifest say whether there is a policy, a ClusterRole, a definition, one that came with
	// an upgrade, the operator's namespace, and a manifest.
	Policy, Role, Definition, New, Namespace, Manifest bool
}

func (s *site) standing() standing {
	s.t.Helper()
	var out standing
	if d := s.live("apps", "v1", "Deployment", "holdfast-system", "holdfast-manager"); d != nil {
		containers, _, _ := unstructured.NestedSlice(d.Object, "spec", "template", "spec", "containers")
		out.Image, _ = containers[0].(map[string]any)["image"].(string)
	}
	definition := func(name string) bool {
		return s.live("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "", name) != nil
	}
	out.Policy = s.live("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicy", "", "holdfast-guard-break-glass") != nil
	out.Role = s.live("rbac.authorization.k8s.io", "v1", "ClusterRole", "", "holdfast-manager") != nil
	out.Definition, out.New = definition("topics.gcp.holdfast.dev"), definition("queues.gcp.holdfast.dev")
	out.Namespace = s.live("", "v1", "Namespace", "", "holdfast-system") != nil
	out.Manifest = out.Definition && s.live("gcp.holdfast.dev", "v1alpha1", "Topic", "default", "orders") != nil
	return out
}

func (s *site) stands(when string, want standing) {
	s.t.Helper()
	if diff := cmp.Diff(want, s.standing()); diff != "" {
		s.t.Errorf("%s (-want +got):\n%s", when, diff)
	}
}

// next is a copy of the chart with what a later version may bring: a definition.
func (s *site) next(chart string) string {
	s.t.Helper()
	to := filepath.Join(s.folder, "next", chart)
	s.must(os.CopyFS(to, os.DirFS(filepath.Join(root, "config", "chart", chart))))
	text, err := os.ReadFile(filepath.Join(to, "templates", "crd_breakglassrecords.yaml"))
	s.must(err)
	queues := strings.NewReplacer("breakglassrecord", "queue", "BreakGlassRecord", "Queue").Replace(string(text))
	s.must(os.WriteFile(filepath.Join(to, "templates", "crd_queues.yaml"), []byte(queues), 0o600))
	return to
}

// TestHelm: what is installed is upgraded, taken back and uninstalled; definitions and manifests stay.
func TestHelm(t *testing.T) {
	s := newSite(t)
	for _, chart := range []string{"holdfast-cluster", "holdfast"} {
		s.publish("config/chart/"+chart, "0.1.0")
	}
	s.publish(s.next("holdfast-cluster"), "0.2.0")
	s.publish("config/chart/holdfast", "0.2.0")

	s.readme("Install with Helm", "VERSION=v0.1.0", "HOLDFAST=holdfast@ops.iam.gserviceaccount.com")
	account := s.live("", "v1", "ServiceAccount", "holdfast-system", "holdfast-manager")
	if got := account.GetAnnotations()["iam.gke.io/gcp-service-account"]; got != "holdfast@ops.iam.gserviceaccount.com" {
		t.Errorf("the service account is bound to %q", got)
	}
	s.sh(`helm install holdfast-eu ` + published + `/holdfast --version 0.1.0 --namespace holdfast-system --set shard=eu`)
	if s.live("apps", "v1", "Deployment", "holdfast-system", "holdfast-manager-eu") == nil {
		t.Error("there is no release for the shard")
	}
	s.apply("{apiVersion: gcp.holdfast.dev/v1alpha1, kind: Topic, metadata: {name: orders, namespace: default}}")
	first := standing{"ghcr.io/holdfast-dev/holdfast:v0.1.0", true, true, true, false, true, true}
	s.stands("installed", first)

	s.readme("Upgrade", "VERSION=v0.2.0")
	s.stands("upgraded", standing{"ghcr.io/holdfast-dev/holdfast:v0.2.0", true, true, true, true, true, true})
	upgraded := s.live("", "v1", "ServiceAccount", "holdfast-system", "holdfast-manager")
	if diff := cmp.Diff(account.GetAnnotations(), upgraded.GetAnnotations()); diff != "" {
		t.Errorf("annotations of the service account (-installed +upgraded):\n%s", diff)
	}

	s.sh(`helm rollback holdfast --namespace holdfast-system; helm rollback holdfast-cluster --namespace default`)
	first.New = true // and what is of that kind
	s.stands("rolled back", first)

	s.sh(`helm uninstall holdfast-eu --namespace holdfast-system; helm uninstall holdfast --namespace holdfast-system
		helm uninstall holdfast-cluster --namespace default`)
	s.stands("uninstalled", standing{"", false, false, true, true, true, true})

	s.readme("Install with Helm", "VERSION=v0.1.0", "HOLDFAST=holdfast@ops.iam.gserviceaccount.com")
	s.stands("installed again", first)
}

// TestValuesAreChecked: what the charts cannot do anything with is refused before anything is installed.
func TestValuesAreChecked(t *testing.T) {
	helm := tool(t, "HOLDFAST_HELM")
	for chart, all := range map[string][]string{
		"holdfast-cluster": {"namespace=Holdfast", "serviceAccount.name=a/b", "prometheus=maybe", "operator.namespace=platform"},
		"holdfast": {
			"image.tag=a:b", "image.digest=latest", "shard=EU", "args={--shard=us}", "args={shard}", "replicas=0", "goMemLimit=1Gi",
			"networkPolicy=", "image.name=x", "volumes[0].secret.secretName=key", "volumeMounts[0].name=key", "egress=all",
		},
	} {
		for _, value := range all {
			out, err := run(t, helm, "template", "x", root+"/config/chart/"+chart, "--set", value)
			if err == nil || !strings.Contains(out, "values don't meet the specifications of the schema") {
				t.Errorf("%s with %s: %v\n%.300s", chart, value, err, out)
			}
		}
		if out, err := run(t, helm, "lint", "--strict", root+"/config/chart/"+chart); err != nil {
			t.Errorf("%s: %v\n%s", chart, err, out)
		}
	}
}

// TestMoreThatTheOperatorMaySpeakWith: rules are added to those of its NetworkPolicy.
func TestMoreThatTheOperatorMaySpeakWith(t *testing.T) {
	helm := tool(t, "HOLDFAST_HELM")
	rules := func(set ...string) []any {
		args := append([]string{"template", "x", root + "/config/chart/holdfast", "--show-only", "templates/networkpolicy.yaml"}, set...)
		policy := parse(t, output(t, exec.CommandContext(t.Context(), helm, args...)))[0]
		rules, _, _ := unstructured.NestedSlice(policy.Object, "spec", "egress")
		return rules
	}
	proxy := map[string]any{"ports": []any{map[string]any{"port": int64(3128), "protocol": "TCP"}}}
	got := rules("--set", "egress[0].ports[0].port=3128,egress[0].ports[0].protocol=TCP")
	if diff := cmp.Diff(append(rules(), proxy), got); diff != "" {
		t.Errorf("egress (-want +got):\n%s", diff)
	}
}

// TestALimitInBytesIsText, as the API server demands of a variable's value.
func TestALimitInBytesIsText(t *testing.T) {
	out := output(t, exec.CommandContext(t.Context(), tool(t, "HOLDFAST_HELM"), "template", "x", root+"/config/chart/holdfast", "--set-string", "goMemLimit=1929379840"))
	if !strings.Contains(string(out), `value: "1929379840"`) {
		t.Errorf("GOMEMLIMIT is not text:\n%s", out)
	}
}

// TestValuesOfTheOperator: values change what they are for.
func TestValuesOfTheOperator(t *testing.T) {
	helm := tool(t, "HOLDFAST_HELM")
	out, err := run(t, helm, "template", "x", root+"/config/chart/holdfast", "--set",
		"replicas=3,goMemLimit=1840MiB,resources.limits.memory=2Gi,env[0].name=HTTPS_PROXY,env[0].value=proxy:3128,nodeSelector.pool=system,"+
			"priorityClassName=high,imagePullSecrets[0].name=registry,tolerations[0].operator=Exists,networkPolicy=false,"+
			"image.digest=sha256:"+strings.Repeat("0", 64)+",volumes[0].name=key,volumes[0].secret.secretName=key,"+
			"volumeMounts[0].name=key,volumeMounts[0].mountPath=/var/run/key", "--show-only", "templates/deployment.yaml")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	deployment := parse(t, []byte(out))[0]
	pod, _, _ := unstructured.NestedMap(deployment.Object, "spec", "template", "spec")
	container := pod["containers"].([]any)[0].(map[string]any)
	got := map[string]any{
		"replicas": deployment.Object["spec"].(map[string]any)["replicas"], "env": container["env"], "image": container["image"],
		"resources": container["resources"], "volumeMounts": container["volumeMounts"],
	}
	for _, field := range []string{"nodeSelector", "priorityClassName", "imagePullSecrets", "tolerations", "affinity", "volumes"} {
		got[field] = pod[field]
	}
	want := map[string]any{
		"replicas":  int64(3),
		"env":       []any{map[string]any{"name": "GOMEMLIMIT", "value": "1840MiB"}, map[string]any{"name": "HTTPS_PROXY", "value": "proxy:3128"}},
		"image":     "ghcr.io/holdfast-dev/holdfast@sha256:" + strings.Repeat("0", 64),
		"resources": map[string]any{"limits": map[string]any{"memory": "2Gi"}}, "nodeSelector": map[string]any{"pool": "system"},
		"priorityClassName": "high", "imagePullSecrets": []any{map[string]any{"name": "registry"}},
		"tolerations": []any{map[string]any{"operator": "Exists"}}, "affinity": nil,
		"volumes":      []any{map[string]any{"name": "key", "secret": map[string]any{"secretName": "key"}}},
		"volumeMounts": []any{map[string]any{"name": "key", "mountPath": "/var/run/key"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the Deployment (-want +got):\n%s", diff)
	}
}
