package plan

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breakglass"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/tenancy"
)

// The kinds of the tests: planning calls none of their functions that need a context.
var (
	buckets = kind.Kind{
		Traits: kind.Traits{Kind: "Bucket", Name: "bucket", Labels: true, FieldTraits: diff.Fields{
			"spec.iam": {Apart: true},
			"spec.versioning.enabled": {Default: "false", Loses: func(c diff.Change) string {
				if c.From == "true" && c.To != "true" {
					return "no noncurrent versions are kept"
				}
				return ""
			}},
			"spec.location":                         {Immutable: "it is fixed when the bucket is created"},
			"spec.retentionPolicy.retentionSeconds": {Frees: func(c diff.Change, _ v1alpha1.Object) bool { return c.To == "" }},
			"spec.retentionPolicy.locked": {Hold: func(c diff.Change) string {
				if c.To == "true" {
					return "this locks the retention policy for good"
				}
				return ""
			}},
		}},
		New:          func() v1alpha1.Object { return &v1alpha1.Bucket{} },
		ExternalName: func(ref kind.Ref) string { return "//storage.googleapis.com/" + ref.ID },
		Fields:       &kind.Fields{},
		Policy: &kind.Policy{Path: "spec.iam", Of: func(obj v1alpha1.Object) (*v1alpha1.IAMPolicy, []v1alpha1.AuditConfig) {
			return obj.(*v1alpha1.Bucket).Spec.IAM, nil
		}},
	}
	accounts = kind.Kind{
		Traits: kind.Traits{Kind: "ServiceAccount", Name: "service account", Settles: time.Minute, StaleReads: 8 * time.Second, StaleLooks: 3,
			Principal: &kind.Principal{Disabled: "spec.disabled"}, FieldTraits: diff.Fields{
				"spec.iam":         {Apart: true},
				"spec.displayName": {Default: `""`},
				"spec.description": {Default: `""`},
				"spec.disabled":    {Default: "false", FollowsCreate: true},
			}},
		New:          func() v1alpha1.Object { return &v1alpha1.ServiceAccount{} },
		ExternalName: func(ref kind.Ref) string { return "//iam.googleapis.com/" + ref.ID },
		Fields:       &kind.Fields{},
		Policy: &kind.Policy{Path: "spec.iam", Of: func(obj v1alpha1.Object) (*v1alpha1.IAMPolicy, []v1alpha1.AuditConfig) {
			return obj.(*v1alpha1.ServiceAccount).Spec.IAM, nil
		}},
		Referent: func(obj v1alpha1.Object) string { return obj.(*v1alpha1.ServiceAccount).Status.Email },
	}
	projects = kind.Kind{
		Traits:       kind.Traits{Kind: "ProjectPolicy", Name: "project policy"},
		New:          func() v1alpha1.Object { return &v1alpha1.ProjectPolicy{} },
		ExternalName: func(ref kind.Ref) string { return "//cloudresourcemanager.googleapis.com/projects/" + ref.Project },
		Policy: &kind.Policy{Path: "spec", Of: func(obj v1alpha1.Object) (*v1alpha1.IAMPolicy, []v1alpha1.AuditConfig) {
			spec := &obj.(*v1alpha1.ProjectPolicy).Spec
			return &spec.IAMPolicy, spec.AuditConfigs
		}},
	}
)

// three is the time at which everything is assessed.
var three = time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)

// situation is all that an assessment follows from.
type situation struct {
	Manifest

	record Record
	seen   Observation
	env    Environment
}

func (s *situation) assess() Assessment { return Assess(s.Manifest, s.record, s.seen, s.env) }

func (s *situation) bucket() *v1alpha1.Bucket { return s.Object.(*v1alpha1.Bucket) }

// live is the bucket as it was seen.
func (s *situation) live() *v1alpha1.Bucket { return s.seen.Fields.Live.Object.(*v1alpha1.Bucket) }

func (s *situation) iam() *v1alpha1.IAMPolicy {
	spec, _ := s.Kind.Policy.Of(s.Object)
	return spec
}

// given changes a situation in one respect.
type given func(*situation)

// with returns a situation with changes, in order.
func (s *situation) with(changes ...given) *situation {
	for _, change := range changes {
		change(s)
	}
	return s
}

// situationOf is a resource that was not looked at yet.
func situationOf(k kind.Kind, obj v1alpha1.Object) *situation {
	obj.SetNamespace("shop")
	obj.SetName("logs")
	obj.SetUID("1")
	obj.SetGeneration(1)
	obj.SetResourceVersion("7")
	spec := obj.GetCommonSpec()
	spec.Management, spec.Adoption, spec.DeletionPolicy = v1alpha1.ManagementManage, v1alpha1.AdoptionIfMatches, v1alpha1.DeletionOrphan
	s := &situation{Manifest: Manifest{k, obj}, env: Environment{
		Now: three, Binding: tenancy.Binding{Project: "shop-project"}, Ref: kind.Ref{Project: "shop-project", ID: k.ResourceID(obj)},
		Self: iampolicy.Self{Email: "holdfast@ops.iam.gserviceaccount.com"},
	}}
	if k.Labels {
		s.env.Ref.Ownership = Ownership("cluster-a", obj)
	}
	return s
}

// aBucket is one that matches its manifest, which does not own it.
func aBucket() *situation {
	of := func() v1alpha1.BucketSpec {
		return v1alpha1.BucketSpec{Location: "EU", Versioning: &v1alpha1.Versioning{Enabled: new(true)}}
	}
	s := situationOf(buckets, &v1alpha1.Bucket{Spec: of()})
	s.seen.Fields = FieldsSeen{Looked: true, Exists: true, Live: kind.Live{Object: &v1alpha1.Bucket{Spec: of()}, Identity: kind.Identity{UID: "42/today"}}}
	return s
}

// anAccount is one that does not exist, and was not looked at before.
func anAccount() *situation {
	s := situationOf(accounts, &v1alpha1.ServiceAccount{Spec: v1alpha1.ServiceAccountSpec{DisplayName: new("logs")}})
	s.seen.Fields = FieldsSeen{Looked: true, Missing: notFound}
	return s
}

// aProject is one whose policy grants nothing that the manifest mentions, which is nothing.
func aProject() *situation {
	s := situationOf(projects, &v1alpha1.ProjectPolicy{})
	s.seen.Policy = livePolicy(iampolicy.Grant{Role: "roles/owner", Member: "user:root@example.com"})
	return s
}

// livePolicy is a policy as it was read.
func livePolicy(grants ...iampolicy.Grant) PolicySeen {
	policy := iampolicy.Policy{Etag: []byte("1")}
	for _, g := range grants {
		policy.Bindings = append(policy.Bindings, iampolicy.Binding{Role: g.Role, Members: []string{g.Member}, Condition: g.Condition})
	}
	return PolicySeen{Looked: true, Policy: policy}
}

var (
	ada = iampolicy.Grant{Role: "roles/viewer", Member: "user:ada@example.com"}
	bob = iampolicy.Grant{Role: "roles/viewer", Member: "user:bob@example.com"}
)

var notFound = &kind.Error{Class: kind.NotFound, Message: "there is none"}

// What a situation may differ in.
var (
	absent          given = func(s *situation) { s.seen.Fields = FieldsSeen{Looked: true, Missing: notFound} }
	owned           given = func(s *situation) { s.record.Identity = s.seen.Fields.Live.Identity.UID }
	recordedAnother given = func(s *situation) { s.record.Identity = "42/yesterday" }
	differs         given = func(s *situation) { s.live().Spec.Versioning.Enabled = new(false) }
	moved           given = func(s *situation) { s.bucket().Spec.Location = "US" }
	locks           given = func(s *situation) {
		s.bucket().Spec.RetentionPolicy = &v1alpha1.RetentionPolicy{RetentionSeconds: new(int64(60)), Locked: new(true)}
		s.live().Spec.RetentionPolicy = &v1alpha1.RetentionPolicy{RetentionSeconds: new(int64(60)), Locked: new(false)}
	}
	// A rule of the bucket has a condition that the spec has no field for.
	unmanagedCondition given = func(s *situation) {
		rules := func() *v1alpha1.Lifecycle {
			return &v1alpha1.Lifecycle{Rules: []v1alpha1.LifecycleRule{{Condition: v1alpha1.LifecycleCondition{Age: new(int64(7))}}}}
		}
		s.bucket().Spec.Lifecycle, s.live().Spec.Lifecycle = rules(), rules()
		s.seen.Fields.Live.Unmanaged = []diff.Unmanaged{{Path: "spec.lifecycle.rules[0].condition.weather", Value: `"rain"`}}
	}
	unmanagedField given = func(s *situation) {
		s.seen.Fields.Live.Unmanaged = []diff.Unmanaged{{Path: "spec.ipFilter", Value: `{"mode":"Enabled"}`}}
	}
	observe given = func(s *situation) { s.Object.GetCommonSpec().Management = v1alpha1.ManagementObserve }
	approve given = func(s *situation) { s.Object.GetCommonSpec().Management = v1alpha1.ManagementApprove }
	// The manifest switches versioning off.
	lossy given = func(s *situation) { s.bucket().Spec.Versioning.Enabled = new(false) }
	// Versioning leaves the manifest.
	lossyReset given = func(s *situation) {
		s.bucket().Spec.Versioning, s.record.AppliedFields = nil, []string{"spec.versioning.enabled"}
	}
	mayLose            = namespaced(map[string]string{v1alpha1.AllowAnnotation: v1alpha1.AllowDataLoss})
	leastApprove       = namespaced(map[string]string{v1alpha1.LeastManagementAnnotation: "Approve"})
	leastObserve       = namespaced(map[string]string{v1alpha1.LeastManagementAnnotation: "Observe"})
	removesNone        = namespaced(map[string]string{v1alpha1.MaxRemovalsAnnotation: "0"})
	never        given = func(s *situation) { s.Object.GetCommonSpec().Adoption = v1alpha1.AdoptionNever }
	always       given = func(s *situation) { s.Object.GetCommonSpec().Adoption = v1alpha1.AdoptionAlways }
	approved     given = func(s *situation) { annotate(s.Object, v1alpha1.ApproveAnnotation, s.assess().Hash) } // once all else is given
	broken       given = func(s *situation) {
		s.env.Glass = breakglass.Glass{Scope: v1alpha1.BreakGlassOnObject, Reason: "INC-1"}
	}
	anotherProject given = func(s *situation) { s.seen.Fields.Foreign = true }
	anotherOwner   given = func(s *situation) { s.seen.Fields.Live.Identity.Labels = Ownership("cluster-b", s.Object) }
	marked         given = func(s *situation) { s.seen.Fields.Live.Identity.Labels = Ownership("cluster-a", s.Object) }
	// createdByIt is a bucket as the manifest has created it.
	createdByIt given = func(s *situation) {
		s.seen.Fields.Live.Identity.Labels = Creating(s.Manifest, s.env.Ref).Ownership
	}
	unwritten  given = func(s *situation) { s.env.Unwritten = true }
	unmarkable given = func(s *situation) { s.seen.Fields.Live.Identity.UID = "" }
	unreadable given = func(s *situation) {
		s.seen.Fields = FieldsSeen{Err: &kind.Error{Class: kind.Denied, Permission: "storage.buckets.get", Message: "no"}}
	}
	shutDown given = func(s *situation) { s.env.ProjectShutDown = true }
	away     given = func(s *situation) {
		s.seen.Fields = FieldsSeen{Err: &kind.Error{Class: kind.Unavailable, Message: "away"}}
	}
	unbound given = func(s *situation) {
		s.env.Refusal = &tenancy.Refusal{Reason: v1alpha1.ReasonBindingChanged, Message: "not allowed"}
	}
	justCreated  given = func(s *situation) { s.record.CreateTime = &metav1.Time{Time: three.Add(-59 * time.Second)} }
	missingSince       = func(d time.Duration) given {
		return func(s *situation) { s.seen.MissingSince, s.seen.Misses = three.Add(-d), 4 }
	}
	misses          = func(looks int) given { return func(s *situation) { s.seen.Misses = looks } }
	deleting  given = func(s *situation) { s.Object.SetDeletionTimestamp(&metav1.Time{Time: three}) }
	aWhileAgo given = func(s *situation) { s.Object.SetDeletionTimestamp(&metav1.Time{Time: three.Add(-moving)}) }
	longAgo   given = func(s *situation) { s.Object.SetDeletionTimestamp(&metav1.Time{Time: three.Add(-claiming)}) }
	deletes   given = func(s *situation) { s.Object.GetCommonSpec().DeletionPolicy = v1alpha1.DeletionDelete }
	empties   given = func(s *situation) {
		s.Object.GetCommonSpec().DeletionPolicy = v1alpha1.DeletionDeleteWithContents
		fields := *s.Kind.Fields
		fields.Contents = func(kind.Ref, kind.Live) []kind.Contents { return nil }
		s.Kind.Fields = &fields
	}
	// The bucket is retained, as the manifest said before.
	retained given = func(s *situation) {
		s.live().Spec.RetentionPolicy = &v1alpha1.RetentionPolicy{RetentionSeconds: new(int64(60))}
		s.record.AppliedFields = []string{"spec.retentionPolicy.retentionSeconds"}
	}
	definitionGoes given = func(s *situation) { s.env.DefinitionGoes = true }
	rivalElder           = rivals(-time.Hour)
	rivalYounger         = rivals(time.Hour)
	policyUnread         = policyFails(kind.Denied)
	policyNotFound       = policyFails(kind.NotFound)
	grantsAda            = grants(ada)
	adaIsLive      given = func(s *situation) { s.seen.Policy = livePolicy(ada) }
	nobodyIsLive   given = func(s *situation) { s.seen.Policy = livePolicy() }
	adaAndBobLive  given = func(s *situation) { s.seen.Policy = livePolicy(ada, bob) }
	adaIsStoredAs  given = func(s *situation) {
		s.record.Policy.StoredAs = StoredAs{ada.Member: {Names: []string{"user:primary@example.com"}}}
	}
	primaryIsLive given = func(s *situation) {
		s.seen.Policy = PolicySeen{Looked: true, Policy: iampolicy.Policy{Etag: []byte("1"), Bindings: []iampolicy.Binding{{Role: ada.Role, Members: []string{"user:primary@example.com"}}}}}
	}
	adaIsRefused given = func(s *situation) { s.record = s.record.Refused([]string{ada.Member}, "no such user", s.Object, s.env) }
	grantedAda   given = func(s *situation) {
		s.record.Policy = PolicyRecord{Known: true, Mode: v1alpha1.IAMAdditive, Grants: []iampolicy.Grant{ada}}
	}
	ownsRoles       given = func(s *situation) { s.iam().Mode = v1alpha1.IAMAuthoritativeRoles }
	refersToAccount given = func(s *situation) {
		ref := v1alpha1.ServiceAccountRef{Name: "reader"}
		bindings := &s.iam().Bindings
		*bindings = append(*bindings, v1alpha1.IAMBinding{Role: ada.Role, ServiceAccountRefs: []v1alpha1.ServiceAccountRef{ref}})
		s.env.References = References{kind.AccountReference(ref): {Missing: `the ServiceAccount "reader" has no service account in Google Cloud yet`}}
	}
)

func annotate(obj v1alpha1.Object, key, value string) {
	obj.SetAnnotations(map[string]string{key: value})
}

// namespaced gives the Namespace annotations beside those that bind it.
func namespaced(annotations map[string]string) given {
	return func(s *situation) {
		s.env.Limits, s.env.Binding.Permissions = tenancy.ReadLimits(annotations), tenancy.ReadPermissions(annotations)
	}
}

// grants makes a manifest grant something, in Additive mode.
func grants(all ...iampolicy.Grant) given {
	return func(s *situation) {
		if b, ok := s.Object.(*v1alpha1.Bucket); ok && b.Spec.IAM == nil {
			b.Spec.IAM = &v1alpha1.IAMPolicy{}
		}
		iam := s.iam()
		iam.Mode = v1alpha1.IAMAdditive
		for _, g := range all {
			iam.Bindings = append(iam.Bindings, v1alpha1.IAMBinding{Role: g.Role, Members: []v1alpha1.IAMMember{v1alpha1.IAMMember(g.Member)}})
		}
	}
}

func policyFails(class kind.Class) given {
	return func(s *situation) {
		s.seen.Policy = PolicySeen{Err: &kind.Error{Class: class, Permission: "storage.buckets.getIamPolicy", Resource: "logs", Message: "no"}}
	}
}

// rivals adds another manifest of the same resource, created some time after the first.
func rivals(after time.Duration) given {
	return func(s *situation) {
		s.Object.SetCreationTimestamp(metav1.NewTime(three))
		other := s.Object.DeepCopyObject().(v1alpha1.Object)
		other.SetName("other")
		other.SetUID("2")
		other.SetDeletionTimestamp(nil)
		other.SetCreationTimestamp(metav1.NewTime(three.Add(after)))
		s.env.Rivals = append(s.env.Rivals, Rival{Object: other})
	}
}

// lastRival changes the rival that was added last.
func lastRival(change func(*Rival)) given {
	return func(s *situation) {
		if n := len(s.env.Rivals); n > 0 {
			change(&s.env.Rivals[n-1])
		}
	}
}

var (
	itsGlass   = lastRival(func(r *Rival) { r.Glass = breakglass.Glass{Scope: v1alpha1.BreakGlassOnObject, Reason: "INC-4711"} })
	itIsBarred = lastRival(func(r *Rival) { r.Barred = true })
	itGoesToo  = lastRival(func(r *Rival) { r.Object.SetDeletionTimestamp(&metav1.Time{Time: three}) })
	// hadGlass says that the glass was broken for some time, now included.
	hadGlass given = func(s *situation) { recordGlass(s.Object) }
	itHadOne       = lastRival(func(r *Rival) { recordGlass(r.Object) })
)

func recordGlass(obj v1alpha1.Object) {
	status := obj.GetCommonStatus()
	status.BreakGlassHistory = append(status.BreakGlassHistory, v1alpha1.BreakGlassEpisode{
		BreakGlass: v1alpha1.BreakGlass{Since: metav1.NewTime(three.Add(-time.Hour)), DeletionTime: obj.GetDeletionTimestamp()}, ClosedAt: metav1.NewTime(three.Add(time.Hour)),
	})
}

// undeletable is for kinds whose resources can be brought back.
func undeletable(s *situation) {
	fields := *s.Kind.Fields
	fields.Undelete = func(context.Context, kind.Ref, string) (kind.Live, error) { return kind.Live{}, nil }
	s.Kind.Fields = &fields
}

func shopTopic() *v1alpha1.Topic {
	topic := objectNamed("shop", "orders")
	topic.UID, topic.Generation = "1", 1
	return topic
}
