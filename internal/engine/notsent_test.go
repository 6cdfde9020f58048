package engine

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/status"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// gateRefusals are the ways for the gate to refuse the write that comes next, and to let what follows pass again.
var gateRefusals = map[string]func(t *testing.T, r *Reconciler) (allow func()){
	"the object is another now": func(t *testing.T, r *Reconciler) func() {
		return beforeTheGateReads(r, func() error {
			edit(t, r, func(topic *v1alpha1.Topic) { topic.Labels = map[string]string{"changed": "yes"} })
			return nil
		})
	},
	"the manifest was edited": func(t *testing.T, r *Reconciler) func() {
		return beforeTheGateReads(r, func() error {
			edit(t, r, func(topic *v1alpha1.Topic) { topic.Spec.DeletionPolicy = v1alpha1.DeletionDelete })
			return nil
		})
	},
	"the glass is broken": func(t *testing.T, r *Reconciler) func() {
		allow := beforeTheGateReads(r, func() error {
			edit(t, r, breakGlass)
			return nil
		})
		return func() {
			allow()
			edit(t, r, closeGlass)
		}
	},
	"the glass is broken, and nobody knows who vouches for that": func(t *testing.T, r *Reconciler) func() {
		whole := r.uncached
		r.uncached = interceptor.NewClient(r.client.(client.WithWatch), interceptor.Funcs{
			Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
				if key.Name == guardPolicy {
					return errors.New("the API server is away")
				}
				return c.Get(ctx, key, obj, opts...)
			},
		})
		allow := beforeTheGateReads(r, func() error {
			edit(t, r, breakGlass)
			return nil
		})
		return func() {
			allow()
			edit(t, r, closeGlass)
			r.uncached = whole
		}
	},
	"the lease is lost": func(_ *testing.T, r *Reconciler) func() {
		r.gate = NewGate(r.client, until(time.Time{}), "")
		return func() { r.gate = NewGate(r.client, endless{}, "") }
	},
	"the API server cannot be read": func(_ *testing.T, r *Reconciler) func() {
		return beforeTheGateReads(r, func() error { return errors.New("the API server is away") })
	},
}

// beforeTheGateReads does something just before the gate reads the object, the first time; an error is what the read ends with.
func beforeTheGateReads(r *Reconciler, do func() error) (allow func()) {
	done := false
	reader := interceptor.NewClient(r.client.(client.WithWatch), interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
			if _, is := obj.(*corev1.Namespace); !is && !done {
				done = true
				if err := do(); err != nil {
					return err
				}
			}
			return c.Get(ctx, key, obj, opts...)
		},
	})
	r.gate = NewGate(reader, endless{}, "")
	return func() { r.gate = NewGate(r.client, endless{}, "") }
}

// somebodyElseCreates puts a topic in the place of the one that was to be created.
func somebodyElseCreates(topics *unmarkedKind) {
	topics.live["orders"], topics.uid = v1alpha1.TopicSpec{MessageRetentionSeconds: new(int64(7200))}, "theirs"
}

// TestACreateThatWasNotSentIsNotRemembered: neither that it was about to be sent, nor when.
func TestACreateThatWasNotSentIsNotRemembered(t *testing.T) {
	for name, refuse := range gateRefusals {
		t.Run(name, func(t *testing.T) {
			r, topics, _ := unmarked(t)
			allow := refuse(t, r)
			topic, _ := reconcileOnce(t, r)
			if topics.creates > 0 {
				t.Fatal("it was sent")
			}
			if topic.Status.LastCreateAttemptTime != nil || len(topic.Status.Pending) > 0 || topic.Status.Identity != "" {
				t.Errorf("remembered is a create at %v, pending %v, identity %q", topic.Status.LastCreateAttemptTime, topic.Status.Pending, topic.Status.Identity)
			}
			allow()
			somebodyElseCreates(topics)
			step(t, r, v1alpha1.ReasonAwaitingAdoption)
		})
	}
}

// TestACreateThatWasNotSentAndCannotBeForgotten: the status cannot be stored after the gate has refused. What is there then is the
// manifest's own only if it is what would have been created.
func TestACreateThatWasNotSentAndCannotBeForgotten(t *testing.T) {
	for name, refuse := range gateRefusals {
		t.Run(name, func(t *testing.T) {
			r, topics, _ := unmarked(t)
			patches, whole := 0, r.client
			r.client = interceptor.NewClient(whole.(client.WithWatch), interceptor.Funcs{
				SubResourcePatch: func(ctx context.Context, c client.Client, sub string, obj client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
					patches++
					if patches > 1 {
						return errors.New("the API server is away")
					}
					return c.SubResource(sub).Patch(ctx, obj, patch, opts...)
				},
			})
			allow := refuse(t, r)
			topic, _ := reconcileOnce(t, r)
			if topics.creates > 0 || patches < 2 {
				t.Fatalf("%d creates, %d patches", topics.creates, patches)
			}
			if topic.Status.LastCreateAttemptTime == nil {
				t.Fatal("the create is forgotten, though nothing could be stored")
			}
			r.client = whole
			allow()
			somebodyElseCreates(topics)
			topic = step(t, r, v1alpha1.ReasonAwaitingAdoption)
			if topic.Status.Identity != "" || *topics.live["orders"].MessageRetentionSeconds != 7200 {
				t.Errorf("taken for our own: %+v", topic.Status.CommonStatus)
			}
		})
	}
}

// slow is a kind whose calls are answered when nobody waits for them any more.
type slow struct {
	*unmarkedKind

	observing, creating bool
}

func (k *slow) Observe(ctx context.Context, ref kind.Ref) (v1alpha1.TopicSpec, error) {
	if k.observing {
		<-ctx.Done()
		return v1alpha1.TopicSpec{}, status.FromContextError(ctx.Err()).Err()
	}
	return k.unmarkedKind.Observe(ctx, ref)
}

func (k *slow) Create(ctx context.Context, ref kind.Ref, want *v1alpha1.Topic) (v1alpha1.TopicSpec, error) {
	if k.creating {
		<-ctx.Done()
		return v1alpha1.TopicSpec{}, status.FromContextError(ctx.Err()).Err()
	}
	return k.unmarkedKind.Create(ctx, ref, want)
}

// TestAPassEnds at its time limit, and what it knows by then is stored.
func TestAPassEnds(t *testing.T) {
	cases := map[string]struct {
		kind    slow
		pending int
		takes   time.Duration
	}{
		"while it looks":  {slow{observing: true}, 0, passTimeout},
		"while it writes": {slow{creating: true}, 1, writeLasts},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, topics, _ := unmarked(t)
				r.now = time.Now
				tc.kind.unmarkedKind = topics
				r.use(kind.Of(&tc.kind))
				began := time.Now()
				topic, err := reconcileOnce(t, r)
				if took := time.Since(began); took != tc.takes {
					t.Errorf("the pass took %s, want %s", took, tc.takes)
				}
				if err == nil {
					t.Error("the pass is not tried again")
				}
				if is := readyCondition(topic); is.Reason != v1alpha1.ReasonUnavailable || len(topic.Status.Pending) != tc.pending {
					t.Errorf("reason %s (%s), pending %v", is.Reason, is.Message, topic.Status.Pending)
				}
				if (topic.Status.LastCreateAttemptTime != nil) != (tc.pending > 0) {
					t.Errorf("created at %v", topic.Status.LastCreateAttemptTime)
				}
			})
		})
	}
}
