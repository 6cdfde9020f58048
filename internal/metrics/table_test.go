package metrics

import (
	"context"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/test/emulator"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// row is a metric in the table that people read.
type row struct{ Type, Labels, Help string }

var tableRow = regexp.MustCompile("(?m)^\\| `(holdfast_[a-z0-9_]+)` \\| (\\w+) \\| ([^|]*) \\| (.*) \\|$")

// TestTheTableIsWhatIsServed compares the table of config/prometheus/README.md with what is served once everything has happened.
func TestTheTableIsWhatIsServed(t *testing.T) {
	text, err := os.ReadFile("../../config/prometheus/README.md")
	if err != nil {
		t.Fatal(err)
	}
	table := map[string]row{}
	for _, match := range tableRow.FindAllStringSubmatch(string(text), -1) {
		if _, twice := table[match[1]]; twice {
			t.Errorf("%s is listed twice", match[1])
		}
		table[match[1]] = row{match[2], match[3], match[4]}
	}
	registry := prometheus.NewPedanticRegistry()
	plans := NewPlans()
	plans.Answered(http.StatusOK, time.Second)
	registry.MustRegister(everythingHappened(t), plans)
	callGoogle(t, registry)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	served := map[string]row{}
	for _, family := range families {
		labels := map[string]bool{}
		for _, m := range family.GetMetric() {
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = true
			}
		}
		served[family.GetName()] = row{strings.ToLower(family.GetType().String()), sorted(labels), family.GetHelp()}
	}
	if d := cmp.Diff(served, table); d != "" {
		t.Errorf("the table differs from what is served (-served +table):\n%s", d)
	}
}

func sorted(set map[string]bool) string {
	var names []string
	for name := range set {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// everythingHappened is a collector of which each metric has a series.
func everythingHappened(t *testing.T) *Collector {
	t.Helper()
	c := run(t, []step{created, {ready: "False:AwaitingApproval", drift: []string{"spec.labels[team]"}}, {ready: "True:UpToDate", written: []string{"spec.labels[team]"}}})
	abnormal := bucket("Ready=False:AwaitingApproval", "Drifted=True:Differs", "BreakGlass=True:Open")
	abnormal.Status.BreakGlass, abnormal.Status.Plan = &v1alpha1.BreakGlass{}, &v1alpha1.Plan{}
	c.Show(Key{"bucket", "shop", "media"}, abnormal)
	c.NotTold("bucket")
	c.Listed("bucket", Listing{Unmanaged: 2, NotListed: 1})
	c.Assets(AssetsListed, 3)
	c.OnHold(map[string]time.Time{"shop": noon, "": noon})
	c.AssetLook("bucket")
	c.Watch("bucket", Kind{Sweep: time.Minute, Count: func() (int, bool) { return 1, true }})
	return c
}

// callGoogle makes calls that are answered, throttled, kept back, and put off.
func callGoogle(t *testing.T, registry prometheus.Registerer) {
	t.Helper()
	cloud := emulator.StartTest(t)
	endpoint := func(text string) gcp.Endpoint {
		e, err := gcp.ParseEndpoint(text, true)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	storage, rpc := endpoint(cloud.StorageEndpoint()), endpoint(cloud.GRPCAddr())
	clients, err := gcp.NewClients(gcp.Options{
		Storage: storage, PubSub: rpc, IAM: rpc, ResourceManager: rpc, Registerer: registry, QuotaShare: 0.08,
		Methods: []kind.Method{
			{Service: kind.ServiceStorage, Name: "buckets.get", Step: kind.StepObserve, Scope: kind.ScopeProject, Permissions: []string{"storage.buckets.get"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer clients.Close()
	client, err := clients.Storage(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	read := func(ctx context.Context) { _, _ = client.Bucket("logs").Attrs(gcp.WithProject(ctx, "shop-project")) }
	for range 5 { // one more than may come at once
		read(t.Context())
	}
	cloud.Traffic.Inject(traffic.Fault{Status: http.StatusTooManyRequests, RetryAfter: time.Hour, Times: 1})
	read(t.Context())
	read(t.Context())
}
