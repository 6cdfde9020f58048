package engine

import (
	"context"
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/plan"
	"github.com/holdfast-dev/holdfast/internal/tenancy"
)

// until is a lease with an end.
type until time.Time

func (u until) Deadline() (time.Time, bool) { return time.Time(u), true }

func TestGate(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	glass := map[string]string{v1alpha1.BreakGlassAnnotation: "INC-1"}
	unreadable := errors.New("the API server is away")
	passes, stale, broken, fails := "passes", "stale", "broken", "fails"
	cases := map[string]struct {
		stored    func(*v1alpha1.Topic) // how the stored object differs from the planned one
		namespace map[string]string
		rival     *v1alpha1.Topic // another manifest of the resource, as it is stored
		away      bool            // it is gone
		unread    client.Object   // the kind of object that cannot be read
		deleted   bool
		allowed   bool // the write is one that only an allowance lets through
		lease     Lease
		want      string
	}{
		"nothing changed":                            {want: passes},
		"the object changed":                         {stored: func(o *v1alpha1.Topic) { o.ResourceVersion = "8" }, want: stale},
		"the object was recreated":                   {stored: func(o *v1alpha1.Topic) { o.UID = "2" }, want: stale},
		"the object is gone":                         {deleted: true, want: stale},
		"the manifest was edited":                    {stored: func(o *v1alpha1.Topic) { o.Generation++ }, want: stale},
		"its glass was broken":                       {stored: func(o *v1alpha1.Topic) { o.Annotations = glass }, want: broken},
		"its glass was broken, and it changed":       {stored: func(o *v1alpha1.Topic) { o.Annotations, o.ResourceVersion = glass, "8" }, want: broken},
		"the glass of the Namespace was broken":      {namespace: glass, want: broken},
		"the glass of the Namespace is over":         {namespace: map[string]string{v1alpha1.BreakGlassAnnotation: "x", v1alpha1.BreakGlassUntilAnnotation: "2026-01-02T03:00:00Z"}, want: passes},
		"the Namespace is bound to another project":  {namespace: map[string]string{v1alpha1.ProjectIDAnnotation: "bank-project"}, want: stale},
		"the Namespace acts as another":              {namespace: map[string]string{v1alpha1.ImpersonateServiceAccountAnnotation: "a@b.iam.gserviceaccount.com"}, want: stale},
		"the Namespace asks for approval now":        {namespace: map[string]string{v1alpha1.LeastManagementAnnotation: "Approve"}, want: stale},
		"the Namespace lets less be removed now":     {namespace: map[string]string{v1alpha1.MaxRemovalsAnnotation: "0"}, want: stale},
		"the Namespace allows something else now":    {namespace: map[string]string{v1alpha1.AllowAnnotation: v1alpha1.AllowDataLoss}, want: stale},
		"the object cannot be read":                  {unread: &v1alpha1.Topic{}, want: fails},
		"the Namespace cannot be read":               {unread: &corev1.Namespace{}, want: fails},
		"another manifest does not mind":             {rival: rivalTopic(nil), want: passes},
		"another manifest's glass was broken":        {rival: rivalTopic(glass), want: broken},
		"another manifest, whose glass was, is gone": {rival: rivalTopic(glass), away: true, want: passes},
		"the glass of its Namespace was broken":      {rival: rivalTopic(nil, inNamespaceOf("incident")), want: broken},
		"its Namespace is of another project":        {rival: rivalTopic(glass, inNamespaceOf("bank")), want: passes},
		"it is bound to a project it may not use":    {rival: rivalTopic(glass, func(o *v1alpha1.Topic) { o.Status.Project, o.Status.Identity = "bank-project", "marked" }), want: passes},
		"it only observes":                           {rival: rivalTopic(glass, func(o *v1alpha1.Topic) { o.Spec.Management = v1alpha1.ManagementObserve }), want: broken},
		"its Namespace cannot be read":               {rival: rivalTopic(glass, inNamespaceOf("nowhere")), want: fails},
		"it is still allowed":                        {allowed: true, namespace: map[string]string{v1alpha1.AllowDestructiveUntilAnnotation: "2026-01-02T03:04:06Z"}, want: passes},
		"it is not allowed any more":                 {allowed: true, namespace: map[string]string{v1alpha1.AllowDestructiveUntilAnnotation: "2026-01-02T03:04:05Z"}, want: stale},
		"the allowance was taken away":               {allowed: true, want: stale},
		"the lease lasts":                            {lease: until(now.Add(time.Second)), want: passes},
		"the lease has run out this very moment":     {lease: until(now), want: fails},
		"the lease is longer than a write may last":  {lease: until(now.Add(writeLasts)), want: passes},
		"this process is not the leader":             {lease: until(time.Time{}), want: fails},
		"a broken glass is said before a lost lease": {lease: until(now), namespace: glass, want: broken},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			planned := shopTopic()
			planned.ResourceVersion = "7"
			stored := planned.DeepCopy()
			if tc.stored != nil {
				tc.stored(stored)
			}
			objects := []client.Object{shopNamespace(tc.namespace), namespaceOf("bank", "bank-project", nil), namespaceOf("incident", "shop-project", glass)}
			if !tc.deleted {
				objects = append(objects, stored)
			}
			var rivals []v1alpha1.Object
			if tc.rival != nil {
				rivals = append(rivals, tc.rival)
			}
			if tc.rival != nil && !tc.away {
				objects = append(objects, tc.rival.DeepCopy())
			}
			kube := fake.NewClientBuilder().WithScheme(testScheme(t)).WithObjects(objects...).WithInterceptorFuncs(interceptor.Funcs{
				Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
					if tc.unread != nil && key.Name == map[bool]string{true: "shop", false: "orders"}[isNamespace(tc.unread)] {
						return unreadable
					}
					return c.Get(ctx, key, obj, opts...)
				},
			}).Build()
			lease := tc.lease
			if lease == nil {
				lease = endless{}
			}
			g := NewGate(kube, lease, "")
			g.now = func() time.Time { return now }
			target := plan.Target{UID: planned.UID, Generation: planned.Generation, ResourceVersion: planned.ResourceVersion, Binding: tenancy.Binding{Project: "shop-project", Reach: "shop-project"}}

			ctx, cancel, err := g.pass(t.Context(), planned, rivals, target, tc.allowed)
			if got := answer(err); got != tc.want {
				t.Fatalf("the gate says %q (%v), want %q", got, err, tc.want)
			}
			if wasNotSent(err) != (err != nil) {
				t.Errorf("the refusal %v does not say that nothing was sent", err)
			}
			if err != nil {
				return
			}
			defer cancel()
			want := writeLasts
			if end, needed := lease.Deadline(); needed {
				want = end.Sub(now)
			}
			deadline, bounded := ctx.Deadline()
			if left := time.Until(deadline); !bounded || left > want || left < want-time.Second/2 {
				t.Errorf("the write may last for %v (%v), want %v", left, bounded, want)
			}
		})
	}
}

// TestALeaseIsOverByEitherClock: the one by which Go measures stands still while a machine is suspended, and the wall clock may be set back.
func TestALeaseIsOverByEitherClock(t *testing.T) {
	now := time.Now() // with both clocks
	wall := func(d time.Duration) time.Time { return now.Round(0).Add(d) }
	for name, tc := range map[string]struct {
		now, end time.Time
		leads    bool
	}{
		"it lasts":                           {now, now.Add(time.Second), true},
		"it is over":                         {now.Add(time.Second), now.Add(time.Second), false},
		"the machine slept, says the wall":   {wall(time.Hour), now.Add(time.Second), false},
		"not the leader":                     {now, time.Time{}, false},
		"longer than a write may last":       {now, now.Add(time.Hour), true},
		"by the wall alone, as after a read": {wall(0), wall(time.Second), true},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewGate(nil, until(tc.end), "")
			g.now = func() time.Time { return tc.now }
			if left, leads := g.leads(); leads != tc.leads || left > writeLasts {
				t.Errorf("leads for %v: %v, want %v", left, leads, tc.leads)
			}
		})
	}
}

// TestAStatusIsNotForcedWithoutTheLease: another process may have stored something since this one has passed the gate.
func TestAStatusIsNotForcedWithoutTheLease(t *testing.T) {
	for name, tc := range map[string]struct {
		lease Lease
		stale bool
	}{"the leader": {endless{}, false}, "not any more": {until(time.Time{}), true}} {
		t.Run(name, func(t *testing.T) {
			r, _ := testReconciler(t, shopTopic())
			r.gate.lease = tc.lease
			var obj v1alpha1.Topic
			if err := r.client.Get(t.Context(), client.ObjectKey{Namespace: "shop", Name: "orders"}, &obj); err != nil {
				t.Fatal(err)
			}
			p := &pass{Reconciler: r, draft: newDraft(r.client, r.uncached, &obj)}
			p.gatePassed, p.record.Project = true, "shop-project"
			edit(t, r, func(topic *v1alpha1.Topic) { topic.Spec.Labels = nil })
			if err := p.saveLast(t.Context()); isStale(err) != tc.stale {
				t.Errorf("got %v, want stale: %v", err, tc.stale)
			}
		})
	}
}

// rivalTopic is another manifest of the topic, in the same namespace unless edited.
func rivalTopic(annotations map[string]string, edits ...func(*v1alpha1.Topic)) *v1alpha1.Topic {
	topic := shopTopic()
	topic.Name, topic.UID, topic.Annotations, topic.Spec.ResourceID = "rival", "2", annotations, "orders"
	for _, edit := range edits {
		edit(topic)
	}
	return topic
}

func inNamespaceOf(name string) func(*v1alpha1.Topic) {
	return func(topic *v1alpha1.Topic) { topic.Namespace = name }
}

func namespaceOf(name, project string, annotations map[string]string) *corev1.Namespace {
	namespace := shopNamespace(annotations)
	namespace.Name = name
	namespace.Annotations[v1alpha1.ProjectIDAnnotation] = project
	return namespace
}

func isNamespace(obj client.Object) bool {
	_, is := obj.(*corev1.Namespace)
	return is
}

func answer(err error) string {
	var broken *glassBroken
	switch {
	case err == nil:
		return "passes"
	case errors.Is(err, errStale):
		return "stale"
	case errors.As(err, &broken):
		return "broken"
	default:
		return "fails"
	}
}
