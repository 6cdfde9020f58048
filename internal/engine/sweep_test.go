package engine

import (
	"context"
	"testing"
	"time"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/sweep"
)

// oneProject is a scope with the project shop-project in it, in which nothing ever changes.
type oneProject struct{}

func (oneProject) ListAssets(_ context.Context, types []string, content kind.AssetContent, add func([]kind.Asset)) error {
	if content == kind.AssetResources && types[0] == kind.ProjectAsset {
		add([]kind.Asset{{Type: kind.ProjectAsset, Name: "shop-project", ProjectID: "shop-project", ProjectNumber: "4711", Print: 1}})
	}
	return nil
}

// TestAProjectIsListedAfterAMove although listings of assets cover it: what they told while another shard was responsible is forgotten.
func TestAProjectIsListedAfterAMove(t *testing.T) {
	topics := &listedKind{fakeKind: &fakeKind{live: map[string]v1alpha1.TopicSpec{}}}
	k := kind.Of(topics)
	k.AssetType = "pubsub.googleapis.com/Topic"
	r := reconcilerOf(t, k, shopTopic())
	step(t, r, v1alpha1.ReasonUpToDate)

	schedule := sweep.Schedule{Interval: time.Hour}
	s := &sweeper{
		kinds: []kind.Kind{k}, of: map[string]*Reconciler{k.Kind: r}, inventory: r.inventory, source: cached{r.client, r.scheme, r.tenants},
		projects: sweep.NewProjects(schedule, 1, nil), counts: map[string]*census{k.Kind: newCensus(k.Label(), r.metrics)},
		coverage: sweep.NewCoverage(schedule, schedule, time.Now),
	}
	listing, err := sweep.List(t.Context(), oneProject{}, s.kinds)
	if err != nil {
		t.Fatal(err)
	}
	s.coverage.Take(listing)
	lists := func() (n int) {
		t.Helper()
		topics.calls = nil
		if _, err := s.sweep(t.Context(), "shop-project"); err != nil {
			t.Fatal(err)
		}
		for _, call := range topics.calls {
			if call == "list" {
				n++
			}
		}
		return n
	}
	for _, when := range []string{"at first", "after a move away and back"} {
		if got := lists(); got != 1 {
			t.Errorf("%s: listed %d times", when, got)
		}
		if got := lists(); got != 0 {
			t.Errorf("%s, and covered since: listed %d times", when, got)
		}
		moveShop(t, r)
	}
}
