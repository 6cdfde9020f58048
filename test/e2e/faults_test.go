package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	typed "github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

func TestRetryAfterIsHonouredByTheWholeProject(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		const pause = 2 * time.Second
		w := startWorld(t)
		w.cloud.Traffic.Inject(traffic.Fault{Match: call(k.looking()), Times: 1, Status: http.StatusTooManyRequests, RetryAfter: pause})
		mark := w.cloud.Traffic.Mark()
		first, second := k.manifest("first", v1alpha1.CommonSpec{}), k.manifest("second", v1alpha1.CommonSpec{})
		w.create(first)
		w.reason(first, v1alpha1.ReasonThrottled)
		w.create(second)
		w.ready(first)
		w.ready(second)
		calls := w.cloud.Traffic.Since(mark)
		if waited := calls[1].Time.Sub(calls[0].Time); waited < pause {
			t.Errorf("the next call to the project came after %s, not %s", waited, pause)
		}
	})
}

func TestThrottlingOneProjectLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.namespace + "-b"
	w.makeNamespace(other, map[string]string{v1alpha1.ProjectIDAnnotation: w.project + "-b", v1alpha1.AllowAnnotation: v1alpha1.AllowDataLoss})
	w.start(other)
	w.cloud.Traffic.Inject(traffic.Fault{Match: traffic.Call{Project: w.project}, Times: 1, Status: http.StatusTooManyRequests, RetryAfter: time.Minute})
	throttled := aTopic("orders", v1alpha1.TopicSpec{})
	w.create(throttled)
	w.reason(throttled, v1alpha1.ReasonThrottled)
	free := aTopic("orders", v1alpha1.TopicSpec{})
	free.Namespace = other
	w.create(free)
	w.ready(free)
}

func TestDeniedNamesThePermissionAndTheResource(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		for id, method := range map[string]string{"orders-seen": k.getting, "orders-made": k.creating} {
			w := startWorld(t) // of its own: manifests that share a resource look again when another one comes
			w.cannotList(k)
			w.cloud.Traffic.Inject(traffic.Fault{Match: call(method), Status: http.StatusForbidden})
			mark := w.cloud.Traffic.Mark()
			obj := k.manifest(id, v1alpha1.CommonSpec{})
			w.create(obj)
			w.reason(obj, v1alpha1.ReasonDenied)
			w.expectAdvice(obj, k.permission(method))
			w.expectCallsToStop(mark, method, 1)

			t.Log("granted, and asked to look again")
			w.cloud.Traffic.RemoveAll()
			w.settled(obj)
			w.ready(obj)
		}
	})
}

func TestWhatGoogleRefusesIsTriedOnce(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		w.cloud.Traffic.Inject(traffic.Fault{
			Match: call(k.creating), Status: http.StatusBadRequest, Message: "Nobody may have orders.",
		})
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.reason(obj, v1alpha1.ReasonInvalid)
		w.expectAdvice(obj, "Nobody may have orders.")
		w.expectCallsToStop(0, k.creating, 1)
		w.events(obj, v1alpha1.ReasonInvalid)
	})
}

func TestWhatGoogleRefusesStaysSaidOverSweeps(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := newWorld(t)
		w.sweep = 50 * time.Millisecond
		w.start()
		creating := call(k.creating)
		w.cloud.Traffic.Inject(traffic.Fault{Match: creating, Status: http.StatusBadRequest})
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.reason(obj, v1alpha1.ReasonInvalid)
		before, tries := obj.DeepCopyObject().(v1alpha1.Object), w.cloud.Traffic.Count(creating)
		w.eventually("three more sweeps", func() (bool, string) { return w.cloud.Traffic.Count(creating) > tries+3, "" })
		w.get(obj)
		if d := cmp.Diff(before.GetCommonStatus().Conditions, obj.GetCommonStatus().Conditions); d != "" {
			t.Errorf("sweeps that find the same change the conditions (-before +after):\n%s", d)
		}
		w.events(obj, v1alpha1.ReasonInvalid)
	})
}

func TestUnavailableIsTriedAgain(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		for _, method := range []string{k.getting, k.creating} {
			t.Run(method, func(t *testing.T) {
				w := startWorld(t)
				w.cloud.Traffic.Inject(traffic.Fault{Match: call(method), Times: 3, Status: http.StatusServiceUnavailable})
				obj := k.manifest("orders", v1alpha1.CommonSpec{})
				w.create(obj)
				w.untilVisible(k, obj)
				w.ready(obj)
				if n := w.carriedOut(0, k.creating, ""); n != 1 {
					t.Errorf("%d creates", n)
				}
			})
		}
	})
}

func TestALostReplyDuplicatesNothing(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		lose := func(method string) {
			w.cloud.Traffic.Inject(traffic.Fault{Match: call(method), Times: 1, LoseReply: true})
		}
		obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})

		lose(k.creating)
		w.create(obj)
		w.ready(obj)
		lose(k.updating)
		edit(w, obj, func(o v1alpha1.Object) { k.set(o, new(false)) })
		w.ready(obj)
		if k.console(w).look("orders").on {
			t.Error("the setting is still on")
		}
		w.expectMarked(k, obj)
		if status := obj.GetCommonStatus(); len(status.Pending) > 0 {
			t.Errorf("pending is left: %v", status.Pending)
		}
		forgetCreation(w, obj)
		lose(k.deleting)
		w.delete(obj)
		w.gone(obj)
		if k.console(w).look("orders").there {
			t.Error("it is still there")
		}
		if d := cmp.Diff([]string{k.creating, k.updating, k.deleting}, w.writes(0)); d != "" {
			t.Errorf("writes (-want +got):\n%s", d)
		}
		for _, e := range w.eventsOf(obj) {
			if strings.Contains(e.Note, "nothing in Google Cloud was touched") {
				t.Errorf("an event says what is not so: %s", e.Note)
			}
		}
	})
}

// TestWhatALostReplyLeftIsResetThoughTheNextWriteFails loses the record of a field that was written, and then the write
// that would reset it.
func TestWhatALostReplyLeftIsResetThoughTheNextWriteFails(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := newWorld(t)
		w.wire = newWire(t, w.cloud)
		w.start()
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		created := w.cloud.Traffic.Pause(call(k.creating))
		w.create(obj)
		w.reached(created)
		w.wire.cut(1, beforeSending)
		created.Release()
		w.eventually("the wire to be cut", func() (bool, string) { return w.wire.isCut(), "" })
		w.stop()
		if !k.console(w).look("orders").on {
			t.Fatal("the create was not carried out")
		}

		t.Log("meanwhile the setting leaves the manifest and the team changes")
		edit(w, obj, func(o v1alpha1.Object) {
			k.set(o, nil)
			k.team(o, "bank")
		})
		w.wire.mend()
		w.cloud.Traffic.Inject(traffic.Fault{Match: call(k.updating), Times: 2, Status: http.StatusServiceUnavailable})
		w.start()
		w.ready(obj)
		if live := k.console(w).look("orders"); live.on || live.team != "bank" {
			t.Errorf("live: %+v", live)
		}
	})
}

func TestAnOutageAtTheStart(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := newWorld(t)
		w.cloud.Traffic.Inject(traffic.Fault{Outage: true})
		w.start()
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.reason(obj, v1alpha1.ReasonUnavailable)
		w.cloud.Traffic.RemoveAll()
		w.ready(obj)
	})
}

func TestAManifestThatIsDeletedDuringAnOutage(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		for _, policy := range []v1alpha1.DeletionPolicy{v1alpha1.DeletionOrphan, v1alpha1.DeletionDelete} {
			t.Run(string(policy), func(t *testing.T) {
				w := startWorld(t)
				obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: policy})
				w.create(obj)
				w.ready(obj)
				w.cloud.Traffic.Inject(traffic.Fault{Outage: true})
				w.delete(obj)
				if policy == v1alpha1.DeletionDelete || len(k.orphaning()) > 0 {
					w.reason(obj, v1alpha1.ReasonUnavailable)
				} else { // there is nothing to ask Google for
					w.gone(obj)
				}
				w.cloud.Traffic.RemoveAll()
				w.gone(obj)
				if live := k.console(w).look("orders"); live.there != (policy == v1alpha1.DeletionOrphan) || len(live.owner) > 0 {
					t.Errorf("live: %+v", live)
				}
			})
		}
	})
}

func TestAnEditInTheConsoleBetweenLookAndWriteIsNotOverwritten(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	k := buckets
	obj := k.manifest("orders", v1alpha1.CommonSpec{})
	w.create(obj)
	w.ready(obj)
	mark := w.cloud.Traffic.Mark()
	patching := w.cloud.Traffic.Pause(call(k.updating))
	edit(w, obj, func(o v1alpha1.Object) { k.set(o, new(false)) })
	w.reached(patching)
	k.console(w).stray("orders")
	patching.Release()
	w.ready(obj)
	if live := k.console(w).look("orders"); live.on || !live.stray {
		t.Errorf("live: %+v", live)
	}
	if n := w.carriedOut(mark, k.updating, "orders"); n != 1 {
		t.Errorf("%d updates went through, want the one that was planned on what is there", n)
	}
}

func TestABucketThatChangesHandsBetweenLookAndDeleteIsNotDeleted(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	k := buckets
	obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
	w.create(obj)
	w.ready(obj)
	edit(w, obj, func(o v1alpha1.Object) { k.set(o, new(false)) })
	w.ready(obj) // so that the new bucket's metageneration is another
	deleting := w.cloud.Traffic.Pause(call(k.deleting))
	w.delete(obj)
	w.reached(deleting)
	k.console(w).delete("orders")
	k.console(w).create("orders", true)
	deleting.Release()
	w.reason(obj, v1alpha1.ReasonConflict)
	if !k.console(w).look("orders").there {
		t.Error("somebody else's bucket was deleted")
	}
}

func TestSomebodyElseCreatesItFirst(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		creating := w.cloud.Traffic.Pause(call(k.creating))
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.reached(creating)
		k.console(w).create("orders", false)
		creating.Release()
		if !k.is(adopted) {
			w.ready(obj)
			if live := k.console(w).look("orders"); !live.on || live.team != "shop" {
				t.Errorf("live: %+v", live)
			}
			return
		}
		w.reason(obj, v1alpha1.ReasonAwaitingAdoption)
		if n := w.carriedOut(0, k.creating, ""); n != 0 {
			t.Errorf("%d creates went through", n)
		}
	})
}

func TestSomebodyElseDeletesItFirst(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
		w.create(obj)
		w.ready(obj)
		forgetCreation(w, obj) // or it would be waited for
		deleting := w.cloud.Traffic.Pause(call(k.deleting))
		w.delete(obj)
		w.reached(deleting)
		k.console(w).delete("orders")
		deleting.Release()
		w.gone(obj)
	})
}

func TestAnAnswerThatComesTooLate(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := newWorld(t)
		w.timeout = 300 * time.Millisecond
		w.start()
		w.cloud.Traffic.Inject(traffic.Fault{Match: call(k.creating), Times: 1, Latency: 10 * time.Second})
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.told(obj, v1alpha1.ReasonUnavailable)
		w.untilVisible(k, obj)
		w.ready(obj)
		if n := w.carriedOut(0, k.creating, ""); n != 1 {
			t.Errorf("%d creates", n)
		}
	})
}

// expectCallsToStop fails the test if more than n calls of a method came since a mark. Looking at three topics one
// after the other takes longer than the first retries would.
func (w *world) expectCallsToStop(mark int64, method string, n int) {
	w.t.Helper()
	for i := range 3 {
		barrier := aTopic(fmt.Sprintf("barrier-%d-%d", mark, i), v1alpha1.TopicSpec{CommonSpec: v1alpha1.CommonSpec{Management: v1alpha1.ManagementObserve}})
		w.create(barrier)
		w.eventually("a barrier to be looked at", func() (bool, string) {
			w.get(barrier)
			return barrier.Status.ObservedGeneration == barrier.Generation, describe(barrier)
		})
	}
	if got := len(w.calls(mark, method, "")) - len(w.calls(mark, method, "barrier")); got != n {
		w.t.Errorf("%d calls of %s, want %d", got, method, n)
	}
}

// permission is what a call needs, by the kind's own account.
func (k kind) permission(method string) string {
	i := slices.IndexFunc(k.Methods, func(m typed.Method) bool { return m.Name == method })
	return k.Methods[i].Permissions[0]
}

// TestWhatTheManifestNamesMayBeMissing: a schema that does not exist is said to be missing, and the topic follows once it exists.
func TestWhatTheManifestNamesMayBeMissing(t *testing.T) {
	t.Parallel()
	cases := map[string]func(*world, *v1alpha1.Topic, *v1alpha1.TopicSchemaSettings){
		"a create": func(w *world, topic *v1alpha1.Topic, schema *v1alpha1.TopicSchemaSettings) {
			topic.Spec.SchemaSettings = schema
			w.create(topic)
		},
		"an update": func(w *world, topic *v1alpha1.Topic, schema *v1alpha1.TopicSchemaSettings) {
			w.create(topic)
			w.ready(topic)
			edit(w, topic, func(o *v1alpha1.Topic) { o.Spec.SchemaSettings = schema })
		},
	}
	for name, write := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := startWorld(t)
			topic := aTopic("orders", v1alpha1.TopicSpec{})
			write(w, topic, &v1alpha1.TopicSchemaSettings{
				Schema: "projects/" + w.project + "/schemas/events", Encoding: v1alpha1.TopicSchemaEncodingJSON,
			})
			w.reason(topic, v1alpha1.ReasonInvalid)
			w.expectAdvice(topic, "Google does not find something that the manifest names: ")
			w.request(http.MethodPost, "/v1/projects/"+w.project+"/schemas?schemaId=events",
				`{"type": "AVRO", "definition": "{\"type\":\"record\",\"name\":\"e\",\"fields\":[]}"}`)
			w.ready(topic)
		})
	}
}
