package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"google.golang.org/grpc"

	"github.com/holdfast-dev/holdfast/test/emulator/access"
	"github.com/holdfast-dev/holdfast/test/emulator/asset"
	"github.com/holdfast-dev/holdfast/test/emulator/iam"
	"github.com/holdfast-dev/holdfast/test/emulator/policy"
	"github.com/holdfast-dev/holdfast/test/emulator/projects"
	"github.com/holdfast-dev/holdfast/test/emulator/pubsub"
	"github.com/holdfast-dev/holdfast/test/emulator/resourcemanager"
	"github.com/holdfast-dev/holdfast/test/emulator/storage"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// loopback is where the emulator listens unless told otherwise: any free
// port.
const loopback = "127.0.0.1:0"

// Options are how an emulator is set up; the zero value is good.
type Options struct {
	// HTTPAddr and GRPCAddr are where to listen, host and port; empty means
	// any free port of the loopback interface.
	HTTPAddr, GRPCAddr string
	// Projects are the ones that exist from the beginning.
	Projects []projects.Project
	// Strict knows only these projects; otherwise a project comes into being
	// when it is first asked for.
	Strict bool
	// Now is the clock of the emulated cloud; nil means the real one.
	Now func() time.Time
	// LimitBucketUpdates refuses to change a bucket's metadata more than once
	// a second.
	LimitBucketUpdates bool
	// GoogleQuotas enforces the quotas that Google grants to every project, as
	// [traffic.GoogleQuotas] has them, and LimitBucketUpdates.
	GoogleQuotas bool
	// EnforceRequesterPays refuses calls about a bucket whose requesters pay
	// that name no project to bill.
	EnforceRequesterPays bool
	// EnforceIAM refuses calls that the stored policies do not let the caller
	// make.
	EnforceIAM bool
	// CallerProject is the ID of the project of the caller's credentials, whose quota
	// calls to IAM, Resource Manager and Cloud Asset Inventory use unless they name another one;
	// empty means "emulator".
	CallerProject string
	// AssetStaleness is how old what Cloud Asset Inventory lists may be, see
	// [asset.Service.SetStaleness].
	AssetStaleness time.Duration
	// Journal records all calls from the beginning.
	Journal bool
}

// Emulator is one emulated Google Cloud.
type Emulator struct {
	Traffic  *traffic.Control
	Projects *projects.Registry
	// Directory knows which principals IAM policies can name.
	Directory       *policy.Directory
	Storage         *storage.Service
	PubSub          *pubsub.Service
	IAM             *iam.Service
	ResourceManager *resourcemanager.Service
	Assets          *asset.Service
	// Access knows the callers by their tokens, if EnforceIAM is set.
	Access *access.Enforcer

	services   []Service
	options    Options
	httpServer *http.Server
	grpcServer *grpc.Server
	http, grpc net.Listener
	// serving delivers the end of each of the two servers.
	serving chan error
}

// New sets an emulator up that is not listening yet.
func New(o Options) (*Emulator, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	e := &Emulator{options: o, Projects: projects.New(o.Strict)}
	for _, p := range o.Projects {
		if err := e.Projects.Add(p); err != nil {
			return nil, err
		}
	}
	control := []traffic.Option{traffic.WithClock(o.Now), traffic.WithProjectNumbers(e.Projects.NumberText)}
	if o.CallerProject != "" {
		control = append(control, traffic.WithCallerProject(o.CallerProject))
	}
	e.Traffic = traffic.New(control...)
	e.Traffic.Record(o.Journal)
	if o.GoogleQuotas {
		for name, perMinute := range traffic.GoogleQuotas {
			e.Traffic.SetQuota(name, "", perMinute)
		}
	}
	e.Directory = policy.NewDirectory(e.Projects)
	e.Storage = storage.New(storage.Options{
		Projects: e.Projects, Traffic: e.Traffic, Directory: e.Directory, Now: o.Now,
		LimitUpdates: o.LimitBucketUpdates || o.GoogleQuotas, EnforceRequesterPays: o.EnforceRequesterPays,
	})
	e.PubSub = pubsub.New(e.Traffic, e.Projects, e.Directory, pubsub.WithClock(o.Now))
	e.IAM = iam.New(iam.Options{Projects: e.Projects, Traffic: e.Traffic, Directory: e.Directory, Now: o.Now})
	e.ResourceManager = resourcemanager.New(resourcemanager.Options{
		Projects: e.Projects, Traffic: e.Traffic, Directory: e.Directory, Now: o.Now,
	})
	e.Assets = asset.New(asset.Options{
		Projects: e.Projects, Traffic: e.Traffic, Cloud: assets{e}, Now: o.Now, Staleness: o.AssetStaleness,
	})
	e.services = []Service{e.Storage, e.PubSub, e.IAM, e.ResourceManager, e.Assets}
	e.Access = access.New(policies{e})
	if o.EnforceIAM {
		e.Traffic.SetGuard(e.Access.Check)
	}
	return e, nil
}

// AddProject makes a project known by its number.
func (e *Emulator) AddProject(id string, number int64) error {
	return e.Projects.Add(projects.Project{ID: id, Number: number})
}

// Start listens and serves until Close; ctx bounds only the start.
func (e *Emulator) Start(ctx context.Context) error {
	var err error
	if e.http, err = listen(ctx, e.options.HTTPAddr); err != nil {
		return fmt.Errorf("listening for HTTP: %w", err)
	}
	if e.grpc, err = listen(ctx, e.options.GRPCAddr); err != nil {
		return errors.Join(fmt.Errorf("listening for gRPC: %w", err), e.http.Close())
	}
	e.httpServer = &http.Server{Handler: e.Handler(), ReadHeaderTimeout: time.Minute}
	e.grpcServer = grpc.NewServer(grpc.UnaryInterceptor(e.Traffic.UnaryInterceptor(e.classify)))
	for _, service := range e.services {
		service.RegisterGRPC(e.grpcServer)
	}
	e.serving = make(chan error, 2)
	go func() { e.serving <- e.httpServer.Serve(e.http) }()
	go func() { e.serving <- e.grpcServer.Serve(e.grpc) }()
	return nil
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	if addr == "" {
		addr = loopback
	}
	var config net.ListenConfig
	return config.Listen(ctx, "tcp", addr)
}

// Handler is everything that the emulator answers over HTTP.
func (e *Emulator) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, service := range e.services {
		service.RegisterHTTP(mux)
	}
	mux.Handle("POST /iamcredentials/v1/projects/{project}/serviceAccounts/{account}", e.Access.Credentials(e.Traffic))
	e.registerAdmin(mux)
	return mux
}

func (e *Emulator) classify(fullMethod string, req any) traffic.Call {
	for _, service := range e.services {
		if call, own := service.ClassifyRPC(fullMethod, req); own {
			return call
		}
	}
	return traffic.Call{}
}

// Close stops the emulator at once and cuts the calls that are under way.
func (e *Emulator) Close() error {
	e.Traffic.Close()
	var errs []error
	if e.httpServer != nil {
		errs = append(errs, e.httpServer.Close())
		e.grpcServer.Stop()
		for range 2 {
			// Stopped before it began to serve is stopped too.
			if err := <-e.serving; !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, grpc.ErrServerStopped) {
				errs = append(errs, err)
			}
		}
	}
	errs = append(errs, e.PubSub.Close())
	return errors.Join(errs...)
}

// URL is the address of everything over HTTP, such as "http://127.0.0.1:8080".
func (e *Emulator) URL() string { return "http://" + e.http.Addr().String() }

// StorageEndpoint is what to give to a Cloud Storage client as its endpoint.
func (e *Emulator) StorageEndpoint() string { return e.URL() + "/storage/v1/" }

// GRPCAddr is what to give to gRPC clients as their endpoint, without TLS.
func (e *Emulator) GRPCAddr() string { return e.grpc.Addr().String() }

// Dump returns the state of the whole cloud: the projects under "projects", the
// folders that they are in under "folders", who can be named in policies under "principals" and "aliases", each service
// under its name.
func (e *Emulator) Dump() map[string]any {
	dump := map[string]any{
		"projects": e.Projects.Dump(), "folders": e.Projects.Folders(), "principals": e.Directory.Principals(), "aliases": e.Directory.Aliases(),
	}
	for _, service := range e.services {
		dump[service.Name()] = service.Dump()
	}
	return dump
}

// Load replaces the state of all that the dump has.
func (e *Emulator) Load(dump []byte) error {
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(dump, &parts); err != nil {
		return fmt.Errorf("reading a state: %w", err)
	}
	if part, ok := parts["projects"]; ok {
		if err := e.Projects.Load(part); err != nil {
			return err
		}
	}
	if part, ok := parts["folders"]; ok {
		if err := e.Projects.LoadFolders(part); err != nil {
			return err
		}
	}
	if err := e.loadDirectory(parts); err != nil {
		return err
	}
	for _, service := range e.services {
		part, ok := parts[service.Name()]
		if !ok {
			continue
		}
		if err := service.Load(part); err != nil {
			return err
		}
	}
	return nil
}

// loadDirectory replaces who can be named in policies, as far as the dump has it.
func (e *Emulator) loadDirectory(parts map[string]json.RawMessage) error {
	if part, ok := parts["principals"]; ok {
		var principals map[string]policy.State
		if err := json.Unmarshal(part, &principals); err != nil {
			return fmt.Errorf("reading principals: %w", err)
		}
		if err := e.Directory.Load(principals); err != nil {
			return err
		}
	}
	if part, ok := parts["aliases"]; ok {
		var aliases map[string]string
		if err := json.Unmarshal(part, &aliases); err != nil {
			return fmt.Errorf("reading aliases: %w", err)
		}
		return e.Directory.LoadAliases(aliases)
	}
	return nil
}
