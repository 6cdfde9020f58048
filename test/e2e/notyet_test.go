package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	typed "github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/test/emulator/iam"
	"github.com/holdfast-dev/holdfast/test/emulator/policy"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// forEachCreated runs a test once per kind whose resources are created, in parallel.
func forEachCreated(t *testing.T, test func(t *testing.T, k kind)) {
	t.Helper()
	forEachKind(t, func(t *testing.T, k kind) {
		if !k.is(comesAndGoes) {
			t.Skip(k.lacks[comesAndGoes])
		}
		test(t, k)
	})
}

// deny lets Google answer calls as it does about what is new: so many times, or always if that is 0.
func (w *world) deny(method string, times int) {
	w.cloud.Traffic.Inject(traffic.Fault{Match: call(method), Times: times, Status: http.StatusForbidden})
}

// progresses waits until an object is waited for, and checks that nobody is told to do anything.
func (w *world) progresses(obj v1alpha1.Object) {
	w.t.Helper()
	said := ""
	w.eventually(obj.GetName()+" to be waited for", func() (bool, string) {
		w.get(obj)
		c := condition(obj, v1alpha1.ConditionReady)
		if c != nil && c.Reason == v1alpha1.ReasonProgressing && c.ObservedGeneration == obj.GetGeneration() {
			said = c.Message
		}
		return said != "" && !strings.HasPrefix(said, "creating"), describe(obj)
	})
	for _, part := range []string{"created a moment ago", "retrying until ", "Google says: "} {
		if !strings.Contains(said, part) {
			w.t.Errorf("it does not say %q: %s", part, said)
		}
	}
	if strings.Contains(said, "is missing") {
		w.t.Errorf("it says: %s", said)
	}
	if condition(obj, v1alpha1.ConditionStalled) != nil || condition(obj, v1alpha1.ConditionReconciling) == nil {
		w.t.Errorf("not reconciling, or stalled:\n%s", describe(obj))
	}
}

// TestWhatIsDeniedRightAfterTheCreateIsWaitedFor, whatever happens meanwhile.
func TestWhatIsDeniedRightAfterTheCreateIsWaitedFor(t *testing.T) {
	meanwhile := map[string]struct {
		do  func(w *world, k kind, obj v1alpha1.Object)
		end func(w *world, k kind, obj v1alpha1.Object)
	}{
		"nothing":   {func(*world, kind, v1alpha1.Object) {}, func(w *world, _ kind, obj v1alpha1.Object) { w.ready(obj) }},
		"a restart": {func(w *world, _ kind, _ v1alpha1.Object) { w.restart() }, func(w *world, _ kind, obj v1alpha1.Object) { w.ready(obj) }},
		"an edit": {func(w *world, k kind, obj v1alpha1.Object) {
			edit(w, obj, func(o v1alpha1.Object) { k.team(o, "bank") })
		}, func(w *world, _ kind, obj v1alpha1.Object) { w.ready(obj) }},
		"a deletion": {func(w *world, _ kind, obj v1alpha1.Object) { w.delete(obj) }, expectDeleted},
		"the time is over": {
			func(w *world, _ kind, obj v1alpha1.Object) {
				forgetCreation(w, obj)
				w.settled(obj)
				w.reason(obj, v1alpha1.ReasonDenied)
			},
			func(w *world, _ kind, obj v1alpha1.Object) { w.settled(obj); w.ready(obj) },
		},
	}
	forEachCreated(t, func(t *testing.T, k kind) {
		for name, tc := range meanwhile {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := startWorld(t)
				obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
				w.create(obj)
				w.ready(obj)
				w.deny(k.getting, 0)
				w.settled(obj)
				w.progresses(obj)
				tc.do(w, k, obj)
				if name != "the time is over" {
					w.progresses(obj)
				}
				w.cloud.Traffic.RemoveAll()
				tc.end(w, k, obj)
			})
		}
	})
}

// expectDeleted waits until an object is gone and checks that its resource is.
func expectDeleted(w *world, k kind, obj v1alpha1.Object) {
	w.t.Helper()
	w.gone(obj)
	if k.console(w).look(obj.GetName()).there {
		w.t.Error("the resource was left behind")
	}
}

// TestALostCreateThatIsThenDenied is found by a later look, and made once.
func TestALostCreateThatIsThenDenied(t *testing.T) {
	forEachCreated(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		w.cloud.Traffic.Inject(traffic.Fault{Match: call(k.creating), Times: 1, LoseReply: true, Latency: 200 * time.Millisecond})
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.eventually("the create", func() (bool, string) { return w.cloud.Traffic.Count(call(k.creating)) > 0, "" })
		w.deny(k.getting, 3)
		w.ready(obj)
		w.noWarnings(obj)
		if got := w.cloud.Traffic.Count(call(k.creating)); got != 1 {
			t.Errorf("%d creates", got)
		}
	})
}

// TestALostDeletionThatIsThenDenied: what is denied does not count as deleted, and is looked at again before long.
func TestALostDeletionThatIsThenDenied(t *testing.T) {
	forEachCreated(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
		createdAndReady(w, k, obj)
		w.cloud.Traffic.Inject(traffic.Fault{Match: call(k.deleting), Times: 1, LoseReply: true, Latency: 200 * time.Millisecond})
		w.delete(obj)
		w.eventually("the deletion", func() (bool, string) { return w.cloud.Traffic.Count(call(k.deleting)) > 0, "" })
		w.deny(k.getting, 4)
		w.reason(obj, v1alpha1.ReasonDenied)
		expectDeleted(w, k, obj)
	})
}

// TestEveryCallAboutANewResourceMayBeDenied for a while: reads and writes of the policy, and updates that follow the create.
func TestEveryCallAboutANewResourceMayBeDenied(t *testing.T) {
	forEachCreated(t, func(t *testing.T, k kind) {
		for _, step := range []typed.Step{typed.StepGetPolicy, typed.StepSetPolicy, typed.StepUpdate} {
			t.Run(string(step), func(t *testing.T) {
				t.Parallel()
				w := startWorld(t)
				for _, m := range k.Methods {
					if m.Step == step && m.Name != "buckets.update" {
						w.deny(m.Name, 0)
					}
				}
				obj := k.manifest("orders", v1alpha1.CommonSpec{})
				if step != typed.StepUpdate {
					setIAM(obj, granting(roleFor(k), "user:ada@example.com"))
				}
				w.create(obj)
				if step == typed.StepUpdate {
					w.ready(obj)
					edit(w, obj, func(o v1alpha1.Object) { k.team(o, "bank") })
				}
				w.progresses(obj)
				w.cloud.Traffic.RemoveAll()
				w.ready(obj)
				w.noWarnings(obj)
			})
		}
	})
}

// setIAM sets what a manifest says of its resource's policy.
func setIAM(obj v1alpha1.Object, bindings ...v1alpha1.IAMBinding) {
	iam := additive(bindings...)
	switch obj := obj.(type) {
	case *v1alpha1.Topic:
		obj.Spec.IAM = &iam
	case *v1alpha1.Bucket:
		obj.Spec.IAM = &iam
	case *v1alpha1.ServiceAccount:
		obj.Spec.IAM = &iam
	case *v1alpha1.ProjectPolicy:
		obj.Spec.IAMPolicy = iam
	}
}

// roleFor is a role that can be granted on the kind's resources.
func roleFor(k kind) string {
	return map[string]string{
		"Topic": "roles/pubsub.publisher", "Bucket": "roles/storage.objectViewer", "ServiceAccount": "roles/iam.serviceAccountUser", "ProjectPolicy": "roles/viewer",
	}[k.Kind.Kind]
}

// TestAStaleLookIsNotAbsence: an account that has been there for long is not found a few times.
func TestAStaleLookIsNotAbsence(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		missed int
		do     func(w *world, a *v1alpha1.ServiceAccount)
		quiet  bool
	}{
		"while nothing is to be done": {2, func(w *world, a *v1alpha1.ServiceAccount) { w.settled(a) }, true},
		"while Google is slow": {3, func(w *world, a *v1alpha1.ServiceAccount) {
			w.cloud.Traffic.Inject(traffic.Fault{Match: call("IAM.GetServiceAccount"), Latency: 4 * time.Second, Times: 3})
			w.settled(a)
		}, true},
		"while it is edited": {2, func(w *world, a *v1alpha1.ServiceAccount) {
			edit(w, a, func(a *v1alpha1.ServiceAccount) { a.Spec.DisplayName = new("Reads orders") })
		}, false},
		"for longer than that lasts": {9, func(w *world, a *v1alpha1.ServiceAccount) {
			edit(w, a, func(a *v1alpha1.ServiceAccount) { a.Spec.DisplayName = new("Reads orders") })
		}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := startWorld(t)
			a := anAccount("orders-writer", v1alpha1.ServiceAccountSpec{DisplayName: new("Writes orders")})
			w.create(a)
			w.ready(a)
			forgetCreation(w, a)
			was, told := a.DeepCopy(), len(w.eventsOf(a))
			w.cloud.IAM.Set(iam.Settings{Quota: 100, Sightings: slices.Repeat([]bool{false}, tc.missed)})
			tc.do(w, a)
			w.ready(a)
			if a.Status.Identity != was.Status.Identity || a.Status.Unrestorable {
				t.Errorf("identity %q, was %q; unrestorable: %v", a.Status.Identity, was.Status.Identity, a.Status.Unrestorable)
			}
			if live, _ := w.account("orders-writer"); live.GetDisplayName() != *a.Spec.DisplayName {
				t.Errorf("live is %v", live)
			}
			if got := w.cloud.Traffic.Count(createAccount); got != 1 {
				t.Errorf("%d creates", got)
			}
			w.noWarnings(a)
			for _, event := range w.eventsOf(a)[told:] {
				if tc.quiet || event.Reason == "Adopted" || event.Reason == v1alpha1.ReasonUnavailable {
					t.Errorf("told is %s: %s", event.Reason, event.Note)
				}
			}
			before, after := condition(was, v1alpha1.ConditionReady), condition(a, v1alpha1.ConditionReady)
			if tc.quiet && !before.LastTransitionTime.Equal(&after.LastTransitionTime) {
				t.Error("Ready has flipped")
			}
		})
	}
}

// TestAStaleLookBeforeADeletion leaves no account behind.
func TestAStaleLookBeforeADeletion(t *testing.T) {
	t.Parallel()
	for name, sightings := range map[string][]bool{"not found": {false, false}, "found, and then not": {true, false, true, false, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := startWorld(t)
			a := anAccount("orders-writer", v1alpha1.ServiceAccountSpec{CommonSpec: v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete}})
			w.create(a)
			w.ready(a)
			forgetCreation(w, a)
			w.cloud.IAM.Set(iam.Settings{Quota: 100, Sightings: sightings})
			w.delete(a)
			w.gone(a)
			if _, there := w.account("orders-writer"); there {
				t.Error("the account was left behind")
			}
		})
	}
}

// TestAMemberThatIsCreatedLater by somebody else is granted what it should be once it is tried again, which takes no person.
func TestAMemberThatIsCreatedLater(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		late := "serviceAccount:" + w.accountEmail("late-account")
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		setIAM(obj, granting(roleFor(k), "user:ada@example.com", v1alpha1.IAMMember(late)))
		w.create(obj)
		w.reason(obj, v1alpha1.ReasonInvalid)
		_, err := w.cloud.IAM.CreateAccount(w.project, "late-account")
		w.must(err)
		editStatus(w, obj, func(status *v1alpha1.CommonStatus) {
			refusal := &status.IAM.Refused[0]
			refusal.FirstTryTime.Time, refusal.LastTryTime.Time = refusal.FirstTryTime.Add(-time.Hour), refusal.LastTryTime.Add(-time.Hour)
		})
		w.restart()
		w.ready(obj)
		if refused := obj.GetCommonStatus().IAM.Refused; len(refused) > 0 {
			t.Errorf("still refused: %+v", refused)
		}
	})
}

// TestAMemberThatIsTriedAgainInVain costs no more than the try, and nobody is told of anything.
func TestAMemberThatIsTriedAgainInVain(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		w.must(w.cloud.Directory.Set("user:adda@example.com", policy.Unknown))
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		setIAM(obj, granting(roleFor(k), "user:adda@example.com", "user:bob@example.com"))
		w.create(obj)
		w.reason(obj, v1alpha1.ReasonInvalid)
		w.eventually("the event of what was granted", func() (bool, string) { return len(w.eventsOf(obj)) > 0, "" })
		told, sequence := len(w.eventsOf(obj)), obj.GetCommonStatus().PlanSequence
		editStatus(w, obj, func(status *v1alpha1.CommonStatus) {
			refusal := &status.IAM.Refused[0]
			refusal.FirstTryTime.Time, refusal.LastTryTime.Time = refusal.FirstTryTime.Add(-2*time.Hour), refusal.LastTryTime.Add(-time.Hour)
		})
		last := *obj.GetCommonStatus().IAM.Refused[0].LastTryTime
		w.restart()
		w.eventually("another try", func() (bool, string) {
			w.get(obj)
			refused := obj.GetCommonStatus().IAM.Refused
			return len(refused) == 1 && refused[0].LastTryTime.After(last.Time), describe(obj)
		})
		w.reason(obj, v1alpha1.ReasonInvalid)
		if got := obj.GetCommonStatus().PlanSequence; got != sequence {
			t.Errorf("%d plans are applied, were %d", got, sequence)
		}
		if events := w.eventsOf(obj); len(events) != told {
			t.Errorf("told is:\n%s", sentences(events[told:]))
		}
	})
}

// TestAnAccountThatBecomesReadyIsNamedByOthers: those that Google refused to grant it something try again at once, in whatever namespace.
func TestAnAccountThatBecomesReadyIsNamedByOthers(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		for name, mode := range map[string]v1alpha1.IAMMode{"additive": v1alpha1.IAMAdditive, "roles": v1alpha1.IAMAuthoritativeRoles} {
			w := newWorld(t)
			other := w.namespace + "-b"
			w.makeNamespace(other, map[string]string{v1alpha1.ProjectIDAnnotation: w.project, v1alpha1.AllowAnnotation: v1alpha1.AllowDataLoss})
			w.start(other)
			email := w.accountEmail("late-account")
			for i, naming := range []v1alpha1.IAMBinding{
				granting(roleFor(k), v1alpha1.IAMMember("serviceAccount:"+email)),
				{Role: roleFor(k), ServiceAccountRefs: []v1alpha1.ServiceAccountRef{{External: email}}},
			} {
				obj := k.manifest(name+"-"+string(rune('a'+i)), v1alpha1.CommonSpec{})
				setIAM(obj, naming)
				if iam, _ := k.Policy.Of(obj); k.is(comesAndGoes) {
					iam.Mode = mode
				}
				w.create(obj)
				w.reason(obj, v1alpha1.ReasonInvalid)
				account := anAccount("late-account", v1alpha1.ServiceAccountSpec{CommonSpec: v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete}})
				account.Namespace = other
				w.create(account)
				w.ready(obj)
				w.delete(account)
				w.gone(account)
			}
		}
	})
}

// TestAnExemptedMemberThatBecomesReady is one of a project's audit configs.
func TestAnExemptedMemberThatBecomesReady(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := aPolicy("team", additive(granting("roles/viewer", "user:ada@example.com")))
	p.Spec.AuditConfigs = []v1alpha1.AuditConfig{{Service: "iam.googleapis.com", AuditLogConfigs: []v1alpha1.AuditLogConfig{{
		LogType: "DATA_READ", ExemptedMembers: []v1alpha1.IAMMember{v1alpha1.IAMMember("serviceAccount:" + w.accountEmail("late-account"))},
	}}}}
	w.cloud.Traffic.Inject(traffic.Fault{
		Match: setProjectPolicy, Status: http.StatusBadRequest, Message: "Service account " + w.accountEmail("late-account") + " does not exist.",
	})
	w.create(p)
	w.reason(p, v1alpha1.ReasonInvalid)
	w.cloud.Traffic.RemoveAll()
	w.create(anAccount("late-account", v1alpha1.ServiceAccountSpec{}))
	w.ready(p)
}

// TestABucketThatBecomesReadyIsNamedByATopic whose creation Google refused, which tries again at once.
func TestABucketThatBecomesReadyIsNamedByATopic(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	bucket := w.project + "-imports"
	w.cloud.Traffic.Inject(traffic.Fault{Match: call(topics.creating), Status: http.StatusBadRequest, Message: "The bucket does not exist."})
	topic := aTopic("orders", v1alpha1.TopicSpec{Ingestion: &v1alpha1.TopicIngestion{
		Source: &v1alpha1.TopicIngestionSource{CloudStorage: &v1alpha1.TopicCloudStorageSource{Bucket: bucket}},
	}})
	w.create(topic)
	w.reason(topic, v1alpha1.ReasonInvalid)
	w.cloud.Traffic.RemoveAll()
	w.create(aBucket(bucket, v1alpha1.BucketSpec{}))
	w.ready(topic)
}

// TestASchemaThatIsCreatedLater is said to be missing, and then the topic is created without a person.
func TestASchemaThatIsCreatedLater(t *testing.T) {
	t.Parallel()
	for name, exists := range map[string]bool{"for a create": false, "for an update": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := startWorld(t)
			topic := aTopic("orders", v1alpha1.TopicSpec{})
			named := func(topic *v1alpha1.Topic) {
				topic.Spec.SchemaSettings = &v1alpha1.TopicSchemaSettings{Schema: "projects/" + w.project + "/schemas/order", Encoding: v1alpha1.TopicSchemaEncodingJSON}
			}
			if exists {
				w.create(topic)
				w.ready(topic)
				edit(w, topic, named)
			} else {
				named(topic)
				w.create(topic)
			}
			w.reason(topic, v1alpha1.ReasonInvalid)
			said := condition(topic, v1alpha1.ConditionReady).Message
			for _, part := range []string{"Google does not find something that the manifest names: ", "schemas/order"} {
				if !strings.Contains(said, part) {
					t.Errorf("it does not say %q: %s", part, said)
				}
			}
			if condition(topic, v1alpha1.ConditionStalled) == nil {
				t.Errorf("not stalled:\n%s", describe(topic))
			}
			response, err := http.Post(w.cloud.URL()+"/v1/projects/"+w.project+"/schemas?schemaId=order", "application/json",
				strings.NewReader(`{"type": "AVRO", "definition": "{\"type\": \"record\", \"name\": \"Order\", \"fields\": [{\"name\": \"a\", \"type\": \"string\"}]}"}`))
			w.must(err)
			w.must(response.Body.Close())
			if response.StatusCode != http.StatusOK {
				t.Fatalf("creating the schema: %s", response.Status)
			}
			w.ready(topic)
		})
	}
}
