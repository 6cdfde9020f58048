package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"
	"golang.org/x/term"
	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/flags"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
	"github.com/holdfast-dev/holdfast/internal/version"
)

// program is what all commands have in common.
type program struct {
	streams   genericiooptions.IOStreams
	kube      *genericclioptions.ConfigFlags
	endpoints flags.Endpoints
	// quotaShare is the share of Google's default request quotas that is used at most.
	quotaShare float64
	now        func() time.Time
	getenv     func(string) string
}

func newProgram(streams genericiooptions.IOStreams, getenv func(string) string) *program {
	return &program{
		streams: streams, kube: genericclioptions.NewConfigFlags(true),
		endpoints: flags.EndpointsFrom(getenv), now: time.Now, getenv: getenv,
	}
}

// cloudFlags defines the flags of commands that look at Google Cloud.
func (p *program) cloudFlags(fs *pflag.FlagSet) {
	p.endpoints.Define(fs)
	flags.RateVar(fs, &p.quotaShare, "gcp-quota-share", gcp.DefaultQuotaShare, 1000,
		"Share of Google's default request quotas to use at most.")
}

// operatorFlags define the flags that say what a plan has to know of the operator and no cluster tells: whom Google knows it as, and the name by
// which it marks what it owns, where that is not the cluster's.
func (p *program) operatorFlags(fs *pflag.FlagSet, identity, owner *string) {
	flags.PatternVar(fs, identity, "gcp-identity", flags.EmailPattern, "an email address such as holdfast@my-project.iam.gserviceaccount.com",
		"The `email` address by which Google Cloud knows the operator. If unset: unknown, so that what would lock it out is not told.")
	fs.StringVar(owner, "owner-id", "", "The operator's --owner-id. If unset: the UID of the cluster's kube-system namespace.")
}

// cloud connects to Google Cloud, as whoever runs the command. Closing it is the caller's.
func (p *program) cloud() (*gcp.Clients, error) { return p.countedCloud(nil) }

// countedCloud is the same, with a registry that counts calls (nil: nobody does), and with methods that no kind calls.
func (p *program) countedCloud(calls prometheus.Registerer, further ...kind.Method) (*gcp.Clients, error) {
	opts, err := p.endpoints.Options(false)
	if err != nil {
		return nil, err
	}
	opts.Methods, opts.QuotaShare, opts.Registerer = slices.Concat(kinds.Methods(), further), p.quotaShare, calls
	opts.UserAgent = userAgent()
	clients, err := gcp.NewClients(opts)
	var missing *gcp.NoCredentials
	if errors.As(err, &missing) {
		return nil, fmt.Errorf("%w; set GOOGLE_APPLICATION_CREDENTIALS to a readable file, or run `gcloud auth application-default login`", err)
	}
	return clients, err
}

func userAgent() string {
	short, _, _ := strings.Cut(version.String(), " ")
	return "kubectl-holdfast/" + strings.Trim(short, "()")
}

// cluster connects to the cluster that --context and the like say.
func (p *program) cluster() (client.WithWatch, error) {
	config, err := p.kube.ToRESTConfig()
	if err != nil {
		return nil, fmt.Errorf("finding the cluster: %w; set --kubeconfig, --context or $KUBECONFIG", err)
	}
	config.UserAgent, config.QPS = userAgent(), -1
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, v1alpha1.AddToScheme, authenticationv1.AddToScheme, authorizationv1.AddToScheme, coordinationv1.AddToScheme,
		appsv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	return client.NewWithWatch(config, client.Options{Scheme: scheme})
}

// namespace is what -n says, or else the context, or else default.
func (p *program) namespace() (string, error) {
	namespace, _, err := p.kube.ToRawKubeConfigLoader().Namespace()
	return namespace, err
}

// isTerminal says whether somebody reads what is written there as it comes: then, and only then, there is colour and progress.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
