package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/tenancy"
)

// decided is what a test says of a verdict.
type decided struct {
	Action Action
	Reason string
}

// TestAssess is the table of management, adoption and approval.
func TestAssess(t *testing.T) {
	cases := map[string]struct {
		given []given
		want  decided
	}{
		"absent: created":                                {[]given{absent}, decided{Create, ""}},
		"absent, Observe: said":                          {[]given{absent, observe}, decided{Leave, v1alpha1.ReasonNotFound}},
		"absent, Approve: the creation waits":            {[]given{absent, approve}, decided{Hold, v1alpha1.ReasonAwaitingApproval}},
		"absent, Approve, approved: created":             {[]given{absent, approve, approved}, decided{Create, ""}},
		"absent, glass: on hold":                         {[]given{absent, broken}, decided{Leave, v1alpha1.ReasonBreakGlass}},
		"absent, Never: created, nothing was there":      {[]given{absent, never}, decided{Create, ""}},
		"another project's: conflict":                    {[]given{anotherProject}, decided{Leave, v1alpha1.ReasonConflict}},
		"another project's, Observe: conflict too":       {[]given{anotherProject, observe}, decided{Leave, v1alpha1.ReasonConflict}},
		"another owner's: conflict":                      {[]given{anotherOwner, always, owned}, decided{Leave, v1alpha1.ReasonConflict}},
		"another owner's, Observe: may be looked at":     {[]given{anotherOwner, observe}, decided{Leave, v1alpha1.ReasonUpToDate}},
		"there before and alike: adopted":                {nil, decided{Leave, v1alpha1.ReasonUpToDate}},
		"there before and different: waits":              {[]given{differs}, decided{Hold, v1alpha1.ReasonAwaitingAdoption}},
		"there before, approved: changed":                {[]given{differs, approved}, decided{Update, ""}},
		"there before, Always: changed":                  {[]given{differs, always}, decided{Update, ""}},
		"there before, Never: conflict":                  {[]given{never}, decided{Leave, v1alpha1.ReasonConflict}},
		"owned, Never: managed on":                       {[]given{never, owned, differs}, decided{Update, ""}},
		"owned and different: changed":                   {[]given{owned, differs}, decided{Update, ""}},
		"owned and different, Observe: said":             {[]given{owned, differs, observe}, decided{Leave, v1alpha1.ReasonDiffers}},
		"owned and different, Approve: waits":            {[]given{owned, differs, approve}, decided{Hold, v1alpha1.ReasonAwaitingApproval}},
		"owned and different, glass: on hold":            {[]given{owned, differs, broken}, decided{Leave, v1alpha1.ReasonBreakGlass}},
		"owned and alike, glass: up to date":             {[]given{owned, broken}, decided{Leave, v1alpha1.ReasonUpToDate}},
		"an immutable field: said, nothing written":      {[]given{owned, differs, moved}, decided{Leave, v1alpha1.ReasonImmutable}},
		"a lock waits":                                   {[]given{owned, locks}, decided{Hold, v1alpha1.ReasonAwaitingApproval}},
		"a lock waits though adoption is Always":         {[]given{always, locks}, decided{Hold, v1alpha1.ReasonAwaitingApproval}},
		"approval does not open the glass":               {[]given{approve, owned, differs, broken, approved}, decided{Leave, v1alpha1.ReasonBreakGlass}},
		"an unmanaged field: adopted, it stays":          {[]given{unmanagedField}, decided{Leave, v1alpha1.ReasonUpToDate}},
		"an unmanaged field: its neighbours change":      {[]given{owned, unmanagedField, differs}, decided{Update, ""}},
		"an unmanaged condition: not adopted":            {[]given{unmanagedCondition}, decided{Hold, v1alpha1.ReasonAwaitingAdoption}},
		"an unmanaged condition: not removed":            {[]given{owned, unmanagedCondition}, decided{Hold, v1alpha1.ReasonAwaitingApproval}},
		"an unmanaged condition, Always: not removed":    {[]given{always, unmanagedCondition}, decided{Hold, v1alpha1.ReasonAwaitingApproval}},
		"an unmanaged condition, Observe: said":          {[]given{owned, unmanagedCondition, observe}, decided{Leave, v1alpha1.ReasonDiffers}},
		"an unmanaged condition, approved: removed":      {[]given{owned, unmanagedCondition, approved}, decided{Update, ""}},
		"recreated by somebody and different: waits":     {[]given{recordedAnother, differs}, decided{Hold, v1alpha1.ReasonAwaitingAdoption}},
		"there before, granting: nothing to adopt":       {[]given{grantsAda, nobodyIsLive}, decided{Update, ""}},
		"there before, granting and different: waits":    {[]given{grantsAda, nobodyIsLive, differs}, decided{Hold, v1alpha1.ReasonAwaitingAdoption}},
		"there before, Never: granting is conflict too":  {[]given{grantsAda, nobodyIsLive, never}, decided{Leave, v1alpha1.ReasonConflict}},
		"an older manifest of it, Observe: looked at":    {[]given{observe, rivalElder}, decided{Leave, v1alpha1.ReasonUpToDate}},
		"a younger manifest of it: nothing to the point": {[]given{owned, differs, rivalYounger}, decided{Update, ""}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := aBucket().with(tc.given...).assess().Verdict
			if d := cmp.Diff(tc.want, decided{got.Action, got.Reason}); d != "" {
				t.Errorf("verdict (-want +got):\n%s\n%+v", d, got)
			}
			if !got.Action.Writes() && got.Message == "" {
				t.Error("nothing is written, and nobody is told why")
			}
		})
	}
}

// TestEveryRuleDecides has a case for each rule of each chain.
func TestEveryRuleDecides(t *testing.T) {
	const managed, observed, deleted = "", "observed", "deleted"
	const incident = "deletion: what was asked for while break-glass was active waits for a person"
	const notYet = "what Google says of a resource that is new, or was just there, may change"
	bucket, account, project := aBucket, anAccount, aProject
	cases := map[string]struct {
		of    func() *situation
		given []given
		chain string
		rule  string
		want  decided
	}{
		"unbound":                   {bucket, []given{unbound}, managed, "the namespace must reach the project", decided{Leave, v1alpha1.ReasonBindingChanged}},
		"another manifest is older": {bucket, []given{rivalElder}, managed, "one of several manifests owns the resource", decided{Leave, v1alpha1.ReasonConflict}},

		"shut down":                    {bucket, []given{owned, unreadable, shutDown}, managed, "a project that is shut down shows nothing that counts", decided{Leave, v1alpha1.ReasonDenied}},
		"shut down, and nothing there": {bucket, []given{recordedAnother, absent, shutDown}, managed, "a project that is shut down shows nothing that counts", decided{Leave, v1alpha1.ReasonNotFound}},
		"unreadable":                   {bucket, []given{unreadable}, managed, "the resource must be readable", decided{Leave, ""}},
		"created a moment ago":         {account, []given{justCreated}, managed, notYet, decided{Leave, v1alpha1.ReasonProgressing}},
		"no such project":              {project, []given{policyNotFound}, managed, "a project whose policy is managed must exist", decided{Leave, v1alpha1.ReasonNotFound}},
		"another project's":            {bucket, []given{anotherProject}, managed, "a name that another project holds is none of our business", decided{Leave, v1alpha1.ReasonConflict}},
		"another installation's":       {bucket, []given{anotherOwner}, managed, "another installation's resource is left alone", decided{Leave, v1alpha1.ReasonConflict}},
		"never to be adopted":          {bucket, []given{never}, managed, "adoption: Never takes nothing over", decided{Leave, v1alpha1.ReasonConflict}},
		"refused member":               {bucket, []given{owned, grantsAda, nobodyIsLive, adaIsRefused}, managed, "what Google rejected is not tried again", decided{Leave, v1alpha1.ReasonInvalid}},
		"stored otherwise":             {bucket, []given{owned, grantsAda, primaryIsLive, adaIsStoredAs}, managed, "what Google stores under another name is told", decided{Leave, v1alpha1.ReasonNotApplied}},
		"unreadable policy":            {bucket, []given{owned, grantsAda, policyUnread}, managed, "the policy must be readable, if nothing else is to be done", decided{Leave, ""}},
		"unresolved reference":         {bucket, []given{owned, grantsAda, adaIsLive, refersToAccount}, managed, "references must resolve, if nothing else is to be done", decided{Leave, v1alpha1.ReasonAwaitingReference}},
		"alike":                        {bucket, []given{owned}, managed, "it matches", decided{Leave, v1alpha1.ReasonUpToDate}},
		"immutable":                    {bucket, []given{owned, moved}, managed, "immutable fields do not change", decided{Leave, v1alpha1.ReasonImmutable}},
		"granting on our own account":  {liveAccount, []given{createdByUs, lettingIn, ourOwn}, managed, ruleNameOwn, decided{Leave, v1alpha1.ReasonNotAllowed}},
		"granting on an adopted account": {
			liveAccount, []given{lettingIn}, managed, "granting on an adopted account takes a permission", decided{Leave, v1alpha1.ReasonNotAllowed},
		},
		"granting over our own account": {
			project, []given{grants(tokens), ourProject}, managed, "no grant on a project reaches the accounts that Holdfast acts as", decided{Leave, v1alpha1.ReasonNotAllowed},
		},
		"a schema of somebody else": {
			bucket, []given{owned, differs, uses("bank")}, managed, "what is used is in a project of the namespace", decided{Leave, v1alpha1.ReasonNotAllowed},
		},
		"deleted, our own account": {
			liveAccount, []given{deleting, deletes, owned, ourOwn}, deleted, "deletion: Holdfast is not locked out", decided{Leave, v1alpha1.ReasonInvalid},
		},
		"glass":                         {bucket, []given{owned, differs, broken}, managed, "break-glass puts writes on hold", decided{Leave, v1alpha1.ReasonBreakGlass}},
		"glass of another manifest":     {bucket, []given{owned, differs, rivalYounger, itsGlass}, managed, "break-glass puts writes on hold", decided{Leave, v1alpha1.ReasonBreakGlass}},
		"glass of a barred manifest":    {bucket, []given{owned, differs, rivalYounger, itsGlass, itIsBarred}, managed, "what differs is written", decided{Update, ""}},
		"a barred elder does not win":   {bucket, []given{owned, differs, rivalElder, itIsBarred}, managed, "what differs is written", decided{Update, ""}},
		"a shared policy, its glass":    {project, []given{grantsAda, rivalYounger, itsGlass}, managed, "break-glass puts writes on hold", decided{Leave, v1alpha1.ReasonBreakGlass}},
		"adoption of half a difference": {bucket, []given{differs, grantsAda, policyUnread}, managed, "nothing is adopted that could not be seen in full", decided{Leave, ""}},
		"adoption of a different":       {bucket, []given{differs}, managed, "adopting what differs waits for a person", decided{Hold, v1alpha1.ReasonAwaitingAdoption}},
		"to be approved":                {bucket, []given{owned, differs, approve}, managed, "management: Approve waits for a person", decided{Hold, v1alpha1.ReasonAwaitingApproval}},
		"loss":                          {bucket, []given{owned, lossy}, managed, "a change that loses data waits for a person", decided{Hold, v1alpha1.ReasonDataLoss}},
		"lock":                          {bucket, []given{owned, locks}, managed, "a change that cannot be undone waits for a person", decided{Hold, v1alpha1.ReasonAwaitingApproval}},
		"what the spec has no field for": {
			bucket, []given{owned, unmanagedCondition}, managed, "what the spec has no field for is not removed unseen", decided{Hold, v1alpha1.ReasonAwaitingApproval},
		},
		"first removal": {
			bucket, []given{owned, grantsAda, ownsRoles, adaAndBobLive}, managed, "a risky change of the policy waits for a person", decided{Hold, v1alpha1.ReasonAwaitingApproval},
		},
		"different": {bucket, []given{owned, differs}, managed, "what differs is written", decided{Update, ""}},

		"observed, shut down":            {bucket, []given{observe, unreadable, shutDown}, observed, "a project that is shut down shows nothing that counts", decided{Leave, v1alpha1.ReasonDenied}},
		"observed, unreadable":           {bucket, []given{observe, unreadable}, observed, "the resource must be readable", decided{Leave, ""}},
		"observed, created a moment ago": {account, []given{observe, justCreated}, observed, notYet, decided{Leave, v1alpha1.ReasonProgressing}},
		"observed, no such project":      {project, []given{observe, policyNotFound}, observed, "a project whose policy is managed must exist", decided{Leave, v1alpha1.ReasonNotFound}},
		"observed, another project's":    {bucket, []given{observe, anotherProject}, observed, "a name that another project holds is none of our business", decided{Leave, v1alpha1.ReasonConflict}},
		"observed, absent":               {bucket, []given{observe, absent}, observed, "observed: it must exist", decided{Leave, v1alpha1.ReasonNotFound}},
		"observed, different":            {bucket, []given{observe, differs}, observed, "observed: differences are told", decided{Leave, v1alpha1.ReasonDiffers}},
		"observed, unreadable policy":    {bucket, []given{observe, grantsAda, policyUnread}, observed, "the policy must be readable", decided{Leave, ""}},
		"observed, unresolved reference": {bucket, []given{observe, grantsAda, adaIsLive, refersToAccount}, observed, "observed: references must resolve", decided{Leave, v1alpha1.ReasonAwaitingReference}},
		"observed, alike":                {bucket, []given{observe}, observed, "observed: it matches", decided{Leave, v1alpha1.ReasonUpToDate}},

		"deleted, unbound and to be deleted": {bucket, []given{deleting, deletes, unbound, owned}, deleted, "deletion: an unreachable project is not written to", decided{Leave, v1alpha1.ReasonBindingChanged}},
		"deleted, unbound and never owned":   {bucket, []given{deleting, deletes, unbound}, deleted, "deletion: an unreachable project is not written to", decided{Release, ""}},
		"deleted, unbound and an orphan":     {bucket, []given{deleting, unbound, owned}, deleted, "deletion: an unreachable project is not written to", decided{Release, ""}},
		"deleted, unbound, glass":            {bucket, []given{deleting, unbound, owned, broken}, deleted, "deletion: an unreachable project is not written to", decided{Leave, v1alpha1.ReasonBreakGlass}},
		"deleted, another manifest owns it":  {bucket, []given{deleting, deletes, rivalElder}, deleted, "deletion: the resource stays with the manifest that owns it", decided{Release, ""}},
		"deleted, Observe":                   {bucket, []given{deleting, deletes, observe, owned}, deleted, "deletion: Observe touches nothing", decided{Release, ""}},

		"deleted, shut down":                 {bucket, []given{deleting, deletes, recordedAnother, unreadable, shutDown}, deleted, "deletion: a project that is shut down lets its manifests go", decided{Release, ""}},
		"deleted, shut down, never owned":    {bucket, []given{deleting, deletes, unreadable, shutDown}, deleted, "deletion: a project that is shut down lets its manifests go", decided{Release, ""}},
		"deleted, shut down, grants":         {project, []given{deleting, deletes, grantedAda, policyUnread, shutDown}, deleted, "deletion: a project that is shut down lets its manifests go", decided{Release, ""}},
		"deleted, shut down, glass":          {bucket, []given{deleting, deletes, recordedAnother, unreadable, shutDown, broken}, deleted, "deletion: the resource must be readable", decided{Leave, ""}},
		"deleted, unreadable, never owned":   {bucket, []given{deleting, deletes, unreadable}, deleted, "deletion: what has nothing anywhere need not see anything", decided{Release, ""}},
		"deleted, unreachable and an orphan": {bucket, []given{deleting, unreadable, recordedAnother}, deleted, "deletion: an orphan need not be reachable", decided{Release, ""}},
		"deleted, unreadable":                {bucket, []given{deleting, deletes, recordedAnother, unreadable}, deleted, "deletion: the resource must be readable", decided{Leave, ""}},
		"deleted, an orphan without answer":  {bucket, []given{deleting, away}, deleted, "deletion: the resource must be readable", decided{Leave, ""}},
		"deleted, never written for":         {bucket, []given{deleting, deletes, marked, unwritten}, deleted, "deletion: what nothing was ever written for has nothing anywhere", decided{Release, ""}},
		"deleted, never written for, glass":  {bucket, []given{deleting, deletes, absent, unwritten, broken}, deleted, "deletion: break-glass puts it on hold", decided{Leave, v1alpha1.ReasonBreakGlass}},
		"deleted, created a moment ago":      {account, []given{deleting, deletes, justCreated}, deleted, "deletion: " + notYet, decided{Leave, v1alpha1.ReasonProgressing}},
		"deleted, glass":                     {bucket, []given{deleting, deletes, owned, broken}, deleted, "deletion: break-glass puts it on hold", decided{Leave, v1alpha1.ReasonBreakGlass}},
		"deleted, an orphan, glass":          {bucket, []given{deleting, owned, broken}, deleted, "deletion: break-glass puts it on hold", decided{Leave, v1alpha1.ReasonBreakGlass}},
		"deleted, glass of another manifest": {bucket, []given{deleting, deletes, owned, rivalYounger, itsGlass}, deleted, "deletion: break-glass puts it on hold", decided{Leave, v1alpha1.ReasonBreakGlass}},
		"deleted in an incident":             {bucket, []given{deleting, deletes, owned, hadGlass}, deleted, incident, decided{Hold, v1alpha1.ReasonAwaitingApproval}},
		"deleted in another one's incident":  {bucket, []given{deleting, deletes, owned, rivalYounger, itHadOne, itGoesToo}, deleted, incident, decided{Hold, v1alpha1.ReasonAwaitingApproval}},
		"deleted in an incident, approved":   {bucket, []given{deleting, deletes, owned, hadGlass, approved}, deleted, "deletion: it is deleted", decided{Delete, ""}},
		"an orphan in an incident":           {bucket, []given{deleting, owned, hadGlass}, deleted, "deletion: Orphan leaves it", decided{Release, ""}},
		"grants that go, in an incident":     {project, []given{deleting, deletes, grantedAda, adaIsLive, hadGlass}, deleted, "deletion: of a shared policy what the manifest granted goes, or stays", decided{Hold, v1alpha1.ReasonAwaitingApproval}},
		"deleted, gone":                      {bucket, []given{deleting, deletes, recordedAnother, absent}, deleted, "deletion: it is gone already", decided{Release, ""}},
		"deleted, no such project":           {project, []given{deleting, deletes, grantedAda, policyNotFound}, deleted, "deletion: it is gone already", decided{Release, ""}},
		"deleted, another project's":         {bucket, []given{deleting, deletes, recordedAnother, anotherProject}, deleted, "deletion: another project's resource is none of our business", decided{Release, ""}},
		"deleted, unreadable policy":         {project, []given{deleting, deletes, grantedAda, policyUnread}, deleted, "deletion: the policy must be readable", decided{Leave, ""}},
		"deleted, grants stay":               {project, []given{deleting, aWhileAgo, grantedAda, adaIsLive}, deleted, "deletion: of a shared policy what the manifest granted goes, or stays", decided{Release, ""}},
		"deleted, grants go":                 {project, []given{deleting, deletes, grantedAda, adaIsLive}, deleted, "deletion: of a shared policy what the manifest granted goes, or stays", decided{Revoke, ""}},
		"deleted, grants, the definition goes": {
			project, []given{deleting, deletes, grantedAda, adaIsLive, definitionGoes}, deleted, "deletion: of a shared policy what the manifest granted goes, or stays", decided{Release, ""},
		},
		"deleted, grants that another manifest wants": {
			project, []given{grantsAda, rivalYounger, deleting, deletes, grantedAda, adaIsLive}, deleted,
			"deletion: another manifest takes the grants over first", decided{Leave, v1alpha1.ReasonDeleting},
		},
		"deleted, grants that nobody has taken over for long": {
			project, []given{grantsAda, rivalYounger, deleting, deletes, longAgo, grantedAda, adaIsLive}, deleted,
			"deletion: of a shared policy what the manifest granted goes, or stays", decided{Revoke, ""},
		},
		"deleted, grants of a resource that another manifest has": {
			bucket, []given{owned, grantsAda, rivalYounger, deleting, grantedAda, adaIsLive}, deleted,
			"deletion: another manifest takes the grants over first", decided{Leave, v1alpha1.ReasonDeleting},
		},
		"deleted, grants of an orphan, a moment ago": {
			bucket, []given{owned, grantsAda, deleting, grantedAda, adaIsLive}, deleted,
			"deletion: another manifest takes the grants over first", decided{Leave, v1alpha1.ReasonDeleting},
		},
		"deleted, grants of an orphan": {
			bucket, []given{owned, grantsAda, deleting, aWhileAgo, grantedAda, adaIsLive}, deleted, "deletion: Orphan leaves it", decided{Release, ""},
		},
		"deleted, grants go with the resource": {
			bucket, []given{created, grantsAda, deleting, deletes, grantedAda, adaIsLive}, deleted, "deletion: it is deleted", decided{Delete, ""},
		},
		"deleted, grants, glass": {
			bucket, []given{owned, grantsAda, rivalYounger, deleting, grantedAda, broken}, deleted, "deletion: break-glass puts it on hold", decided{Leave, v1alpha1.ReasonBreakGlass},
		},
		"deleted, grants, Approve": {
			project, []given{deleting, deletes, approve, grantedAda, adaIsLive}, deleted,
			"deletion: of a shared policy what the manifest granted goes, or stays", decided{Hold, v1alpha1.ReasonAwaitingApproval},
		},
		"deleted, never owned":                {bucket, []given{deleting, deletes}, deleted, "deletion: what was never owned is not touched", decided{Release, ""}},
		"deleted, an orphan":                  {bucket, []given{deleting, owned}, deleted, "deletion: Orphan leaves it", decided{Release, ""}},
		"deleted, a marked orphan":            {bucket, []given{deleting, owned, marked}, deleted, "deletion: Orphan leaves it", decided{Unmark, ""}},
		"deleted, a marked orphan, Approve":   {bucket, []given{deleting, owned, marked, approve}, deleted, "deletion: Orphan leaves it", decided{Release, ""}},
		"deleted, another manifest has it":    {bucket, []given{deleting, deletes, owned, rivalYounger}, deleted, "deletion: another manifest declares it", decided{Release, ""}},
		"deleted, recreated":                  {bucket, []given{deleting, deletes, recordedAnother}, deleted, "deletion: another resource of that name stays", decided{Leave, v1alpha1.ReasonConflict}},
		"deleted, taken by another":           {bucket, []given{deleting, deletes, owned, anotherOwner}, deleted, "deletion: another resource of that name stays", decided{Leave, v1alpha1.ReasonConflict}},
		"deleted, the definition goes":        {bucket, []given{deleting, deletes, owned, definitionGoes}, deleted, "deletion: the definition goes, nobody asked for the resource", decided{Release, ""}},
		"deleted, Approve":                    {bucket, []given{deleting, deletes, owned, approve}, deleted, "deletion: management: Approve waits for a person", decided{Hold, v1alpha1.ReasonAwaitingApproval}},
		"deleted, Approve, approved":          {bucket, []given{deleting, deletes, owned, approve, approved}, deleted, "deletion: it is deleted", decided{Delete, ""}},
		"deleted, to be deleted":              {bucket, []given{deleting, deletes, created}, deleted, "deletion: it is deleted", decided{Delete, ""}},
		"deleted, marked, without a UID":      {bucket, []given{unmarkable, marked, justCreated, deleting, deletes}, deleted, "deletion: it is deleted", decided{Delete, ""}},
		"deleted, different all the same":     {bucket, []given{deleting, deletes, created, differs, moved}, deleted, "deletion: it is deleted", decided{Delete, ""}},
		"deleted, adopted, not written to":    {bucket, []given{unmarkable, adoptedByName, deleting, deletes}, deleted, "deletion: what was only adopted waits for a person", decided{Hold, v1alpha1.ReasonDataLoss}},
		"deleted, its marks are gone since":   {bucket, []given{unmarkable, recordedByMarks, deleting, deletes}, deleted, "deletion: another resource of that name stays", decided{Leave, v1alpha1.ReasonConflict}},
		"deleted, recreated by us, no record": {bucket, []given{recordedAnother, marked, deleting, deletes}, deleted, "deletion: another resource of that name stays", decided{Leave, v1alpha1.ReasonConflict}},
	}
	type link struct{ Chain, Rule string }
	decides := map[link]bool{}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := tc.of().with(tc.given...).assess().Verdict
			if got.Rule != tc.rule {
				t.Errorf("the rule that decided is %q, want %q", got.Rule, tc.rule)
			}
			if d := cmp.Diff(tc.want, decided{got.Action, got.Reason}); d != "" {
				t.Errorf("verdict (-want +got):\n%s\n%+v", d, got)
			}
			decides[link{tc.chain, got.Rule}] = true
		})
	}
	for chain, rules := range map[string][]rule{
		managed:  slices.Concat(unobservedRules(*subjectOf(aBucket())), manageRules),
		observed: observeRules,
		deleted:  slices.Concat(unobservedRules(*subjectOf(aBucket().with(deleting))), deletionRules),
	} {
		for _, r := range rules {
			if !decides[link{chain, r.name}] {
				t.Errorf("no case is decided by the rule %q of %q", r.name, chain)
			}
		}
	}
}

func subjectOf(s *situation) *subject { return &subject{Manifest: s.Manifest} }

var (
	adoptedByName   given = func(s *situation) { s.record.Identity = identityUnmarked }
	recordedByMarks given = func(s *situation) { s.record.Identity = identityMarked }
)

func TestRulesHaveNamesOfTheirOwn(t *testing.T) {
	for chain, rules := range map[string][]rule{"manage": manageRules, "observe": observeRules, "deletion": deletionRules} {
		seen := map[string]bool{}
		for _, r := range rules {
			if r.name == "" || seen[r.name] {
				t.Errorf("chain %s has two rules named %q", chain, r.name)
			}
			seen[r.name] = true
		}
	}
}

func TestWhatIsImmutableIsNamed(t *testing.T) {
	got := aBucket().with(owned, differs, moved).assess().Verdict
	want := Verdict{
		Rule: "immutable fields do not change", Action: Leave, Reason: v1alpha1.ReasonImmutable,
		Message: `spec.location is "EU" and cannot be changed to "US": it is fixed when the bucket is created`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("verdict (-want +got):\n%s", d)
	}
}

// TestAnUnreadablePolicyDoesNotHideTheFields: the fields are a part of their own.
func TestAnUnreadablePolicyDoesNotHideTheFields(t *testing.T) {
	type told struct {
		Action      Action
		Reason      string
		Paths       []string
		Permission  string
		Doing       string
		Blind       bool
		PolicyIsNil bool
	}
	cases := map[string]struct {
		of    func() *situation
		given []given
		want  told
	}{
		"they differ: corrected": {aBucket, []given{owned, differs}, told{Action: Update, Paths: []string{"spec.versioning.enabled"}, PolicyIsNil: true}},
		"they differ, Observe: told": {
			aBucket, []given{observe, differs}, told{Action: Leave, Reason: v1alpha1.ReasonDiffers, Paths: []string{"spec.versioning.enabled"}, PolicyIsNil: true},
		},
		"they differ, glass: on hold": {
			aBucket, []given{owned, differs, broken}, told{Action: Leave, Reason: v1alpha1.ReasonBreakGlass, Paths: []string{"spec.versioning.enabled"}, PolicyIsNil: true},
		},
		"they match: the permission is named": {
			aBucket, []given{owned}, told{Action: Leave, Permission: "storage.buckets.getIamPolicy", Doing: "reading the IAM policy of the bucket", PolicyIsNil: true},
		},
		"a project has nothing else": {
			aProject, nil, told{Action: Leave, Permission: "storage.buckets.getIamPolicy", Doing: "reading the project policy", Blind: true, PolicyIsNil: true},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			a := tc.of().with(append([]given{grantsAda, policyUnread}, tc.given...)...).assess()
			v := a.Verdict
			got := told{Action: v.Action, Reason: v.Reason, Paths: a.Changes.Paths(), Doing: v.Doing, Blind: v.Blind, PolicyIsNil: a.Policy == nil}
			if v.Err != nil {
				got.Permission = v.Err.Permission
			}
			if d := cmp.Diff(tc.want, got, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("assessment (-want +got):\n%s", d)
			}
		})
	}
}

// TestNothingDiffersThatCouldNotBeRead: what could not be read may well be there, so nothing says that it is to be created.
func TestNothingDiffersThatCouldNotBeRead(t *testing.T) {
	for name, given := range map[string]given{"denied": unreadable, "no answer": away} {
		t.Run(name, func(t *testing.T) {
			a := aBucket().with(given, grantsAda).assess()
			if d := cmp.Diff(diff.Changes(nil), a.Changes, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("changes (-want +got):\n%s", d)
			}
		})
	}
}

func TestThePlanOfWhatIsAbsentOrGoes(t *testing.T) {
	const name = "//storage.googleapis.com/logs"
	cases := map[string]struct {
		of    func() *situation
		given []given
		want  diff.Changes
	}{
		"created, with what it grants": {aBucket, []given{grantsAda, absent}, diff.Changes{
			{Path: "resource", To: `"` + name + `"`},
			{Path: "spec.iam.bindings[roles/viewer].members[user:ada@example.com]", To: `"user:ada@example.com"`},
			{Path: "spec.location", To: `"EU"`},
			{Path: "spec.versioning.enabled", To: "true"},
		}},
		"deleted":               {aBucket, []given{owned, differs, deleting, deletes}, diff.Changes{{Path: "resource", From: `"` + name + `"`}}},
		"created, never owned":  {anAccount, nil, diff.Changes{{Path: "resource", To: `"//iam.googleapis.com/logs"`}, {Path: "spec.displayName", To: `"logs"`}}},
		"deleted and recreated": {anAccount, []given{recordedAnother}, diff.Changes{{Path: "resource", To: `"//iam.googleapis.com/logs"`}, {Path: "spec.displayName", To: `"logs"`}}},
		"deleted, and can perhaps be brought back": {anAccount, []given{recordedAnother, undeletable}, diff.Changes{{
			Path: "resource", From: `"deleted"`, To: `"//iam.googleapis.com/logs, undeleted (42/yesterday)"`,
		}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, tc.of().with(tc.given...).assess().Plan); d != "" {
				t.Errorf("plan (-want +got):\n%s", d)
			}
		})
	}
}

// TestCreatedUnrecorded: nobody knows whether the create was sent. What is there is the manifest's own only if it is exactly what
// would have been created.
func TestCreatedUnrecorded(t *testing.T) {
	account := func(change func(*v1alpha1.ServiceAccountSpec)) *v1alpha1.ServiceAccount {
		live := &v1alpha1.ServiceAccount{Spec: v1alpha1.ServiceAccountSpec{DisplayName: new("logs"), Description: new(""), Disabled: new(false)}}
		if change != nil {
			change(&live.Spec)
		}
		return live
	}
	disables := func(s *situation) { s.Object.(*v1alpha1.ServiceAccount).Spec.Disabled = new(true) }
	cases := map[string]struct {
		given []given // of the create
		since []given
		live  *v1alpha1.ServiceAccount
		want  bool
	}{
		"exactly what was to be created":               {live: account(nil), want: true},
		"what follows a create is yet to come":         {given: []given{disables}, live: account(nil), want: true},
		"what follows a create is there":               {given: []given{disables}, live: account(func(s *v1alpha1.ServiceAccountSpec) { s.Disabled = new(true) }), want: true},
		"another value":                                {live: account(func(s *v1alpha1.ServiceAccountSpec) { s.DisplayName = new("else") })},
		"no value":                                     {live: account(func(s *v1alpha1.ServiceAccountSpec) { s.DisplayName = nil })},
		"a value that the manifest does not set":       {live: account(func(s *v1alpha1.ServiceAccountSpec) { s.Description = new("of the bank") })},
		"disabled, which the manifest does not say":    {live: account(func(s *v1alpha1.ServiceAccountSpec) { s.Disabled = new(true) })},
		"no create was recorded":                       {since: []given{func(s *situation) { s.record.CreateTime = nil }}, live: account(nil)},
		"the manifest owned another":                   {since: []given{recordedAnother}, live: account(nil)},
		"it belongs to another project":                {since: []given{anotherProject}, live: account(nil)},
		"the manifest was edited since, the record is": {since: []given{disables}, live: account(nil), want: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := anAccount().with(tc.given...)
			planned := s.assess()
			if planned.Verdict.Action != Create {
				t.Fatalf("verdict %+v, want a create", planned.Verdict)
			}
			s.record = s.record.AboutToWrite(s.Manifest, s.env, planned)
			s.seen.Fields = FieldsSeen{Looked: true, Exists: true, Live: kind.Live{Object: tc.live, Identity: kind.Identity{UID: "1234"}}}
			got := s.with(tc.since...).assess()
			if got.Owned != tc.want {
				t.Errorf("owned: %v, want %v; verdict %+v", got.Owned, tc.want, got.Verdict)
			}
		})
	}
	t.Run("a kind with labels has better proof", func(t *testing.T) {
		s := aBucket().with(absent)
		s.record = s.record.AboutToWrite(s.Manifest, s.env, s.assess())
		there := aBucket()
		s.seen = there.seen
		if got := s.assess(); got.Owned {
			t.Error("what carries no labels is owned")
		}
	})
}

// TestAssessChangesNothingThatItIsGiven builds each situation twice, and assesses one of the two.
func TestAssessChangesNothingThatItIsGiven(t *testing.T) {
	everything := []given{
		owned, recordedAnother, differs, unmanagedCondition, unmanagedField, moved, locks, observe, approve, never, always, broken, anotherProject, anotherOwner, marked,
		unmarkable, unbound, justCreated, deleting, deletes, definitionGoes, rivalElder, rivalYounger, itsGlass, itIsBarred, hadGlass, itHadOne, adaIsRefused, grantedAda, adaIsLive,
		nobodyIsLive, adaAndBobLive, policyUnread, policyNotFound, approved, undeletable,
	}
	ofPolicies := []given{ // last, since they need a bucket that is there and grants something
		grantsAda, ownsRoles, refersToAccount, grants(bob),
	}
	rapid.Check(t, func(t *rapid.T) {
		chosen := rapid.SliceOfNDistinct(rapid.IntRange(0, len(everything)-1), 0, 6, rapid.ID[int]).Draw(t, "given")
		policies := rapid.IntRange(0, len(ofPolicies)).Draw(t, "of policies")
		gone := rapid.Bool().Draw(t, "absent")
		build := func() *situation {
			s := aBucket()
			for _, i := range chosen {
				s.with(everything[i])
			}
			s.with(ofPolicies[:policies]...)
			if gone {
				s.with(absent)
			}
			return s
		}
		is, was := build(), build()
		first, again := is.assess(), is.assess()
		for _, d := range []string{
			cmp.Diff(was.Object, is.Object),
			cmp.Diff(was.record, is.record),
			cmp.Diff(was.seen, is.seen, cmpopts.IgnoreUnexported(kind.Live{})),
			cmp.Diff(was.env, is.env, cmpopts.EquateComparable(tenancy.Limits{})),
		} {
			if d != "" {
				t.Fatalf("changed (-was +is):\n%s", d)
			}
		}
		if d := cmp.Diff(told(first), told(again)); d != "" {
			t.Fatalf("assessed twice (-first +again):\n%s", d)
		}
	})
}

// told is what an assessment comes to, as text.
func told(a Assessment) string {
	return strings.Join([]string{fmt.Sprintf("%+v", a.Verdict), a.Hash, fmt.Sprintf("%+v", a.Changes), fmt.Sprintf("%+v", a.Target)}, "\n")
}
