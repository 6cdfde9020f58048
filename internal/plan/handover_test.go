package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
)

// another is a manifest of the same resource, some time older or younger, which has recorded grants.
func another(uid string, after time.Duration, change func(obj v1alpha1.Object, iam *v1alpha1.IAMStatus), recorded ...iampolicy.Grant) given {
	return func(s *situation) {
		s.Object.SetCreationTimestamp(metav1.NewTime(three))
		other := s.Object.DeepCopyObject().(v1alpha1.Object)
		other.SetName("of-" + uid)
		other.SetUID(types.UID(uid))
		other.SetDeletionTimestamp(nil)
		other.SetFinalizers([]string{v1alpha1.Finalizer})
		other.SetCreationTimestamp(metav1.NewTime(three.Add(after)))
		status := other.GetCommonStatus()
		*status = v1alpha1.CommonStatus{ObservedGeneration: other.GetGeneration()}
		status.IAM = &v1alpha1.IAMStatus{Grants: statusGrants(recorded)}
		if change != nil {
			change(other, status.IAM)
		}
		s.env.Rivals = append(s.env.Rivals, Rival{Object: other})
	}
}

// TestPassedOn: what a manifest has recorded of its policy before anything is looked at, given what the others of its resource have.
func TestPassedOn(t *testing.T) {
	goes := func(obj v1alpha1.Object, _ *v1alpha1.IAMStatus) { obj.SetDeletionTimestamp(&metav1.Time{Time: three}) }
	observes := func(obj v1alpha1.Object, _ *v1alpha1.IAMStatus) {
		obj.GetCommonSpec().Management = v1alpha1.ManagementObserve
	}
	unseen := func(obj v1alpha1.Object, iam *v1alpha1.IAMStatus) { goes(obj, iam); obj.SetGeneration(2) }
	pends := func(obj v1alpha1.Object, iam *v1alpha1.IAMStatus) {
		goes(obj, iam)
		iam.Pending, iam.AuditServices = statusGrants([]iampolicy.Grant{bob}), []string{"allServices"}
		iam.StoredAs = []v1alpha1.IAMStoredAs{{Member: "user:a@x.com", Names: []string{"user:b@x.com"}}}
	}
	took := func(_ v1alpha1.Object, iam *v1alpha1.IAMStatus) { iam.TakenOver = []string{"1"} }
	hasTaken := func(uids ...string) given {
		return func(s *situation) {
			s.record.Policy = PolicyRecord{Known: true, Grants: []iampolicy.Grant{ada}, TakenOver: uids}
		}
	}
	bucket, project := aBucket, aProject
	none, own := PolicyRecord{}, PolicyRecord{Known: true, Mode: v1alpha1.IAMAdditive, Grants: []iampolicy.Grant{ada}}
	cases := map[string]struct {
		of    func() *situation
		given []given
		want  PolicyRecord
	}{
		"alone":                     {bucket, []given{grantedAda}, own},
		"an older one owns it":      {bucket, []given{another("2", -time.Hour, nil, bob)}, none},
		"an older one goes":         {bucket, []given{another("2", -time.Hour, goes, bob)}, PolicyRecord{Known: true, Grants: []iampolicy.Grant{bob}, TakenOver: []string{"2"}}},
		"a younger one goes":        {bucket, []given{another("2", time.Hour, goes, bob)}, PolicyRecord{Known: true, Grants: []iampolicy.Grant{bob}, TakenOver: []string{"2"}}},
		"another one only observes": {bucket, []given{another("2", -time.Hour, observes, bob)}, PolicyRecord{Known: true, Grants: []iampolicy.Grant{bob}, TakenOver: []string{"2"}}},
		"two go": {
			bucket, []given{another("3", -time.Hour, goes, bob), another("2", -2*time.Hour, goes, ada, bob)},
			PolicyRecord{Known: true, Grants: []iampolicy.Grant{bob, ada}, TakenOver: []string{"2", "3"}},
		},
		"it may still write":           {bucket, []given{another("2", -time.Hour, unseen, bob)}, none},
		"it has nothing":               {bucket, []given{another("2", -time.Hour, goes)}, none},
		"an older one stays beside it": {bucket, []given{another("2", -time.Hour, goes, bob), another("3", -time.Minute, nil)}, none},
		"pending, audit configs, names": {
			bucket, []given{another("2", -time.Hour, pends, ada)}, PolicyRecord{
				Known: true, Grants: []iampolicy.Grant{ada}, Pending: []iampolicy.Grant{bob}, AuditServices: []string{"allServices"},
				StoredAs: StoredAs{"user:a@x.com": {Names: []string{"user:b@x.com"}}}, TakenOver: []string{"2"},
			},
		},
		"taken over before, and given up since": {
			bucket, []given{hasTaken("2"), another("2", -time.Hour, observes, bob)}, PolicyRecord{Known: true, Grants: []iampolicy.Grant{ada}, TakenOver: []string{"2"}},
		},
		"taken over before, and gone":            {bucket, []given{hasTaken("2")}, PolicyRecord{Known: true, Grants: []iampolicy.Grant{ada}}},
		"taken over before, and owner once more": {bucket, []given{hasTaken("2"), another("2", -time.Hour, nil, bob)}, PolicyRecord{Known: true, Grants: []iampolicy.Grant{ada}}},
		"it goes, and was taken over":            {bucket, []given{grantedAda, another("2", time.Hour, took), deleting}, none},
		"it goes, and was not yet":               {bucket, []given{grantedAda, another("2", time.Hour, nil), deleting}, own},
		"it observes, and was taken over":        {bucket, []given{grantedAda, another("2", time.Hour, took), observe}, none},

		"shared: what both want of one that goes": {project, []given{grantsAda, another("2", -time.Hour, goes, ada, bob)}, PolicyRecord{Known: true, Grants: []iampolicy.Grant{ada}}},
		"shared: of one that stays":               {project, []given{grantsAda, another("2", -time.Hour, nil, ada)}, none},
		"shared: also if they exclude each other": {project, []given{grantsAda, ownsRoles, another("2", -time.Hour, goes, ada)}, PolicyRecord{Known: true, Grants: []iampolicy.Grant{ada}}},
		"shared: not for one that goes itself":    {project, []given{grantsAda, another("2", -time.Hour, goes, ada), deleting}, none},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := tc.of().with(tc.given...)
			if d := cmp.Diff(tc.want, s.record.PassedOn(s.Manifest, s.env).Policy, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("record (-want +got):\n%s", d)
			}
		})
	}
}

// TestHowLongADeletionWaits for others to take over what it has granted.
func TestHowLongADeletionWaits(t *testing.T) {
	younger := another("2", time.Hour, nil)
	restarted := func(s *situation) { s.env.Since = three }
	cases := map[string]struct {
		of    func() *situation
		given []given
		waits bool
	}{
		"for one that is there":                  {aBucket, []given{deletes, younger}, true},
		"for a minute":                           {aBucket, []given{deletes, younger, longAgo}, false},
		"for a minute since somebody looks":      {aBucket, []given{deletes, younger, longAgo, restarted}, true},
		"for one that may come":                  {aBucket, nil, true},
		"for some seconds":                       {aBucket, []given{aWhileAgo}, false},
		"not if the resource goes":               {aBucket, []given{deletes}, false},
		"shared: for one that wants it":          {aProject, []given{deletes, grantsAda, younger}, true},
		"shared: not for one that wants it not":  {aProject, []given{deletes, younger}, false},
		"shared: not for one that has it":        {aProject, []given{deletes, grantsAda, another("2", time.Hour, nil, ada)}, false},
		"shared: nor for one that goes with it":  {aProject, []given{deletes, grantsAda, another("2", time.Hour, func(obj v1alpha1.Object, _ *v1alpha1.IAMStatus) { deletingNow(obj) })}, false},
		"shared, Orphan: for one that wants it":  {aProject, []given{grantsAda, younger, aWhileAgo}, true},
		"shared, Orphan: for one that may come":  {aProject, nil, true},
		"shared, Orphan: for some seconds":       {aProject, []given{aWhileAgo}, false},
		"shared, Orphan: for a minute at most":   {aProject, []given{grantsAda, younger, longAgo}, false},
		"under a broken glass it waits for that": {aBucket, []given{younger, broken}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := tc.of()
			s.with(grantedAda).with(tc.given...)
			if s.Object.GetDeletionTimestamp().IsZero() {
				deleting(s)
			}
			verdict := ruleDeletionHandsOver(subject{s.Manifest, s.record, s.seen, s.env, &Assessment{}})
			if (verdict != nil) != tc.waits {
				t.Errorf("verdict %+v", verdict)
			}
		})
	}
}

func deletingNow(obj v1alpha1.Object) { obj.SetDeletionTimestamp(&metav1.Time{Time: three}) }

// TestALostRecord is told of while there are live grants that may have been the manifest's own.
func TestALostRecord(t *testing.T) {
	owns := func(s *situation) { s.iam().ExistingGrants = v1alpha1.IAMExistingGrantsOwn }
	wasLost := func(s *situation) { s.record.Policy = PolicyRecord{Known: true, Lost: true} }
	moved := func(s *situation) {
		marked(s)
		s.seen.Fields.Live.Identity.Labels[v1alpha1.OwnerNamespaceLabel] = "elsewhere"
	}
	cases := map[string]struct {
		given []given
		lost  bool
	}{
		"adopted":                         {nil, false},
		"restored":                        {[]given{marked}, true},
		"moved, and the old one is gone":  {[]given{moved}, true},
		"restored, looked at once more":   {[]given{marked, owned, wasLost}, true},
		"owned for long":                  {[]given{marked, owned}, false},
		"restored, nothing of it is live": {[]given{marked, nobodyIsLive}, false},
		"observed beside its owner":       {[]given{moved, observe}, false},
		"restored, and claimed":           {[]given{marked, owns}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			a := aBucket().with(grantsAda, adaIsLive).with(tc.given...).assess()
			if got := a.Policy.Lost() != ""; got != tc.lost || a.Record.Policy.Lost != tc.lost {
				t.Errorf("lost %v, recorded %v, says %q", got, a.Record.Policy.Lost, a.Verdict.Message)
			}
		})
	}
}
