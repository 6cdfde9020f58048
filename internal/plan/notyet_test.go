package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// TestNotYet is about what Google says of a resource that is new, or that was there a moment ago.
func TestNotYet(t *testing.T) {
	created := func(ago time.Duration) given {
		return func(s *situation) { s.record.CreateTime = &metav1.Time{Time: three.Add(-ago)} }
	}
	answers := func(e kind.Error) given {
		return func(s *situation) { s.seen.Fields = FieldsSeen{Err: &e} }
	}
	denied := answers(kind.Error{Class: kind.Denied, Permission: "a.get", Message: "Permission 'a.get' denied on resource (or it may not exist)."})
	forbidden := answers(kind.Error{Class: kind.Denied, Message: "violates constraint constraints/gcp.resourceLocations"})
	recorded := func(s *situation) { s.record.Identity = "1234" }
	seenWithPolicy := func(class kind.Class) given {
		return func(s *situation) {
			s.with(grantsAda, owned, policyFails(class))
		}
	}
	type verdict struct {
		Action   Action
		Reason   string
		After    time.Duration
		Doubtful bool
	}
	const progressing = v1alpha1.ReasonProgressing
	cases := map[string]struct {
		of    *situation
		given []given
		want  verdict
	}{
		"denied right after the create":           {aBucket(), []given{created(0), denied}, verdict{Leave, progressing, 500 * time.Millisecond, false}},
		"denied for a while":                      {aBucket(), []given{created(10 * time.Second), denied}, verdict{Leave, progressing, 10 * time.Second, false}},
		"denied for long":                         {aBucket(), []given{created(5 * time.Minute), denied}, verdict{Leave, progressing, time.Minute, false}},
		"denied until the time is over":           {aBucket(), []given{created(7*time.Minute - 2*time.Second), denied}, verdict{Leave, progressing, 2 * time.Second, false}},
		"denied when it is over":                  {aBucket(), []given{created(7 * time.Minute), denied}, verdict{Leave, "", 0, false}},
		"denied, and not created by the manifest": {aBucket(), []given{recorded, denied}, verdict{Leave, "", 0, false}},
		"denied for a reason that stays":          {aBucket(), []given{created(0), forbidden}, verdict{Leave, "", 0, false}},
		"denied, observed":                        {aBucket(), []given{created(0), denied, observe}, verdict{Leave, progressing, 500 * time.Millisecond, false}},
		"denied, and to be deleted":               {aBucket(), []given{created(0), denied, deleting, deletes}, verdict{Leave, progressing, 500 * time.Millisecond, false}},
		"denied, and an orphan":                   {aBucket(), []given{created(0), denied, deleting}, verdict{Release, "", 0, false}},
		"the policy denied":                       {aBucket(), []given{seenWithPolicy(kind.Denied), created(0)}, verdict{Leave, progressing, 500 * time.Millisecond, false}},
		"the policy denied, when it is over":      {aBucket(), []given{seenWithPolicy(kind.Denied), created(time.Hour)}, verdict{Leave, "", 0, false}},

		"absent, where reads are consistent":  {aBucket(), []given{created(0), absent}, verdict{Create, "", 0, false}},
		"absent right after the create":       {anAccount(), []given{created(0)}, verdict{Leave, progressing, 500 * time.Millisecond, false}},
		"absent when the time is over":        {anAccount(), []given{created(time.Minute)}, verdict{Create, "", 0, false}},
		"absent, and was there before":        {anAccount(), []given{recorded, missingSince(0)}, verdict{Leave, progressing, 500 * time.Millisecond, true}},
		"absent for a while":                  {anAccount(), []given{recorded, missingSince(3 * time.Second)}, verdict{Leave, progressing, 3 * time.Second, true}},
		"absent until it is to be believed":   {anAccount(), []given{recorded, missingSince(7 * time.Second)}, verdict{Leave, progressing, time.Second, true}},
		"absent for long enough":              {anAccount(), []given{recorded, missingSince(8 * time.Second)}, verdict{Create, "", 0, false}},
		"absent for long, at too few looks":   {anAccount(), []given{recorded, missingSince(time.Minute), misses(3)}, verdict{Leave, progressing, 500 * time.Millisecond, true}},
		"absent for a while, at few looks":    {anAccount(), []given{recorded, missingSince(3 * time.Second), misses(2)}, verdict{Leave, progressing, 3 * time.Second, true}},
		"absent, new, and was there before":   {anAccount(), []given{recorded, created(30 * time.Second), missingSince(time.Second)}, verdict{Leave, progressing, time.Second, true}},
		"absent, new, and missing for a time": {anAccount(), []given{recorded, created(30 * time.Second), missingSince(10 * time.Second)}, verdict{Leave, progressing, 30 * time.Second, false}},
		"absent, to be deleted":               {anAccount(), []given{recorded, missingSince(0), deleting, deletes}, verdict{Leave, progressing, 500 * time.Millisecond, true}},
		"absent for long, to be deleted":      {anAccount(), []given{recorded, missingSince(time.Hour), deleting, deletes}, verdict{Release, "", 0, false}},
		"absent, and an orphan":               {anAccount(), []given{recorded, missingSince(0), deleting}, verdict{Release, "", 0, false}},
		"absent, and was never there":         {anAccount(), []given{missingSince(0)}, verdict{Create, "", 0, false}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			v := tc.of.with(tc.given...).assess().Verdict
			if d := cmp.Diff(tc.want, verdict{v.Action, v.Reason, v.After, v.Doubtful}); d != "" {
				t.Errorf("verdict (-want +got):\n%s\n%s", d, v.Message)
			}
		})
	}
}

// TestNotYetSays what Google answers and until when it is waited for, the same at each look.
func TestNotYetSays(t *testing.T) {
	s := anAccount().with(justCreated)
	want := "reading the service account: the service account was created a moment ago, and for a while Google may answer so about a new one; " +
		"retrying until 03:00:01 UTC. Google says: there is none"
	for range 2 {
		if d := cmp.Diff(want, s.assess().Verdict.Message); d != "" {
			t.Errorf("message (-want +got):\n%s", d)
		}
		s.env.Now = s.env.Now.Add(500 * time.Millisecond)
	}
}

// TestNotYetNamesThePermission that is missing if time does not help, since Pub/Sub, for one, does not.
func TestNotYetNamesThePermission(t *testing.T) {
	answer := kind.Error{Class: kind.Denied, Permission: "pubsub.topics.update", Message: "User not authorized to perform this action."}
	now := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
	record := Record{CreateTime: new(metav1.NewTime(now))}
	for resource, want := range map[string]string{
		"":                         "If it lasts, grant permission pubsub.topics.update on the resource or its project. Google says: User",
		"projects/p/topics/orders": "If it lasts, grant permission pubsub.topics.update on projects/p/topics/orders. Google says: User",
	} {
		answer.Resource = resource
		v := record.Settles(kind.Kind{Traits: kind.Traits{Name: "topic"}}, "updating the topic", &answer, now)
		if v == nil || !strings.Contains(v.Message, want) {
			t.Errorf("want %q in %+v", want, v)
		}
	}
}

// TestUnrestorable is about a resource that was deleted and that Google will not undelete: it is created again, and is still the manifest's
// own should it be there.
func TestUnrestorable(t *testing.T) {
	live := func(uid string) given {
		return func(s *situation) {
			s.seen.Fields = FieldsSeen{Looked: true, Exists: true, Live: kind.Live{
				Object: &v1alpha1.ServiceAccount{Spec: v1alpha1.ServiceAccountSpec{DisplayName: new("logs")}}, Identity: kind.Identity{UID: uid},
			}}
		}
	}
	lost := func(s *situation) {
		s.with(undeletable)
		s.record.Identity = "1234"
		s.record = s.record.NotUndeletable()
	}
	attempted := func(s *situation) { s.record = s.record.AboutToWrite(s.Manifest, s.env, s.assess()) }
	type so struct {
		Owned    bool
		Undelete string
	}
	cases := map[string]struct {
		given []given
		want  so
	}{
		"deleted":                               {[]given{undeletable, func(s *situation) { s.record.Identity = "1234" }}, so{false, "1234"}},
		"deleted for good":                      {[]given{lost}, so{false, ""}},
		"there all the same":                    {[]given{lost, live("1234")}, so{true, ""}},
		"another is there, that was not ours":   {[]given{lost, live("5678")}, so{false, ""}},
		"another is there, by the lost attempt": {[]given{lost, attempted, live("5678")}, so{true, ""}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := anAccount().with(tc.given...)
			a := s.assess()
			if d := cmp.Diff(tc.want, so{a.Owned, a.Undelete}); d != "" {
				t.Errorf("so (-want +got):\n%s", d)
			}
			if s.record.Identity == "" {
				t.Error("which resource it was is forgotten")
			}
			if after := s.record.Owns(s.Manifest, s.env, s.seen, nil); a.Owned && (after.Unrestorable || after.Identity != s.seen.Fields.Live.Identity.UID) {
				t.Errorf("owned, and recorded as %+v", after)
			}
		})
	}
}
