package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/tenancy"
)

const ruleNameOwn = "nobody is let in as Holdfast, and Holdfast is not locked out"

const theAccount = "logs@shop-project.iam.gserviceaccount.com"

var tokens = iampolicy.Grant{Role: "roles/iam.serviceAccountTokenCreator", Member: "user:editor@example.com"}

// liveAccount is one that matches its manifest, which does not own it.
func liveAccount() *situation {
	s := anAccount()
	live := &v1alpha1.ServiceAccount{Spec: v1alpha1.ServiceAccountSpec{DisplayName: new("logs")}}
	live.Status.Email = theAccount
	s.seen.Fields = FieldsSeen{Looked: true, Exists: true, Live: kind.Live{Object: live, Identity: kind.Identity{UID: "11"}}}
	s.seen.Policy = livePolicy(ada)
	return s
}

var (
	createdByUs given = func(s *situation) { s.record.Identity, s.record.CreatedIdentity = "11", "11" }
	lettingIn   given = func(s *situation) {
		s.Object.(*v1alpha1.ServiceAccount).Spec.IAM = &v1alpha1.IAMPolicy{Mode: v1alpha1.IAMAdditive, Bindings: []v1alpha1.IAMBinding{
			{Role: tokens.Role, Members: []v1alpha1.IAMMember{v1alpha1.IAMMember(tokens.Member)}},
		}}
	}
	ourOwn     given = func(s *situation) { s.env.Self.Accounts = iampolicy.NewAccounts(strings.ToUpper(theAccount)) }
	ourOwnID   given = func(s *situation) { s.env.Self.Accounts = iampolicy.NewAccounts("11") }
	ourProject given = func(s *situation) {
		s.env.Self.Accounts = iampolicy.NewAccounts("holdfast@shop-project.iam.gserviceaccount.com")
	}
	unknownUs given = func(s *situation) { s.env.Self.Incomplete = true }
	disabling given = func(s *situation) { s.Object.(*v1alpha1.ServiceAccount).Spec.Disabled = new(true) }
)

func allows(permissions ...string) given {
	return func(s *situation) { s.env.Binding.Permissions = tenancy.Permissions(strings.Join(permissions, ",")) }
}

// uses makes the manifest use something in a project by the caller's rights.
func uses(project string) given {
	return func(s *situation) {
		s.env.Binding.Reach = "shop-project,shop-test"
		s.Kind.Uses = func(of v1alpha1.Object) []kind.Use {
			if of != s.Object { // the resource does not yet
				return nil
			}
			return []kind.Use{{Path: "spec.schemaSettings.schema", Value: "projects/" + project + "/schemas/payment", Project: project}}
		}
	}
}

func ownedRoles(mode v1alpha1.IAMMode) given {
	return func(s *situation) { s.iam().Mode = mode }
}

func revokesOwn(s *situation) {
	s.record.Policy = PolicyRecord{Known: true, Mode: v1alpha1.IAMAdditive, Grants: []iampolicy.Grant{tokens}}
	s.seen.Policy = livePolicy(ada, tokens)
}

// TestNobodyIsLetInAsHoldfast, by whatever manifest of an account that it acts as.
func TestNobodyIsLetInAsHoldfast(t *testing.T) {
	own := decided{Leave, v1alpha1.ReasonNotAllowed}
	cases := map[string]struct {
		given []given
		want  decided
		says  string
	}{
		"an account of somebody's":               {[]given{createdByUs, lettingIn}, decided{Update, ""}, ""},
		"its own account, created by a manifest": {[]given{createdByUs, lettingIn, ourOwn}, own, "Holdfast itself acts as " + theAccount},
		"adopted":                                {[]given{owned, lettingIn, ourOwn}, own, "kubectl annotate --overwrite namespace shop holdfast.dev/allow=PolicyOfOwnAccounts"},
		"named by its unique ID":                 {[]given{createdByUs, lettingIn, ourOwnID}, own, ""},
		"adoption Always":                        {[]given{always, lettingIn, ourOwn}, own, ""},
		"AuthoritativeRoles":                     {[]given{owned, lettingIn, ownedRoles(v1alpha1.IAMAuthoritativeRoles), ourOwn}, own, ""},
		"Authoritative":                          {[]given{owned, lettingIn, ownedRoles(v1alpha1.IAMAuthoritative), ourOwn}, own, ""},
		"approved by somebody":                   {[]given{owned, lettingIn, approve, ourOwn, approved}, own, ""},
		"revoking what it granted before":        {[]given{owned, revokesOwn, ourOwn}, own, ""},
		"another permission":                     {[]given{owned, lettingIn, ourOwn, allows(v1alpha1.AllowGrantsOnAdoptedAccounts, v1alpha1.AllowGrantsOverOwnAccounts)}, own, ""},
		"the permission":                         {[]given{owned, lettingIn, ourOwn, allows(v1alpha1.AllowPolicyOfOwnAccounts)}, decided{Update, ""}, ""},
		"nothing to write":                       {[]given{owned, ourOwn, lettingIn, func(s *situation) { s.seen.Policy = livePolicy(tokens) }}, decided{Leave, v1alpha1.ReasonUpToDate}, ""},
		"Observe":                                {[]given{owned, ourOwn, lettingIn, observe}, decided{Leave, v1alpha1.ReasonDiffers}, ""},
		"nobody knows Holdfast's account": {
			[]given{owned, lettingIn, unknownUs, allows(v1alpha1.AllowGrantsOnAdoptedAccounts)}, decided{Leave, v1alpha1.ReasonInvalid}, "set --gcp-identity",
		},
		"nobody knows Holdfast's account, and this one was created": {[]given{createdByUs, lettingIn, unknownUs}, decided{Update, ""}, ""},
		"disabling it":                         {[]given{owned, disabling, ourOwn}, decided{Leave, v1alpha1.ReasonInvalid}, "disabling it would lock Holdfast out"},
		"disabling it, with the permission":    {[]given{owned, disabling, ourOwn, allows(v1alpha1.AllowPolicyOfOwnAccounts)}, decided{Leave, v1alpha1.ReasonInvalid}, ""},
		"disabling another":                    {[]given{owned, disabling}, decided{Update, ""}, ""},
		"deleting it":                          {[]given{createdByUs, deleting, deletes, ourOwn}, decided{Leave, v1alpha1.ReasonInvalid}, "deleting it would lock Holdfast out"},
		"deleting its manifest, which orphans": {[]given{createdByUs, deleting, ourOwn}, decided{Release, ""}, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := liveAccount().with(tc.given...).assess().Verdict
			if diff := cmp.Diff(tc.want, decided{got.Action, got.Reason}); diff != "" {
				t.Errorf("verdict (-want +got):\n%s\n%+v", diff, got)
			}
			if !strings.Contains(got.Message, tc.says) {
				t.Errorf("message %q, want %q in it", got.Message, tc.says)
			}
		})
	}
}

// TestGrantsOnAccountsThatWereThereTakeAPermission: what cannot be proven to be created was adopted.
func TestGrantsOnAccountsThatWereThereTakeAPermission(t *testing.T) {
	refused := decided{Leave, v1alpha1.ReasonNotAllowed}
	// The record is as it was stored before the account was created.
	lostReply := func(s *situation) {
		s.record = anAccount().assess().Record
		s.record.CreateTime.Time = three.Add(-time.Hour)
	}
	cases := map[string]struct {
		given []given
		want  decided
	}{
		"created":                                {[]given{createdByUs, lettingIn}, decided{Update, ""}},
		"created, and the answer was lost":       {[]given{lostReply, lettingIn}, decided{Update, ""}},
		"not looked at before":                   {[]given{lettingIn}, refused},
		"adopted":                                {[]given{owned, lettingIn}, refused},
		"adopted by force":                       {[]given{always, lettingIn}, refused},
		"created once, and recreated by another": {[]given{lettingIn, always, func(s *situation) { s.record.Identity, s.record.CreatedIdentity = "10", "10" }}, refused},
		"adopted after it was created once":      {[]given{lettingIn, owned, func(s *situation) { s.record.CreatedIdentity = "10" }}, refused},
		"the record was lost":                    {[]given{lettingIn, func(s *situation) { s.record = Record{} }}, refused},
		"authoritative":                          {[]given{owned, lettingIn, ownedRoles(v1alpha1.IAMAuthoritative), always}, refused},
		"another permission":                     {[]given{owned, lettingIn, allows(v1alpha1.AllowPolicyOfOwnAccounts)}, refused},
		"the permission":                         {[]given{owned, lettingIn, allows(v1alpha1.AllowGrantsOnAdoptedAccounts)}, decided{Update, ""}},
		"revoking needs none":                    {[]given{owned, revokesOwn}, decided{Update, ""}},
		"what is granted already needs none":     {[]given{owned, lettingIn, func(s *situation) { s.seen.Policy = livePolicy(tokens) }}, decided{Leave, v1alpha1.ReasonUpToDate}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := liveAccount().with(tc.given...).assess().Verdict
			if diff := cmp.Diff(tc.want, decided{got.Action, got.Reason}); diff != "" {
				t.Errorf("verdict (-want +got):\n%s\n%+v", diff, got)
			}
		})
	}
}

// TestNoGrantOnAProjectReachesHoldfastsAccounts, in whatever mode.
func TestNoGrantOnAProjectReachesHoldfastsAccounts(t *testing.T) {
	refused := decided{Leave, v1alpha1.ReasonNotAllowed}
	grant := func(role string) given { return grants(iampolicy.Grant{Role: role, Member: "user:editor@example.com"}) }
	cases := map[string]struct {
		given []given
		want  decided
	}{
		"a role on accounts":              {[]given{ourProject, grants(tokens)}, refused},
		"owner":                           {[]given{ourProject, grant("roles/owner")}, refused},
		"editor":                          {[]given{ourProject, grant("roles/editor")}, refused},
		"a custom role of the project":    {[]given{ourProject, grant("projects/shop-project/roles/harmless")}, refused},
		"one of the organization":         {[]given{ourProject, grant("organizations/1/roles/harmless")}, refused},
		"who may grant anything":          {[]given{ourProject, grant("roles/resourcemanager.projectIamAdmin")}, refused},
		"a service agent's":               {[]given{ourProject, grant("roles/run.serviceAgent")}, refused},
		"a role of IAM to come":           {[]given{ourProject, grant("roles/iam.somethingNew")}, refused},
		"among harmless ones":             {[]given{ourProject, grant("roles/viewer"), grants(tokens)}, refused},
		"harmless ones":                   {[]given{ourProject, grant("roles/viewer"), grant("roles/storage.admin")}, decided{Update, ""}},
		"AuthoritativeRoles":              {[]given{ourProject, grants(tokens), ownedRoles(v1alpha1.IAMAuthoritativeRoles), always}, refused},
		"Authoritative":                   {[]given{ourProject, grants(tokens), ownedRoles(v1alpha1.IAMAuthoritative), always}, refused},
		"another permission":              {[]given{ourProject, grants(tokens), allows(v1alpha1.AllowPolicyOfOwnAccounts)}, refused},
		"the permission":                  {[]given{ourProject, grants(tokens), allows(v1alpha1.AllowGrantsOverOwnAccounts)}, decided{Update, ""}},
		"what is there stays":             {[]given{ourProject, grants(tokens), func(s *situation) { s.seen.Policy = livePolicy(tokens) }}, decided{Leave, v1alpha1.ReasonUpToDate}},
		"a project without them":          {[]given{grants(tokens)}, decided{Update, ""}},
		"a project of which nobody knows": {[]given{grants(tokens), unknownUs}, decided{Leave, v1alpha1.ReasonInvalid}},
		"the permission, nobody knows":    {[]given{grants(tokens), unknownUs, allows(v1alpha1.AllowGrantsOverOwnAccounts)}, decided{Update, ""}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := aProject().with(tc.given...).assess().Verdict
			if diff := cmp.Diff(tc.want, decided{got.Action, got.Reason}); diff != "" {
				t.Errorf("verdict (-want +got):\n%s\n%+v", diff, got)
			}
		})
	}
}

// TestNoManifestUsesWhatItsNamespaceDoesNotReach, by the rights of the operator.
func TestNoManifestUsesWhatItsNamespaceDoesNotReach(t *testing.T) {
	refused := decided{Leave, v1alpha1.ReasonNotAllowed}
	already := func(s *situation) {
		uses := s.Kind.Uses
		s.Kind.Uses = func(v1alpha1.Object) []kind.Use { return uses(s.Object) }
	}
	cases := map[string]struct {
		given []given
		want  decided
	}{
		"its project":                        {[]given{owned, differs, uses("shop-project")}, decided{Update, ""}},
		"another one of the namespace":       {[]given{owned, differs, uses("shop-test")}, decided{Update, ""}},
		"another one":                        {[]given{owned, differs, uses("bank")}, refused},
		"another one, at creation":           {[]given{absent, uses("bank")}, refused},
		"a number":                           {[]given{owned, differs, uses("4711")}, refused},
		"nobody knows which":                 {[]given{owned, differs, uses("")}, refused},
		"approved by somebody":               {[]given{owned, differs, uses("bank"), approve, approved}, refused},
		"another one, which it uses already": {[]given{owned, differs, uses("bank"), already}, decided{Update, ""}},
		"nothing to write":                   {[]given{owned, uses("bank")}, decided{Leave, v1alpha1.ReasonUpToDate}},
		"Observe, which asks Google nothing": {[]given{owned, differs, uses("bank"), observe}, decided{Leave, v1alpha1.ReasonDiffers}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := aBucket().with(tc.given...).assess().Verdict
			if diff := cmp.Diff(tc.want, decided{got.Action, got.Reason}); diff != "" {
				t.Errorf("verdict (-want +got):\n%s\n%+v", diff, got)
			}
		})
	}
}

// TestAHarmlessFirstPlanIsNoApproval: what a plan that revoked nothing was applied in says nothing about the first that does.
func TestAHarmlessFirstPlanIsNoApproval(t *testing.T) {
	mode := func(is, revoked v1alpha1.IAMMode) given {
		return func(s *situation) {
			s.record.Policy.Known, s.record.Policy.Mode, s.record.Policy.RevokedMode = true, is, revoked
		}
	}
	roles, whole := v1alpha1.IAMAuthoritativeRoles, v1alpha1.IAMAuthoritative
	waits := decided{Hold, v1alpha1.ReasonAwaitingApproval}
	cases := map[string]struct {
		given []given
		want  decided
	}{
		"nothing was applied before":            {nil, waits},
		"the mode was applied":                  {[]given{mode(roles, "")}, waits},
		"it has revoked something":              {[]given{mode(roles, roles)}, decided{Update, ""}},
		"another mode has revoked something":    {[]given{mode(whole, whole)}, waits},
		"of old, whichever mode, nobody knows":  {[]given{mode(whole, "")}, waits},
		"the mode was applied, it was approved": {[]given{mode(roles, ""), approved}, decided{Update, ""}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := aBucket().with(owned, grantsAda, ownsRoles, adaAndBobLive).with(tc.given...)
			a := s.assess()
			if diff := cmp.Diff(tc.want, decided{a.Verdict.Action, a.Verdict.Reason}); diff != "" {
				t.Errorf("verdict (-want +got):\n%s\n%+v", diff, a.Verdict)
			}
		})
	}
	s := aBucket().with(owned, grantsAda, ownsRoles, adaIsLive)
	if got := s.assess().Record.Policy; got.Mode != roles || got.RevokedMode != "" {
		t.Errorf("after a plan that revoked nothing: %+v", got)
	}
	s = aBucket().with(owned, grantsAda, ownsRoles, adaAndBobLive)
	a := s.assess()
	if a.Record.Policy.RevokedMode != "" {
		t.Error("the revocation counts before it was written")
	}
	granted := a.Record.Granted(s.Manifest, a.Policy, a.Policy.Plan.Next)
	if granted.Policy.RevokedMode != roles {
		t.Errorf("after a plan that revoked something: %+v", granted.Policy)
	}
	s = aBucket().with(owned, grantsAda, adaIsLive, mode(roles, roles))
	if got := s.assess().Record.Policy; got.RevokedMode != "" {
		t.Errorf("after the mode was left: %+v", got)
	}
}
