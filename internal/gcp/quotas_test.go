package gcp

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// The numbers are those that Google publishes, by the minute; what shares a name within a service shares a budget.
func TestDefaultQuotas(t *testing.T) {
	type row struct {
		name      string
		perMinute float64
	}
	want := map[kind.Service]map[kind.Quota]row{
		kind.ServiceIAM: {
			kind.QuotaReads: {"reads", 6000}, kind.QuotaLists: {"reads", 6000}, kind.QuotaWrites: {"writes", 600}, kind.QuotaCreates: {"writes", 600},
		},
		kind.ServiceResourceManager: {kind.QuotaReads: {"reads", 600}, kind.QuotaLists: {"lists", 240}, kind.QuotaWrites: {"writes", 600}},
		kind.ServiceAsset:           {kind.QuotaLists: {"lists", 100}},
		kind.ServicePubSub: {
			kind.QuotaReads: {"administrator operations", 6000}, kind.QuotaLists: {"administrator operations", 6000},
			kind.QuotaWrites: {"administrator operations", 6000}, kind.QuotaCreates: {"administrator operations", 6000},
		},
		kind.ServiceStorage: {
			kind.QuotaReads: {"reads of buckets", 3000}, kind.QuotaLists: {"reads of buckets", 3000}, kind.QuotaWrites: {"updates of buckets", 3000},
			kind.QuotaCreates: {"creations and deletions of buckets", 30}, kind.QuotaContents: {"calls", 60_000},
		},
	}
	got := map[kind.Service]map[kind.Quota]row{}
	for service, quotas := range defaultQuotas {
		got[service] = map[kind.Quota]row{}
		for name, q := range quotas {
			got[service][name] = row{q.name, q.perSecond * 60}
		}
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(row{})); diff != "" {
		t.Errorf("quotas (-want +got):\n%s", diff)
	}
}

// A share of a quota is a rate; what a second allows may come at once, and one call always may.
func TestShares(t *testing.T) {
	cases := map[string]struct {
		quota quota
		share float64
		burst int
		rate  float64
	}{
		"most of one":   {iamWrites, 0.8, 8, 8},
		"a little":      {iamWrites, 0.01, 1, 0.1},
		"more than all": {iamWrites, 5, 50, 50},
		"a slow one":    {bucketCreates, 0.8, 1, 0.4},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			clock := newClock()
			b := newLimiter(nil, tc.share, clock.now).budget(scope{kind.ScopeProject, kind.ServiceIAM, tc.quota, "p"}, clock.Time)
			if b.limiter.Burst() != tc.burst || float64(b.limiter.Limit()) != tc.rate {
				t.Errorf("%v a second, %d at once", b.limiter.Limit(), b.limiter.Burst())
			}
		})
	}
}
