package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/uuid"
	coordination "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/engine"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
	"github.com/holdfast-dev/holdfast/internal/lease"
	objectmetrics "github.com/holdfast-dev/holdfast/internal/metrics"
	"github.com/holdfast-dev/holdfast/internal/sweep"
)

const (
	leaseName = "holdfast-manager"
	// shutdownTimeout is how long calls under way may take to end once the process is asked to.
	shutdownTimeout = gcp.DefaultTimeout + 5*time.Second
	// namespaceFile says in a pod in which namespace it is.
	namespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
)

// What the manager does besides its kinds: kubebuilder makes config/rbac/role.yaml from these and the engine's.
//
// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,namespace=holdfast-system,verbs=create
// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,namespace=holdfast-system,resourceNames=holdfast-manager,verbs=get;update

// newManager makes the manager with all kinds set up.
func newManager(ctx context.Context, c *config, kube *rest.Config, clients *gcp.Clients) (ctrl.Manager, error) {
	held, err := newLease(c.election, leaseOf(c.shard), kube)
	if err != nil {
		return nil, err
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	stores := &engine.Stores{}
	mgr, err := ctrl.NewManager(kube, ctrl.Options{
		Scheme:                              scheme,
		Cache:                               stores.CacheOptions(),
		Metrics:                             metricsOptions(c),
		HealthProbeBindAddress:              c.healthAddress,
		PprofBindAddress:                    c.pprofAddress,
		LeaderElection:                      c.election.enabled,
		LeaderElectionResourceLockInterface: held,
		LeaderElectionID:                    leaseOf(c.shard), // the label name of leader_election_master_status
		LeaderElectionReleaseOnCancel:       true,
		LeaseDuration:                       &c.election.leaseDuration,
		RenewDeadline:                       &c.election.renewDeadline,
		RetryPeriod:                         &c.election.retryPeriod,
		GracefulShutdownTimeout:             new(shutdownTimeout),
	})
	if err != nil {
		return nil, fmt.Errorf("setting up the manager: %w", err)
	}
	ready := newReadiness(mgr.GetCache().WaitForCacheSync, clients.Authenticate)
	if err := errors.Join(mgr.Add(ready), mgr.AddReadyzCheck("ready", ready.check), mgr.AddHealthzCheck("ping", healthz.Ping)); err != nil {
		return nil, err
	}
	all, collector, user := kinds.All(clients), objectmetrics.New(), kubernetesUser(mountedToken)
	fleet, err := engine.SetupFleet(ctx, mgr, engine.Options{
		Kinds: all, Stores: stores, OwnerID: c.ownerID, Workers: func(k kind.Kind) int { return *c.workers[k.Kind] },
		Sweep: sweep.Schedule{Interval: c.sweepInterval}, PolicySweep: sweep.Schedule{Interval: c.policySweepInterval},
		Gate: engine.NewGate(mgr.GetAPIReader(), held, c.shard), Shard: c.shard,
		Projects: clients, Identities: clients, SelfMembers: append(c.selfMembers, kubernetesMembers(user)...), User: user,
		Turns: clients, Metrics: collector, Assets: assetsIn(c.assetScope, clients), Namespace: cmp.Or(podNamespace(), c.election.namespace),
	})
	if err := errors.Join(err, register(collector)); err != nil {
		return nil, err
	}
	return mgr, c.plans.serve(mgr, kube, fleet, clients)
}

// assetsIn lists the assets in a scope; nobody does if there is none.
func assetsIn(scope string, clients *gcp.Clients) sweep.Assets {
	if scope == "" {
		return nil
	}
	return clients
}

// register adds metrics to those that the manager serves.
func register(c prometheus.Collector) error {
	if err := metrics.Registry.Register(c); err != nil {
		return fmt.Errorf("registering metrics: %w", err)
	}
	return nil
}

func metricsOptions(c *config) metricsserver.Options {
	opts := metricsserver.Options{BindAddress: c.metricsAddress, SecureServing: c.metricsSecure}
	if c.metricsSecure {
		opts.FilterProvider = filters.WithAuthenticationAndAuthorization
	}
	return opts
}

// podNamespace is the namespace that the manager runs in, where its Role is; empty outside of a cluster.
func podNamespace() string {
	in, err := os.ReadFile(namespaceFile)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(in))
}

// leaseOf is the name of a shard's lease: leaders of different shards work side by side.
func leaseOf(shard string) string {
	if shard == "" {
		return leaseName
	}
	return leaseName + "-" + shard
}

// newLease returns the lock that the leader is elected by.
func newLease(e election, name string, kube *rest.Config) (*lease.Lease, error) {
	if !e.enabled {
		return &lease.Lease{}, nil
	}
	if e.namespace = cmp.Or(e.namespace, podNamespace()); e.namespace == "" {
		return nil, errors.New("--leader-elect: want --leader-elect-namespace outside of a cluster, where " + namespaceFile + " does not say it")
	}
	kube = rest.CopyConfig(kube)
	kube.Timeout = e.renewDeadline / 2 // One request that hangs does not lose the lease.
	client, err := coordination.NewForConfig(kube)
	if err != nil {
		return nil, fmt.Errorf("setting up leader election: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("setting up leader election: %w", err)
	}
	lock, err := resourcelock.New(resourcelock.LeasesResourceLock, e.namespace, name, nil, client,
		resourcelock.ResourceLockConfig{Identity: host + "_" + string(uuid.NewUUID())})
	if err != nil {
		return nil, fmt.Errorf("setting up leader election: %w", err)
	}
	return lease.Watch(lock, e.renewDeadline), nil
}
