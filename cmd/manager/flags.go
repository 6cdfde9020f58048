package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
	"time"

	"github.com/holdfast-dev/holdfast/internal/gcp"
)

// config is what the flags say, and the environment in their place.
type config struct {
	version    bool
	kubeconfig string
	ownerID    string

	kubeAPIQPS    float64
	kubeAPIBurst  int
	bucketWorkers int
	topicWorkers  int
	// accountWorkers and policyWorkers are those of ServiceAccounts and ProjectPolicies.
	accountWorkers, policyWorkers int
	sweepInterval                 time.Duration

	endpoints endpoints
	identity  string
	limits    gcp.Limits

	metricsAddress string
	metricsSecure  bool
	healthAddress  string
	election       election
	logLevel       string
	logFormat      string
}

// election is how the leader is elected among replicas.
type election struct {
	enabled       bool
	namespace     string
	leaseDuration time.Duration
	renewDeadline time.Duration
	retryPeriod   time.Duration
}

// defaults are a config of nothing but default values.
func defaults() *config {
	return &config{
		kubeAPIQPS: 100, kubeAPIBurst: 200,
		bucketWorkers: 10, topicWorkers: 10, accountWorkers: 10, policyWorkers: 10,
		sweepInterval:  10 * time.Minute,
		limits:         gcp.DefaultLimits,
		metricsAddress: "0", metricsSecure: true,
		healthAddress: ":8081",
		// Long enough that a write to Google Cloud, which must end within the renew deadline, has time to.
		election: election{leaseDuration: 45 * time.Second, renewDeadline: 35 * time.Second, retryPeriod: 4 * time.Second},
		logLevel: "info", logFormat: "json",
	}
}

// flags returns the flags that fill the config.
func (c *config) flags() *flag.FlagSet {
	fs := flag.NewFlagSet("manager", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}

	fs.Var(value[bool]{&c.version, boolean}, "version", "Print version and commit, and exit.")
	fs.Var(value[string]{&c.kubeconfig, text("FILE")}, "kubeconfig",
		"The kubeconfig. By default that in $KUBECONFIG, the cluster that this runs in, or ~/.kube/config.")
	fs.Var(value[string]{&c.ownerID, ownerID}, "owner-id",
		"The name of this installation in the ownership labels of Google Cloud resources. By default the UID of the cluster's namespace kube-system; set it to restore a fleet elsewhere.")

	fs.Var(value[int]{&c.bucketWorkers, integer(1000)}, "bucket-workers", "How many Buckets are worked on at a time.")
	fs.Var(value[int]{&c.topicWorkers, integer(1000)}, "topic-workers", "How many Topics are worked on at a time.")
	fs.Var(value[int]{&c.accountWorkers, integer(1000)}, "service-account-workers", "How many ServiceAccounts are worked on at a time.")
	fs.Var(value[int]{&c.policyWorkers, integer(1000)}, "project-policy-workers", "How many ProjectPolicies are worked on at a time.")
	fs.Var(value[time.Duration]{&c.sweepInterval, duration(time.Second, 24*time.Hour)}, "sweep-interval",
		"How often Google Cloud is compared with each manifest though nothing asked for it, give or take a tenth.")

	fs.Var(value[float64]{&c.kubeAPIQPS, number(10_000)}, "kube-api-qps", "Calls a second to the Kubernetes API.")
	fs.Var(value[int]{&c.kubeAPIBurst, integer(20_000)}, "kube-api-burst", "Calls at once to the Kubernetes API.")
	fs.Var(value[float64]{&c.limits.Project, number(10_000)}, "gcp-qps-per-project",
		"Calls a second to a Google Cloud service for one project's resources.")
	fs.Var(value[float64]{&c.limits.QuotaProject, number(10_000)}, "gcp-qps-per-quota-project",
		"Calls a second to IAM, and to Resource Manager, for one service account's project.")

	fs.Var(value[string]{&c.endpoints.storage, text("HOST:PORT")}, "storage-endpoint",
		"Where Cloud Storage is; a URL will do as well. By default $STORAGE_EMULATOR_HOST (no TLS, no credentials), or else Google's.")
	fs.Var(value[string]{&c.endpoints.pubsub, text("HOST:PORT")}, "pubsub-endpoint",
		"Where Pub/Sub is, for gRPC; a URL will do as well. By default $PUBSUB_EMULATOR_HOST (no TLS, no credentials), or else Google's.")
	fs.Var(value[string]{&c.endpoints.iam, text("HOST:PORT")}, "iam-endpoint",
		"Where IAM is, for gRPC; a URL will do as well. By default Google's.")
	fs.Var(value[string]{&c.endpoints.resourceManager, text("HOST:PORT")}, "resourcemanager-endpoint",
		"Where Resource Manager is, for gRPC; a URL will do as well. By default Google's.")
	fs.Var(value[string]{&c.identity, email}, "gcp-identity",
		"The e-mail by which Google knows the manager's own credentials, so that no IAM policy loses it. By default what the credentials, or Google, say.")
	fs.Var(value[bool]{&c.endpoints.insecure, boolean}, "gcp-insecure",
		"Talk to Google Cloud without TLS and credentials, as emulators want it. All its endpoints must be given.")

	fs.Var(value[string]{&c.metricsAddress, listenAddress}, "metrics-bind-address", "Where to serve metrics; 0 for not at all.")
	fs.Var(value[bool]{&c.metricsSecure, boolean}, "metrics-secure",
		"Serve metrics over TLS and only to those who may get /metrics by RBAC.")
	fs.Var(value[string]{&c.healthAddress, listenAddress}, "health-probe-bind-address", "Where to serve /healthz and /readyz; 0 for not at all.")

	fs.Var(value[bool]{&c.election.enabled, boolean}, "leader-elect", "Elect a leader among replicas; only the leader writes.")
	fs.Var(value[string]{&c.election.namespace, text("NAMESPACE")}, "leader-elect-namespace", "The namespace of the lease. By default the one that this runs in.")
	fs.Var(value[time.Duration]{&c.election.leaseDuration, duration(time.Second, time.Hour)}, "leader-elect-lease-duration",
		"How long the others wait for a leader that has fallen silent.")
	fs.Var(value[time.Duration]{&c.election.renewDeadline, duration(time.Second, time.Hour)}, "leader-elect-renew-deadline",
		"How long a leader that cannot renew its lease goes on.")
	fs.Var(value[time.Duration]{&c.election.retryPeriod, duration(100*time.Millisecond, time.Hour)}, "leader-elect-retry-period",
		"How often the lease is renewed.")

	fs.Var(value[string]{&c.logLevel, oneOf("debug", "info", "error")}, "log-level", "What to log.")
	fs.Var(value[string]{&c.logFormat, oneOf("json", "console")}, "log-format", "How to log.")
	return fs
}

// dashes are where the flag package writes a flag's name with one dash, in its own sentences.
var dashes = regexp.MustCompile(`^((?:invalid (?:boolean )?value ".*" for (?:flag )?)|flag provided but not defined: |flag needs an argument: )-`)

// parse reads the arguments and the environment. Its error is one sentence that names the flag and what it allows.
func parse(args []string, getenv func(string) string) (*config, error) {
	c := defaults()
	fs := c.flags()
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil, err
		}
		return nil, errors.New(dashes.ReplaceAllString(err.Error(), "${1}--"))
	}
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q: there are only flags", fs.Arg(0))
	}
	if err := c.election.check(); err != nil {
		return nil, err
	}
	c.endpoints.storageEmulator = getenv("STORAGE_EMULATOR_HOST")
	c.endpoints.pubsubEmulator = getenv("PUBSUB_EMULATOR_HOST")
	_, err := c.endpoints.options()
	return c, err
}

// check holds the durations against each other, as the election needs them.
func (e election) check() error {
	if e.renewDeadline >= e.leaseDuration {
		return fmt.Errorf("--leader-elect-renew-deadline %v: want less than --leader-elect-lease-duration, which is %v", e.renewDeadline, e.leaseDuration)
	}
	// The elector lets up to 1.2 times as long pass between two tries.
	if e.retryPeriod > e.renewDeadline/2 {
		return fmt.Errorf("--leader-elect-retry-period %v: want at most half of --leader-elect-renew-deadline, which is %v", e.retryPeriod, e.renewDeadline)
	}
	return nil
}

// printUsage writes what --help shows.
func printUsage(w io.Writer) {
	fmt.Fprint(w, "manager holds Google Cloud resources to the manifests in a Kubernetes cluster.\n\nUsage:\n  manager [flags]\n\nFlags:\n")
	defaults().flags().VisitAll(func(f *flag.Flag) {
		fmt.Fprintf(w, "  --%s", f.Name)
		if formatted, ok := f.Value.(interface{ formatName() string }); ok && formatted.formatName() != "" {
			fmt.Fprintf(w, " %s", formatted.formatName())
		}
		fmt.Fprintf(w, "\n      %s", f.Usage)
		if f.DefValue != "" && f.DefValue != "false" {
			fmt.Fprintf(w, " Default: %s.", f.DefValue)
		}
		fmt.Fprintln(w)
	})
}
