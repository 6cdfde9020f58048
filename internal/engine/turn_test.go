package engine

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/fair"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// line is a line for quotas in which one call comes after the other. Nobody waits in it: a call whose time has not come is refused.
type line struct {
	now   time.Time
	every map[kind.Quota]time.Duration // from one call to the next
	next  map[kind.Quota]time.Time
}

// places are a turn: for each, a call of a quota.
type places struct {
	line   *line
	quotas []kind.Quota
	due    time.Time
}

type placesKey struct{}

func (l *line) Reserve(_ fair.Tenant, _, _ string, certain, likely []kind.Method) (gcp.Turn, time.Duration) {
	turn, wait := &places{line: l}, time.Duration(0)
	take := func(m kind.Method) {
		q := m.Step.Quota()
		wait = max(wait, l.next[q].Sub(l.now))
		l.take(q)
		turn.quotas = append(turn.quotas, q)
	}
	for _, m := range certain {
		take(m)
	}
	for _, m := range likely {
		if l.next[m.Step.Quota()].After(l.now) {
			take(m)
		}
	}
	turn.due = l.now.Add(wait)
	return turn, wait
}

func (l *line) take(q kind.Quota) {
	at := l.now
	if l.next[q].After(at) {
		at = l.next[q]
	}
	l.next[q] = at.Add(l.every[q])
}

// admit is what each call passes.
func (l *line) admit(ctx context.Context, q kind.Quota) error {
	if turn, _ := ctx.Value(placesKey{}).(*places); turn != nil {
		if i := slices.Index(turn.quotas, q); i >= 0 {
			turn.quotas = slices.Delete(turn.quotas, i, i+1)
			return nil
		}
	}
	if wait := l.next[q].Sub(l.now); wait > 0 {
		return &kind.Error{Class: kind.Throttled, Ours: true, RetryAfter: wait, Message: "rate-limited by Holdfast"}
	}
	l.take(q)
	return nil
}

func (p *places) With(ctx context.Context) context.Context {
	return context.WithValue(ctx, placesKey{}, p)
}
func (p *places) Wait() time.Duration { return max(0, p.due.Sub(p.line.now)) }
func (p *places) Release()            { p.quotas = nil }

func (p *places) Cover(methods []kind.Method) time.Duration {
	has, wait := slices.Clone(p.quotas), time.Duration(0)
	for _, m := range methods {
		q := m.Step.Quota()
		if i := slices.Index(has, q); i >= 0 {
			has = slices.Delete(has, i, i+1)
			continue
		}
		wait = max(wait, p.line.next[q].Sub(p.line.now))
		p.line.take(q)
		p.quotas = append(p.quotas, q)
	}
	if due := p.line.now.Add(wait); due.After(p.due) {
		p.due = due
	}
	return p.Wait()
}

// limitedKind is a fakeKind whose calls stand in a line.
type limitedKind struct {
	*fakeKind
	*line

	reads, writes map[string]int
	// during happens during each look.
	during func()
}

func (k *limitedKind) Traits() kind.Traits {
	traits := k.fakeKind.Traits()
	for _, step := range []kind.Step{kind.StepObserve, kind.StepCreate, kind.StepUpdate, kind.StepDelete} {
		traits.Methods = append(traits.Methods, kind.Method{Step: step})
	}
	return traits
}

func (k *limitedKind) Observe(ctx context.Context, ref kind.Ref) (v1alpha1.TopicSpec, error) {
	if err := k.admit(ctx, kind.QuotaReads); err != nil {
		return v1alpha1.TopicSpec{}, err
	}
	k.reads[ref.ID]++
	if k.during != nil {
		k.during()
	}
	return k.fakeKind.Observe(ctx, ref)
}

func (k *limitedKind) Create(ctx context.Context, ref kind.Ref, want *v1alpha1.Topic) (v1alpha1.TopicSpec, error) {
	if err := k.admit(ctx, kind.QuotaCreates); err != nil {
		return v1alpha1.TopicSpec{}, err
	}
	k.writes[ref.ID]++
	return k.fakeKind.Create(ctx, ref, want)
}

func (k *limitedKind) Update(ref kind.Ref, want *v1alpha1.Topic, changes diff.Changes) []kind.Call[v1alpha1.TopicSpec] {
	calls := k.fakeKind.Update(ref, want, changes)
	do := calls[0].Do
	calls[0].Do = func(ctx context.Context, live v1alpha1.TopicSpec) (v1alpha1.TopicSpec, error) {
		if err := k.admit(ctx, kind.QuotaWrites); err != nil {
			return v1alpha1.TopicSpec{}, err
		}
		k.writes[ref.ID]++
		return do(ctx, live)
	}
	return calls
}

// apart is a source in which no two manifests declare one resource. To look for them in an API server in memory takes long.
type apart struct{ inventory.Source }

func (apart) ByResource(context.Context, kind.Kind, string, string) ([]v1alpha1.Object, error) {
	return nil, nil
}

// fleet are topics that one worker reconciles, at a time that moves when there is nothing to do.
type fleet struct {
	*testing.T
	*Reconciler

	kind *limitedKind
	// due are when the objects are looked at next.
	due map[types.NamespacedName]time.Time
	// reasons are those that Ready had, and none other, after any pass.
	reasons map[string]bool
}

// newFleet is of topics that do not exist yet.
func newFleet(t *testing.T, n int) *fleet {
	t.Helper()
	var objects []client.Object
	due := map[types.NamespacedName]time.Time{}
	line := &line{
		now:   time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC),
		every: map[kind.Quota]time.Duration{kind.QuotaReads: 100 * time.Millisecond, kind.QuotaWrites: time.Second, kind.QuotaCreates: time.Second},
		next:  map[kind.Quota]time.Time{},
	}
	for i := range n {
		topic := shopTopic()
		topic.Name, topic.UID = fmt.Sprintf("topic-%03d", i), types.UID(fmt.Sprint(i))
		objects = append(objects, topic)
		due[client.ObjectKeyFromObject(topic)] = line.now
	}
	r, base := testReconciler(t, objects...)
	f := &fleet{t, r, &limitedKind{fakeKind: base, line: line}, due, nil}
	r.use(kind.Of(f.kind))
	r.inventory.Source = apart{r.inventory.Source}
	r.now, r.turns = func() time.Time { return line.now }, line
	f.forget()
	return f
}

// forget begins to count anew.
func (f *fleet) forget() {
	f.kind.reads, f.kind.writes, f.reasons = map[string]int{}, map[string]int{}, map[string]bool{}
}

// settle reconciles until nothing is due before the next sweep, and returns how long that took.
func (f *fleet) settle() time.Duration {
	f.Helper()
	began := f.kind.now
	for passes := 0; ; passes++ {
		var first types.NamespacedName
		for name, at := range f.due {
			if before, ok := f.due[first]; !ok || at.Before(before) || at.Equal(before) && name.Name < first.Name {
				first = name
			}
		}
		if f.due[first].Sub(began) > f.sweep.Interval/2 {
			return f.kind.now.Sub(began)
		}
		if passes > 10*len(f.due) {
			f.Fatalf("%d passes come to no end", passes)
		}
		if f.due[first].After(f.kind.now) {
			f.kind.now = f.due[first]
		}
		result, err := f.Reconcile(f.Context(), reconcile.Request{NamespacedName: first})
		if err != nil {
			f.Fatal(err)
		}
		f.due[first] = f.kind.now.Add(result.RequeueAfter)
		if is := readyCondition(f.get(first)); is != nil {
			f.reasons[is.Reason] = true
		}
	}
}

func (f *fleet) get(name types.NamespacedName) *v1alpha1.Topic {
	f.Helper()
	var topic v1alpha1.Topic
	if err := f.client.Get(f.Context(), name, &topic); err != nil {
		f.Fatal(err)
	}
	return &topic
}

// restart is a process that knows nothing of turns, and is asked to look at every object at once.
func (f *fleet) restart() {
	f.kept = newWaitingTurns()
	for name := range f.due {
		f.due[name] = f.kind.now
		f.Reconciler.due.set(name, 0)
	}
	f.forget()
}

func (f *fleet) expectReasons(want ...string) {
	f.Helper()
	set := map[string]bool{}
	for _, reason := range want {
		set[reason] = true
	}
	if d := cmp.Diff(set, f.reasons); d != "" {
		f.Errorf("reasons of Ready (-want +got):\n%s", d)
	}
}

// expectCalls holds the calls of every object against a number.
func (f *fleet) expectCalls(what string, got map[string]int, each int) {
	f.Helper()
	for name := range f.due {
		if n := got[name.Name]; n != each {
			f.Errorf("%s: %d %s, want %d", name.Name, n, what, each)
		}
	}
}

func TestAFleetStandsInLine(t *testing.T) {
	const n = 60
	f := newFleet(t, n)
	t.Run("each object is created with one read and one write", func(*testing.T) {
		if took := f.settle(); took > (n+2)*time.Second {
			t.Errorf("it took %v", took)
		}
		f.expectReasons(v1alpha1.ReasonUpToDate)
		f.expectCalls("reads", f.kind.reads, 1)
		f.expectCalls("writes", f.kind.writes, 1)
	})
	t.Run("a restart changes no status", func(*testing.T) {
		before := map[types.NamespacedName]string{}
		for name := range f.due {
			before[name] = f.get(name).ResourceVersion
		}
		f.restart()
		if took := f.settle(); took > n*100*time.Millisecond+time.Second {
			t.Errorf("it took %v", took)
		}
		f.expectReasons(v1alpha1.ReasonUpToDate)
		f.expectCalls("reads", f.kind.reads, 1)
		f.expectCalls("writes", f.kind.writes, 0)
		for name, version := range before {
			if is := f.get(name).ResourceVersion; is != version {
				t.Errorf("%s was written: version %s, was %s", name.Name, is, version)
			}
		}
	})
	t.Run("drift, which nobody expects, costs one more read at most", func(*testing.T) {
		for id, live := range f.kind.live {
			live.MessageRetentionSeconds = new(int64(7200))
			f.kind.live[id] = live
		}
		f.restart()
		if took := f.settle(); took > (n+2)*time.Second {
			t.Errorf("it took %v", took)
		}
		f.expectReasons(v1alpha1.ReasonUpToDate)
		f.expectCalls("writes", f.kind.writes, 1)
		for name, reads := range f.kind.reads {
			if reads > 2 {
				t.Errorf("%s: %d reads", name, reads)
			}
		}
		if len(f.kept.of) > 0 {
			t.Errorf("%d turns are kept", len(f.kept.of))
		}
	})
}

// TestACreateThatIsPutOff: somebody else takes the quota during the look. Nothing was sent, so nothing is remembered as sent, and the
// next pass has a place for the write.
func TestACreateThatIsPutOff(t *testing.T) {
	f := newFleet(t, 1)
	name := types.NamespacedName{Namespace: "shop", Name: "topic-000"}
	f.kind.during = func() { f.kind.next[kind.QuotaCreates] = f.kind.now.Add(time.Minute) }
	result, err := f.Reconcile(t.Context(), reconcile.Request{NamespacedName: name})
	if err != nil || result.RequeueAfter != time.Minute {
		t.Errorf("it comes back after %v (%v)", result.RequeueAfter, err)
	}
	if topic := f.get(name); len(topic.Status.Pending) > 0 || topic.Status.LastCreateAttemptTime != nil || len(f.kind.writes) > 0 {
		t.Errorf("pending %v, created at %v, writes %v", topic.Status.Pending, topic.Status.LastCreateAttemptTime, f.kind.writes)
	}
	f.kind.now = f.kind.now.Add(time.Minute)
	if _, err := f.Reconcile(t.Context(), reconcile.Request{NamespacedName: name}); err != nil {
		t.Fatal(err)
	}
	if is := readyCondition(f.get(name)); is.Reason != v1alpha1.ReasonUpToDate || f.kind.reads[name.Name] != 2 || f.kind.writes[name.Name] != 1 {
		t.Errorf("Ready is %s after %d reads and %d writes", is.Reason, f.kind.reads[name.Name], f.kind.writes[name.Name])
	}
}

// TestAGlassIsAcknowledgedAtOnce however long the line is, and Ready stays as it was.
func TestAGlassIsAcknowledgedAtOnce(t *testing.T) {
	f := newFleet(t, 1)
	f.settle()
	name := types.NamespacedName{Namespace: "shop", Name: "topic-000"}
	topic := f.get(name)
	breakGlass(topic)
	if err := f.client.Update(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	f.kind.now = f.kind.now.Add(time.Minute) // so that nothing is under way any more
	f.kind.next[kind.QuotaReads] = f.kind.now.Add(time.Hour)
	f.forget()
	if _, err := f.Reconcile(t.Context(), reconcile.Request{NamespacedName: name}); err != nil {
		t.Fatal(err)
	}
	topic = f.get(name)
	if !meta.IsStatusConditionTrue(topic.Status.Conditions, v1alpha1.ConditionBreakGlass) || topic.Status.BreakGlass == nil {
		t.Errorf("conditions: %+v", topic.Status.Conditions)
	}
	if is := readyCondition(topic); is.Reason != v1alpha1.ReasonUpToDate || len(f.kind.reads) > 0 {
		t.Errorf("Ready is %s after the reads %v", is.Reason, f.kind.reads)
	}
}

// TestATurnIsGivenBackThatAnObjectDoesNotComeFor, because something keeps it from its calls meanwhile, for however long: others stand behind it.
func TestATurnIsGivenBackThatAnObjectDoesNotComeFor(t *testing.T) {
	f := newFleet(t, 1)
	name := types.NamespacedName{Namespace: "shop", Name: "topic-000"}
	f.kind.next[kind.QuotaReads] = f.kind.now.Add(time.Minute)
	for _, step := range []struct {
		project string
		kept    int
	}{{"shop-project", 1}, {"", 0}, {"shop-project", 1}} {
		namespace := &corev1.Namespace{}
		if err := f.client.Get(t.Context(), client.ObjectKey{Name: "shop"}, namespace); err != nil {
			t.Fatal(err)
		}
		namespace.Annotations[v1alpha1.ProjectIDAnnotation] = step.project
		if err := f.client.Update(t.Context(), namespace); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Reconcile(t.Context(), reconcile.Request{NamespacedName: name}); err != nil {
			t.Fatal(err)
		}
		if len(f.kept.of) != step.kept {
			t.Errorf("bound to %q: %d turns are kept, want %d", step.project, len(f.kept.of), step.kept)
		}
	}
}

// A turn is good for what it was taken for, and for a while.
func TestWaitingTurns(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	name, of := types.NamespacedName{Namespace: "shop", Name: "orders"}, errand{tenant: fair.Tenant{Project: "p"}, id: "orders"}
	cases := map[string]struct {
		of   errand
		late time.Duration
		want bool
	}{
		"before its time":  {of, -time.Hour, true},
		"in time":          {of, 0, true},
		"a little late":    {of, turnLasts, true},
		"far too late":     {of, turnLasts + 1, false},
		"for a deletion":   {errand{tenant: fair.Tenant{Project: "p"}, id: "orders", deleting: true}, 0, false},
		"elsewhere":        {errand{tenant: fair.Tenant{Project: "q"}, id: "orders"}, 0, false},
		"as somebody else": {errand{tenant: fair.Tenant{Project: "p"}, id: "orders", impersonate: "ann"}, 0, false},
	}
	for title, tc := range cases {
		t.Run(title, func(t *testing.T) {
			kept, turn := newWaitingTurns(), &places{quotas: []kind.Quota{kind.QuotaReads}}
			kept.keep(name, waitingTurn{turn, of, "", now})
			if _, ok := kept.take(name, tc.of, now.Add(tc.late)); ok != tc.want || len(turn.quotas) > 0 != tc.want {
				t.Errorf("good: %v, with places for %v", ok, turn.quotas)
			}
			if _, ok := kept.take(name, of, now); ok {
				t.Error("it was handed out twice")
			}
		})
	}
	kept, turn := newWaitingTurns(), &places{quotas: []kind.Quota{kind.QuotaReads}}
	kept.keep(name, waitingTurn{turn, of, "", now})
	kept.drop(name)
	if len(kept.of) > 0 || len(turn.quotas) > 0 {
		t.Error("a dropped turn is kept")
	}
}

// lineOf is a line in which each editor waits for so long.
type lineOf struct {
	waits    map[string]time.Duration
	released []string
}

type turnOf struct {
	atOnce

	line   *lineOf
	editor string
}

func (l *lineOf) Reserve(of fair.Tenant, _, _ string, _, _ []kind.Method) (gcp.Turn, time.Duration) {
	return turnOf{line: l, editor: of.Editor}, l.waits[of.Editor]
}

func (t turnOf) Wait() time.Duration { return t.line.waits[t.editor] }
func (t turnOf) Release()            { t.line.released = append(t.line.released, t.editor) }

// TestWhoEditsNowMayComeSooner: an object that waits for Google's quotas gets the place that whoever edits it now would get, if that is better; and
// it is looked for once an edit.
func TestWhoEditsNowMayComeSooner(t *testing.T) {
	waits := map[string]time.Duration{"flux": time.Hour, "ada": time.Second, "bob": time.Second}
	cases := map[string]struct {
		editors  []string // one after the other
		wait     time.Duration
		released []string
	}{
		"a tool":                  {[]string{"flux"}, time.Hour, nil},
		"a person after it":       {[]string{"flux", "ada"}, time.Second, []string{"flux"}},
		"who comes back":          {[]string{"flux", "ada", "ada"}, time.Second, []string{"flux"}},
		"a tool after a person":   {[]string{"ada", "flux", "flux"}, time.Second, []string{"flux"}},
		"another person":          {[]string{"ada", "bob"}, time.Second, []string{"bob"}},
		"the tool, and a look":    {[]string{"flux", "flux"}, time.Hour, nil},
		"nobody knows who, later": {[]string{"ada", ""}, 0, []string{"ada"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r, _ := testReconciler(t)
			line := &lineOf{waits: waits}
			r.turns = line
			var wait time.Duration
			for _, editor := range tc.editors {
				topic := shopTopic()
				if editor != "" {
					topic.ManagedFields = []metav1.ManagedFieldsEntry{wrote(editor, 60, "", `{"f:spec":{"f:labels":{}}}`)}
				}
				p := &pass{Reconciler: r, draft: newDraft(r.client, r.client, topic)}
				p.env.Ref = kind.Ref{Project: "shop-project", ID: "orders"}
				wait = 0
				if out := p.waitForTurn(t.Context()); out != nil {
					wait = out.after
				}
			}
			if wait != tc.wait {
				t.Errorf("waits %v, want %v", wait, tc.wait)
			}
			if diff := cmp.Diff(tc.released, line.released); diff != "" {
				t.Errorf("places given back (-want +got):\n%s", diff)
			}
		})
	}
}
