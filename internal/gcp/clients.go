package gcp

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	asset "cloud.google.com/go/asset/apiv1"
	"cloud.google.com/go/auth"
	iam "cloud.google.com/go/iam/admin/apiv1"
	pubsub "cloud.google.com/go/pubsub/v2/apiv1"
	resourcemanager "cloud.google.com/go/resourcemanager/apiv3"
	"cloud.google.com/go/storage"
	"github.com/googleapis/gax-go/v2"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"
	"google.golang.org/grpc"
	"k8s.io/utils/lru"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// DefaultTimeout bounds a call, its token included.
const DefaultTimeout = 30 * time.Second

// Options say how to reach Google Cloud. The zero value is ready to use.
type Options struct {
	// Storage, PubSub, IAM, ResourceManager and Asset are the services' endpoints. Default: Google's own.
	Storage, PubSub, IAM, ResourceManager, Asset Endpoint
	// AssetScope is the organization, folder or project whose assets are listed, such as organizations/123; empty for none.
	AssetScope string
	// Identity is the e-mail that the manager's own credentials are for, see Clients.Identity. Default: looked up.
	Identity string
	// Methods are all of Google's methods that the kinds call. A call of any other, but for this package's own, is refused.
	Methods []kind.Method
	// UserAgent is our own part of the user agent, such as holdfast/v1.2.3.
	UserAgent string
	// Timeout bounds each call; a context that ends sooner wins. Default: DefaultTimeout.
	Timeout time.Duration
	// QuotaShare is how much of Google's default quotas is used at most: 1 is all of them, more is for projects with higher ones.
	// Default: DefaultQuotaShare.
	QuotaShare float64
	// Registerer gets the metrics; nil for none.
	Registerer prometheus.Registerer

	// QuotaProject is the project whose quotas all calls use, and that pays for them, but for calls about a bucket. Default: what
	// GOOGLE_CLOUD_QUOTA_PROJECT says; then what the manager's own credentials say, for its own calls.
	QuotaProject string

	// credentials replace Application Default Credentials in tests.
	credentials *auth.Credentials
	// base replaces the transport below authentication in tests, and dialOptions what connects gRPC.
	base        http.RoundTripper
	dialOptions []grpc.DialOption
}

// Clients are the clients of Google Cloud's services, one per service and service account, made when first asked for. Those of a service share
// its connection. They do not retry. Each call is limited (see Options.QuotaShare), bounded in time and counted. All methods may be called
// concurrently.
type Clients struct {
	opts    Options
	base    *auth.Credentials // nil if no endpoint wants any
	metrics *metrics
	limiter *limiter
	payers  *payers
	// tokens has the credentials of impersonated accounts by their e-mails, *auth.Credentials, and tokenClient gets them their tokens. The lock
	// is for making them, so that no two clients of an account have their own.
	tokens      *lru.Cache
	tokensMu    sync.Mutex
	tokenClient func() (*http.Client, error)

	connections []*connection
	closed      atomic.Bool

	storage  *pool[*StorageService]
	topics   *pool[*pubsub.TopicAdminClient]
	accounts *pool[*iam.IamClient]
	projects *pool[*resourcemanager.ProjectsClient]
	folders  *pool[*resourcemanager.FoldersClient]
	assets   *pool[*asset.Client]

	numbers sync.Map // project ID to uint64
	states  sync.Map // service account and project ID to projectState
	flights singleflight.Group

	identity identity
}

// NewClients reads Application Default Credentials, unless every endpoint is insecure, and connects to nothing. It fails if
// there are none that can be read, or the methods are badly declared.
func NewClients(opts Options) (*Clients, error) {
	opts = opts.orDefault()
	declared, err := newMethods(slices.Concat(Methods(), opts.Methods))
	if err != nil {
		return nil, err
	}
	c := &Clients{
		opts: opts, base: opts.credentials, tokens: lru.New(mostTokens),
		limiter: newLimiter(declared, opts.QuotaShare, time.Now), payers: newPayers(),
	}
	c.tokenClient = sync.OnceValues(c.newTokenClient)
	c.identity.now = time.Now
	if c.metrics, err = newMetrics(opts.Registerer); err != nil {
		return nil, err
	}
	c.limiter.metrics, c.limiter.quotaProject = c.metrics, opts.QuotaProject
	if err := shares(opts.Registerer, c.limiter); err != nil {
		return nil, err
	}
	insecure := opts.Storage.Insecure && opts.PubSub.Insecure && opts.IAM.Insecure && opts.ResourceManager.Insecure &&
		(opts.Asset.Insecure || opts.AssetScope == "")
	if c.base == nil && !insecure {
		if c.base, err = detectCredentials(); err != nil {
			return nil, err
		}
	}
	c.storage = newPool(&c.closed, opts.Storage, c.makeStorage)
	c.topics = newRPCPool(c.connect(kind.ServicePubSub, opts.PubSub), pubsub.NewTopicAdminClient,
		func(t *pubsub.TopicAdminClient, all gax.CallOption) {
			t.CallOptions = inEachCall[pubsub.TopicAdminCallOptions](all)
		})
	c.accounts = newRPCPool(c.connect(kind.ServiceIAM, opts.IAM), iam.NewIamClient,
		func(a *iam.IamClient, all gax.CallOption) { a.CallOptions = inEachCall[iam.IamCallOptions](all) })
	manager := c.connect(kind.ServiceResourceManager, opts.ResourceManager)
	c.projects = newRPCPool(manager, resourcemanager.NewProjectsClient,
		func(p *resourcemanager.ProjectsClient, all gax.CallOption) {
			p.CallOptions = inEachCall[resourcemanager.ProjectsCallOptions](all)
		})
	c.folders = newRPCPool(manager, resourcemanager.NewFoldersClient,
		func(f *resourcemanager.FoldersClient, all gax.CallOption) {
			f.CallOptions = inEachCall[resourcemanager.FoldersCallOptions](all)
		})
	c.assets = newRPCPool(c.connect(kind.ServiceAsset, opts.Asset), asset.NewClient,
		func(a *asset.Client, all gax.CallOption) { a.CallOptions = inEachCall[asset.CallOptions](all) })
	return c, nil
}

func (o Options) orDefault() Options {
	o.Storage = o.Storage.or(googleStorage)
	o.PubSub = o.PubSub.or(googlePubSub)
	o.IAM = o.IAM.or(googleIAM)
	o.ResourceManager = o.ResourceManager.or(googleResourceManager)
	o.Asset = o.Asset.or(googleAsset)
	o.QuotaProject = cmp.Or(o.QuotaProject, os.Getenv("GOOGLE_CLOUD_QUOTA_PROJECT"))
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.QuotaShare <= 0 {
		o.QuotaShare = DefaultQuotaShare
	}
	if o.base == nil {
		o.base = newBaseTransport()
	}
	return o
}

// Storage returns the client of Cloud Storage that acts as a service account (its e-mail; empty: as the manager).
func (c *Clients) Storage(ctx context.Context, impersonate string) (*storage.Client, error) {
	service, err := c.storage.get(ctx, impersonate)
	if err != nil {
		return nil, err
	}
	return service.contents, nil
}

// Topics returns the client of Pub/Sub's topics that acts as a service account (its e-mail; empty: as the manager).
func (c *Clients) Topics(ctx context.Context, impersonate string) (*pubsub.TopicAdminClient, error) {
	return c.topics.get(ctx, impersonate)
}

// ServiceAccounts returns the client of IAM's service accounts that acts as a service account (its e-mail; empty: as the
// manager).
func (c *Clients) ServiceAccounts(ctx context.Context, impersonate string) (*iam.IamClient, error) {
	return c.accounts.get(ctx, impersonate)
}

// Projects returns the client of Resource Manager's projects that acts as a service account (its e-mail; empty: as the
// manager).
func (c *Clients) Projects(ctx context.Context, impersonate string) (*resourcemanager.ProjectsClient, error) {
	return c.projects.get(ctx, impersonate)
}

// makeStorage makes the client of an account. All share one transport, which closes the connections that are idle.
func (c *Clients) makeStorage(ctx context.Context, account string) (*StorageService, error) {
	httpClient, err := c.httpClient(c.opts.Storage, account)
	if err != nil {
		return nil, err
	}
	return NewStorageService(ctx, httpClient, c.opts.Storage.url())
}

// Close closes all connections, and hands out no clients any more.
func (c *Clients) Close() error {
	c.closed.Store(true)
	var errs []error
	for _, conn := range c.connections {
		errs = append(errs, conn.close())
	}
	if transport, ok := c.opts.base.(*http.Transport); ok {
		transport.CloseIdleConnections()
	}
	return errors.Join(errs...)
}

// account is the account to act as at the endpoint: none where there are no credentials.
func (e Endpoint) account(impersonate string) string {
	if e.Insecure {
		return ""
	}
	return impersonate
}
