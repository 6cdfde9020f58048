package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// deed is something that a person does to an object and that takes a write to Google Cloud.
type deed struct {
	policy v1alpha1.DeletionPolicy
	// before changes the manifest that is there before the deed; absent says that there is none.
	before func(obj v1alpha1.Object)
	absent bool
	// prepare is what else is there.
	prepare func(w *world, k kind, obj v1alpha1.Object)
	do      func(w *world, k kind, obj v1alpha1.Object)
	// batch says that several writes go out behind one look of the gate.
	batch bool
	// kinds are those that it is done to: each deed of the engine once, and what a kind has of its own.
	kinds []kind
}

var deeds = map[string]deed{
	"create": {kinds: table, absent: true, do: func(w *world, _ kind, obj v1alpha1.Object) { w.create(obj) }},
	"update": {kinds: []kind{topics, policies}, do: func(w *world, k kind, obj v1alpha1.Object) {
		edit(w, obj, func(o v1alpha1.Object) { k.set(o, new(false)) })
	}},
	"reset": {kinds: []kind{topics}, do: func(w *world, k kind, obj v1alpha1.Object) {
		edit(w, obj, func(o v1alpha1.Object) { k.set(o, nil) })
	}},
	"put back": {kinds: []kind{topics}, do: func(w *world, k kind, obj v1alpha1.Object) {
		k.console(w).set(obj.GetName(), false)
		w.annotates("", obj, annotations{v1alpha1.ReconcileRequestedAtAnnotation: time.Now().Format(time.RFC3339Nano)})
	}},
	"orphan": {kinds: []kind{topics}, policy: v1alpha1.DeletionOrphan, do: func(w *world, _ kind, obj v1alpha1.Object) { w.delete(obj) }},
	"delete": {kinds: []kind{topics, accounts, policies}, do: func(w *world, _ kind, obj v1alpha1.Object) { w.delete(obj) }},
	"update in two calls": {
		kinds: []kind{buckets},
		before: func(obj v1alpha1.Object) {
			obj.(*v1alpha1.Bucket).Spec.Website = &v1alpha1.Website{MainPageSuffix: "index.html", NotFoundPage: "404.html"}
		},
		do: func(w *world, _ kind, obj v1alpha1.Object) {
			edit(w, obj, func(o v1alpha1.Object) {
				o.(*v1alpha1.Bucket).Spec.Website = &v1alpha1.Website{MainPageSuffix: "home.html"}
			})
		},
	},
	"delete with contents": {
		kinds: []kind{buckets}, policy: v1alpha1.DeletionDeleteWithContents, batch: true,
		prepare: func(w *world, _ kind, obj v1alpha1.Object) {
			for i := range 3 {
				w.must(w.cloud.Storage.PutObject(obj.GetName(), fmt.Sprintf("day-%d", i), []byte("hello")))
			}
		},
		do: func(w *world, _ kind, obj v1alpha1.Object) { w.delete(obj) },
	},
}

// TestTheGlassIsBrokenAtEveryStep breaks it while each request of a reconcile is held, to Kubernetes and to Google Cloud
// alike. What was on its way is named, and nothing sets out any more.
func TestTheGlassIsBrokenAtEveryStep(t *testing.T) {
	t.Parallel()
	for name, d := range deeds {
		for _, k := range d.kinds {
			t.Run(name+"/"+k.title, func(t *testing.T) {
				t.Parallel()
				for _, scope := range shareOf(t, []v1alpha1.BreakGlassScope{v1alpha1.BreakGlassOnObject, v1alpha1.BreakGlassOnNamespace}) {
					t.Run(string(scope), func(t *testing.T) {
						t.Parallel()
						w := newWorld(t)
						s := &steps{ledger: newLedger(w), kind: k, deed: d, scope: scope}
						w.start()
						s.breakAtEach("request", s.atRequest)
						s.breakAtEach("call", s.atCall)
					})
				}
			})
		}
	}
}

// steps goes through the steps of one deed.
type steps struct {
	*ledger
	kind  kind
	deed  deed
	scope v1alpha1.BreakGlassScope
	obj   v1alpha1.Object
}

// held is a request that will be held, or is.
type held interface {
	// isReached says whether it is held, and whether it is a write to Google Cloud.
	isReached() (reached, write bool)
	goOn()
}

// breakAtEach breaks the glass at the first request, or call, then does it all again and breaks it at the second, and so on.
func (s *steps) breakAtEach(what string, hold func(n int) held) {
	s.t.Helper()
	n := 1
	for s.breakAt(fmt.Sprintf("%s-%d", what, n), func() held { return hold(n) }) {
		n++
		s.restart() // or what the last object had looked up were known
	}
	if n < 3 {
		s.t.Errorf("only %d steps were found to hold a %s at", n-1, what)
	}
}

// breakAt does the deed to an object of its own and breaks the glass where it is held. It returns false when the deed is done
// before it comes to that.
func (s *steps) breakAt(id string, hold func() held) bool {
	s.t.Helper()
	policy := s.deed.policy
	if policy == "" {
		policy = v1alpha1.DeletionDelete
	}
	s.obj = s.kind.manifest(id, v1alpha1.CommonSpec{DeletionPolicy: policy})
	s.obj.SetNamespace(s.namespace)
	if s.deed.before != nil {
		s.deed.before(s.obj)
	}
	if !s.deed.absent {
		createdAndReady(s.world, s.kind, s.obj)
	}
	if s.deed.prepare != nil {
		s.deed.prepare(s.world, s.kind, s.obj)
	}
	mark := s.cloud.Traffic.Mark()
	h := hold()
	s.deed.do(s.world, s.kind, s.obj)
	reached, onWrite := s.comesTo(h, mark)
	var glass client.Object = s.obj
	if s.scope == v1alpha1.BreakGlassOnNamespace {
		glass = s.space()
	}
	if reached {
		err := s.breaks(glass, time.Time{})
		if client.IgnoreNotFound(err) != nil {
			s.t.Fatalf("breaking the glass at %s: %v", id, err)
		}
		reached = err == nil
	}
	stored := time.Now()
	h.goOn()
	if reached {
		s.expectHeld(id, mark, stored, onWrite)
		s.must(s.closes(glass))
	}
	s.finish(mark)
	return reached
}

// comesTo waits until the request is held, or the deed is done.
func (s *steps) comesTo(h held, mark int64) (reached, write bool) {
	s.t.Helper()
	s.eventually(s.obj.GetName()+" to be held or done", func() (bool, string) {
		reached, write = h.isReached()
		return reached || s.isDone(mark), describe(s.obj)
	})
	return reached, write
}

// isDone says whether the deed is done.
func (s *steps) isDone(mark int64) bool {
	if err := s.read(s.obj); err != nil {
		return client.IgnoreNotFound(err) == nil
	}
	c := condition(s.obj, v1alpha1.ConditionReady)
	return s.obj.GetDeletionTimestamp().IsZero() && s.obj.GetCommonStatus().BreakGlass == nil && c != nil && c.Reason == v1alpha1.ReasonUpToDate &&
		c.ObservedGeneration == s.obj.GetGeneration() && len(s.writesAbout(mark, s.obj)) > 0 &&
		s.obj.GetCommonStatus().LastHandledReconcileAt == s.obj.GetAnnotations()[v1alpha1.ReconcileRequestedAtAnnotation]
}

// expectHeld holds what happened after the glass was broken against the promises.
func (s *steps) expectHeld(id string, mark int64, stored time.Time, onWrite bool) {
	s.t.Helper()
	gone := false
	s.eventually("BreakGlass=True at "+id, func() (bool, string) {
		gone = client.IgnoreNotFound(s.read(s.obj)) == nil && s.obj.GetUID() == ""
		return gone || meta.IsStatusConditionTrue(s.obj.GetCommonStatus().Conditions, v1alpha1.ConditionBreakGlass), describe(s.obj)
	})
	s.check(mark, s.obj)
	if gone { // its last write was under way, and the API server let it go before it had heard of the Namespace's glass
		return
	}
	under := 0
	for _, e := range s.writesAbout(mark, s.obj) {
		if e.Time.After(stored) {
			under++
		}
	}
	if onWrite {
		under++
	}
	record := s.obj.GetCommonStatus().BreakGlass
	switch {
	case record == nil || record.Scope != s.scope || record.By != "ada" || !record.Verified || record.Reason != incident:
		s.t.Errorf("%s: the record is %+v", id, record)
	case under > 1 && !s.deed.batch:
		s.t.Errorf("%s: %d writes ended after the glass was broken: %v", id, under, s.writes(mark))
	case under > 0 && !strings.Contains(record.LastWrite, "passed the gate"):
		s.t.Errorf("%s: a write was under way when the glass was broken, and the record says %q", id, record.LastWrite)
	}
}

// finish waits until the deed is done, and clears the object away.
func (s *steps) finish(mark int64) {
	s.t.Helper()
	s.eventually(s.obj.GetName()+" to be done after the glass was closed", func() (bool, string) {
		s.approveDeletion(s.obj) // in the second in which the glass was broken
		return s.isDone(mark), describe(s.obj)
	})
	s.check(mark, s.obj)
	if s.read(s.obj) == nil {
		s.delete(s.obj)
		s.gone(s.obj)
	} else if s.deed.policy == v1alpha1.DeletionOrphan {
		s.kind.console(s.world).delete(s.obj.GetName())
	}
}

// atRequest holds the n-th request to the API server about the object or its Namespace. What comes after one answer and before
// the next request, or call, is the same as being held there.
func (s *steps) atRequest(n int) held {
	resource := resourceOf(s.obj)
	return heldRequest{s.turnstile.stop(func(r request) bool {
		if r.isAbout(resource) || namespaced.MatchString(r.path) {
			n--
		}
		return n == 0
	})}
}

// heldRequest is a request to the API server.
type heldRequest struct{ *hold }

func (h heldRequest) isReached() (reached, write bool) { return len(h.reached) > 0, false }

// atCall holds the n-th call to the service; there is no other object that calls are about.
func (s *steps) atCall(n int) held {
	pattern := traffic.Call{Service: string(s.kind.Methods[0].Service)}
	h := &heldCall{at: make(chan traffic.Call, 1), release: make(chan struct{})}
	next := s.cloud.Traffic.Pause(pattern)
	go func() {
		for i := 1; ; i++ {
			here := next
			var c traffic.Call
			select {
			case c = <-here.Reached():
			case <-h.release:
				here.Release()
				return
			}
			if i == n {
				h.at <- c
				<-h.release
				here.Release()
				return
			}
			next = s.cloud.Traffic.Pause(pattern)
			here.Release()
		}
	}()
	return h
}

// heldCall is a call to Google Cloud.
type heldCall struct {
	at      chan traffic.Call
	release chan struct{}
	write   bool
	is      bool
}

func (h *heldCall) isReached() (reached, write bool) {
	select {
	case c := <-h.at:
		h.is, h.write = true, c.IsWrite()
	default:
	}
	return h.is, h.write
}

func (h *heldCall) goOn() { close(h.release) }
