package engine

import (
	"context"
	"fmt"
	"hash/maphash"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// finder finds manifests of a kind. What it returns is the cache's own, and nobody changes it.
type finder interface {
	// by returns those that are found by a key in an index.
	by(ctx context.Context, k kind.Kind, index, key string) ([]v1alpha1.Object, error)
	// all returns all of them.
	all(ctx context.Context, k kind.Kind) ([]v1alpha1.Object, error)
}

// Stores are where the cache keeps the manifests. Lists of controller-runtime's cache come from there, too, each item copied into the list: that
// would be most of what a pass allocates, and of a list of all manifests a second fleet. The zero value is for one cache, with
// CacheOptions.
type Stores struct {
	mu sync.Mutex
	// made are the informers of manifests by the type of these: one of a type, or one for each Namespace if the cache is of some alone.
	made map[reflect.Type][]informer
	// kinds are the stores of each kind that is watched, by kind.Kind.Kind.
	kinds map[string]kindStore
}

// kindStore is where the manifests of a kind are, and how they are found.
type kindStore struct {
	informers []informer
	indexes   map[string]keysOf
}

// informer is what is needed of a toolscache.SharedIndexInformer.
type informer interface {
	HasSynced() bool
	GetIndexer() toolscache.Indexer
}

// CacheOptions are those of the cache: what is not watched on purpose is not watched by accident either, and no more is kept than is needed.
func (s *Stores) CacheOptions() cache.Options {
	return cache.Options{DefaultTransform: KeepOwnFields(), ReaderFailOnMissingInformer: true, NewInformer: s.newInformer}
}

// newInformer makes an informer, and takes note of it if it is one of manifests.
func (s *Stores) newInformer(
	of toolscache.ListerWatcher, example runtime.Object, resync time.Duration, indexers toolscache.Indexers,
) toolscache.SharedIndexInformer {
	made := toolscache.NewSharedIndexInformer(of, example, resync, indexers)
	if _, ok := example.(v1alpha1.Object); ok {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.made == nil {
			s.made = map[reflect.Type][]informer{}
		}
		s.made[reflect.TypeOf(example)] = append(s.made[reflect.TypeOf(example)], made)
	}
	return made
}

// watch makes the cache watch the manifests of some kinds, and find them by their indexes.
func (s *Stores) watch(ctx context.Context, c cache.Cache, kinds []kind.Kind) error {
	s.kinds = map[string]kindStore{}
	for _, k := range kinds {
		example := k.New()
		watched, err := c.GetInformer(ctx, example, cache.BlockUntilSynced(false))
		if err != nil {
			return err
		}
		if err := watched.AddIndexers(indexers(k)); err != nil {
			return fmt.Errorf("indexing %s: %w", k.Plural, err)
		}
		s.mu.Lock()
		informers := s.made[reflect.TypeOf(example)]
		s.mu.Unlock()
		if len(informers) == 0 {
			return fmt.Errorf("the informers of %s are not made as Stores.CacheOptions says", k.Plural)
		}
		s.kinds[k.Kind] = kindStore{informers, indexes(k)}
	}
	return nil
}

// by implements finder, once all manifests of the kind are known.
func (s *Stores) by(ctx context.Context, k kind.Kind, index, key string) ([]v1alpha1.Object, error) {
	of := s.kinds[k.Kind]
	in := func(value string) func(toolscache.Indexer) ([]any, error) {
		return func(store toolscache.Indexer) ([]any, error) { return store.ByIndex(index, value) }
	}
	if index == namespaceIndex {
		return of.each(ctx, k, in(key), nil)
	}
	keys := of.indexes[index]
	return of.each(ctx, k, in(bucket(key)), func(obj v1alpha1.Object) bool { return slices.Contains(keys(obj), key) })
}

// all implements finder, once all manifests of the kind are known.
func (s *Stores) all(ctx context.Context, k kind.Kind) ([]v1alpha1.Object, error) {
	return s.kinds[k.Kind].each(ctx, k, func(store toolscache.Indexer) ([]any, error) { return store.List(), nil }, nil)
}

// each returns what is found in each store, of which it takes what matches; all of it if matches is nil.
func (s kindStore) each(
	ctx context.Context, k kind.Kind, find func(toolscache.Indexer) ([]any, error), matches func(v1alpha1.Object) bool,
) (out []v1alpha1.Object, err error) {
	if len(s.informers) == 0 {
		return nil, fmt.Errorf("%s are not watched", k.Plural)
	}
	for _, of := range s.informers {
		if !of.HasSynced() && !toolscache.WaitForCacheSync(ctx.Done(), of.HasSynced) {
			return nil, fmt.Errorf("waiting for the cache of %s: %w", k.Plural, context.Cause(ctx))
		}
		items, err := find(of.GetIndexer())
		if err != nil {
			return nil, err
		}
		if matches == nil {
			out = slices.Grow(out, len(items))
		}
		for _, item := range items {
			if obj := item.(v1alpha1.Object); matches == nil || matches(obj) {
				out = append(out, obj)
			}
		}
	}
	return out, nil
}

// indexers are the indexes as the cache keeps them: for each key the bucket that it is in. An index has a set for each, and most keys lead to one
// manifest: one set for each of them takes as much memory as a third of all manifests.
func indexers(k kind.Kind) toolscache.Indexers {
	out := toolscache.Indexers{}
	for name, keys := range indexes(k) {
		out[name] = func(obj any) ([]string, error) {
			found := keys(obj.(v1alpha1.Object))
			for i, key := range found {
				found[i] = bucket(key)
			}
			return found, nil
		}
	}
	return out
}

// buckets is in how many buckets the keys of an index are. The more, the fewer manifests are looked at for each that is found: with 50,000 of a
// kind about two dozen.
const buckets = 4096

// The names of the buckets, and what decides which a key is in. It differs in each process, so that nobody can choose names of one bucket.
var (
	bucketNames = func() (names [buckets]string) {
		for i := range names {
			names[i] = strconv.Itoa(i)
		}
		return names
	}()
	bucketSeed = maphash.MakeSeed()
)

func bucket(key string) string { return bucketNames[maphash.String(bucketSeed, key)%buckets] }
