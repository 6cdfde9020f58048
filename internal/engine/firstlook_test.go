package engine

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/fair"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// project is one that can be listed.
type project struct {
	pages [][]string
	fails error
	// asked are the pages that were asked for.
	asked int
	// takes is how long a list takes.
	takes time.Duration
}

func (p *project) list(ctx context.Context, yield func([]kind.Listed) bool) error {
	<-time.After(p.takes)
	if p.fails != nil {
		p.asked++
		return p.fails
	}
	for i, ids := range p.pages {
		if err := ctx.Err(); err != nil {
			return status.FromContextError(err).Err()
		}
		p.asked++
		var page []kind.Listed
		for _, id := range ids {
			page = append(page, kind.Listed{ID: id})
		}
		if !yield(page) || i == len(p.pages)-1 {
			return nil
		}
	}
	return nil
}

var (
	shopAsOurselves = lister{project: "shop-project"}
	withLabels      = kind.Traits{Kind: "Topic", Labels: true}
	withoutLabels   = kind.Traits{Kind: "ServiceAccount"}
	denied          = status.Error(codes.PermissionDenied, "no")
	overOurLimits   = &kind.Error{Class: kind.Throttled, Ours: true, RetryAfter: time.Second, Message: "rate-limited by Holdfast"}
)

// TestFirstLooks: what a list of a project tells, and how often it is listed for that.
func TestFirstLooks(t *testing.T) {
	// ask is for a resource, some time after the beginning.
	type ask struct {
		after  time.Duration
		id     string
		absent bool
		asked  int // how many pages were asked for by then
	}
	cases := map[string]struct {
		of      kind.Traits
		project project
		asks    []ask
	}{
		"one list tells of all that are not there": {
			withLabels, project{pages: [][]string{{"there"}}},
			[]ask{{0, "a", true, 1}, {0, "b", true, 1}, {9 * time.Minute, "c", true, 1}},
		},
		"what is there is read":           {withLabels, project{pages: [][]string{{"there"}}}, []ask{{0, "there", false, 1}, {0, "a", true, 1}, {0, "there", false, 1}}},
		"it is good for ten minutes":      {withLabels, project{pages: [][]string{{}}}, []ask{{0, "a", true, 1}, {10 * time.Minute, "b", true, 2}}},
		"and for one of what has no mark": {withoutLabels, project{pages: [][]string{{}}}, []ask{{0, "a", true, 1}, {59 * time.Second, "b", true, 1}, {time.Minute, "b", true, 2}}},
		"an empty project has no pages":   {withLabels, project{}, []ask{{0, "a", true, 0}}},
		"of a large project the second page is not asked for, nor the first again": {
			withLabels, project{pages: [][]string{{"there"}, {"a"}}},
			[]ask{{0, "a", false, 1}, {0, "b", false, 1}, {59 * time.Minute, "b", false, 1}, {time.Hour, "b", false, 2}},
		},
		"one that may not be listed is read": {withLabels, project{fails: denied}, []ask{{0, "a", false, 1}, {59 * time.Minute, "b", false, 1}, {time.Hour, "b", false, 2}}},
		"one that cannot be listed now is read": {
			withLabels, project{fails: status.Error(codes.Unavailable, "away")}, []ask{{0, "a", false, 1}, {59 * time.Second, "b", false, 1}, {time.Minute, "b", false, 2}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f := newFirstLooks(tc.of)
			for _, ask := range tc.asks {
				now := func() time.Time { return three.Add(ask.after) }
				absent, err := f.absent(t.Context(), shopAsOurselves, ask.id, now, tc.project.list)
				if err != nil || absent != ask.absent || tc.project.asked != ask.asked {
					t.Errorf("%s after %s: absent is %t (%v), %d pages were asked for; want %t, %d", ask.id, ask.after, absent, err, tc.project.asked, ask.absent, ask.asked)
				}
			}
		})
	}
}

// TestOursIsNobodysList: what one identity sees of a project says nothing of what another one sees, nor of another project.
func TestOursIsNobodysList(t *testing.T) {
	f, shop := newFirstLooks(withLabels), project{pages: [][]string{{}}}
	now := func() time.Time { return three }
	for _, of := range []lister{shopAsOurselves, {"shop-project", "shop@x.iam.gserviceaccount.com"}, {"bank-project", ""}, shopAsOurselves} {
		if absent, err := f.absent(t.Context(), of, "a", now, shop.list); err != nil || !absent {
			t.Errorf("%v: absent is %t (%v)", of, absent, err)
		}
	}
	if shop.asked != 3 {
		t.Errorf("%d lists, want 3", shop.asked)
	}
}

// TestAListThatOurLimitsPutOffIsMadeByTheNext, and says nothing to those who wait for it.
func TestAListThatOurLimitsPutOffIsMadeByTheNext(t *testing.T) {
	f, shop := newFirstLooks(withLabels), project{fails: overOurLimits}
	now := func() time.Time { return three }
	if _, err := f.absent(t.Context(), shopAsOurselves, "a", now, shop.list); !gcp.IsLimited(err) {
		t.Errorf("over our limits: %v", err)
	}
	shop.fails, shop.pages = nil, [][]string{{}}
	if absent, err := f.absent(t.Context(), shopAsOurselves, "a", now, shop.list); err != nil || !absent {
		t.Errorf("then: absent is %t (%v)", absent, err)
	}
}

// TestManyWaitForOneList, though not for ever, nor longer than each of them has time.
func TestManyWaitForOneList(t *testing.T) {
	for name, tc := range map[string]struct {
		takes, patience time.Duration
		absent          int // of those who wait
		waited          time.Duration
	}{
		"that comes":                     {3 * time.Second, time.Minute, 9, 3 * time.Second},
		"that takes too long":            {time.Minute, time.Hour, 0, listWait},
		"for which they have not enough": {time.Minute, time.Second, 0, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, shop, began := newFirstLooks(withLabels), project{pages: [][]string{{}}, takes: tc.takes}, time.Now()
				var all sync.WaitGroup
				all.Go(func() { _, _ = f.absent(t.Context(), shopAsOurselves, "first", time.Now, shop.list) })
				synctest.Wait()
				if got := f.wayTo(shopAsOurselves, "a", time.Now()); got != byWaiting {
					t.Errorf("meanwhile the way is %d", got)
				}
				ctx, cancel := context.WithTimeout(t.Context(), tc.patience)
				defer cancel()
				absences := make(chan bool, 9)
				var waiting sync.WaitGroup
				for i := range 9 {
					waiting.Go(func() {
						absent, _ := f.absent(ctx, shopAsOurselves, fmt.Sprint(i), time.Now, shop.list)
						absences <- absent
					})
				}
				waiting.Wait()
				if waited := time.Since(began); waited != tc.waited {
					t.Errorf("waited %s, want %s", waited, tc.waited)
				}
				close(absences)
				n := 0
				for absent := range absences {
					if absent {
						n++
					}
				}
				all.Wait()
				if n != tc.absent || shop.asked != 1 {
					t.Errorf("%d know that it is not there, want %d; %d lists", n, tc.absent, shop.asked)
				}
			})
		})
	}
}

// TestListsAreForgotten: a fleet that is applied at once does not stay in memory.
func TestListsAreForgotten(t *testing.T) {
	f, full := newFirstLooks(withLabels), project{pages: [][]string{make([]string, 1000)}}
	for i := range full.pages[0] {
		full.pages[0][i] = fmt.Sprint("r", i)
	}
	for i := range 300 {
		if _, err := f.absent(t.Context(), lister{project: fmt.Sprint("p", i)}, "a", func() time.Time { return three }, full.list); err != nil {
			t.Fatal(err)
		}
	}
	if f.listed > mostListed || f.listed == 0 {
		t.Errorf("%d resources are remembered at once, want %d at the most", f.listed, mostListed)
	}
	f.prune(three.Add(listLasts - 1))
	if len(f.lists) == 0 {
		t.Error("lists are forgotten before they are over")
	}
	f.prune(three.Add(listLasts + time.Minute))
	if len(f.lists) != 0 || f.listed != 0 {
		t.Errorf("%d lists with %d resources are remembered long after", len(f.lists), f.listed)
	}
	for i := range 1000 {
		empty := project{pages: [][]string{{}}}
		_, _ = f.absent(t.Context(), lister{project: fmt.Sprint("q", i)}, "a", func() time.Time { return three.Add(time.Duration(i) * listLasts) }, empty.list)
	}
	if len(f.lists) > 2 {
		t.Errorf("%d lists are remembered, of projects that had a new manifest one after the other", len(f.lists))
	}
}

// TestAListIsToldWhatIsThereAfterAll, so that what Google would not create is read from then on.
func TestAListIsToldWhatIsThereAfterAll(t *testing.T) {
	f, shop := newFirstLooks(withLabels), project{pages: [][]string{{}}}
	now := func() time.Time { return three }
	f.add(shopAsOurselves, "a") // of a project that was not listed
	for _, absent := range []bool{true, false} {
		if got, err := f.absent(t.Context(), shopAsOurselves, "a", now, shop.list); err != nil || got != absent {
			t.Errorf("absent is %t (%v), want %t", got, err, absent)
		}
		f.add(shopAsOurselves, "a")
	}
	if got := f.wayTo(shopAsOurselves, "a", three); got != byReading || f.listed != 1 || shop.asked != 1 {
		t.Errorf("the way is %d, %d resources are remembered, %d lists", got, f.listed, shop.asked)
	}
}

// listedKind is a fakeKind that can be listed, and whose calls are counted.
type listedKind struct {
	*fakeKind

	calls []string
	// since are resources that came to be after the project was listed.
	since map[string]v1alpha1.TopicSpec
	// forbidden fails each list, and refused each create.
	forbidden, refused error
}

var _ kind.Lister[v1alpha1.TopicSpec] = (*listedKind)(nil)

func (k *listedKind) Traits() kind.Traits {
	traits := k.fakeKind.Traits()
	for _, step := range []kind.Step{kind.StepObserve, kind.StepList, kind.StepCreate, kind.StepUpdate} {
		traits.Methods = append(traits.Methods, kind.Method{Name: string(step), Step: step})
	}
	return traits
}

func (k *listedKind) List(_ context.Context, _ kind.Ref, yield func([]kind.Item[v1alpha1.TopicSpec]) bool) error {
	k.calls = append(k.calls, "list")
	if k.forbidden != nil {
		return k.forbidden
	}
	var page []kind.Item[v1alpha1.TopicSpec]
	for id, live := range k.live {
		page = append(page, kind.Item[v1alpha1.TopicSpec]{ID: id, Live: live})
	}
	yield(page)
	return nil
}

func (k *listedKind) Observe(ctx context.Context, ref kind.Ref) (v1alpha1.TopicSpec, error) {
	k.calls = append(k.calls, "get "+ref.ID)
	if live, ok := k.since[ref.ID]; ok {
		k.live[ref.ID] = live
	}
	return k.fakeKind.Observe(ctx, ref)
}

func (k *listedKind) Create(ctx context.Context, ref kind.Ref, want *v1alpha1.Topic) (v1alpha1.TopicSpec, error) {
	k.calls = append(k.calls, "create "+ref.ID)
	if k.refused != nil {
		return v1alpha1.TopicSpec{}, k.refused
	}
	if _, there := k.since[ref.ID]; there {
		return v1alpha1.TopicSpec{}, status.Error(codes.AlreadyExists, "it is there")
	}
	return k.fakeKind.Create(ctx, ref, want)
}

func topicNamed(name string, change ...func(*v1alpha1.Topic)) *v1alpha1.Topic {
	topic := shopTopic()
	topic.Name, topic.UID = name, ""
	for _, c := range change {
		c(topic)
	}
	return topic
}

// TestWhoseFirstLookAListServes: of those who would create at once what is not there, and of nobody else.
func TestWhoseFirstLookAListServes(t *testing.T) {
	management := func(m v1alpha1.Management) func(*v1alpha1.Topic) {
		return func(topic *v1alpha1.Topic) { topic.Spec.Management = m }
	}
	theirs := v1alpha1.TopicSpec{MessageRetentionSeconds: new(int64(7200))}
	cases := map[string]struct {
		topics      []*v1alpha1.Topic
		live, since map[string]v1alpha1.TopicSpec
		forbidden   error
		refused     error
		want        []string
		reason      string // of the last one
	}{
		"new ones": {
			topics: []*v1alpha1.Topic{topicNamed("a"), topicNamed("b"), topicNamed("c")},
			want:   []string{"list", "create a", "create b", "create c"}, reason: v1alpha1.ReasonUpToDate,
		},
		"one that is there is read": {
			topics: []*v1alpha1.Topic{topicNamed("a"), topicNamed("b")}, live: map[string]v1alpha1.TopicSpec{"b": theirs},
			want: []string{"list", "create a", "get b"}, reason: v1alpha1.ReasonAwaitingAdoption,
		},
		"one that somebody else creates meanwhile is not taken over": {
			topics: []*v1alpha1.Topic{topicNamed("a"), topicNamed("b")}, since: map[string]v1alpha1.TopicSpec{"b": theirs},
			want: []string{"list", "create a", "create b", "get b"}, reason: v1alpha1.ReasonAwaitingAdoption,
		},
		"one that somebody else creates meanwhile, and that we may not create": {
			topics: []*v1alpha1.Topic{topicNamed("b")}, since: map[string]v1alpha1.TopicSpec{"b": theirs}, refused: denied,
			want: []string{"list", "create b", "get b", "get b"}, reason: v1alpha1.ReasonAwaitingAdoption,
		},
		"one that we may not create": {
			topics: []*v1alpha1.Topic{topicNamed("a")}, refused: denied, want: []string{"list", "create a", "get a"}, reason: v1alpha1.ReasonDenied,
		},
		"without the permission to list": {
			topics: []*v1alpha1.Topic{topicNamed("a"), topicNamed("b")}, forbidden: denied,
			want: []string{"list", "get a", "create a", "get b", "create b"}, reason: v1alpha1.ReasonUpToDate,
		},
		"one that only observes": {topics: []*v1alpha1.Topic{topicNamed("a", management(v1alpha1.ManagementObserve))}, want: []string{"get a"}, reason: v1alpha1.ReasonNotFound},
		"one that waits for approval": {
			topics: []*v1alpha1.Topic{topicNamed("a", management(v1alpha1.ManagementApprove))}, want: []string{"get a"}, reason: v1alpha1.ReasonAwaitingApproval,
		},
		"one that was looked at": {
			topics: []*v1alpha1.Topic{topicNamed("a", func(topic *v1alpha1.Topic) {
				topic.Status.Conditions = []metav1.Condition{condition(v1alpha1.ConditionReady, false, v1alpha1.ReasonDenied, "no")}
			})}, want: []string{"get a", "create a"}, reason: v1alpha1.ReasonUpToDate,
		},
		"one that may own something": {
			topics: []*v1alpha1.Topic{topicNamed("a", func(topic *v1alpha1.Topic) {
				topic.Status.Project, topic.Status.LastCreateAttemptTime = "shop-project", new(metav1.NewTime(three))
			})}, want: []string{"get a", "create a"}, reason: v1alpha1.ReasonUpToDate,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var objects []client.Object
			for _, topic := range tc.topics {
				objects = append(objects, topic)
			}
			r, base := testReconciler(t, objects...)
			topics := &listedKind{fakeKind: base, since: tc.since, forbidden: tc.forbidden, refused: tc.refused}
			maps.Copy(base.live, tc.live)
			r.use(kind.Of(topics))
			var last v1alpha1.Topic
			for _, topic := range tc.topics {
				key := client.ObjectKeyFromObject(topic)
				_, _ = r.Reconcile(t.Context(), reconcile.Request{NamespacedName: key})
				last = v1alpha1.Topic{}
				if err := r.client.Get(t.Context(), key, &last); err != nil {
					t.Fatal(err)
				}
			}
			if d := cmp.Diff(tc.want, topics.calls); d != "" {
				t.Errorf("calls (-want +got):\n%s", d)
			}
			if is := readyCondition(&last); is.Reason != tc.reason {
				t.Errorf("Ready has the reason %s (%s), want %s", is.Reason, is.Message, tc.reason)
			}
		})
	}
}

// TestPlacesAreForTheCallsThatAreMade: who makes the list takes a place for that, and who is served by it none for a read.
func TestPlacesAreForTheCallsThatAreMade(t *testing.T) {
	r, base := testReconciler(t, topicNamed("a"), topicNamed("b"), topicNamed("there"))
	topics := &listedKind{fakeKind: base}
	base.live["there"] = v1alpha1.TopicSpec{}
	r.use(kind.Of(topics))
	line := &reservations{}
	r.turns = line
	for _, name := range []string{"a", "b", "there"} {
		if _, err := r.Reconcile(t.Context(), reconcile.Request{NamespacedName: client.ObjectKey{Namespace: "shop", Name: name}}); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff([]string{"a list", "b ", "there observe"}, line.certain); d != "" {
		t.Errorf("places (-want +got):\n%s", d)
	}
}

// reservations are a line in which nobody waits, and that remembers who took places for what.
type reservations struct {
	atOnce

	certain []string
}

func (l *reservations) Reserve(_ fair.Tenant, _, id string, certain, _ []kind.Method) (gcp.Turn, time.Duration) {
	var names []string
	for _, m := range certain {
		names = append(names, m.Name)
	}
	l.certain = append(l.certain, fmt.Sprintf("%s %s", id, strings.Join(names, ", ")))
	return atOnce{}, 0
}

// TestACreateThatOurLimitsPutOffStoresNothing where Google will keep our mark: nothing was sent, and nothing was on record.
func TestACreateThatOurLimitsPutOffStoresNothing(t *testing.T) {
	topics := &listedKind{fakeKind: &fakeKind{live: map[string]v1alpha1.TopicSpec{}}}
	topic := shopTopic()
	topic.Finalizers = []string{v1alpha1.Finalizer}
	r := reconcilerOf(t, kind.Of(topics), topic)
	before, err := r.source().Manifest(t.Context(), r.kind, "shop", "orders")
	if err != nil {
		t.Fatal(err)
	}
	topics.failing = overOurLimits
	after, err := reconcileOnce(t, r)
	if err != nil || after.ResourceVersion != before.GetResourceVersion() {
		t.Errorf("stored is %+v, error %v", after.Status, err)
	}
	topics.failing = nil
	step(t, r, v1alpha1.ReasonUpToDate)
	if d := cmp.Diff([]string{"list", "create orders", "create orders"}, topics.calls); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
}

// limitedNumbers are what our own limits do not let anybody ask for, until they do.
type limitedNumbers struct {
	active

	limited bool
}

func (n *limitedNumbers) ProjectNumber(context.Context, string, string) (uint64, error) {
	if n.limited {
		return 0, overOurLimits
	}
	return 4711, nil
}

// TestNothingIsCreatedWhoseProjectIsNotKnown, where it names that by number: it would have to be read and stored again.
func TestNothingIsCreatedWhoseProjectIsNotKnown(t *testing.T) {
	for name, numbered := range map[string]bool{"named by number": true, "named by ID": false} {
		t.Run(name, func(t *testing.T) {
			topics := &listedKind{fakeKind: &fakeKind{live: map[string]v1alpha1.TopicSpec{}}}
			k := kind.Of(topics)
			k.Numbered = numbered
			topic := shopTopic()
			topic.Finalizers = []string{v1alpha1.Finalizer}
			r := reconcilerOf(t, k, topic)
			numbers := &limitedNumbers{limited: true}
			r.projects = numbers
			after, err := reconcileOnce(t, r)
			if created := len(topics.live) > 0; err != nil || created == numbered || (readyCondition(after) == nil) != numbered {
				t.Errorf("created: %v, stored is %+v, error %v", created, after.Status, err)
			}
			numbers.limited = false
			step(t, r, v1alpha1.ReasonUpToDate)
			if d := cmp.Diff([]string{"list", "create orders"}, topics.calls[:2]); d != "" {
				t.Errorf("calls (-want +got):\n%s", d)
			}
		})
	}
}

// TestAnApprovalThatAnIncidentEndedIsStoredAsEnded, though nothing else was stored or sent.
func TestAnApprovalThatAnIncidentEndedIsStoredAsEnded(t *testing.T) {
	topic := shopTopic()
	topic.Status.Approved = &v1alpha1.ApprovedPlan{Hash: "a"}
	r, _ := testReconciler(t, topic)
	stored, err := r.source().Manifest(t.Context(), r.kind, "shop", "orders")
	if err != nil {
		t.Fatal(err)
	}
	p := &pass{Reconciler: r, draft: newDraft(r.client, r.uncached, stored)}
	p.before, p.recorded, p.unstored = p.record, true, true
	p.forgetApproval()
	if err := p.saveWritten(t.Context()); err != nil {
		t.Fatal(err)
	}
	after, err := r.source().Manifest(t.Context(), r.kind, "shop", "orders")
	if err != nil || after.GetCommonStatus().Approved != nil {
		t.Errorf("approved is %+v, error %v", after.GetCommonStatus().Approved, err)
	}
}
