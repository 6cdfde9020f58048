package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kinds"
)

// fakeAPIServer knows what the manager asks for before it runs: the kinds, unless nil, and the namespace kube-system,
// unless that is forbidden. It returns its kubeconfig.
func fakeAPIServer(t *testing.T, kinds []metav1.APIResource, forbidden bool) (kubeconfig string) {
	t.Helper()
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, code int, body any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		if err := json.NewEncoder(w).Encode(body); err != nil {
			t.Error(err)
		}
	}
	if kinds != nil {
		mux.HandleFunc("/apis/"+v1alpha1.GroupVersion.String(), func(w http.ResponseWriter, _ *http.Request) {
			answer(w, http.StatusOK, metav1.APIResourceList{GroupVersion: v1alpha1.GroupVersion.String(), APIResources: kinds})
		})
	}
	mux.HandleFunc("/api/v1/namespaces/kube-system", func(w http.ResponseWriter, _ *http.Request) {
		if forbidden {
			answer(w, http.StatusForbidden, metav1.Status{
				TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Code: http.StatusForbidden,
				Reason: metav1.StatusReasonForbidden, Message: "namespaces is forbidden", Status: metav1.StatusFailure,
			})
			return
		}
		answer(w, http.StatusOK, map[string]any{
			"kind": "Namespace", "apiVersion": "v1", "metadata": map[string]any{"name": "kube-system", "uid": "kube-system-uid"},
		})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return writeKubeconfig(t, server.URL)
}

func writeKubeconfig(t *testing.T, server string) string {
	t.Helper()
	config := api.NewConfig()
	config.Clusters["c"] = &api.Cluster{Server: server}
	config.Contexts["c"] = &api.Context{Cluster: "c"}
	config.CurrentContext = "c"
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, file); err != nil {
		t.Fatal(err)
	}
	return file
}

// listener is something that can be reached, and says nothing of interest.
func listener(t *testing.T) (address string) {
	t.Helper()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func TestRunComplains(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Setenv("KUBECONFIG", "")
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
	const gone = "127.0.0.1:1"
	there := listener(t)
	emulated := func(storage, pubsub, iam, resourceManager string, more ...string) []string {
		return append([]string{
			"--gcp-insecure", "--storage-endpoint", storage, "--pubsub-endpoint", pubsub,
			"--iam-endpoint", iam, "--resourcemanager-endpoint", resourceManager,
			"--metrics-bind-address=0", "--health-probe-bind-address=0",
		}, more...)
	}
	all := []metav1.APIResource{{Name: "buckets/status"}}
	for _, k := range kinds.All(nil) {
		all = append(all, metav1.APIResource{Name: k.Plural})
	}
	noKey := filepath.Join(t.TempDir(), "key.json")
	badKey := filepath.Join(t.TempDir(), "bad.json")
	if err := os.WriteFile(badKey, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(t.TempDir(), "broken")
	if err := os.WriteFile(broken, []byte("\t"), 0o600); err != nil {
		t.Fatal(err)
	}

	cases := map[string]struct {
		args []string
		key  string
		code int
		want []string
	}{
		"a flag's wrong value": {[]string{"--log-level=loud"}, "", 2, []string{"--log-level", "debug, info, error"}},
		"no credentials":       {nil, "", 1, []string{"could not find default credentials", "gcloud auth application-default login"}},
		"credentials missing":  {nil, noKey, 1, []string{noKey, "no such file or directory"}},
		"credentials broken":   {nil, badKey, 1, []string{badKey, "GOOGLE_APPLICATION_CREDENTIALS"}},
		"no kubeconfig":        {emulated(there, there, there, there), "", 1, []string{"--kubeconfig", "KUBECONFIG"}},
		"kubeconfig missing": {
			emulated(there, there, there, there, "--kubeconfig", noKey), "", 1, []string{"reading the kubeconfig", noKey},
		},
		"kubeconfig broken": {
			emulated(there, there, there, there, "--kubeconfig", broken), "", 1, []string{"reading the kubeconfig", broken},
		},
		"API server unreachable": {
			emulated(there, there, there, there, "--kubeconfig", writeKubeconfig(t, "http://"+gone)), "", 1,
			[]string{"the Kubernetes API server at http://" + gone + " cannot be reached", "connection refused"},
		},
		"API server refuses": {
			emulated(there, there, there, there, "--kubeconfig", fakeAPIServer(t, all, true)), "", 1,
			[]string{"the Kubernetes API server at http://", "refused a request: namespaces is forbidden"},
		},
		"no CRD": {
			emulated(there, there, there, there, "--kubeconfig", fakeAPIServer(t, nil, false)), "", 1,
			[]string{"missing CustomResourceDefinitions buckets.gcp.holdfast.dev, topics.gcp.holdfast.dev, serviceaccounts.gcp.holdfast.dev, projectpolicies.gcp.holdfast.dev (v1alpha1)", "`kubectl apply -k config/crd`"},
		},
		"one CRD missing": {
			emulated(there, there, there, there, "--kubeconfig", fakeAPIServer(t, all[2:], false)), "", 1,
			[]string{"missing CustomResourceDefinitions buckets.gcp.holdfast.dev (v1alpha1)", "`kubectl apply -k config/crd`"},
		},
		"storage unreachable": {
			emulated(gone, there, there, there, "--kubeconfig", fakeAPIServer(t, all, false)), "", 1,
			[]string{"storage cannot be reached at " + gone, "connection refused", "check --storage-endpoint"},
		},
		"pubsub unreachable": {
			emulated(there, gone, there, there, "--kubeconfig", fakeAPIServer(t, all, false)), "", 1,
			[]string{"pubsub cannot be reached at " + gone, "connection refused", "check --pubsub-endpoint"},
		},
		"IAM unreachable": {
			emulated(there, there, gone, there, "--kubeconfig", fakeAPIServer(t, all, false)), "", 1,
			[]string{"iam cannot be reached at " + gone, "connection refused", "check --iam-endpoint"},
		},
		"resource manager unreachable": {
			emulated(there, there, there, gone, "--kubeconfig", fakeAPIServer(t, all, false)), "", 1,
			[]string{"resourcemanager cannot be reached at " + gone, "connection refused", "check --resourcemanager-endpoint"},
		},
		"asset inventory unreachable": {
			emulated(there, there, there, there, "--asset-scope=organizations/1", "--asset-endpoint", gone, "--kubeconfig", fakeAPIServer(t, all, false)), "", 1,
			[]string{"asset cannot be reached at " + gone, "connection refused", "check --asset-endpoint"},
		},
		"election outside of a cluster": {
			emulated(there, there, there, there, "--leader-elect", "--kubeconfig", fakeAPIServer(t, all, false)), "", 1,
			[]string{"--leader-elect-namespace"},
		},
		"address in use": {
			emulated(there, there, there, there, "--health-probe-bind-address", there, "--kubeconfig", fakeAPIServer(t, all, false)), "", 1,
			[]string{"address already in use", there},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", tc.key)
			code, stdout, said := outcome(t, tc.args...)
			if code != tc.code {
				t.Errorf("exit code %d, want %d", code, tc.code)
			}
			if strings.Count(said, "\n") != 1 || !strings.HasPrefix(said, "manager: ") || stdout != "" {
				t.Errorf("not one line:\n%s%s", stdout, said)
			}
			for _, part := range tc.want {
				if !strings.Contains(said, part) {
					t.Errorf("%q is not in: %s", part, said)
				}
			}
		})
	}
}

func TestRunAnswers(t *testing.T) {
	cases := map[string]string{"--version": "holdfast ", "--help": "manager keeps Google Cloud resources"}
	for arg, want := range cases {
		t.Run(arg, func(t *testing.T) {
			code, stdout, stderr := outcome(t, arg)
			if code != 0 || stderr != "" {
				t.Errorf("exit code %d, stderr %s", code, stderr)
			}
			if !strings.HasPrefix(stdout, want) {
				t.Errorf("got %s", stdout)
			}
		})
	}
}

func TestUserAgent(t *testing.T) {
	if got := userAgent(); !strings.HasPrefix(got, "holdfast/") || strings.ContainsAny(got, " ()") {
		t.Errorf("got %q", got)
	}
}
