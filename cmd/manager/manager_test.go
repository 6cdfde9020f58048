package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	authenticationv1 "k8s.io/api/authentication/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kinds"
	"github.com/holdfast-dev/holdfast/test/emulator"
	"github.com/holdfast-dev/holdfast/test/installed"
)

// patience bounds every wait.
const patience = time.Minute

// installation is an API server with config/default applied.
type installation struct {
	client.Client
	// manager is the kubeconfig of the manager's service account.
	manager string
}

func install(t *testing.T) *installation {
	t.Helper()
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
	established := []string{"wait", "--for=condition=Established"}
	for _, k := range kinds.All(nil) {
		established = append(established, "crd/"+k.Plural+"."+v1alpha1.GroupVersion.Group)
	}
	for _, args := range [][]string{{"apply", "--server-side", "-k", "../../config/default"}, established} {
		command := exec.CommandContext(t.Context(), filepath.Join(assets, "kubectl"), append(args, "--kubeconfig", admin)...)
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{v1alpha1.AddToScheme, corev1.AddToScheme, coordinationv1.AddToScheme, rbacv1.AddToScheme, authenticationv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	kube, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	as, err := clientcmd.Load(env.KubeConfig)
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range as.AuthInfos {
		user.Impersonate = "system:serviceaccount:holdfast-system:holdfast-manager"
	}
	manager := filepath.Join(t.TempDir(), "manager")
	if err := clientcmd.WriteToFile(*as, manager); err != nil {
		t.Fatal(err)
	}
	return &installation{kube, manager}
}

// create creates objects. For some seconds after a kind is established the API server refuses to, while mutating policies do not know it.
func (i *installation) create(t *testing.T, objs ...client.Object) {
	t.Helper()
	for _, obj := range objs {
		eventually(t, fmt.Sprintf("creating %T %s", obj, obj.GetName()), func(ctx context.Context) (bool, error) {
			err := i.Create(ctx, obj)
			if apierrors.IsServiceUnavailable(err) {
				return false, nil
			}
			return err == nil, err
		})
	}
}

// scraper returns the token of a service account that may read metrics.
func (i *installation) scraper(t *testing.T) string {
	t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "prometheus", Namespace: "default"}}
	i.create(t, account, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "prometheus"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "holdfast-metrics-reader"},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Name: account.Name, Namespace: account.Namespace}},
	})
	var request authenticationv1.TokenRequest
	if err := i.SubResource("token").Create(t.Context(), account, &request); err != nil {
		t.Fatalf("getting a token: %v", err)
	}
	return request.Status.Token
}

func eventually(t *testing.T, what string, condition func(context.Context) (bool, error)) {
	t.Helper()
	if err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, patience, true, condition); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// log is what a program writes while it runs.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// TestManager runs the manager with the rights that config/rbac gives it, and no others.
func TestManager(t *testing.T) {
	kube, cloud := install(t), emulator.StartTest(t)
	metrics, health, profiles := freeAddress(t), freeAddress(t), freeAddress(t)
	if err := cloud.PubSub.PutTopic(&pubsubpb.Topic{Name: "projects/shop-project/topics/nobodys"}); err != nil {
		t.Fatal(err)
	}
	kube.create(t,
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
			Name: "shop", Annotations: map[string]string{v1alpha1.ProjectIDAnnotation: "shop-project"},
		}},
		&v1alpha1.Bucket{ObjectMeta: metav1.ObjectMeta{Name: "shop-logs", Namespace: "shop"}},
		&v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Name: "orders", Namespace: "shop"}},
	)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var stderr log
	manager := program(ctx,
		"--kubeconfig", kube.manager, "--sweep-interval=1s", "--leader-elect", "--leader-elect-namespace=holdfast-system",
		"--gcp-insecure", "--storage-endpoint", cloud.StorageEndpoint(),
		"--pubsub-endpoint", cloud.GRPCAddr(), "--iam-endpoint", cloud.GRPCAddr(), "--resourcemanager-endpoint", cloud.GRPCAddr(),
		"--metrics-bind-address", metrics, "--health-probe-bind-address", health,
		"--pprof-address", profiles,
	)
	manager.Stderr = &stderr
	if err := manager.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan int, 1)
	go func() {
		_ = manager.Wait() // its state says more
		ended <- manager.ProcessState.ExitCode()
	}()
	defer func() {
		if t.Failed() {
			t.Logf("the manager said:\n%s", stderr.String())
		}
	}()
	eventually(t, "the manager answers", func(ctx context.Context) (bool, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+health+"/healthz", http.NoBody)
		if err != nil {
			return false, err
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return false, nil
		}
		return true, answer.Body.Close()
	})
	for name, obj := range map[string]v1alpha1.Object{"shop-logs": &v1alpha1.Bucket{}, "orders": &v1alpha1.Topic{}} {
		eventually(t, name+" is Ready", func(ctx context.Context) (bool, error) {
			err := kube.Get(ctx, client.ObjectKey{Namespace: "shop", Name: name}, obj)
			return meta.IsStatusConditionTrue(obj.GetCommonStatus().Conditions, v1alpha1.ConditionReady), err
		})
	}
	checkServed(t, kube, health, metrics)
	checkProfiles(t, profiles)
	var lease coordinationv1.Lease
	key := client.ObjectKey{Namespace: "holdfast-system", Name: leaseName}
	if err := kube.Get(t.Context(), key, &lease); err != nil || *lease.Spec.HolderIdentity == "" {
		t.Errorf("nobody holds the lease: %+v, %v", lease.Spec, err)
	}

	stop()
	select {
	case code := <-ended:
		if code != 0 {
			t.Errorf("exit code %d", code)
		}
	case <-time.After(patience):
		t.Fatal("the manager does not end")
	}
	if err := kube.Get(t.Context(), key, &lease); err != nil || *lease.Spec.HolderIdentity != "" {
		t.Errorf("the lease was not given back: %+v, %v", lease.Spec, err)
	}
	for line := range strings.Lines(stderr.String()) {
		// controller-runtime reports a lease that was given back as lost.
		expected := strings.Contains(line, "error received after stop sequence was engaged")
		if strings.Contains(line, `"level":"error"`) && !expected || strings.Contains(line, "forbidden") {
			t.Errorf("the manager complains: %s", line)
		}
	}
}

// checkServed asks for the probes, and for the metrics with and without the right to.
func checkServed(t *testing.T, kube *installation, health, metrics string) {
	t.Helper()
	insecure := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	get := func(url, token string) (int, string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		response, err := insecure.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(body)
	}
	eventually(t, "metrics are served", func(ctx context.Context) (bool, error) {
		if conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", metrics); err == nil {
			return true, conn.Close()
		}
		return false, nil
	})
	for _, path := range []string{"/healthz", "/readyz"} {
		if code, body := get("http://"+health+path, ""); code != http.StatusOK {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	if code, _ := get("https://"+metrics+"/metrics", ""); code != http.StatusUnauthorized {
		t.Errorf("metrics for anybody: %d", code)
	}
	token := kube.scraper(t)
	eventually(t, "what nobody declared is counted", func(context.Context) (bool, error) {
		_, body := get("https://"+metrics+"/metrics", token)
		return strings.Contains(body, `holdfast_unmanaged_resources{kind="topic"} 1`), nil
	})
	code, body := get("https://"+metrics+"/metrics", token)
	if code != http.StatusOK || !strings.Contains(body, `holdfast_gcp_requests_total{code="200",method="buckets.insert",service="storage"} 1`) {
		t.Errorf("metrics: %d %s", code, body)
	}
}

// checkProfiles asks for a profile of the memory.
func checkProfiles(t *testing.T, address string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/debug/pprof/heap?debug=1", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || !strings.HasPrefix(string(body), "heap profile:") {
		t.Errorf("the profile of the memory: %v\n%.200s", err, body)
	}
}
