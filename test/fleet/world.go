package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/process"
	"github.com/holdfast-dev/holdfast/test/rig"
)

// operatorAccount is the service account that the operator is in Google Cloud.
const operatorAccount = "holdfast@emulator.iam.gserviceaccount.com"

// startBound is how long a program may take to answer.
const startBound = time.Minute

// world is a control plane and a cloud, and the operator between them.
type world struct {
	settings
	rig.Undo

	show   *progress
	folder string
	// assets is the folder of the control plane's programs, and root that of the version of Holdfast that runs.
	assets, root string
	scheme       *runtime.Scheme
	plane        *rig.ControlPlane
	cloud        *rig.Cloud
	// admin reaches the API server without a limit on this side, and own counts what it writes.
	admin   *rest.Config
	own     *counting
	kube    client.Client
	raw     kubernetes.Interface
	tracker *tracker

	// google stands before the cloud if the operator acts as other accounts; else nil.
	google   *google
	operator *process.Process
	// metricsURL is where the operator has its metrics.
	metricsURL string
	// profilesURL is where it has its profiles.
	profilesURL string
}

// open starts a control plane with Holdfast installed in it, and a cloud. If kept is a folder, both go on with what they stored there.
// Undo.All must be called, whatever comes after.
func open(ctx context.Context, s settings, show *progress, kept string) (*world, error) {
	w := &world{settings: s, show: show, root: cmp.Or(s.from, "."), scheme: runtime.NewScheme()}
	for _, add := range []func(*runtime.Scheme) error{v1alpha1.AddToScheme, corev1.AddToScheme} {
		if err := add(w.scheme); err != nil {
			return w, fmt.Errorf("building the scheme: %w", err)
		}
	}
	var err error
	if w.folder, err = os.MkdirTemp("", "holdfast-fleet-"); err != nil {
		return w, fmt.Errorf("creating a folder: %w", err)
	}
	w.Later(func() error { return os.RemoveAll(w.folder) })
	for _, part := range []func(context.Context, string) error{w.startControlPlane, w.startCloud, w.watch} {
		if err := part(ctx, kept); err != nil {
			return w, err
		}
	}
	return w, nil
}

func (w *world) startControlPlane(ctx context.Context, kept string) error {
	var err error
	if w.assets, err = rig.Assets(); err != nil {
		return err
	}
	var data string
	if kept != "" {
		data = filepath.Join(kept, "etcd")
		if err := os.MkdirAll(data, 0o700); err != nil {
			return fmt.Errorf("creating a folder for etcd: %w", err)
		}
	}
	w.show.linef("starting etcd and kube-apiserver, and installing Holdfast")
	w.plane, err = rig.StartControlPlane(w.assets, filepath.Join(w.folder, "kubeconfig"), data)
	w.Later(w.plane.Stop)
	if err != nil {
		return err
	}
	w.own = &counting{made: tally{}}
	if w.admin, w.kube, err = w.reach(w.plane.Admin, w.own); err != nil {
		return err
	}
	if w.raw, err = kubernetes.NewForConfig(w.admin); err != nil {
		return fmt.Errorf("creating a client: %w", err)
	}
	if err := w.install(ctx); err != nil {
		return err
	}
	return w.inForce(ctx)
}

// install installs what a cluster gets of the version that runs.
func (w *world) install(ctx context.Context) error {
	return w.plane.Kubectl(w.assets).Install(ctx, w.root)
}

// reach returns a client that has no limit on this side, and counts.
func (w *world) reach(config *rest.Config, count *counting) (*rest.Config, client.Client, error) {
	config = rest.CopyConfig(config)
	config.QPS = -1
	if count != nil {
		config.Wrap(func(next http.RoundTripper) http.RoundTripper { count.next = next; return count })
	}
	kube, err := client.New(config, client.Options{Scheme: w.scheme})
	return config, kube, err
}

// inForce waits until the API server has taken in the admission policies: what somebody annotates carries their name.
func (w *world) inForce(ctx context.Context) error {
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, startBound, true, func(ctx context.Context) (bool, error) {
		probe := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{
			Namespace: metav1.NamespaceDefault, Name: "probe", Annotations: map[string]string{v1alpha1.BreakGlassAnnotation: "a probe of the policies"},
		}}
		err := w.kube.Create(ctx, probe, client.DryRunAll)
		return err == nil && probe.Annotations[v1alpha1.BreakGlassByAnnotation] != "", nil
	})
	if err != nil {
		return fmt.Errorf("waiting for the admission policies to be in force: %w", err)
	}
	return nil
}

func (w *world) startCloud(ctx context.Context, kept string) error {
	var args []string
	if kept != "" {
		args = append(args, "--state", filepath.Join(kept, "cloud.json"))
	}
	if w.quotas {
		args = append(args, "--google-quotas")
	}
	var err error
	if w.cloud, err = rig.StartCloud(filepath.Join(w.folder, "emulator.log"), args...); err != nil {
		return err
	}
	w.Later(w.cloud.Stop)
	if err := w.cloud.Await(ctx, startBound, process.Serving(w.cloud.URL+"/emulator/counts")); err != nil {
		return err
	}
	if w.identities > 0 {
		if w.google, err = startGoogle(ctx, w.cloud, w.folder); err != nil {
			return fmt.Errorf("starting what stands before the emulator: %w", err)
		}
		w.Later(w.google.stop)
	}
	if w.latency > 0 {
		fault := map[string]string{"latency": w.latency.String()}
		return w.cloud.Call(ctx, http.MethodPost, "/emulator/faults", fault, nil)
	}
	return nil
}

// watch follows all manifests until the world is closed.
func (w *world) watch(ctx context.Context, _ string) error {
	ctx, stop := context.WithCancel(ctx)
	w.Later(func() error { stop(); return nil })
	var err error
	w.tracker, err = startTracker(ctx, w.admin, w.scheme)
	return err
}

// startOperator starts the operator's own binary as its service account, with an interval of its sweeps (zero: the shipped one), and waits until
// it is ready.
func (w *world) startOperator(ctx context.Context, sweep time.Duration) error {
	kubeconfig := filepath.Join(w.folder, "operator.kubeconfig")
	if err := w.plane.KubeconfigOf(ctx, rig.OperatorNamespace, rig.OperatorAccount, kubeconfig); err != nil {
		return err
	}
	free, err := process.FreeAddresses(3)
	if err != nil {
		return err
	}
	health, metrics, profiles := free[0], free[1], free[2]
	w.metricsURL, w.profilesURL = "http://"+metrics+"/metrics", "http://"+profiles+"/debug/pprof/"
	reaches, env := w.cloud.ManagerArgs(), []string(nil)
	if w.google != nil {
		reaches, env = w.google.managerArgs(), w.google.env
	}
	args := slices.Concat(reaches, []string{
		"--gcp-identity", operatorAccount,
		"--kubeconfig", kubeconfig,
		"--leader-elect", "--leader-elect-namespace", rig.OperatorNamespace,
		"--metrics-bind-address", metrics, "--metrics-secure=false",
		"--health-probe-bind-address", health, "--pprof-address", profiles,
	}, w.manager)
	if sweep > 0 {
		args = append(args, "--sweep-interval", sweep.String(), "--policy-sweep-interval", w.policyInterval().String())
	}
	if !w.quotas {
		args = append(args, "--gcp-quota-share", "1000")
	}
	w.operator, err = process.Start(process.Program{
		Name: "the operator", Log: filepath.Join(w.folder, "manager.log"), Path: filepath.Join(w.root, "bin", "manager"), Args: args, Env: env,
	})
	if err != nil {
		return err
	}
	w.Later(w.stopOperator)
	return w.operator.Await(ctx, startBound, process.Serving("http://"+health+"/readyz"))
}

// stopOperator stops the operator if it runs.
func (w *world) stopOperator() error {
	if w.operator == nil {
		return nil
	}
	operator := w.operator
	w.operator = nil
	return operator.Stop()
}

// tokens is how many tokens of impersonated accounts were given out so far.
func (w *world) tokens() int64 {
	if w.google == nil {
		return 0
	}
	return w.google.tokens.Load()
}

// operatorKube is a client that acts as the operator.
func (w *world) operatorKube(ctx context.Context) (client.Client, error) {
	file := filepath.Join(w.folder, "as-operator.kubeconfig")
	if err := w.plane.KubeconfigOf(ctx, rig.OperatorNamespace, rig.OperatorAccount, file); err != nil {
		return nil, err
	}
	config, err := clientcmd.BuildConfigFromFlags("", file)
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig: %w", err)
	}
	_, kube, err := w.reach(config, nil)
	return kube, err
}

// calls counts the calls to Google Cloud so far, by method.
func (w *world) calls(ctx context.Context) (tally, error) {
	counts := tally{}
	err := w.cloud.Call(ctx, http.MethodGet, "/emulator/counts", nil, &counts)
	return counts, err
}

// requests counts the requests to the API server so far that are not the benchmark's own.
func (w *world) requests(ctx context.Context) (tally, error) {
	text, err := w.raw.Discovery().RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the API server's metrics: %w", err)
	}
	families, err := parseMetrics(text)
	return requests(families).less(w.own.counts()), err
}

// operatorMetrics reads the operator's own metrics.
func (w *world) operatorMetrics(ctx context.Context) (map[string]*dto.MetricFamily, error) {
	text, err := fetch(ctx, w.metricsURL)
	if err != nil {
		return nil, err
	}
	return parseMetrics(text)
}

// ended is the error of an operator that has ended unasked.
func (w *world) ended() error {
	if w.operator == nil {
		return nil
	}
	select {
	case <-w.operator.Done():
		return w.operator.Ended()
	default:
		return nil
	}
}

// until waits until something holds, and shows how far it is; it fails if the operator ends.
func (w *world) until(ctx context.Context, holds func() (done bool, shown string, err error)) error {
	return wait.PollUntilContextCancel(ctx, 100*time.Millisecond, true, func(context.Context) (bool, error) {
		if err := w.ended(); err != nil {
			return false, err
		}
		done, shown, err := holds()
		w.show.statef("%s", shown)
		return done, err
	})
}

// pause waits, and shows how long still.
func (w *world) pause(ctx context.Context, what string, d time.Duration) error {
	end := time.Now().Add(d)
	return w.until(ctx, func() (bool, string, error) {
		left := time.Until(end)
		return left <= 0, fmt.Sprintf("%s: %s left", what, left.Round(time.Second)), nil
	})
}
