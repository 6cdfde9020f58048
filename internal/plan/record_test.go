package plan

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

func TestAppliedIn(t *testing.T) {
	live := &v1alpha1.Topic{Spec: v1alpha1.TopicSpec{Labels: v1alpha1.Labels{"team": "shop", "empty": ""}, MessageRetentionSeconds: new(int64(3600))}}
	cases := map[string]struct {
		recorded []string
		pending  []v1alpha1.PendingChange
		want     []string
	}{
		"nothing":                              {},
		"recorded":                             {recorded: []string{"spec.b", "spec.a"}, want: []string{"spec.a", "spec.b"}},
		"pending and live with that value":     {pending: []v1alpha1.PendingChange{about("spec.messageRetentionSeconds", "3600")}, want: []string{"spec.messageRetentionSeconds"}},
		"pending and live with another":        {pending: []v1alpha1.PendingChange{about("spec.messageRetentionSeconds", "7200")}},
		"pending and not live":                 {pending: []v1alpha1.PendingChange{about("spec.kmsKeyName", `"k"`)}},
		"a pending label":                      {pending: []v1alpha1.PendingChange{about("spec.labels[team]", `"shop"`)}, want: []string{"spec.labels[team]"}},
		"recorded and pending are listed once": {recorded: []string{"spec.labels[team]"}, pending: []v1alpha1.PendingChange{about("spec.labels[team]", `"shop"`)}, want: []string{"spec.labels[team]"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, Record{AppliedFields: tc.recorded, Pending: tc.pending}.appliedIn(live)); d != "" {
				t.Errorf("applied (-want +got):\n%s", d)
			}
		})
	}
}

// about is a field that was about to be written.
func about(path, json string) v1alpha1.PendingChange {
	return v1alpha1.PendingChange{Path: path, Digest: diff.Change{To: json}.Digest()}
}

func TestOwning(t *testing.T) {
	ref := kind.Ref{Project: "shop-project", ID: "logs", Ownership: Ownership("cluster-a", objectNamed("shop", "logs"))}
	cases := map[string]struct {
		recorded string
		live     kind.Identity
		want     string
	}{
		"first seen without marks":      {"", kind.Identity{}, identityUnmarked},
		"marked since":                  {identityUnmarked, kind.Identity{Labels: ref.Ownership}, identityMarked},
		"its marks were taken off":      {identityMarked, kind.Identity{}, identityMarked},
		"another UID, which is proven":  {"1", kind.Identity{UID: "2"}, "2"},
		"a UID counts more than labels": {"", kind.Identity{UID: "2", Labels: ref.Ownership}, "2"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			before := Record{
				Identity: tc.recorded, AppliedFields: []string{"spec.b"}, Pending: []v1alpha1.PendingChange{about("spec.a", "1")},
				Approved: &v1alpha1.ApprovedPlan{Hash: "x"}, PlanSequence: 3,
			}
			seen := Observation{Fields: FieldsSeen{Looked: true, Exists: true, Live: kind.Live{Identity: tc.live}}}
			want := Record{
				Project: "shop-project", ExternalName: "//storage.googleapis.com/logs", Identity: tc.want, AppliedFields: []string{"spec.a"}, PlanSequence: 3,
			}
			got := before.Owns(Manifest{buckets, &v1alpha1.Bucket{}}, Environment{Ref: ref}, seen, []string{"spec.a"})
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("record (-want +got):\n%s", d)
			}
			if got := before.Identified(Environment{Ref: ref}, seen.Fields.Live); got.Identity != tc.want || got.Pending == nil || got.Approved == nil {
				t.Errorf("identified: %+v, want the identity %q and all else as it was", got, tc.want)
			}
		})
	}
}

func TestAboutToWrite(t *testing.T) {
	ofPolicy := func(p PolicyRecord) PolicyRecord {
		p.Known = true
		return p
	}
	bucket := Record{Project: "shop-project", ExternalName: "//storage.googleapis.com/logs"}
	with := func(r Record, change func(*Record)) Record {
		change(&r)
		return r
	}
	long := metav1.NewTime(three.Add(-time.Hour))
	location, versioning := about("spec.location", `"EU"`), about("spec.versioning.enabled", "true")
	cases := map[string]struct {
		of    *situation
		given []given
		want  Record
	}{
		"a create: all of it is pending, and when it was": {aBucket(), []given{absent}, with(bucket, func(r *Record) {
			r.Pending, r.CreateTime = []v1alpha1.PendingChange{location, versioning}, &metav1.Time{Time: three}
		})},
		"another try to create, when labels tell whose it is: nothing that was not stored before": {
			aBucket(), []given{absent, func(s *situation) {
				s.record = with(bucket, func(r *Record) {
					r.Pending, r.CreateTime = []v1alpha1.PendingChange{location, versioning}, &long
				})
			}}, with(bucket, func(r *Record) { r.Pending, r.CreateTime = []v1alpha1.PendingChange{location, versioning}, &long }),
		},
		"a create, when no labels tell whose it is: when it was, which proves that": {anAccount(), []given{func(s *situation) { s.record.CreateTime = &long }}, Record{
			Project: "shop-project", ExternalName: "//iam.googleapis.com/logs",
			Pending: []v1alpha1.PendingChange{about("spec.displayName", `"logs"`)}, CreateTime: &metav1.Time{Time: three},
		}},
		"an update: what was not applied before is pending": {
			aBucket(), []given{owned, differs, func(s *situation) { s.record.AppliedFields = []string{"spec.location"} }}, with(bucket, func(r *Record) {
				r.Identity, r.AppliedFields, r.Pending = "42/today", []string{"spec.location"}, []v1alpha1.PendingChange{versioning}
			}),
		},
		"what was pending and is live is applied": {
			aBucket(), []given{owned, differs, func(s *situation) { s.record.Pending = []v1alpha1.PendingChange{location} }}, with(bucket, func(r *Record) {
				r.Identity, r.AppliedFields, r.Pending = "42/today", []string{"spec.location"}, []v1alpha1.PendingChange{versioning}
			}),
		},
		"an approved plan: whose it is, and what": {aBucket(), []given{differs, approved}, with(bucket, func(r *Record) {
			s := aBucket().with(differs)
			a := s.assess()
			r.Pending = []v1alpha1.PendingChange{location, versioning}
			r.Approved = &v1alpha1.ApprovedPlan{Hash: a.Hash, Generation: 1, Changes: digests(a.Plan, buckets.FieldTraits)}
		})},
		"a grant: pending": {aBucket(), []given{owned, grantsAda, nobodyIsLive}, with(bucket, func(r *Record) {
			r.Identity, r.Pending = "42/today", []v1alpha1.PendingChange{location, versioning}
			r.Policy = ofPolicy(PolicyRecord{Pending: []iampolicy.Grant{ada}})
		})},
		"a revocation: recorded until it is gone": {aBucket(), []given{owned, grantedAda, adaIsLive}, with(bucket, func(r *Record) {
			r.Identity, r.Pending = "42/today", []v1alpha1.PendingChange{location, versioning}
			r.Policy = ofPolicy(PolicyRecord{Mode: v1alpha1.IAMAdditive, Grants: []iampolicy.Grant{ada}})
		})},
		"audit configs: those that leave, too": {
			aProject(), []given{
				func(s *situation) {
					s.Object.(*v1alpha1.ProjectPolicy).Spec.AuditConfigs = []v1alpha1.AuditConfig{{
						Service: "iam.googleapis.com", AuditLogConfigs: []v1alpha1.AuditLogConfig{{LogType: v1alpha1.AuditLogDataRead}},
					}}
					s.record.Policy = PolicyRecord{Known: true, AuditServices: []string{"allServices"}}
				},
			}, Record{
				Project: "shop-project", ExternalName: "//cloudresourcemanager.googleapis.com/projects/shop-project",
				Policy: PolicyRecord{Known: true, AuditServices: []string{"allServices", "iam.googleapis.com"}},
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := tc.of.with(tc.given...)
			if d := cmp.Diff(tc.want, s.record.AboutToWrite(s.Manifest, s.env, s.assess()), cmpopts.EquateEmpty()); d != "" {
				t.Errorf("record (-want +got):\n%s", d)
			}
		})
	}
}

// TestWhatWasNotSentIsForgotten: of each part on its own.
func TestWhatWasNotSentIsForgotten(t *testing.T) {
	before := Record{
		AppliedFields: []string{"spec.a"}, Pending: []v1alpha1.PendingChange{about("spec.a", "1")}, PlanSequence: 1,
		Policy: PolicyRecord{Known: true, Grants: []iampolicy.Grant{bob}},
	}
	about := Record{
		Project: "shop-project", ExternalName: "//x", AppliedFields: []string{"spec.b"}, Pending: []v1alpha1.PendingChange{about("spec.c", "2")},
		CreateTime: &metav1.Time{Time: three}, Approved: &v1alpha1.ApprovedPlan{Hash: "x"}, PlanSequence: 1,
		Policy: PolicyRecord{Known: true, Grants: []iampolicy.Grant{bob}, Pending: []iampolicy.Grant{ada}, AuditServices: []string{"allServices"}},
	}
	neither := before
	neither.Project, neither.ExternalName = about.Project, about.ExternalName
	fields, policy := neither, about
	fields.Policy, policy.Policy = about.Policy, before.Policy
	fields.Approved = about.Approved // its plan has begun
	cases := map[string]struct {
		fields, policy bool
		want           Record
	}{
		"both were sent":           {false, false, about},
		"the fields were not sent": {true, false, fields},
		"the policy was not sent":  {false, true, policy},
		"neither of them was sent": {true, true, neither},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, about.NotSent(before, tc.fields, tc.policy)); d != "" {
				t.Errorf("record (-want +got):\n%s", d)
			}
		})
	}
}

func TestAfterAWriteThatFailed(t *testing.T) {
	before := Record{CreateTime: &metav1.Time{Time: three.Add(-time.Hour)}, Policy: PolicyRecord{Known: true, Pending: []iampolicy.Grant{bob}}}
	about := Record{
		Identity: "1", CreateTime: &metav1.Time{Time: three}, Pending: []v1alpha1.PendingChange{about("spec.a", "1")},
		Policy: PolicyRecord{Known: true, Grants: []iampolicy.Grant{bob}, Pending: []iampolicy.Grant{ada}},
	}
	with := func(change func(*Record)) Record {
		r := about
		change(&r)
		return r
	}
	cases := map[string]struct{ got, want Record }{
		"a create that is known to have failed": {about.NotWritten(before), with(func(r *Record) { r.CreateTime, r.Pending = before.CreateTime, nil })},
		"an undelete that came too late":        {about.NotUndeletable(), with(func(r *Record) { r.Unrestorable, r.CreateTime = true, nil })},
		"a policy that was not written":         {about.NotGranted(before), with(func(r *Record) { r.Policy.Pending = before.Policy.Pending })},
		"an applied plan":                       {about.PlanApplied(), with(func(r *Record) { r.PlanSequence = 1 })},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, tc.got); d != "" {
				t.Errorf("record (-want +got):\n%s", d)
			}
		})
	}
}

// TestBoundTo: a manifest is bound to a project by what it has there, or may have.
func TestBoundTo(t *testing.T) {
	grants := []v1alpha1.IAMGrants{{Role: "roles/viewer", Members: []string{"user:ada@example.com"}}}
	cases := map[string]struct {
		status v1alpha1.CommonStatus
		want   string
	}{
		"nothing but a look": {v1alpha1.CommonStatus{ExternalName: "//x/y"}, ""},
		"a refused member":   {v1alpha1.CommonStatus{IAM: &v1alpha1.IAMStatus{Refused: []v1alpha1.IAMRefusal{{Member: "user:typo@example.com"}}}}, ""},
		"a resource":         {v1alpha1.CommonStatus{Identity: "1"}, "p"},
		"a create that is not known to have failed": {v1alpha1.CommonStatus{LastCreateAttemptTime: &metav1.Time{Time: three}}, "p"},
		"a write that was about to be made":         {v1alpha1.CommonStatus{Pending: []v1alpha1.PendingChange{about("spec.a", "1")}}, "p"},
		"applied fields":                            {v1alpha1.CommonStatus{AppliedFields: []string{"spec.a"}}, "p"},
		"grants":                                    {v1alpha1.CommonStatus{IAM: &v1alpha1.IAMStatus{Grants: grants}}, "p"},
		"grants that were about to be made":         {v1alpha1.CommonStatus{IAM: &v1alpha1.IAMStatus{Pending: grants}}, "p"},
		"audit configs":                             {v1alpha1.CommonStatus{IAM: &v1alpha1.IAMStatus{AuditServices: []string{"allServices"}}}, "p"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.status.Project = "p"
			if got := BoundTo(&tc.status); got != tc.want {
				t.Errorf("bound to %q, want %q", got, tc.want)
			}
		})
	}
}

// TestIn: what was recorded about a mistyped project, an approval above all, does not count in another one.
func TestIn(t *testing.T) {
	r := Record{Project: "typo", ExternalName: "//x/y", Approved: &v1alpha1.ApprovedPlan{}, PlanSequence: 3, Requested: "now", Policy: PolicyRecord{Known: true}}
	if d := cmp.Diff(r, r.In("typo")); d != "" {
		t.Errorf("in the same project (-want +got):\n%s", d)
	}
	if d := cmp.Diff(Record{PlanSequence: 4, Requested: "now"}, r.In("right")); d != "" {
		t.Errorf("in another project (-want +got):\n%s", d)
	}
	if d := cmp.Diff(Record{PlanSequence: 4, Requested: "now"}, r.In("right").In("right")); d != "" {
		t.Errorf("once more (-want +got):\n%s", d)
	}
}

// TestOwnsGrants: a plan that turned out to need an approval, or to be impossible, leaves no grant recorded that was not made, nor the
// mode as if it had been applied.
func TestOwnsGrants(t *testing.T) {
	nobodyKnowsUs := func(s *situation) { s.env.Self = iampolicy.Self{} }
	authoritative := func(s *situation) { s.iam().Mode = v1alpha1.IAMAuthoritative }
	pendingAda := func(s *situation) { s.record.Policy = PolicyRecord{Known: true, Pending: []iampolicy.Grant{ada}} }
	cases := map[string]struct {
		given []given
		want  PolicyRecord
	}{
		"applied": {
			[]given{grantsAda, authoritative, pendingAda, adaIsLive}, PolicyRecord{Known: true, Mode: v1alpha1.IAMAuthoritative, Grants: []iampolicy.Grant{ada}},
		},
		"applied, of old by somebody else": {[]given{grantsAda, adaIsLive}, PolicyRecord{Known: true, Mode: v1alpha1.IAMAdditive}},
		"on hold":                          {[]given{grantsAda, authoritative, pendingAda, func(s *situation) { s.seen.Policy = livePolicy(bob) }}, PolicyRecord{Known: true}},
		"impossible":                       {[]given{grantsAda, authoritative, pendingAda, nobodyKnowsUs, func(s *situation) { s.seen.Policy = livePolicy(bob) }}, PolicyRecord{Known: true}},
		"no longer mentioned and revoked":  {[]given{grantedAda, nobodyIsLive}, PolicyRecord{}},
		"no longer mentioned and live":     {[]given{grantedAda, adaIsLive}, PolicyRecord{Known: true, Mode: v1alpha1.IAMAdditive, Grants: []iampolicy.Grant{ada}}},
		"never mentioned":                  {nil, PolicyRecord{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := aBucket().with(owned).with(tc.given...)
			if d := cmp.Diff(tc.want, s.record.OwnsGrants(s.Manifest, s.assess().Policy).Policy, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("record (-want +got):\n%s", d)
			}
		})
	}
}

func TestGranted(t *testing.T) {
	s := aBucket().with(owned, grantsAda, nobodyIsLive)
	p := s.assess().Policy
	got := s.record.AboutToGrant(s.Manifest, s.assess()).Granted(s.Manifest, p, p.Plan.Next)
	if d := cmp.Diff(PolicyRecord{Known: true, Grants: []iampolicy.Grant{ada}}, got.Policy, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("record (-want +got):\n%s", d)
	}
}

// TestRefusals are forgotten when the manifest changes, or when another try is asked for; and no longer than that.
func TestRefusals(t *testing.T) {
	requested := func(s *situation) { annotate(s.Object, v1alpha1.ReconcileRequestedAtAnnotation, "now") }
	handled := func(s *situation) { s.record.Requested = "now" }
	edited := func(s *situation) { s.Object.SetGeneration(2) }
	cases := map[string]struct {
		given    []given
		action   Action
		remember bool
	}{
		"the same manifest":              {nil, Leave, true},
		"an edited manifest":             {[]given{edited}, Update, false},
		"another try is asked for":       {[]given{requested}, Update, false},
		"another try was asked for once": {[]given{requested, handled}, Leave, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := aBucket().with(owned, grantsAda, nobodyIsLive, adaIsRefused).with(tc.given...)
			s.record.Policy.Known = true
			before := s.record
			s.record = s.record.Asked(s.Object)
			a := s.assess()
			if a.Verdict.Action != tc.action {
				t.Errorf("verdict %+v, want %s", a.Verdict, tc.action)
			}
			if looked := s.record.Looked(s.Manifest, a.Policy); (len(looked.Policy.Refused) > 0) != tc.remember {
				t.Errorf("remembered is %v", looked.Policy.Refused)
			}
			if len(before.Policy.Refused) != 1 {
				t.Error("the record before was changed")
			}
		})
	}
}

// TestARecordComesBackFromTheStatus: the order of grants means nothing there.
func TestARecordComesBackFromTheStatus(t *testing.T) {
	text := rapid.StringMatching(`[a-z]{0,3}`)
	texts := rapid.SliceOfN(text, 0, 3)
	grant := rapid.Custom(func(t *rapid.T) iampolicy.Grant {
		g := iampolicy.Grant{Role: "roles/" + text.Draw(t, "role"), Member: "user:" + text.Draw(t, "member")}
		if rapid.Bool().Draw(t, "conditional") {
			g.Condition = iampolicy.Condition{Title: text.Draw(t, "title"), Description: text.Draw(t, "description"), Expression: text.Draw(t, "expression")}
		}
		return g
	})
	grants := rapid.SliceOfNDistinct(grant, 0, 6, rapid.ID[iampolicy.Grant])
	changes := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) v1alpha1.PendingChange {
		return v1alpha1.PendingChange{Path: text.Draw(t, "path"), Digest: text.Draw(t, "digest")}
	}), 0, 3)
	refusal := rapid.Custom(func(t *rapid.T) v1alpha1.IAMRefusal {
		return v1alpha1.IAMRefusal{Member: text.Draw(t, "member"), Message: text.Draw(t, "message"), Generation: rapid.Int64().Draw(t, "generation")}
	})
	storedName := rapid.Custom(func(t *rapid.T) StoredName {
		return StoredName{texts.Draw(t, "names"), rapid.Bool().Draw(t, "uncertain"), rapid.Int64().Draw(t, "generation")}
	})
	record := rapid.Custom(func(t *rapid.T) Record {
		r := Record{
			Project: text.Draw(t, "project"), ExternalName: text.Draw(t, "name"), Identity: text.Draw(t, "identity"),
			AppliedFields: texts.Draw(t, "applied"), Pending: changes.Draw(t, "pending"), PlanSequence: rapid.Int64().Draw(t, "sequence"),
			Requested: text.Draw(t, "requested"),
		}
		if rapid.Bool().Draw(t, "created") {
			r.CreateTime = &metav1.Time{Time: time.Unix(rapid.Int64Range(0, 1<<32).Draw(t, "time"), 0)}
		}
		if rapid.Bool().Draw(t, "approved") {
			r.Approved = &v1alpha1.ApprovedPlan{Hash: text.Draw(t, "hash"), By: text.Draw(t, "by"), Changes: changes.Draw(t, "changes")}
		}
		if rapid.Bool().Draw(t, "policy") {
			r.Policy = PolicyRecord{
				Known: true, Mode: v1alpha1.IAMMode(text.Draw(t, "mode")), Grants: grants.Draw(t, "grants"), Pending: grants.Draw(t, "pending grants"),
				AuditServices: texts.Draw(t, "services"), Refused: rapid.SliceOfN(refusal, 0, 3).Draw(t, "refused"),
				TakenOver: texts.Draw(t, "taken over"), Lost: rapid.Bool().Draw(t, "lost"),
				StoredAs: rapid.MapOf(text, storedName).Draw(t, "stored as"),
			}
		}
		return r
	})
	same := cmp.Options{cmpopts.EquateEmpty(), cmpopts.SortSlices(func(a, b iampolicy.Grant) bool { return fmt.Sprintf("%#v", a) < fmt.Sprintf("%#v", b) })}
	rapid.Check(t, func(t *rapid.T) {
		earlier, r := record.Draw(t, "earlier"), record.Draw(t, "record")
		status := &v1alpha1.CommonStatus{ObservedGeneration: 7, Drift: []v1alpha1.Change{{Path: "spec.a"}}}
		earlier.Store(status)
		if status.IAM != nil {
			status.IAM.MemberCount = 5
		}
		r.Store(status)
		if d := cmp.Diff(r, RecordOf(status), same); d != "" {
			t.Fatalf("record (-stored +read):\n%s", d)
		}
		if status.ObservedGeneration != 7 || len(status.Drift) != 1 || earlier.Policy.Known && r.Policy.Known && status.IAM.MemberCount != 5 {
			t.Fatalf("what is shown beside the record was changed: %+v", status)
		}
	})
}

// TestARecordIsAValue: what is read from a status can be changed without changing that.
func TestARecordIsAValue(t *testing.T) {
	status := &v1alpha1.CommonStatus{
		AppliedFields: []string{"spec.a"}, Pending: []v1alpha1.PendingChange{about("spec.a", "1")}, LastCreateAttemptTime: &metav1.Time{Time: three},
		Approved: &v1alpha1.ApprovedPlan{Hash: "x"},
		IAM:      &v1alpha1.IAMStatus{AuditServices: []string{"allServices"}, Refused: []v1alpha1.IAMRefusal{{Member: "user:a@b.c"}}},
	}
	before := status.DeepCopy()
	r := RecordOf(status)
	r.AppliedFields[0], r.Pending[0].Path, r.CreateTime.Time, r.Approved.Hash = "spec.b", "spec.b", time.Time{}, "y"
	r.Policy.AuditServices[0], r.Policy.Refused[0].Member = "x", "x"
	if d := cmp.Diff(before, status); d != "" {
		t.Errorf("status (-want +got):\n%s", d)
	}
}
