package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/sweep"
)

// sweepsAtOnce is how many projects are swept at the same time: three lists of each, of a tenth of a second, are 3,000 projects in two minutes.
const sweepsAtOnce = 8

// sweeper checks resources project by project: it lists those of each kind, and holds each against its manifest. What is as its status says is
// left alone; what differs or is missing is read by itself, by a pass like any other. A list writes nothing, and decides nothing but that.
type sweeper struct {
	kinds     []kind.Kind
	of        map[string]*Reconciler // by kind.Kind.Kind
	inventory *inventory.Inventory
	source    cached
	schedule  sweep.Schedule
	projects  *sweep.Projects
	counts    map[string]*census // by kind.Kind.Kind
	// coverage says which lists can be spared, swept is when each was last taken: a time.Time, by sweep.Resource without an ID.
	coverage *sweep.Coverage
	swept    sync.Map
	// brokenOff is how often on end each list has begun and not come to its end: an int, by asLister.
	brokenOff sync.Map
	// denied are those who were denied a list the last time, as an asLister.
	denied sync.Map
	// counted are the projects that were counted by the last listing of assets.
	counted map[string]bool
}

// setUpSweeps makes the manager sweep the projects that have manifests.
func setUpSweeps(
	ctx context.Context, mgr ctrl.Manager, opts Options, requests *looks, source cached, coverage *sweep.Coverage,
) (*sweeper, error) {
	s := &sweeper{
		kinds: opts.Kinds, of: requests.of, inventory: requests.inventory, source: source, schedule: opts.Sweep, counts: map[string]*census{},
		coverage: coverage,
	}
	s.projects = sweep.NewProjects(opts.Sweep, sweepsAtOnce, s.sweep)
	for _, k := range opts.Kinds {
		if isListed(k) {
			s.counts[k.Kind] = newCensus(k.Label(), opts.Metrics)
		}
		informer, err := mgr.GetCache().GetInformer(ctx, k.New(), cache.BlockUntilSynced(false))
		if err != nil {
			return nil, fmt.Errorf("watching %s: %w", k.Plural, err)
		}
		if _, err := informer.AddEventHandler(s.follow()); err != nil {
			return nil, fmt.Errorf("watching %s: %w", k.Plural, err)
		}
	}
	return s, mgr.Add(s)
}

// NeedLeaderElection says that the leader alone sweeps.
func (*sweeper) NeedLeaderElection() bool { return true }

// Start sweeps until the context ends.
func (s *sweeper) Start(ctx context.Context) error {
	s.projects.Run(ctx)
	return nil
}

// follow keeps account of which projects have manifests.
func (s *sweeper) follow() toolscache.ResourceEventHandler {
	return toolscache.ResourceEventHandlerDetailedFuncs{
		AddFunc: func(obj any, isInInitialList bool) { s.moves("", projectKey(obj), isInInitialList) },
		UpdateFunc: func(before, now any) {
			s.moves(projectKey(before), projectKey(now), false)
		},
		DeleteFunc: func(obj any) {
			if unknown, ok := obj.(toolscache.DeletedFinalStateUnknown); ok {
				obj = unknown.Obj
			}
			s.moves(projectKey(obj), "", false)
		},
	}
}

// moves notes that a manifest, which was there before or is new, has come from one project to another; empty for none.
func (s *sweeper) moves(from, to string, before bool) {
	if from == to {
		return
	}
	if to != "" {
		s.projects.Add(to, before)
	}
	if from != "" && s.projects.Remove(from) {
		s.forget(from)
	}
}

// forget drops what is known of a project that has no manifests any more.
func (s *sweeper) forget(project string) {
	for kind, counts := range s.counts {
		counts.forget(project)
		s.swept.Delete(sweep.Resource{Kind: kind, Project: project})
	}
	for _, known := range []*sync.Map{&s.brokenOff, &s.denied} {
		known.Range(func(by, _ any) bool {
			if by.(asLister).project == project {
				known.Delete(by)
			}
			return true
		})
	}
}

// projectKey is the project that a manifest's resource was last looked for in; empty before the first look.
func projectKey(obj any) string {
	manifest, ok := obj.(v1alpha1.Object)
	if !ok {
		return ""
	}
	return manifest.GetCommonStatus().Project
}

// projectKeys are what a manifest is found by in its project.
func projectKeys(_ kind.Kind, obj v1alpha1.Object) []string {
	if project := projectKey(obj); project != "" {
		return []string{project}
	}
	return nil
}

// member is a manifest of a project, with the resource that it means.
type member struct {
	obj v1alpha1.Object
	ref kind.Ref
}

// sweep checks the resources of a project.
func (s *sweeper) sweep(ctx context.Context, project string) (after time.Duration, err error) {
	ctx, began := gcp.WithReason(gcp.WithProject(ctx, project), "sweep of "+project), time.Now()
	members, identities, err := s.gather(ctx, project)
	if err != nil {
		return 0, err
	}
	if len(identities) == 0 { // all of them are another shard's, or refused: nobody knows as whom to list it
		for _, counts := range s.counts {
			counts.noteNothing(project, s.projects.Len())
		}
		return 0, nil
	}
	for _, k := range s.kinds {
		if !isListed(k) {
			if err := s.passOver(ctx, k, members[k.Kind]); err != nil {
				return 0, err
			}
			continue
		}
		var failure error
		if s.spared(k, project, members[k.Kind]) {
			failure = s.passOver(ctx, k, members[k.Kind])
		} else if failure = s.sweepKind(ctx, k, project, members[k.Kind], identities); failure == nil && s.coverage != nil {
			s.swept.Store(sweep.Resource{Kind: k.Kind, Project: project}, began)
		}
		if failure != nil {
			after, err = max(after, gcp.Classify(failure).RetryAfter), errors.Join(err, failure)
		}
	}
	if !s.projects.Has(project) { // its last manifest has gone meanwhile
		s.forget(project)
	}
	if err != nil && ctx.Err() == nil && !gcp.IsLimited(err) {
		log.FromContext(ctx).Info("a project could not be swept; retrying", "project", project, "error", err.Error())
	}
	return after, err
}

// spared says whether the resources of a kind in a project need no list although its time has come, nor any of them a look at its policy. What
// listings of assets told of a Namespace while another shard was responsible for it nobody remembers: a list before it moved does not count.
func (s *sweeper) spared(k kind.Kind, project string, members []member) bool {
	r := s.of[k.Kind]
	swept, _ := s.swept.Load(sweep.Resource{Kind: k.Kind, Project: project})
	at, _ := swept.(time.Time)
	return s.coverage.Spares(k, project, at) && !at.Before(s.lastMove(members).at) && !slices.ContainsFunc(members, func(m member) bool {
		name := client.ObjectKeyFromObject(m.obj)
		return r.policies.isDue(name) && !s.coverage.Spares(k, project, r.lastChecked(name))
	})
}

// lastMove is the last move of any Namespace of some manifests.
func (s *sweeper) lastMove(members []member) move {
	namespaces := make([]string, 0, len(members))
	for _, m := range members {
		namespaces = append(namespaces, m.obj.GetNamespace())
	}
	return s.source.tenants.lastMove(namespaces...)
}

// passOver does what a sweep does besides looking at Google Cloud, for manifests of a kind that cannot be listed or whose list is spared: none of
// them may be forgotten, and nothing may wait for a list that does not come.
func (s *sweeper) passOver(ctx context.Context, k kind.Kind, members []member) error {
	for _, m := range members {
		if _, err := s.of[k.Kind].settledPass(ctx, client.ObjectKeyFromObject(m.obj)); err != nil {
			return err
		}
	}
	return nil
}

// gather finds the members of a project, by kind.Kind.Kind, and the identities that they are reached with.
func (s *sweeper) gather(ctx context.Context, project string) (members map[string][]member, identities map[string]bool, err error) {
	members, identities = map[string][]member{}, map[string]bool{}
	for _, k := range s.kinds {
		of, err := s.members(ctx, k, project)
		if err != nil {
			return nil, nil, err
		}
		members[k.Kind] = of
		for _, m := range of {
			identities[m.ref.Impersonate] = true
		}
	}
	return members, identities, nil
}

// members are the shard's manifests of a kind that may reach the project.
func (s *sweeper) members(ctx context.Context, k kind.Kind, project string) ([]member, error) {
	manifests, err := s.source.by(ctx, k, projectIndex, project)
	if err != nil {
		return nil, err
	}
	var out []member
	for _, obj := range manifests {
		if !s.source.tenants.ownsIn(obj.GetNamespace()) {
			continue
		}
		annotations, err := s.source.Namespace(ctx, obj.GetNamespace())
		if err != nil {
			return nil, err
		}
		if env := s.inventory.Locate(k, obj, annotations); env.Refusal == nil && env.Ref.Project == project {
			out = append(out, member{obj, env.Ref})
		}
	}
	return out, nil
}

// sweepKind checks the resources of a kind in a project: as each identity that its manifests are reached with, or else, to be counted, as those of
// other manifests of the project.
func (s *sweeper) sweepKind(ctx context.Context, k kind.Kind, project string, members []member, identities map[string]bool) error {
	reached := map[string][]member{}
	for _, m := range members {
		reached[m.ref.Impersonate] = append(reached[m.ref.Impersonate], m)
	}
	if len(reached) == 0 {
		for impersonate := range identities {
			reached[impersonate] = nil
		}
	}
	r, unmanaged, listed := s.of[k.Kind], map[string]bool{}, false
	r.firstLooks.prune(r.now())
	var failure error
	for _, impersonate := range slices.Sorted(maps.Keys(reached)) {
		by := asLister{k.Kind, lister{project, impersonate}}
		of := newListing(r, reached[impersonate], unmanaged)
		switch err := of.take(ctx, kind.Ref{Project: project, Impersonate: impersonate}); {
		case err == nil:
			listed = true
			s.brokenOff.Delete(by)
			s.denied.Delete(by)
		case ctx.Err() != nil, of.failed != nil:
			return err
		case gcp.IsUnavailable(err), gcp.IsThrottled(err): // for this identity, which is nothing to the others
			failure = errors.Join(failure, err)
			if of.began && s.breaksOff(by) {
				s.oneByOne(ctx, r, of.unseen())
			}
		default: // which time does not change
			if _, known := s.denied.LoadOrStore(by, true); !known {
				log.FromContext(ctx).Info("the resources of a project cannot be listed: those with a manifest are read one by one, "+
					"those without are not counted unless another account lists them",
					"kind", k.Label(), "project", project, "account", cmp.Or(impersonate, "Holdfast's own"), "error", err.Error())
			}
			s.oneByOne(ctx, r, of.unseen())
		}
	}
	counts := s.counts[k.Kind]
	if failure != nil {
		counts.noteNothing(project, s.projects.Len())
		return failure
	}
	counts.note(project, tally{unmanaged: len(unmanaged), denied: !listed}, s.projects.Len())
	return nil
}

// asLister is who lists a kind's resources in a project.
type asLister struct {
	kind string
	lister
}

// oftenBrokenOff is how often on end a list has to have broken off until what it has not shown is read.
const oftenBrokenOff = 3

// breaksOff notes that a list has begun and not come to its end, and says whether it does so each time. That Google can be reached is known then; and
// what comes after would not be looked at for as long as it does.
func (s *sweeper) breaksOff(by asLister) bool {
	before, _ := s.brokenOff.Load(by)
	times, _ := before.(int)
	s.brokenOff.Store(by, times+1)
	return times+1 >= oftenBrokenOff
}

// oneByOne asks for a look at each of the resources that no list shows, spread over an interval.
func (s *sweeper) oneByOne(ctx context.Context, r *Reconciler, names []types.NamespacedName) {
	for _, name := range names {
		if err := r.checkUnlisted(ctx, name, s.schedule.First()); err != nil {
			log.FromContext(ctx).Error(err, "asking for a look; the next sweep will")
		}
	}
}

// countAssets counts what a listing of assets shows and no manifest declares, in the projects that Namespaces are bound to.
func (s *sweeper) countAssets(ctx context.Context, listing *sweep.Listing) error {
	counted := map[string]bool{}
	for _, k := range s.kinds {
		if !isListed(k) || k.AssetType == "" {
			continue
		}
		declared, err := s.declared(ctx, k)
		if err != nil {
			return err
		}
		for project, unmanaged := range listing.Undeclared(k, func(r sweep.Resource) bool { return declared[r] }) {
			if s.source.tenants.has(project) {
				s.counts[k.Kind].noteAssets(project, unmanaged, s.projects.Len())
				counted[project] = true
			}
		}
	}
	for project := range s.counted {
		if !counted[project] && !s.projects.Has(project) {
			for _, counts := range s.counts {
				counts.forget(project)
			}
		}
	}
	s.counted = counted
	return nil
}

// declared are the resources of a kind that manifests declare.
func (s *sweeper) declared(ctx context.Context, k kind.Kind) (map[sweep.Resource]bool, error) {
	manifests, err := s.source.all(ctx, k)
	if err != nil {
		return nil, err
	}
	declared := make(map[sweep.Resource]bool, len(manifests))
	for _, obj := range manifests {
		project, err := s.inventory.ProjectOf(ctx, obj)
		if err != nil {
			return nil, err
		}
		declared[sweep.Resource{Kind: k.Kind, Project: project, ID: k.ResourceID(obj)}] = true
	}
	return declared, nil
}
