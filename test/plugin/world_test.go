package plugin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breaker"
	"github.com/holdfast-dev/holdfast/internal/engine"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
	"github.com/holdfast-dev/holdfast/internal/metrics"
	"github.com/holdfast-dev/holdfast/internal/sweep"
	"github.com/holdfast-dev/holdfast/test/emulator"
	"github.com/holdfast-dev/holdfast/test/installed"
)

const (
	// patience bounds every wait.
	patience = 2 * time.Minute
	// operator is whom Google Cloud knows the operator as.
	operator = "holdfast@operations.iam.gserviceaccount.com"
)

// world is a namespace bound to a project, a Google Cloud, a folder for manifests, and the operator, which runs once it is started.
type world struct {
	t     *testing.T
	kube  client.Client
	cloud *emulator.Emulator
	// namespace is bound to the project. Both are as the test says, so that what is printed is the same each time.
	namespace, project string
	// folder is where the plugin runs.
	folder string
	// timeout is that of a call to Google Cloud.
	timeout time.Duration
	stop    func()
}

// newWorld makes a world whose namespace has a name that no other test of the package uses. It is bound to the project NAME-prod.
func newWorld(t *testing.T, name string) *world {
	t.Helper()
	w := &world{
		t: t, cloud: emulator.StartTest(t, emulator.Options{EnforceRequesterPays: true}),
		namespace: name, project: name + "-prod", folder: t.TempDir(), timeout: 5 * time.Second, stop: func() {},
	}
	mapper, err := installed.Mapper(kubeConfig)
	w.must(err)
	w.kube, err = client.New(installed.As(kubeConfig, ""), client.Options{Scheme: scheme, Mapper: mapper})
	w.must(err)
	w.makeNamespace(name, map[string]string{v1alpha1.ProjectIDAnnotation: w.project})
	return w
}

func (w *world) makeNamespace(name string, annotations map[string]string) {
	w.t.Helper()
	w.must(w.kube.Create(w.t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: annotations, Labels: w.labels()}}))
}

// labels mark the namespaces of a world: its operator sees no others.
func (w *world) labels() map[string]string { return map[string]string{"world": w.namespace} }

// start runs the operator over the world's namespace, and others that belong to it.
func (w *world) start(namespaces ...string) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	stores := &engine.Stores{}
	mgr, clients := w.manager(append(namespaces, w.namespace), stores), w.clients()
	options := engine.Options{
		Kinds: kinds.All(clients), Stores: stores, OwnerID: w.ownerID(), Workers: func(kind.Kind) int { return 2 },
		Sweep: sweep.Schedule{Interval: time.Hour}, PolicySweep: sweep.Schedule{Interval: time.Hour},
		Gate: engine.NewGate(mgr.GetAPIReader(), lease{}, ""), Projects: clients, Identities: clients, Turns: clients, Metrics: metrics.New(),
		Unanswered: time.Second / 4, Handover: time.Second, Breaker: unlimited(),
	}
	w.must(engine.Setup(ctx, mgr, options))
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	w.stop = sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(<-ended, clients.Close()); err != nil {
			w.t.Errorf("the operator ended with %v", err)
		}
	})
	w.t.Cleanup(w.stop)
	if !mgr.GetCache().WaitForCacheSync(ctx) {
		w.t.Fatal("the caches did not fill")
	}
}

// unlimited is a breaker that bears everything: what is planned here is to be done at once.
func unlimited() engine.Breaker {
	const enough = 1 << 30
	limits := breaker.Limits{Window: time.Hour, Namespace: breaker.Limit{Resources: enough}, Fleet: breaker.Limit{Resources: enough}, Whole: enough}
	return engine.Breaker{Gathering: time.Millisecond, Limits: limits}
}

func (w *world) manager(namespaces []string, stores *engine.Stores) ctrl.Manager {
	w.t.Helper()
	watched := map[string]cache.Config{}
	for _, n := range namespaces {
		watched[n] = cache.Config{}
	}
	seen := map[client.Object]cache.ByObject{&corev1.Namespace{}: {Label: labels.SelectorFromSet(w.labels())}}
	for _, k := range kinds.All(nil) {
		seen[k.New()] = cache.ByObject{Namespaces: watched}
	}
	watching := stores.CacheOptions()
	watching.ByObject = seen
	mgr, err := ctrl.NewManager(installed.As(kubeConfig, installed.Operator), ctrl.Options{
		Scheme:         scheme,
		MapperProvider: func(*rest.Config, *http.Client) (meta.RESTMapper, error) { return installed.Mapper(kubeConfig) },
		Metrics:        metricsserver.Options{BindAddress: "0"},
		Cache:          watching,
		Controller:     config.Controller{SkipNameValidation: new(true)},
	})
	w.must(err)
	return mgr
}

func (w *world) clients() *gcp.Clients {
	w.t.Helper()
	endpoint := func(text string) gcp.Endpoint {
		e, err := gcp.ParseEndpoint(text, true)
		w.must(err)
		return e
	}
	storage, rpc := endpoint(w.cloud.StorageEndpoint()), endpoint(w.cloud.GRPCAddr())
	clients, err := gcp.NewClients(gcp.Options{
		Storage: storage, PubSub: rpc, IAM: rpc, ResourceManager: rpc, Asset: rpc, Methods: kinds.Methods(), UserAgent: "holdfast/test",
		Identity: operator, Timeout: w.timeout, QuotaShare: 1000,
	})
	w.must(err)
	return clients
}

// ownerID names the installation: the cluster, as for an operator that is not told another name.
func (w *world) ownerID() string {
	w.t.Helper()
	system := &corev1.Namespace{}
	w.must(w.kube.Get(w.t.Context(), client.ObjectKey{Name: metav1.NamespaceSystem}, system))
	return string(system.UID)
}

// lease is one that lasts.
type lease struct{}

func (lease) Deadline() (time.Time, bool) { return time.Time{}, false }

// result is how the plugin ended.
type result struct {
	stdout, stderr string
	code           int
}

// command is the plugin, to be run in the world's folder by the cluster's administrator, with the environment of nobody in particular.
func (w *world) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(w.t.Context(), binary, args...)
	cmd.Dir = w.folder
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + w.folder, "KUBECONFIG=" + adminKubeconfig}
	return cmd
}

// run runs the plugin to its end.
func (w *world) run(args ...string) result {
	w.t.Helper()
	return w.finish(w.command(args...))
}

// finish runs a command to its end.
func (w *world) finish(cmd *exec.Cmd) result {
	w.t.Helper()
	return w.begin(cmd)()
}

// begin starts a command, and returns what waits for its end.
func (w *world) begin(cmd *exec.Cmd) (end func() result) {
	w.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		w.t.Fatalf("running the plugin: %v", err)
	}
	return func() result {
		w.t.Helper()
		err := cmd.Wait()
		if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
			w.t.Fatalf("running the plugin: %v", err)
		}
		return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
	}
}

// cloudArgs are the flags by which the plugin uses the world's cloud instead of Google's.
func (w *world) cloudArgs() []string {
	rpc := w.cloud.GRPCAddr()
	return []string{
		"--gcp-insecure", "--gcp-quota-share=1000", "--storage-endpoint=" + w.cloud.StorageEndpoint(),
		"--pubsub-endpoint=" + rpc, "--iam-endpoint=" + rpc, "--resourcemanager-endpoint=" + rpc,
	}
}

// write writes a file into the world's folder.
func (w *world) write(name, content string) {
	w.t.Helper()
	file := filepath.Join(w.folder, name)
	w.must(os.MkdirAll(filepath.Dir(file), 0o755))
	w.must(os.WriteFile(file, []byte(content), 0o600))
}

// create creates an object in the world's namespace, unless it says another.
func (w *world) create(obj client.Object) {
	w.t.Helper()
	if obj.GetNamespace() == "" {
		obj.SetNamespace(w.namespace)
	}
	if err := w.kube.Create(w.t.Context(), obj); err != nil {
		w.t.Fatalf("creating %s: %v", obj.GetName(), err)
	}
}

// edit changes an object as it is in the API server.
func edit[T client.Object](w *world, obj T, change func(T)) {
	w.t.Helper()
	w.get(obj)
	before := obj.DeepCopyObject().(T)
	change(obj)
	if err := w.kube.Patch(w.t.Context(), obj, client.MergeFrom(before)); err != nil {
		w.t.Fatalf("changing %s: %v", obj.GetName(), err)
	}
}

// get reads an object anew. It begins with an empty one, since decoding keeps what the answer does not mention.
func (w *world) get(obj client.Object) {
	w.t.Helper()
	if err := w.read(obj); err != nil {
		w.t.Fatalf("getting %s: %v", obj.GetName(), err)
	}
}

func (w *world) read(obj client.Object) error {
	key, whole := client.ObjectKeyFromObject(obj), reflect.ValueOf(obj).Elem()
	whole.SetZero()
	err := w.kube.Get(w.t.Context(), key, obj)
	obj.SetNamespace(key.Namespace)
	obj.SetName(key.Name)
	return err
}

// eventually polls until the condition holds; what it returns last says why it did not.
func (w *world) eventually(what string, holds func() (bool, string)) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	if ok, saw := installed.Await(ctx, holds); !ok {
		w.t.Fatalf("waited %s for %s; last saw:\n%s", patience, what, saw)
	}
}

// ready waits until an object is Ready at its newest generation.
func (w *world) ready(obj v1alpha1.Object) {
	w.t.Helper()
	w.reason(obj, v1alpha1.ReasonUpToDate)
}

// reason waits until Ready of an object's newest generation has a reason.
func (w *world) reason(obj v1alpha1.Object, reason string) {
	w.t.Helper()
	w.eventually(fmt.Sprintf("%s to be %s", obj.GetName(), reason), func() (bool, string) {
		w.get(obj)
		c := meta.FindStatusCondition(obj.GetCommonStatus().Conditions, v1alpha1.ConditionReady)
		return c != nil && c.Reason == reason && c.ObservedGeneration == obj.GetGeneration(), describe(obj)
	})
}

func describe(obj v1alpha1.Object) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s generation %d observed %d\n", obj.GetName(), obj.GetGeneration(), obj.GetCommonStatus().ObservedGeneration)
	for _, c := range obj.GetCommonStatus().Conditions {
		fmt.Fprintf(&b, "  %s=%s %s: %s\n", c.Type, c.Status, c.Reason, c.Message)
	}
	return b.String()
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// The parts of what is printed that differ from one run to the next, and what stands for them in golden files.
var varying = []struct {
	pattern *regexp.Regexp
	stands  string
}{
	{regexp.MustCompile(`\b[0-9a-f]{64}\b`), "HASH"},
	{regexp.MustCompile(`\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`), "UID"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "ADDRESS"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`), "TIME"},
}

// golden compares what was printed with a file of testdata.
func (w *world) golden(file, got string) {
	w.t.Helper()
	for _, v := range varying {
		got = v.pattern.ReplaceAllString(got, v.stands)
	}
	file = filepath.Join("testdata", file)
	if *update {
		w.must(os.MkdirAll(filepath.Dir(file), 0o755))
		w.must(os.WriteFile(file, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(file)
	w.must(err)
	if diff := cmp.Diff(string(want), got); diff != "" {
		w.t.Errorf("%s (-want +got); if that is as it should be: go test ./test/plugin -args -update\n%s", file, diff)
	}
}
