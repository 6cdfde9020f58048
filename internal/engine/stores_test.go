package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	toolscache "k8s.io/client-go/tools/cache"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// keeps is an informer that knows all there is.
type keeps struct{ toolscache.Indexer }

func (keeps) HasSynced() bool                  { return true }
func (k keeps) GetIndexer() toolscache.Indexer { return k.Indexer }

// storing are the stores of a kind.
func storing(k kind.Kind, in ...informer) *Stores {
	return &Stores{kinds: map[string]kindStore{k.Kind: {in, indexes(k)}}}
}

func namesOf(found []v1alpha1.Object) (names []string) {
	for _, obj := range found {
		names = append(names, obj.GetNamespace()+"/"+obj.GetName())
	}
	slices.Sort(names)
	return names
}

// TestStoresFindByEachIndex what its keys say and nothing else, though many manifests are in each bucket.
func TestStoresFindByEachIndex(t *testing.T) {
	k := kind.Of[*v1alpha1.Topic, v1alpha1.TopicSpec](&fakeKind{})
	var in []informer
	for range 2 { // as of a cache of some Namespaces
		topics := toolscache.NewIndexer(toolscache.MetaNamespaceKeyFunc, indexers(k))
		if err := topics.AddIndexers(toolscache.Indexers{namespaceIndex: toolscache.MetaNamespaceIndexFunc}); err != nil {
			t.Fatal(err)
		}
		in = append(in, keeps{topics})
	}
	var all []v1alpha1.Object
	for i := range 3 * buckets {
		topic := neverSeen(fmt.Sprintf("team-%d", i%100), fmt.Sprintf("orders-%d", i))
		topic.Status.Project = fmt.Sprintf("project-%d", i%500)
		topic.Status.Identity = fmt.Sprint(i % 2)
		all = append(all, topic)
		if err := in[i%2].GetIndexer().Add(topic); err != nil {
			t.Fatal(err)
		}
	}
	from := storing(k, in...)
	if found, err := from.all(t.Context(), k); err != nil || !slices.Equal(namesOf(found), namesOf(all)) {
		t.Errorf("%d of %d manifests, error %v", len(found), len(all), err)
	}
	keys := map[string]keysOf{namespaceIndex: func(obj v1alpha1.Object) []string { return []string{obj.GetNamespace()} }}
	maps.Copy(keys, indexes(k))
	for name, of := range keys {
		t.Run(name, func(t *testing.T) {
			want := map[string][]v1alpha1.Object{"nothing has this key": nil}
			for _, obj := range all {
				for _, key := range of(obj) {
					want[key] = append(want[key], obj)
				}
			}
			for key, want := range want {
				found, err := from.by(t.Context(), k, name, key)
				if d := cmp.Diff(namesOf(want), namesOf(found)); d != "" || err != nil {
					t.Fatalf("by %q (-want +got), error %v:\n%s", key, err, d)
				}
			}
		})
	}
}

// unsynced is an informer that never knows all there is.
type unsynced struct{ keeps }

func (unsynced) HasSynced() bool { return false }

// TestStoresWaitForAllManifests: what is not known yet, or never will be, is no answer.
func TestStoresWaitForAllManifests(t *testing.T) {
	k := kind.Of[*v1alpha1.Topic, v1alpha1.TopicSpec](&fakeKind{})
	for name, from := range map[string]*Stores{"a kind that is not known yet": storing(k, unsynced{}), "a kind that nobody watches": {}} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			defer cancel()
			if found, err := from.by(ctx, k, resourceIndex, "orders"); err == nil {
				t.Errorf("by a key: %v without an error", found)
			}
			if found, err := from.all(ctx, k); err == nil {
				t.Errorf("all: %v without an error", found)
			}
		})
	}
}
