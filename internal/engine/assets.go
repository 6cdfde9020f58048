package engine

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/metrics"
	"github.com/holdfast-dev/holdfast/internal/sweep"
)

// The pauses between tries of a listing of assets that failed grow from the first to the last, unless an interval is shorter.
const (
	firstAssetRetry = 15 * time.Second
	lastAssetRetry  = 10 * time.Minute
)

// longestListing is how long a listing may take, if the interval is not longer: it has a hundred pages of 50,000 resources, of which Google
// allows as many a minute.
const longestListing = 10 * time.Minute

// assetWatch takes listings of assets, every sweep interval, and asks for looks at what differs from one to the next. What a listing shows is
// nothing but that: each object is read by its own identity, and judged by what is read.
type assetWatch struct {
	assets   sweep.Assets
	kinds    []kind.Kind
	schedule sweep.Schedule
	coverage *sweep.Coverage
	cache    cache.Cache
	// look asks for a look at a resource, and says whether it is declared.
	look func(ctx context.Context, kind, project, id string) (declared bool, err error)
	// count counts what is listed and not declared.
	count   func(ctx context.Context, listing *sweep.Listing) error
	metrics *metrics.Collector
	log     logr.Logger
	now     func() time.Time

	failures int
}

// fullSweep is how often what listings of assets cover is looked at all the same; 0 if nothing is covered.
func (o Options) fullSweep() time.Duration {
	if o.Assets == nil {
		return 0
	}
	return cmp.Or(o.FullSweep, sweep.DefaultFull)
}

// coverageOf is what listings of assets will cover; nil for nothing.
func coverageOf(opts Options) *sweep.Coverage {
	if opts.Assets == nil {
		return nil
	}
	return sweep.NewCoverage(opts.Sweep, sweep.Schedule{Interval: opts.fullSweep()}, time.Now)
}

// setUpAssets makes the manager list assets, if there is somebody to ask.
func setUpAssets(mgr ctrl.Manager, opts Options, requests *looks, sweeps *sweeper, coverage *sweep.Coverage) error {
	if coverage == nil {
		return nil
	}
	watch := &assetWatch{
		assets: opts.Assets, kinds: opts.Kinds, schedule: opts.Sweep, coverage: coverage, cache: mgr.GetCache(),
		look: requests.request, count: sweeps.countAssets, metrics: opts.Metrics, log: mgr.GetLogger(), now: time.Now,
	}
	if err := mgr.Add(watch); err != nil {
		return fmt.Errorf("setting up the listings of assets: %w", err)
	}
	return nil
}

// NeedLeaderElection says that the leader alone lists.
func (*assetWatch) NeedLeaderElection() bool { return true }

// Start lists until the context ends.
func (w *assetWatch) Start(ctx context.Context) error {
	if !w.cache.WaitForCacheSync(ctx) { // before that nobody knows what is declared
		return nil
	}
	for {
		began := w.now()
		next := w.schedule.Next()
		if err := w.list(ctx); err == nil {
			next -= w.now().Sub(began)
		} else if ctx.Err() == nil {
			next = w.failed(err)
		}
		timer := time.NewTimer(max(next, 0))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

// list takes one listing. One that does not end is thrown away.
func (w *assetWatch) list(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(gcp.WithReason(ctx, "listing of assets"), max(w.schedule.Interval, longestListing))
	defer cancel()
	listing, err := sweep.List(bounded, w.assets, w.kinds)
	if err != nil {
		return err
	}
	w.failures = 0
	changed := w.coverage.Take(listing)
	w.metrics.Assets(metrics.AssetsListed, w.coverage.Projects())
	for _, r := range changed {
		w.lookAt(ctx, r)
	}
	if err := w.count(ctx, listing); err != nil {
		w.log.Error(err, "counting unmanaged resources; the next listing of assets will")
	}
	return nil
}

func (w *assetWatch) lookAt(ctx context.Context, r sweep.Resource) {
	declared, err := w.look(ctx, r.Kind, r.Project, r.ID)
	if err != nil {
		w.log.Error(err, "finding the manifests of a resource that changed; the full list will", "kind", r.Kind)
		return
	}
	if k, ok := kind.Named(w.kinds, r.Kind); ok && declared {
		w.metrics.AssetLook(k.Label())
	}
}

// failed says that a listing failed, and when to try again. What is denied ends the coverage at once: nobody can say how long that lasts.
func (w *assetWatch) failed(err error) time.Duration {
	outcome, refusal := metrics.AssetsFailed, gcp.Classify(err)
	switch refusal.Class {
	case kind.Denied:
		outcome = metrics.AssetsDenied
		w.coverage.Lose()
	case kind.Invalid: // there is no such scope
		w.coverage.Lose()
	default:
	}
	w.metrics.Assets(outcome, w.coverage.Projects())
	w.log.Info("assets cannot be listed; retrying; projects that no listing covers meanwhile are listed one by one",
		"reason", refusal.Explain("", ""), "error", err.Error(), "projectsCovered", w.coverage.Projects())
	pause := min(firstAssetRetry<<min(w.failures, 10), lastAssetRetry, w.schedule.Interval)
	w.failures++
	return sweep.Schedule{Interval: max(pause, refusal.RetryAfter)}.Next()
}
