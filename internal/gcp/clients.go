package gcp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"cloud.google.com/go/auth"
	iam "cloud.google.com/go/iam/admin/apiv1"
	pubsub "cloud.google.com/go/pubsub/v2/apiv1"
	resourcemanager "cloud.google.com/go/resourcemanager/apiv3"
	"cloud.google.com/go/storage"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
)

// DefaultTimeout bounds a call, its token included.
const DefaultTimeout = 30 * time.Second

// The services, as metrics and limits name them.
const (
	serviceStorage         = "storage"
	servicePubSub          = "pubsub"
	serviceIAM             = "iam"
	serviceResourceManager = "resourcemanager"
	serviceCredentials     = "iamcredentials"
	serviceOAuth           = "oauth2"
	serviceMetadata        = "metadata"
)

// Options say how to reach Google Cloud. The zero value is ready to use.
type Options struct {
	// Storage, PubSub, IAM and ResourceManager are the services' endpoints. Default: Google's own.
	Storage, PubSub, IAM, ResourceManager Endpoint
	// Identity is the e-mail that the manager's own credentials are for, see Clients.Identity. Default: looked up.
	Identity string
	// UserAgent is our own part of the user agent, such as holdfast/v1.2.3.
	UserAgent string
	// Timeout bounds each call; a context that ends sooner wins. Default: DefaultTimeout.
	Timeout time.Duration
	// Limits are our own rate limits. Default: DefaultLimits.
	Limits Limits
	// Registerer gets the metrics; nil for none.
	Registerer prometheus.Registerer

	// credentials replace Application Default Credentials in tests.
	credentials *auth.Credentials
	// base replaces the transport below authentication in tests, and dialOptions what connects gRPC.
	base        http.RoundTripper
	dialOptions []grpc.DialOption
}

// Clients are the clients of Google Cloud's services, one per service and service account, made when first asked for. They
// do not retry. Each call is limited (see Limits), bounded in time and counted. All methods may be called concurrently.
type Clients struct {
	opts    Options
	base    *auth.Credentials // nil if no endpoint wants any
	metrics *metrics
	limiter *limiter

	storage  pool[*storage.Client]
	topics   pool[*pubsub.TopicAdminClient]
	accounts pool[*iam.IamClient]
	projects pool[*resourcemanager.ProjectsClient]

	numbers sync.Map // project ID to uint64
	flights singleflight.Group

	identity identity
}

// NewClients reads Application Default Credentials, unless every endpoint is insecure. It fails if there are none. It does not connect
// yet.
func NewClients(opts Options) (*Clients, error) {
	opts.Storage = opts.Storage.or(googleStorage)
	opts.PubSub = opts.PubSub.or(googlePubSub)
	opts.IAM = opts.IAM.or(googleIAM)
	opts.ResourceManager = opts.ResourceManager.or(googleResourceManager)
	if opts.Timeout == 0 {
		opts.Timeout = DefaultTimeout
	}
	if opts.base == nil {
		opts.base = newBaseTransport()
	}
	c := &Clients{opts: opts, base: opts.credentials, limiter: newLimiter(opts.Limits.orDefault(), time.Now)}
	c.identity.now = time.Now
	var err error
	if c.metrics, err = newMetrics(opts.Registerer); err != nil {
		return nil, err
	}
	c.limiter.metrics = c.metrics
	insecure := opts.Storage.Insecure && opts.PubSub.Insecure && opts.IAM.Insecure && opts.ResourceManager.Insecure
	if c.base == nil && !insecure {
		if c.base, err = detectCredentials(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Storage returns the client of Cloud Storage that acts as a service account (its e-mail; empty: as the manager).
func (c *Clients) Storage(ctx context.Context, impersonate string) (*storage.Client, error) {
	account := c.opts.Storage.account(impersonate)
	return c.storage.get(account, func() (*storage.Client, error) {
		httpClient, err := c.httpClient(c.opts.Storage, account)
		if err != nil {
			return nil, err
		}
		httpClient.Transport = KeepAnswers(httpClient.Transport)
		client, err := storage.NewClient(ctx, option.WithHTTPClient(httpClient), option.WithoutAuthentication(),
			option.WithEndpoint(c.opts.Storage.url()), storage.WithDisabledClientMetrics())
		if err != nil {
			return nil, err
		}
		client.SetRetry(storage.WithPolicy(storage.RetryNever))
		return client, nil
	})
}

// Topics returns the client of Pub/Sub's topics that acts as a service account (its e-mail; empty: as the manager).
func (c *Clients) Topics(ctx context.Context, impersonate string) (*pubsub.TopicAdminClient, error) {
	account := c.opts.PubSub.account(impersonate)
	return c.topics.get(account, func() (*pubsub.TopicAdminClient, error) {
		conn, err := c.dial(ctx, servicePubSub, c.opts.PubSub, account)
		if err != nil {
			return nil, err
		}
		client, err := pubsub.NewTopicAdminClient(ctx, option.WithGRPCConn(conn), option.WithoutAuthentication())
		if err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		client.CallOptions = &pubsub.TopicAdminCallOptions{} // Google's defaults retry.
		return client, nil
	})
}

// ServiceAccounts returns the client of IAM's service accounts that acts as a service account (its e-mail; empty: as the
// manager).
func (c *Clients) ServiceAccounts(ctx context.Context, impersonate string) (*iam.IamClient, error) {
	account := c.opts.IAM.account(impersonate)
	return c.accounts.get(account, func() (*iam.IamClient, error) {
		conn, err := c.dial(ctx, serviceIAM, c.opts.IAM, account)
		if err != nil {
			return nil, err
		}
		client, err := iam.NewIamClient(ctx, option.WithGRPCConn(conn), option.WithoutAuthentication())
		if err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		client.CallOptions = &iam.IamCallOptions{}
		return client, nil
	})
}

// Projects returns the client of Resource Manager's projects that acts as a service account (its e-mail; empty: as the
// manager).
func (c *Clients) Projects(ctx context.Context, impersonate string) (*resourcemanager.ProjectsClient, error) {
	account := c.opts.ResourceManager.account(impersonate)
	return c.projects.get(account, func() (*resourcemanager.ProjectsClient, error) {
		conn, err := c.dial(ctx, serviceResourceManager, c.opts.ResourceManager, account)
		if err != nil {
			return nil, err
		}
		client, err := resourcemanager.NewProjectsClient(ctx, option.WithGRPCConn(conn), option.WithoutAuthentication())
		if err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		client.CallOptions = &resourcemanager.ProjectsCallOptions{}
		return client, nil
	})
}

// Close closes all clients.
func (c *Clients) Close() error {
	err := errors.Join(c.storage.close(), c.topics.close(), c.accounts.close(), c.projects.close())
	if transport, ok := c.opts.base.(*http.Transport); ok {
		transport.CloseIdleConnections()
	}
	return err
}

// account is the account to act as at the endpoint: none where there are no credentials.
func (e Endpoint) account(impersonate string) string {
	if e.Insecure {
		return ""
	}
	return impersonate
}

// pool keeps one client per service account.
type pool[C io.Closer] struct {
	mu      sync.Mutex
	clients map[string]C
	closed  bool
}

var errClosed = errors.New("the clients of Google Cloud are closed")

// get returns the account's client, opened if there is none yet. Opening makes no calls, so it may happen under the lock.
func (p *pool[C]) get(account string, open func() (C, error)) (C, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if client, ok := p.clients[account]; ok {
		return client, nil
	}
	var none C
	if p.closed {
		return none, errClosed
	}
	client, err := open()
	if err != nil {
		return none, err
	}
	if p.clients == nil {
		p.clients = map[string]C{}
	}
	p.clients[account] = client
	return client, nil
}

func (p *pool[C]) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, client := range p.clients {
		errs = append(errs, client.Close())
	}
	p.clients, p.closed = nil, true
	return errors.Join(errs...)
}
