package monitoring

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"
	authenticationv1 "k8s.io/api/authentication/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator"
	"github.com/holdfast-dev/holdfast/test/installed"
	"github.com/holdfast-dev/holdfast/test/process"
)

// cluster is an API server with Holdfast installed in it, a Google Cloud, and the manager as a process between them.
type cluster struct {
	client.Client
	t      *testing.T
	config *rest.Config
	scheme *runtime.Scheme
	cloud  *emulator.Emulator

	binary, kubeconfig string
	metrics            string
	manager            *process.Process
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Fatal("this test needs kube-apiserver and etcd: run `make monitoring`, or set KUBEBUILDER_ASSETS to a directory that has both")
	}
	log.SetLogger(logr.Discard())
	environment := &envtest.Environment{
		CRDDirectoryPaths: []string{filepath.Join("..", "..", "config", "crd", "bases")}, ErrorIfCRDPathMissing: true,
	}
	config, err := installed.Start(environment)
	if err != nil {
		t.Fatalf("starting the control plane: %v", err)
	}
	t.Cleanup(func() {
		if err := environment.Stop(); err != nil {
			t.Errorf("stopping the control plane: %v", err)
		}
	})
	c := &cluster{t: t, config: config, scheme: runtime.NewScheme(), cloud: emulator.StartTest(t), metrics: freeAddress(t)}
	for _, add := range []func(*runtime.Scheme) error{v1alpha1.AddToScheme, corev1.AddToScheme, rbacv1.AddToScheme, coordinationv1.AddToScheme, authenticationv1.AddToScheme} {
		c.must(add(c.scheme))
	}
	c.Client, err = client.New(installed.As(config, ""), client.Options{Scheme: c.scheme})
	c.must(err)
	c.must(installed.Manager(c))
	c.must(installed.Create(c, "rbac", "metrics.yaml"))
	c.must(installed.Policies(c, installed.Guards...))
	c.must(installed.Policies(c, installed.Stamps...))
	c.must(installed.People(c))
	c.must(installed.Guarded(config, c.scheme))
	c.must(installed.Stamped(config, c.scheme))
	c.kubeconfig = c.writeKubeconfig(environment.KubeConfig)
	c.binary = filepath.Join(t.TempDir(), "manager")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", c.binary, "../../cmd/manager").CombinedOutput(); err != nil {
		t.Fatalf("building the manager: %v\n%s", err, out)
	}
	return c
}

// must ends the test on an error.
func (c *cluster) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// writeKubeconfig makes an administrator's kubeconfig one of the manager's service account.
func (c *cluster) writeKubeconfig(admin []byte) string {
	c.t.Helper()
	as, err := clientcmd.Load(admin)
	c.must(err)
	for _, user := range as.AuthInfos {
		user.Impersonate = installed.Operator
	}
	path := filepath.Join(c.t.TempDir(), "kubeconfig")
	c.must(clientcmd.WriteToFile(*as, path))
	return path
}

// startManager runs the manager until a test ends. It looks at each object every five seconds, and takes over a lost lease soon.
func (c *cluster) startManager(t *testing.T) {
	t.Helper()
	c.manager = process.StartTest(t, process.Program{Path: c.binary, Args: []string{
		"--kubeconfig", c.kubeconfig, "--metrics-bind-address", c.metrics, "--health-probe-bind-address", "0",
		"--leader-elect", "--leader-elect-namespace", "holdfast-system",
		"--leader-elect-retry-period", "1s",
		"--sweep-interval", "5s", "--gcp-quota-share", "0.5",
		"--gcp-insecure", "--storage-endpoint", c.cloud.StorageEndpoint(), "--pubsub-endpoint", c.cloud.GRPCAddr(),
		"--iam-endpoint", c.cloud.GRPCAddr(), "--resourcemanager-endpoint", c.cloud.GRPCAddr(),
	}})
}

// token writes the token of a service account that may read metrics into a file: what Prometheus has in its pod.
func (c *cluster) token() string {
	c.t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "prometheus-k8s", Namespace: "monitoring"}}
	c.must(c.Create(c.t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: account.Namespace}}))
	c.must(c.Create(c.t.Context(), account))
	c.must(c.Create(c.t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "holdfast-metrics-reader"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "holdfast-metrics-reader"},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Name: account.Name, Namespace: account.Namespace}},
	}))
	var request authenticationv1.TokenRequest
	c.must(c.SubResource("token").Create(c.t.Context(), account, &request))
	path := filepath.Join(c.t.TempDir(), "token")
	c.must(os.WriteFile(path, []byte(request.Status.Token), 0o600))
	return path
}

// fill makes a namespace that is bound to a project, with some buckets and topics in it.
func (c *cluster) fill(namespace string, buckets, topics int) {
	c.t.Helper()
	c.must(c.Create(c.t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: namespace, Annotations: map[string]string{v1alpha1.ProjectIDAnnotation: namespace + "-project"},
	}}))
	for i := range buckets {
		c.must(c.Create(c.t.Context(), &v1alpha1.Bucket{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("%s-bucket-%d", namespace, i)}}))
	}
	for i := range topics {
		c.must(c.Create(c.t.Context(), &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("topic-%d", i)}}))
	}
}

// bucket reads one of them.
func (c *cluster) bucket(namespace string, n int) *v1alpha1.Bucket {
	c.t.Helper()
	var obj v1alpha1.Bucket
	c.must(c.Get(c.t.Context(), client.ObjectKey{Namespace: namespace, Name: fmt.Sprintf("%s-bucket-%d", namespace, n)}, &obj))
	return &obj
}

// forgetCreation makes a bucket one that was created long ago: for some minutes after that a denial may be Google's delay, and is waited out.
func (c *cluster) forgetCreation(obj *v1alpha1.Bucket) {
	c.t.Helper()
	before := obj.DeepCopy()
	obj.Status.LastCreateAttemptTime = new(metav1.NewTime(time.Now().Add(-time.Hour)))
	c.must(c.Status().Patch(c.t.Context(), obj, client.MergeFrom(before)))
}

// edit changes a bucket as somebody; nobody is the administrator.
func (c *cluster) edit(obj *v1alpha1.Bucket, by string, change func(*v1alpha1.Bucket)) {
	c.t.Helper()
	as, err := client.New(installed.As(c.config, by), client.Options{Scheme: c.scheme})
	c.must(err)
	before := obj.DeepCopy()
	change(obj)
	c.must(as.Patch(c.t.Context(), obj, client.MergeFrom(before)))
}

// annotate sets an annotation of a bucket, or removes it if there is no value.
func (c *cluster) annotate(obj *v1alpha1.Bucket, by, key, value string) {
	c.t.Helper()
	c.edit(obj, by, func(o *v1alpha1.Bucket) {
		annotations := map[string]string{}
		maps.Copy(annotations, o.Annotations)
		if annotations[key] = value; value == "" {
			delete(annotations, key)
		}
		o.Annotations = annotations
	})
}

// look asks for a look at each object of a kind, as people do: a sweep reads no object that its list shows as it should be.
func (c *cluster) look(list client.ObjectList) {
	c.t.Helper()
	c.patch(list, fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, v1alpha1.ReconcileRequestedAtAnnotation, time.Now().Format(time.RFC3339Nano)))
}

// patch applies a JSON merge patch to each object of a kind.
func (c *cluster) patch(list client.ObjectList, patch string) {
	c.t.Helper()
	c.must(c.List(c.t.Context(), list))
	c.must(meta.EachListItem(list, func(item runtime.Object) error {
		return c.Patch(c.t.Context(), item.(client.Object), client.RawPatch(types.MergePatchType, []byte(patch)))
	}))
}

// reason waits until Ready of a bucket has a reason at its newest generation, and returns the bucket.
func (c *cluster) reason(namespace string, n int, reason string) (obj *v1alpha1.Bucket) {
	c.t.Helper()
	eventually(c.t, "a bucket to be "+reason, func() (bool, string) {
		obj = c.bucket(namespace, n)
		ready := meta.FindStatusCondition(obj.Status.Conditions, v1alpha1.ConditionReady)
		return ready != nil && ready.Reason == reason && ready.ObservedGeneration == obj.Generation, fmt.Sprintf("%+v", obj.Status.Conditions)
	})
	return obj
}
