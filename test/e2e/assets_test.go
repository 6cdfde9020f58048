package e2e

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/iam/apiv1/iampb"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/policy"
	"github.com/holdfast-dev/holdfast/test/emulator/projects"
	"github.com/holdfast-dev/holdfast/test/emulator/resourcemanager"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

const listAssets = "AssetService.ListAssets"

// newAssetWorld makes a world whose controllers list the assets of the organization that its project is in, and look at nothing in full for an
// hour once they do.
func newAssetWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.assetScope, w.sweep, w.fullSweep = resourcemanager.Organization, 200*time.Millisecond, time.Hour
	w.must(w.cloud.AddProject(w.project, 0))
	return w
}

// listings counts the listings since a mark: there are few assets, so each is three calls.
func (w *world) listings(mark int64) int { return len(w.calls(mark, listAssets, "")) / 3 }

// otherCalls are those since a mark that list no assets.
func (w *world) otherCalls(mark int64) []string {
	var out []string
	for _, e := range w.cloud.Traffic.Since(mark) {
		if e.Method != listAssets {
			out = append(out, e.Method+" "+e.Resource)
		}
	}
	return out
}

// restsOnAssets waits until listings of assets are all that the controllers do, and returns since when.
func (w *world) restsOnAssets() (mark int64) {
	w.t.Helper()
	mark = w.cloud.Traffic.Mark()
	w.eventually("nothing but listings of assets", func() (bool, string) {
		other := w.otherCalls(mark)
		if len(other) > 0 {
			mark = w.cloud.Traffic.Mark()
		}
		return w.listings(mark) >= 4, fmt.Sprint(other)
	})
	return mark
}

// moreListings waits for listings that begin from now on.
func (w *world) moreListings() {
	w.t.Helper()
	mark := w.cloud.Traffic.Mark()
	w.eventually("listings of assets", func() (bool, string) { return w.listings(mark) >= 3, fmt.Sprint(w.cloud.Traffic.Counts()) })
}

// isList says whether a call lists the resources of a project.
func isList(call string) bool {
	return strings.Contains(call, ".List") || strings.Contains(call, ".list")
}

// TestDriftIsFoundByAssets: of a fleet at rest nothing is listed or read by itself; what somebody changes is, once, and corrected.
func TestDriftIsFoundByAssets(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := newAssetWorld(t)
		w.start()
		other := k.manifest("other", v1alpha1.CommonSpec{})
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		for _, o := range []v1alpha1.Object{other, obj} {
			w.create(o)
			w.ready(o)
		}
		mark := w.restsOnAssets()
		k.console(w).set("orders", false)
		w.eventually("the drift to be corrected", func() (bool, string) {
			return k.console(w).look("orders").on, fmt.Sprint(w.otherCalls(mark))
		})
		w.restsOnAssets()
		w.ready(obj)
		for _, call := range w.otherCalls(mark) {
			if isList(call) {
				t.Errorf("a project was listed: %s", call)
			}
		}
		t.Log("one look finds it, and others see in the next listings what was corrected")
		if updates := len(w.calls(mark, k.updating, "")); updates != 1 {
			t.Errorf("%d updates, want 1", updates)
		}
		if k.is(comesAndGoes) {
			if reads := w.calls(mark, k.getting, "other"); len(reads) > 0 {
				t.Errorf("what did not change was read %d times", len(reads))
			}
		}
		if reads := len(w.calls(mark, k.getting, "")); reads > 6 {
			t.Errorf("%d reads", reads)
		}
	})
}

// TestDriftOfAPolicyIsFoundByAssets: IAM policies, which no list shows, are found to have changed without being read one by one.
func TestDriftOfAPolicyIsFoundByAssets(t *testing.T) {
	forEachGranter(t, func(t *testing.T, g granter) {
		w := newAssetWorld(t)
		w.start()
		id := w.namespace + "-assets"
		obj := g.manifest(id, v1alpha1.CommonSpec{}, "user:ada@example.com")
		w.create(obj)
		w.ready(obj)
		has := func() bool { return policy.Has(g.policy(w, id), g.role, "user:ada@example.com") }
		mark := w.restsOnAssets()
		w.must(g.edit(w, id, func(p *iampb.Policy) { policy.Revoke(p, g.role, "user:ada@example.com") }))
		w.eventually("the grant to be made again", func() (bool, string) { return has(), fmt.Sprint(w.otherCalls(mark)) })
		w.restsOnAssets()
		w.ready(obj)
		if lists := slices.DeleteFunc(w.otherCalls(mark), func(call string) bool { return !isList(call) }); len(lists) > 0 {
			t.Errorf("lists: %v", lists)
		}
	})
}

// TestAStaleInventoryDecidesNothing: what it does not show yet is not looked at, and what it shows late costs a read. Nothing is written, and no
// condition flips.
func TestAStaleInventoryDecidesNothing(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := newAssetWorld(t)
		w.cloud.Assets.Freeze() // before there is anything
		w.start()
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		for _, on := range []*bool{nil, new(true)} {
			edit(w, obj, func(o v1alpha1.Object) { k.set(o, on) })
			w.ready(obj)
		}
		if !k.is(comesAndGoes) { // status counts the members of the policy
			w.settled(obj)
		}
		before := func() (mark int64, version string) {
			mark = w.restsOnAssets()
			w.get(obj)
			w.kubeWrites.Store(0)
			return mark, obj.GetResourceVersion()
		}
		after := func(what string, mark int64, version string, most int) {
			t.Helper()
			w.moreListings()
			w.noWrites(mark)
			w.expectKubeWrites(0)
			w.get(obj)
			if obj.GetResourceVersion() != version {
				t.Errorf("%s: the object was changed: %s", what, describe(obj))
			}
			if reads := len(w.calls(mark, k.getting, "")); reads > most {
				t.Errorf("%s: %d reads, want at most %d", what, reads, most)
			}
		}
		mark, version := before()
		w.cloud.Assets.Refresh() // shows what was created and changed since
		after("it comes to be shown", mark, version, 1)

		mark, version = before()
		w.cloud.Assets.Refresh()
		after("nothing happened", mark, version, 0)

		k.console(w).set("orders", false)
		w.moreListings()
		if look := k.console(w).look("orders"); look.on {
			t.Error("what the inventory does not show was corrected")
		}
		w.cloud.Assets.Refresh()
		w.eventually("the drift to be corrected", func() (bool, string) { return k.console(w).look("orders").on, fmt.Sprint(w.otherCalls(mark)) })
	})
}

// TestFullListsFindWhatNoInventoryShows: at a slower pace, everything is looked at all the same.
func TestFullListsFindWhatNoInventoryShows(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := newAssetWorld(t)
		w.fullSweep, w.policySweep = 3*time.Second, time.Second
		w.cloud.Assets.Freeze()
		w.start()
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		k.console(w).set("orders", false)
		w.eventually("the drift to be corrected", func() (bool, string) {
			return k.console(w).look("orders").on, fmt.Sprint(w.cloud.Traffic.Counts())
		})
	})
}

// TestVanishedAssetsAreLookedAt: a resource that is deleted vanishes from the inventory, and comes back.
func TestVanishedAssetsAreLookedAt(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		if !k.is(comesAndGoes) {
			t.Skip(k.lacks[comesAndGoes])
		}
		w := newAssetWorld(t)
		w.start()
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		forgetCreation(w, obj)
		mark := w.restsOnAssets()
		k.console(w).delete("orders")
		w.eventually("the resource to come back", func() (bool, string) {
			return k.console(w).look("orders").there, fmt.Sprint(w.otherCalls(mark))
		})
	})
}

// TestOnlyAWholeListingCounts: one that is cut off shows nothing to be gone.
func TestOnlyAWholeListingCounts(t *testing.T) {
	t.Parallel()
	w := newAssetWorld(t)
	w.start()
	topic := aTopic("orders", v1alpha1.TopicSpec{Labels: shop})
	w.create(topic)
	w.ready(topic)
	mark := w.restsOnAssets()
	w.cloud.Traffic.Inject(traffic.Fault{Match: traffic.Call{Method: listAssets}, Times: 2, Outage: true})
	w.moreListings()
	if other := w.otherCalls(mark); len(other) > 0 {
		t.Errorf("calls: %v", other)
	}
}

// TestDeniedAssetsFallBackToLists: without the permission, projects are listed as if there were no inventory, until it is granted.
func TestDeniedAssetsFallBackToLists(t *testing.T) {
	t.Parallel()
	for _, permission := range []string{"cloudasset.assets.listResource", "cloudasset.assets.listIamPolicy"} {
		t.Run(permission, func(t *testing.T) {
			t.Parallel()
			w := newAssetWorld(t)
			var log logBuffer
			w.logger = funcr.New(func(_, args string) { log.add(args) }, funcr.Options{})
			w.start()
			topic := aTopic("orders", v1alpha1.TopicSpec{Labels: shop})
			w.create(topic)
			w.ready(topic)
			w.restsOnAssets()
			w.cloud.Assets.Withhold(w.assetScope, permission)
			mark := w.cloud.Traffic.Mark()
			w.eventually("the project to be listed", func() (bool, string) {
				return len(w.calls(mark, "Publisher.ListTopics", "")) > 2, fmt.Sprint(w.otherCalls(mark))
			})
			c := topicConsole{w}
			c.team("orders", "bank")
			w.eventually("the drift to be corrected", func() (bool, string) { return c.look("orders").team == "shop", describe(topic) })
			for _, want := range []string{"permission " + permission + " is missing on " + w.assetScope, "The caller does not have permission"} {
				if !strings.Contains(log.String(), want) {
					t.Errorf("the log does not say %q", want)
				}
			}
			w.expectMetric(`holdfast_asset_projects 0`)
			w.cloud.Assets.Withhold(w.assetScope)
			w.restsOnAssets()
			w.expectMetric(`holdfast_asset_projects 1`)
		})
	}
}

// TestProjectsOutOfTheScopeAreListed: the inventory says nothing of them.
func TestProjectsOutOfTheScopeAreListed(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := newAssetWorld(t)
		w.assetScope, w.policySweep = "folders/7", 200*time.Millisecond
		w.must(w.cloud.AddProject("in-the-folder", 0))
		w.must(w.cloud.Projects.Edit("in-the-folder", func(p *projects.Project) { p.Parent = w.assetScope }))
		w.start()
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		w.moreListings()
		k.console(w).set("orders", false)
		w.eventually("the drift to be corrected", func() (bool, string) {
			return k.console(w).look("orders").on, fmt.Sprint(w.cloud.Traffic.Counts())
		})
	})
}

// TestCallsOfAFleetAtRest: projects and resources cost a page for each thousand, and nothing by themselves.
func TestCallsOfAFleetAtRest(t *testing.T) {
	t.Parallel()
	w := newAssetWorld(t)
	const topics = 4
	var allowed []string
	for i := range 5 {
		id := fmt.Sprintf("%s-%d", w.project, i)
		w.must(w.cloud.AddProject(id, 0))
		allowed = append(allowed, id)
	}
	w.editNamespace(func(n *corev1.Namespace) {
		n.Annotations[v1alpha1.AllowedProjectIDsAnnotation] = strings.Join(allowed, ",")
	})
	w.start()
	var objects []v1alpha1.Object
	for _, project := range allowed {
		for i := range topics {
			topic := aTopic(fmt.Sprintf("%s-%d", project, i), v1alpha1.TopicSpec{CommonSpec: v1alpha1.CommonSpec{ProjectID: project}, Labels: shop})
			objects = append(objects, topic)
			w.create(topic)
		}
	}
	for _, obj := range objects {
		w.ready(obj)
	}
	mark := w.restsOnAssets()
	w.kubeWrites.Store(0)
	w.moreListings()
	w.expectKubeWrites(0)
	if other := w.otherCalls(mark); len(other) > 0 {
		t.Errorf("calls beside listings: %v", other)
	}
}

// TestTheInventoryIsNobodysBusiness: it is asked as the manager itself, and what it shows of one tenant is told to no other.
func TestTheInventoryIsNobodysBusiness(t *testing.T) {
	t.Parallel()
	w := newAssetWorld(t)
	const theirs = "secret-merger"
	w.must(w.cloud.AddProject(theirs, 0))
	w.start()
	topic := aTopic("orders", v1alpha1.TopicSpec{Labels: shop})
	w.create(topic)
	w.ready(topic)
	mark := w.restsOnAssets()
	name := "projects/" + theirs + "/topics/orders" // as ours, and another
	w.must(w.cloud.PubSub.PutTopic(&pubsubpb.Topic{Name: name}))
	w.must(w.cloud.Storage.CreateBucket(theirs, map[string]any{"name": w.namespace + "-theirs"}))
	w.moreListings()
	w.must(w.cloud.PubSub.EditTopic(name, func(live *pubsubpb.Topic) { live.Labels = map[string]string{"a": "b"} }))
	w.must(w.cloud.PubSub.DeleteTopic(name))
	w.moreListings()
	if other := w.otherCalls(mark); len(other) > 0 {
		t.Errorf("calls: %v", other)
	}
	w.get(topic)
	for where, text := range map[string]string{
		"the object": encoded(w, topic), "events": encoded(w, w.eventsOf(topic)), "metrics": w.served(),
	} {
		if strings.Contains(text, theirs) {
			t.Errorf("%s mention %s:\n%s", where, theirs, text)
		}
	}
	for _, e := range w.calls(mark, listAssets, "") {
		if e.Resource != w.assetScope {
			t.Errorf("assets of %s are listed", e.Resource)
		}
	}
}

// TestUnmanagedResourcesAreCountedFromAssets: in projects that namespaces are bound to, and in no others.
func TestUnmanagedResourcesAreCountedFromAssets(t *testing.T) {
	t.Parallel()
	w := newAssetWorld(t)
	w.must(w.cloud.AddProject("unbound", 0))
	for _, topic := range []string{w.topicName("found"), w.topicName("orders"), "projects/unbound/topics/found"} {
		w.must(w.cloud.PubSub.PutTopic(&pubsubpb.Topic{Name: topic, Labels: map[string]string{"team": "shop"}}))
	}
	w.start()
	topic := aTopic("orders", v1alpha1.TopicSpec{Labels: shop})
	w.create(topic)
	w.ready(topic)
	mark := w.restsOnAssets()
	w.expectMetric(`holdfast_unmanaged_resources{kind="topic"} 1`)
	w.must(w.cloud.PubSub.PutTopic(&pubsubpb.Topic{Name: w.topicName("another")}))
	w.expectMetric(`holdfast_unmanaged_resources{kind="topic"} 2`)
	w.must(w.cloud.PubSub.DeleteTopic(w.topicName("found")))
	w.expectMetric(`holdfast_unmanaged_resources{kind="topic"} 1`)
	if d := cmp.Diff([]string(nil), w.otherCalls(mark)); d != "" {
		t.Errorf("calls beside listings (-want +got):\n%s", d)
	}
}

// logBuffer is what was logged.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *logBuffer) add(line string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text.WriteString(line + "\n")
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// served are the metrics of the controllers, as Prometheus reads them.
func (w *world) served() string {
	w.t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(w.metrics)
	families, err := registry.Gather()
	w.must(err)
	var out bytes.Buffer
	for _, family := range families {
		_, err := expfmt.MetricFamilyToText(&out, family)
		w.must(err)
	}
	return out.String()
}

// expectMetric waits for a line among the metrics.
func (w *world) expectMetric(line string) {
	w.t.Helper()
	w.eventually(line, func() (bool, string) {
		served := w.served()
		return slices.Contains(strings.Split(served, "\n"), line), served
	})
}

// TestAProjectThatIsShutDownIsNoticedUnderAssets: the inventory shows that something is the matter with it.
func TestAProjectThatIsShutDownIsNoticedUnderAssets(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		if !k.is(comesAndGoes) {
			t.Skip("its policy can be read all the same")
		}
		w := newAssetWorld(t)
		w.start()
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		w.restsOnAssets()
		w.must(w.cloud.Projects.Edit(w.project, func(p *projects.Project) { p.Deleted = true }))
		w.eventually("the object not to be Ready", func() (bool, string) {
			w.get(obj)
			return condition(obj, v1alpha1.ConditionReady).Status == metav1.ConditionFalse, describe(obj)
		})
	})
}

// TestPolicyDriftOfADowntimeIsFoundUnderAssets: what the first listing shows already differs from none before, so each policy is read once
// after a start.
func TestPolicyDriftOfADowntimeIsFoundUnderAssets(t *testing.T) {
	forEachGranter(t, func(t *testing.T, g granter) {
		w := newAssetWorld(t)
		w.policySweep = 2 * time.Second
		w.start()
		id := w.namespace + "-downtime"
		obj := g.manifest(id, v1alpha1.CommonSpec{}, "user:ada@example.com")
		w.create(obj)
		w.ready(obj)
		w.stop()
		w.must(g.edit(w, id, func(p *iampb.Policy) { policy.Revoke(p, g.role, "user:ada@example.com") }))
		w.start()
		w.eventually("the grant to be made again", func() (bool, string) {
			return policy.Has(g.policy(w, id), g.role, "user:ada@example.com"), fmt.Sprint(w.cloud.Traffic.Counts())
		})
		t.Log("after that, no policy is read, although its time comes again and again")
		mark := w.restsOnAssets()
		for range 4 {
			w.moreListings()
		}
		if other := w.otherCalls(mark); len(other) > 0 {
			t.Errorf("calls: %v", other)
		}
	})
}
