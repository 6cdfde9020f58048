package engine

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/sweep"
)

// perIdentity lists topics for some identities, and fails for others.
type perIdentity struct {
	*listedKind

	fails map[string]error
	asked []string
}

func (k *perIdentity) List(ctx context.Context, ref kind.Ref, yield func([]kind.Item[v1alpha1.TopicSpec]) bool) error {
	k.asked = append(k.asked, ref.Impersonate)
	if err := k.fails[ref.Impersonate]; err != nil {
		return err
	}
	return k.listedKind.List(ctx, ref, yield)
}

// TestOneIdentityKeepsNoOtherFromBeingSwept: the namespaces of a project may belong to different tenants.
func TestOneIdentityKeepsNoOtherFromBeingSwept(t *testing.T) {
	throttled := status.Error(codes.ResourceExhausted, "the quota of its project is used up")
	for name, tc := range map[string]struct {
		fails map[string]error
		again bool // the project is swept again soon
	}{
		"all can be listed":  {nil, false},
		"one is throttled":   {map[string]error{"a": throttled}, true},
		"one is unavailable": {map[string]error{"a": status.Error(codes.Unavailable, "away")}, true},
		"one is denied":      {map[string]error{"a": status.Error(codes.PermissionDenied, "no")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			topics := &perIdentity{listedKind: &listedKind{fakeKind: &fakeKind{live: map[string]v1alpha1.TopicSpec{}}}, fails: tc.fails}
			r := reconcilerOf(t, kind.Of(topics), topicNamed("one"), topicNamed("two"))
			counts := newCensus("topic", r.metrics)
			s := &sweeper{of: map[string]*Reconciler{"Topic": r}, inventory: r.inventory, counts: map[string]*census{"Topic": counts}}
			s.projects = sweep.NewProjects(r.sweep, 1, s.sweep)
			members := []member{
				{topicNamed("one"), kind.Ref{Project: "shop-project", ID: "one", Impersonate: "a"}},
				{topicNamed("two"), kind.Ref{Project: "shop-project", ID: "two", Impersonate: "b"}},
			}
			err := s.sweepKind(t.Context(), r.kind, "shop-project", members, nil)
			if again := err != nil; again != tc.again || again && !gcp.IsThrottled(err) && !gcp.IsUnavailable(err) {
				t.Errorf("error %v", err)
			}
			if d := cmp.Diff([]string{"a", "b"}, topics.asked); d != "" {
				t.Errorf("identities that list (-want +got):\n%s", d)
			}
			if _, tried := counts.of["shop-project"]; !tried {
				t.Error("the project keeps the counts of all from being shown")
			}
		})
	}
}

// TestWhoIsDeniedAListIsTold once for as long as that lasts, whoever else may list.
func TestWhoIsDeniedAListIsTold(t *testing.T) {
	topics := &perIdentity{listedKind: &listedKind{fakeKind: &fakeKind{live: map[string]v1alpha1.TopicSpec{}}}}
	r := reconcilerOf(t, kind.Of(topics), topicNamed("one"))
	s := &sweeper{of: map[string]*Reconciler{"Topic": r}, inventory: r.inventory, counts: map[string]*census{"Topic": newCensus("topic", r.metrics)}}
	s.projects = sweep.NewProjects(r.sweep, 1, s.sweep)
	var told []string
	ctx := log.IntoContext(t.Context(), funcr.New(func(_, line string) { told = append(told, line) }, funcr.Options{}))
	denied := map[string]error{"a": status.Error(codes.PermissionDenied, "no")}
	var got []int
	for _, fails := range []map[string]error{denied, denied, nil, denied} {
		topics.fails, told = fails, nil
		if err := s.sweepKind(ctx, r.kind, "shop-project", nil, map[string]bool{"a": true, "b": true}); err != nil {
			t.Fatal(err)
		}
		if got = append(got, len(told)); len(told) > 0 && (!strings.Contains(told[0], `"account"="a"`) || !strings.Contains(told[0], `"project"="shop-project"`)) {
			t.Errorf("told is %q", told)
		}
	}
	if d := cmp.Diff([]int{1, 0, 0, 1}, got); d != "" {
		t.Errorf("told (-want +got):\n%s", d)
	}
}

// brokenOffKind is one whose lists have two pages. The second fails.
type brokenOffKind struct {
	*fakeKind

	first []kind.Item[v1alpha1.TopicSpec]
	fails error
}

func (k *brokenOffKind) List(_ context.Context, _ kind.Ref, yield func([]kind.Item[v1alpha1.TopicSpec]) bool) error {
	if len(k.first) > 0 {
		yield(k.first)
	}
	return k.fails
}

// TestWhatAListNeverComesToIsRead, once that has happened several times on end; but nothing is asked for while Google cannot be reached.
func TestWhatAListNeverComesToIsRead(t *testing.T) {
	away := status.Error(codes.Unavailable, "away")
	page := []kind.Item[v1alpha1.TopicSpec]{{ID: "one"}}
	for name, tc := range map[string]struct {
		first []kind.Item[v1alpha1.TopicSpec]
		fails []error // list by list
		asked bool
	}{
		"it breaks off again and again":      {page, []error{away, away, away}, true},
		"it breaks off twice":                {page, []error{away, away}, false},
		"it comes to its end in between":     {page, []error{away, away, nil, away}, false},
		"it does not begin, as in an outage": {nil, []error{away, away, away, away}, false},
	} {
		t.Run(name, func(t *testing.T) {
			topics := &brokenOffKind{fakeKind: &fakeKind{live: map[string]v1alpha1.TopicSpec{}}, first: tc.first}
			r := reconcilerOf(t, kind.Of(topics), topicNamed("one"), topicNamed("two"))
			s := &sweeper{of: map[string]*Reconciler{"Topic": r}, inventory: r.inventory, counts: map[string]*census{"Topic": newCensus("topic", r.metrics)}}
			s.projects = sweep.NewProjects(r.sweep, 1, s.sweep)
			var members []member
			for _, id := range []string{"one", "two"} {
				members = append(members, member{topicNamed(id), kind.Ref{Project: "shop-project", ID: id}})
			}
			two := client.ObjectKey{Namespace: "shop", Name: "two"}
			for _, fails := range tc.fails {
				r.due.drop(two) // which the end of a list asks for
				topics.fails = fails
				if err := s.sweepKind(t.Context(), r.kind, "shop-project", members, nil); (err != nil) != (fails != nil) {
					t.Fatalf("error %v, want %v", err, fails)
				}
			}
			if _, asked := r.due.left(two); asked != tc.asked {
				t.Errorf("a look at what comes after is asked for: %v, want %v", asked, tc.asked)
			}
		})
	}
}

// TestWhatGoesWhileItIsSweptIsForgotten: a sweep brings nothing back that a worker has forgotten meanwhile.
func TestWhatGoesWhileItIsSweptIsForgotten(t *testing.T) {
	r, topics := policied(t, ada)
	topic := step(t, r, v1alpha1.ReasonUpToDate)
	name := client.ObjectKeyFromObject(topic)
	live, err := r.kind.Fields.Observe(t.Context(), kind.Ref{Project: "shop-project", ID: "orders"})
	if err != nil {
		t.Fatal(err)
	}
	r.policies.drop(name)
	r.policies.set(name, 0)
	topics.whileReading = func() {
		topic.Finalizers = nil
		if err := r.client.Update(t.Context(), topic); err != nil {
			t.Error(err)
		}
		if err := r.client.Delete(t.Context(), topic); err != nil {
			t.Error(err)
		}
		r.forget(name)
	}
	if err := r.checkListed(t.Context(), name, live); err != nil {
		t.Fatal(err)
	}
	if n := counted(t, r.metrics, "holdfast_objects", "kind", "topic"); n > 0 {
		t.Errorf("%d objects are counted, want none", n)
	}
	if _, known := r.policies.left(name); known {
		t.Error("its policy is still to be read")
	}
}

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
		kinds: []kind.Kind{k}, of: map[string]*Reconciler{k.Kind: r}, inventory: r.inventory, source: r.source(),
		projects: sweep.NewProjects(schedule, 1, nil), counts: map[string]*census{k.Kind: newCensus(k.Label(), r.metrics)},
		coverage: sweep.NewCoverage(schedule, schedule, time.Now),
	}
	s.projects.Add("shop-project", true)
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
