package e2e

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
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
	typed "github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
	"github.com/holdfast-dev/holdfast/internal/metrics"
	"github.com/holdfast-dev/holdfast/internal/sweep"
	"github.com/holdfast-dev/holdfast/test/emulator"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
	"github.com/holdfast-dev/holdfast/test/installed"
)

// patience bounds every wait.
const patience = 2 * time.Minute

// aWhile is how long what ends by itself lasts: long enough that it is noticed before on a machine that is busy.
const aWhile = 10 * time.Second

// worlds numbers the worlds, so that each has names of its own.
var worlds atomic.Int64

// world is a namespace bound to a project, a Google Cloud, and the controllers between them, which can be stopped, killed
// and started again.
type world struct {
	t         *testing.T
	config    *rest.Config
	kube      client.Client
	cloud     *emulator.Emulator
	namespace string
	project   string
	ownerID   string
	shard     string
	sweep     time.Duration
	// assetScope is where assets are listed; empty for nowhere. fullSweep is how often what they cover is looked at all the same.
	assetScope string
	fullSweep  time.Duration
	// policySweep is how often what no list shows is read; 0 for as often.
	policySweep time.Duration
	lease       *fakeLease
	// unanswered is how long after its time-out a call may still be carried out.
	unanswered time.Duration
	// quotaShare and timeout are those of the Google Cloud clients. The quotas are out of the way unless a test is about them.
	quotaShare float64
	timeout    time.Duration
	// userAgent is what the controllers' calls go by; empty for that of all tests.
	userAgent string
	// workers are the workers of a kind; 0 for two.
	workers int
	// wire is what stands between the controllers and the two APIs; nil for nothing.
	wire *wire
	// turnstile is what the controllers' requests to the API server pass; nil for nothing.
	turnstile *turnstile
	// refuse, if set, fails the controllers' requests to the API server that it says true to.
	refuse func(*http.Request) bool
	// unreadable is for what refuse does only at times.
	unreadable atomic.Bool
	// selfMembers are further members by which the controllers have their access.
	selfMembers []string
	// breaker is how much may be destroyed; the zero value for whatever it is, after a moment.
	breaker engine.Breaker
	// metrics are those of the controllers that run now.
	metrics *metrics.Collector
	// logger is where the controllers log; the zero value for the one of all tests.
	logger logr.Logger
	// newClient makes the client that the controllers read the cache with; nil for the usual one.
	newClient client.NewClientFunc

	peopleLock sync.Mutex
	people     map[string]client.Client
	kubeWrites atomic.Int64
	stop       func()
}

// newWorld makes a world whose controllers do not run yet.
func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldAt(t, kubeConfig)
}

// newWorldAt does so at an API server of one's own.
func newWorldAt(t *testing.T, config *rest.Config) *world {
	t.Helper()
	skipUndivided(t)
	n := worlds.Add(1)
	w := &world{
		t: t, config: config, cloud: emulator.StartTest(t, emulator.Options{EnforceRequesterPays: true}), namespace: fmt.Sprintf("team-%d", n), project: fmt.Sprintf("project-%d", n),
		ownerID: fmt.Sprintf("cluster-%d", n), sweep: time.Hour, lease: &fakeLease{}, unanswered: time.Second / 4, people: map[string]client.Client{},
		quotaShare: 1000, timeout: 5 * time.Second, stop: func() {},
	}
	var err error
	if w.kube, err = installed.NewClient(config, "", client.Options{Scheme: scheme}); err != nil {
		t.Fatalf("making a client: %v", err)
	}
	// What loses data waits for approval: tests that are not about that let it be.
	w.makeNamespace(w.namespace, map[string]string{v1alpha1.ProjectIDAnnotation: w.project, v1alpha1.AllowAnnotation: v1alpha1.AllowDataLoss})
	return w
}

// startWorld makes a world whose controllers run.
func startWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.start()
	return w
}

// labels mark the namespaces of a world: its controllers see no others.
func (w *world) labels() map[string]string { return map[string]string{"world": w.namespace} }

func (w *world) makeNamespace(name string, annotations map[string]string) {
	w.t.Helper()
	if err := w.kube.Create(w.t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: annotations, Labels: w.labels()}}); err != nil {
		w.t.Fatalf("making a namespace: %v", err)
	}
	watchInvariants(w.t, w.config, name)
}

// start runs the controllers, as a process would that has just begun.
func (w *world) start(namespaces ...string) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	stores := &engine.Stores{}
	mgr := w.manager(append(namespaces, w.namespace), stores)
	clients := w.clients()
	w.metrics = metrics.New() // which a process begins with
	options := engine.Options{
		Kinds: kinds.All(clients), Stores: stores, OwnerID: w.ownerID, Workers: func(typed.Kind) int { return cmp.Or(w.workers, 2) },
		Sweep: sweep.Schedule{Interval: w.sweep}, PolicySweep: sweep.Schedule{Interval: cmp.Or(w.policySweep, w.sweep)},
		Gate: engine.NewGate(mgr.GetAPIReader(), w.lease, w.shard), Shard: w.shard, Projects: clients, Identities: clients, SelfMembers: w.selfMembers, Turns: clients, Metrics: w.metrics, Unanswered: w.unanswered, Handover: time.Second,
		Breaker: w.breakerOf(),
	}
	if w.assetScope != "" {
		options.Assets, options.FullSweep = clients, w.fullSweep
	}
	if err := engine.Setup(ctx, mgr, options); err != nil {
		w.t.Fatalf("setting up the kinds: %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	w.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			w.t.Errorf("the manager ended with %v", err)
		}
		if err := clients.Close(); err != nil {
			w.t.Errorf("closing the clients: %v", err)
		}
	})
	w.t.Cleanup(w.stop)
	if !mgr.GetCache().WaitForCacheSync(ctx) {
		w.t.Fatal("the caches did not fill")
	}
}

// breakerOf is how the breaker works in the world, whose record is its own: tests that are not about it delete whatever they made.
func (w *world) breakerOf() engine.Breaker {
	out := w.breaker
	out.Record = "holdfast-breaker-" + w.namespace + w.shard
	if out.Limits == (breaker.Limits{}) {
		const enough = 1 << 30
		out.Gathering = time.Millisecond
		out.Limits = breaker.Limits{Window: time.Hour, Namespace: breaker.Limit{Resources: enough}, Fleet: breaker.Limit{Resources: enough}, Whole: enough}
	}
	return out
}

// restart stops the controllers and starts them anew.
func (w *world) restart() {
	w.stop()
	w.start()
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
	counted := installed.As(w.config, installed.Operator)
	counted.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return &writeCounter{next: next, writes: &w.kubeWrites}
	})
	if w.wire != nil {
		counted.Wrap(w.wire.kubernetes)
	}
	if w.turnstile != nil {
		counted.Wrap(w.turnstile.kubernetes)
	}
	if w.refuse != nil {
		counted.Wrap(func(next http.RoundTripper) http.RoundTripper { return refusing(next, w.refuse) })
	}
	mgr, err := ctrl.NewManager(counted, ctrl.Options{
		Scheme:         scheme,
		Logger:         w.logger,
		NewClient:      w.newClient,
		Metrics:        metricsserver.Options{BindAddress: "0"},
		MapperProvider: func(*rest.Config, *http.Client) (meta.RESTMapper, error) { return installed.Mapper(w.config) },
		Cache:          watching,
		Controller:     config.Controller{SkipNameValidation: new(true)},
	})
	if err != nil {
		w.t.Fatalf("making a manager: %v", err)
	}
	return mgr
}

func (w *world) clients() *gcp.Clients {
	w.t.Helper()
	endpoint := func(text string) gcp.Endpoint {
		e, err := gcp.ParseEndpoint(text, true)
		if err != nil {
			w.t.Fatal(err)
		}
		return e
	}
	storage, rpc := w.cloud.StorageEndpoint(), w.cloud.GRPCAddr()
	if w.wire != nil {
		storage, rpc = w.wire.storageEndpoint(), w.wire.grpcAddr()
	}
	clients, err := gcp.NewClients(gcp.Options{
		Storage: endpoint(storage), PubSub: endpoint(rpc), IAM: endpoint(rpc), ResourceManager: endpoint(rpc), Asset: endpoint(rpc), AssetScope: w.assetScope,
		Methods: kinds.Methods(), UserAgent: cmp.Or(w.userAgent, "holdfast/test"), Identity: operator, Timeout: w.timeout, QuotaShare: w.quotaShare,
	})
	if err != nil {
		w.t.Fatalf("making Google Cloud clients: %v", err)
	}
	return clients
}

// writeCounter counts what changes something in Kubernetes, events aside.
type writeCounter struct {
	next   http.RoundTripper
	writes *atomic.Int64
}

func (c *writeCounter) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet && !strings.Contains(r.URL.Path, "/events") {
		c.writes.Add(1)
	}
	return c.next.RoundTrip(r)
}

// fakeLease is a lease that lasts until a test ends it.
type fakeLease struct{ deadline atomic.Pointer[time.Time] }

func (l *fakeLease) Deadline() (time.Time, bool) {
	if d := l.deadline.Load(); d != nil {
		return *d, true
	}
	return time.Time{}, false
}

// create creates an object in the world's namespace.
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

func annotate[T client.Object](w *world, obj T, key, value string) {
	w.t.Helper()
	edit(w, obj, func(o T) {
		annotations := o.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[key] = value
		o.SetAnnotations(annotations)
	})
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

func (w *world) delete(obj client.Object) {
	w.t.Helper()
	if err := w.kube.Delete(w.t.Context(), obj); err != nil {
		w.t.Fatalf("deleting %s: %v", obj.GetName(), err)
	}
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

// reached waits until a call is held.
func (w *world) reached(held *traffic.Breakpoint) {
	w.t.Helper()
	select {
	case <-held.Reached():
	case <-time.After(patience):
		w.t.Fatalf("waited %s for a call that was to be held; there were %v", patience, w.cloud.Traffic.Counts())
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
		c := condition(obj, v1alpha1.ConditionReady)
		return c != nil && c.Reason == reason && c.ObservedGeneration == obj.GetGeneration(), describe(obj)
	})
}

// gone waits until an object does not exist any more.
func (w *world) gone(obj client.Object) {
	w.t.Helper()
	w.eventually(obj.GetName()+" to be gone", func() (bool, string) {
		err := w.read(obj)
		if err == nil {
			if o, ok := obj.(v1alpha1.Object); ok {
				return false, describe(o)
			}
		}
		return client.IgnoreNotFound(err) == nil && err != nil, fmt.Sprint(err)
	})
}

// settled runs a reconcile of an object by request, and waits until it was handled.
func (w *world) settled(obj v1alpha1.Object) {
	w.t.Helper()
	stamp := time.Now().Format(time.RFC3339Nano)
	annotate(w, client.Object(obj), v1alpha1.ReconcileRequestedAtAnnotation, stamp)
	w.eventually(obj.GetName()+" to be reconciled on request", func() (bool, string) {
		w.get(obj)
		return obj.GetCommonStatus().LastHandledReconcileAt == stamp, describe(obj)
	})
}

func condition(obj v1alpha1.Object, kind string) *metav1.Condition {
	return meta.FindStatusCondition(obj.GetCommonStatus().Conditions, kind)
}

func describe(obj v1alpha1.Object) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s generation %d observed %d\n", obj.GetName(), obj.GetGeneration(), obj.GetCommonStatus().ObservedGeneration)
	for _, c := range obj.GetCommonStatus().Conditions {
		fmt.Fprintf(&b, "  %s=%s %s: %s\n", c.Type, c.Status, c.Reason, c.Message)
	}
	return b.String()
}

// methodsSince are the methods that were called since a mark, in order.
func (w *world) methodsSince(mark int64) []string {
	var methods []string
	for _, e := range w.cloud.Traffic.Since(mark) {
		methods = append(methods, e.Method)
	}
	return methods
}

func call(method string) traffic.Call { return traffic.Call{Method: method} }

// editStatus changes what an object's status says.
func editStatus(w *world, obj v1alpha1.Object, change func(*v1alpha1.CommonStatus)) {
	w.t.Helper()
	w.get(obj)
	before := obj.DeepCopyObject().(v1alpha1.Object)
	change(obj.GetCommonStatus())
	w.must(w.kube.Status().Patch(w.t.Context(), obj, client.MergeFrom(before)))
}
