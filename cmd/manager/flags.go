package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/pflag"
	cliflag "k8s.io/component-base/cli/flag"

	"github.com/holdfast-dev/holdfast/internal/flags"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// config is what the flags say, and the environment in their place.
type config struct {
	kubeconfig string
	ownerID    string
	shard      string

	// kubeAPIQPS is the most requests a second to the Kubernetes API; 0 is no limit on this side.
	kubeAPIQPS   float64
	kubeAPIBurst int
	// workers are how many objects of a kind are reconciled concurrently, by the kind's name.
	workers       map[string]*int
	sweepInterval time.Duration
	// policySweepInterval is that of what no list shows.
	policySweepInterval time.Duration

	endpoints flags.Endpoints
	// assetScope is the scope whose assets are listed; empty for none.
	assetScope string
	identity   string
	// selfMembers are further members by which we have our access.
	selfMembers []string
	quotaShare  float64
	// quotaProject is whose quotas all calls use; empty for what the environment or the credentials say.
	quotaProject string

	metricsAddress string
	metricsSecure  bool
	healthAddress  string
	pprofAddress   string
	plans          plans
	election       election
	logLevel       string
	logFormat      string
}

// plans is how plans are served.
type plans struct {
	address           string
	certFile, keyFile string
	authConfig        string
}

// election is how the leader is elected among replicas.
type election struct {
	enabled       bool
	namespace     string
	leaseDuration time.Duration
	renewDeadline time.Duration
	retryPeriod   time.Duration
}

// flagSets returns the flags that fill the config, in groups. Defining them sets their defaults.
func (c *config) flagSets(all []kind.Kind) cliflag.NamedFlagSets {
	var groups cliflag.NamedFlagSets

	general := groups.FlagSet("general")
	general.BoolP("help", "h", false, "Print this help and exit.")
	general.Bool("version", false, "Print version and commit, and exit.")

	kubernetes := groups.FlagSet("Kubernetes")
	kubernetes.StringVar(&c.kubeconfig, "kubeconfig", "",
		"Path of the kubeconfig `file`. If unset: $KUBECONFIG, then the in-cluster configuration, then ~/.kube/config.")
	flags.LimitVar(kubernetes, &c.kubeAPIQPS, "kube-api-qps", 10_000,
		"Maximum requests per second to the Kubernetes API. 0 leaves it to the API server, whose priority and fairness gives each client its share.")
	flags.CountVar(kubernetes, &c.kubeAPIBurst, "kube-api-burst", 200, 20_000, "Maximum burst of requests to the Kubernetes API, if --kube-api-qps limits them.")

	reconciliation := groups.FlagSet("reconciliation")
	flags.PatternVar(reconciliation, &c.ownerID, "owner-id", ownerIDPattern, "1 to 63 of a to z, 0 to 9, - and _",
		"Name of this installation in the ownership labels of Google Cloud resources. If unset: the UID of the kube-system namespace. Set it to restore a fleet in another cluster.")
	flags.PatternVar(reconciliation, &c.shard, "shard", shardPattern, "1 to 40 of a to z, 0 to 9 and -, as a DNS label has them",
		"Reconcile the objects in Namespaces whose label holdfast.dev/shard has this value, and no others. If unset: in those without the label. "+
			"Each shard has a lease of its own. Set --owner-id to the same value for all, or for none.")
	flags.DurationVar(reconciliation, &c.sweepInterval, "sweep-interval", 10*time.Minute, time.Second, 24*time.Hour,
		"Interval of the periodic drift check (±10 %): the resources of each project are listed, and those that differ are read.")
	flags.DurationVar(reconciliation, &c.policySweepInterval, "policy-sweep-interval", time.Hour, time.Second, 24*time.Hour,
		"Interval of the periodic drift check of IAM policies (±10 %), which no list shows: each is read by itself.")
	c.workers = make(map[string]*int, len(all))
	for _, k := range all {
		c.workers[k.Kind] = new(int)
		flags.CountVar(reconciliation, c.workers[k.Kind], strings.ReplaceAll(k.Name, " ", "-")+"-workers", 10, 1000,
			fmt.Sprintf("Number of objects of the kind %s to reconcile concurrently.", k.Kind))
	}

	google := groups.FlagSet("Google Cloud")
	flags.RateVar(google, &c.quotaShare, "gcp-quota-share", gcp.DefaultQuotaShare, 1000,
		"Share of Google's default request quotas to use at most. 0.8 leaves a fifth to everybody else who uses them; 5 is for projects with quotas five times as high.")
	flags.PatternVar(google, &c.quotaProject, "quota-project", projectPattern, "a project ID such as my-operations",
		"The `project` whose quotas all calls use, and that pays for them (X-Goog-User-Project), but for calls about a bucket. All accounts that make them "+
			"need serviceusage.services.use on it. If unset: $GOOGLE_CLOUD_QUOTA_PROJECT, then what the credentials say, then the project of the account.")
	flags.PatternVar(google, &c.identity, "gcp-identity", flags.EmailPattern, "an email address such as holdfast@my-project.iam.gserviceaccount.com",
		"The `email` address of the manager's own credentials, whose access Holdfast never removes from an IAM policy. If unset: read from the credentials, or else requested from Google.")
	flags.MembersVar(google, &c.selfMembers, "self-members",
		"Further `members` of IAM policies by which Holdfast has its access, as IAM writes them, separated by commas: groups, identity pools. "+
			"Holdfast never removes them from a policy. Its own account, those that Namespaces name, and its Kubernetes service account are known.")
	flags.PatternVar(google, &c.assetScope, "asset-scope", scopePattern, "organizations/NUMBER, folders/NUMBER or projects/PROJECT_ID",
		"The organization, folder or project (`organizations/123`) whose assets the manager's own account lists in Cloud Asset Inventory every sweep interval. "+
			"What changed is read; projects in the scope are listed in full, and their IAM policies read, every six hours only. If unset: none.")
	c.endpoints.Define(google)
	google.StringVar(&c.endpoints.Asset, "asset-endpoint", "",
		"gRPC endpoint of Cloud Asset Inventory, as `host:port` or URL; used with --asset-scope. If unset: Google's own.")

	serving := groups.FlagSet("metrics and health")
	flags.AddressVar(serving, &c.metricsAddress, "metrics-bind-address", "0",
		"Listen address (`host:port`) for metrics, or 0 (the default) for none.")
	flags.BoolVar(serving, &c.metricsSecure, "metrics-secure", true,
		"Serve metrics over TLS, and only to clients that RBAC allows to get /metrics.")
	flags.AddressVar(serving, &c.healthAddress, "health-probe-bind-address", ":8081",
		"Listen address (`host:port`) for /healthz and /readyz, or 0 for none.")

	flags.LoopbackVar(serving, &c.pprofAddress, "pprof-address", "0",
		"Listen address (`host:port`) for profiles under /debug/pprof/, or 0 (the default) for none. Only of a loopback interface, since profiles show "+
			"what is in memory: reach it by kubectl port-forward.")

	c.plans.define(groups.FlagSet("plans"))

	elections := groups.FlagSet("leader election")
	flags.BoolVar(elections, &c.election.enabled, "leader-elect", false, "Elect a leader among replicas; only the leader writes.")
	elections.StringVar(&c.election.namespace, "leader-elect-namespace", "",
		"The `namespace` of the lease. If unset: the namespace that the manager runs in.")
	// Long enough that a write to Google Cloud, which must end within the renew deadline, has time to.
	flags.DurationVar(elections, &c.election.leaseDuration, "leader-elect-lease-duration", 45*time.Second, time.Second, time.Hour,
		"Time after the leader's last renewal when another replica may take over.")
	flags.DurationVar(elections, &c.election.renewDeadline, "leader-elect-renew-deadline", 35*time.Second, time.Second, time.Hour,
		"Time after which a leader that cannot renew its lease stops.")
	flags.DurationVar(elections, &c.election.retryPeriod, "leader-elect-retry-period", 4*time.Second, 100*time.Millisecond, time.Hour,
		"Interval between attempts to acquire or renew the lease.")

	logging := groups.FlagSet("logging")
	flags.ChoiceVar(logging, &c.logLevel, "log-level", "info", []string{"debug", "info", "error"}, "Least severe level to log: debug, info or error.")
	flags.ChoiceVar(logging, &c.logFormat, "log-format", "json", []string{"json", "console"}, "Log format: json or console.")
	return groups
}

// define defines the flags.
func (p *plans) define(fs *pflag.FlagSet) {
	flags.AddressVar(fs, &p.address, "plan-address", "0",
		"Listen address (`host:port`) for plans over TLS, or 0 (the default) for none. They are made for those who may create the subresource plan "+
			"of a kind in a namespace, as in buckets/plan, and who show a token of a service account for the audience holdfast-plan, or one of an issuer "+
			"of --plan-auth-config.")
	fs.StringVar(&p.certFile, "plan-tls-cert-file", "", "The `file` of the certificate to serve plans with, in PEM; read again when it changes.")
	fs.StringVar(&p.keyFile, "plan-tls-key-file", "", "The `file` of that certificate's private key, in PEM; read again when it changes.")
	fs.StringVar(&p.authConfig, "plan-auth-config", "",
		"The `file` of an AuthenticationConfiguration of apiserver.config.k8s.io, which says by its jwt whose tokens are taken and as whom. "+
			"If unset: those of the cluster's service accounts alone.")
}

// check says what is missing to serve.
func (p *plans) check() error {
	switch {
	case p.address == "0" && *p != (plans{address: "0"}):
		return errors.New("--plan-tls-cert-file, --plan-tls-key-file and --plan-auth-config serve nothing without --plan-address")
	case p.address != "0" && (p.certFile == "" || p.keyFile == ""):
		return errors.New("--plan-address requires --plan-tls-cert-file and --plan-tls-key-file: tokens are shown over TLS alone")
	}
	return nil
}

// check compares what flags cannot check one by one.
func (c *config) check() error {
	if err := errors.Join(c.election.check(), c.plans.check()); err != nil {
		return err
	}
	_, err := c.googleOptions()
	return err
}

// googleOptions are how Google Cloud is reached.
func (c *config) googleOptions() (gcp.Options, error) {
	opts, err := c.endpoints.Options(c.assetScope != "")
	opts.AssetScope, opts.QuotaProject = c.assetScope, c.quotaProject
	return opts, err
}

// check compares the durations, as the election needs them.
func (e election) check() error {
	if e.renewDeadline >= e.leaseDuration {
		return fmt.Errorf("--leader-elect-renew-deadline is %v: must be less than --leader-elect-lease-duration, which is %v", e.renewDeadline, e.leaseDuration)
	}
	// The elector lets up to 1.2 times as long pass between two attempts.
	if e.retryPeriod > e.renewDeadline/2 {
		return fmt.Errorf("--leader-elect-retry-period is %v: must be at most half of --leader-elect-renew-deadline, which is %v", e.retryPeriod, e.renewDeadline)
	}
	return nil
}

var (
	// ownerIDPattern is that of a label's value in Google Cloud.
	ownerIDPattern = regexp.MustCompile(`^[a-z0-9_-]{1,63}$`)
	// shardPattern is that of config/admission/bind.yaml: of what is a label's value in Kubernetes and may end the name of a lease.
	shardPattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)
	// projectPattern is that of the ID of a project, of a domain also.
	projectPattern = regexp.MustCompile(`^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$`)
	scopePattern   = regexp.MustCompile(`^(organizations/[0-9]+|folders/[0-9]+|projects/[a-z0-9.:-]+)$`)
)
