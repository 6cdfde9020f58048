package e2e

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/iam/apiv1/iampb"
	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/policy"
)

func TestAnAccountAndItsGrantsTogether(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	to := func(role string) v1alpha1.IAMPolicy {
		return additive(v1alpha1.IAMBinding{Role: role, ServiceAccountRefs: []v1alpha1.ServiceAccountRef{{Name: "orders-writer"}}})
	}
	bucketPolicy, topicPolicy := to("roles/storage.objectUser"), to("roles/pubsub.publisher")
	bucket := aBucket(w.namespace+"-orders", v1alpha1.BucketSpec{IAM: &bucketPolicy})
	topic := aTopic("orders", v1alpha1.TopicSpec{IAM: &topicPolicy})
	policy := aPolicy("writers", to("roles/logging.logWriter"))
	account := anAccount("orders-writer", v1alpha1.ServiceAccountSpec{})
	for _, obj := range []v1alpha1.Object{bucket, topic, policy} {
		w.create(obj)
		w.reason(obj, v1alpha1.ReasonAwaitingReference)
	}
	quiet := w.cloud.Traffic.Total()
	w.create(account)
	for _, obj := range []v1alpha1.Object{account, bucket, topic, policy} {
		w.ready(obj)
	}
	member := "serviceAccount:" + w.accountEmail("orders-writer")
	w.expectGrants("roles/logging.logWriter " + member)
	if got := account.Status.Member; got != member {
		t.Errorf("status.member is %q, want %q", got, member)
	}
	t.Log("account: get, create; bucket and topic: get, get policy, set policy; project: get policy, set policy")
	if spent := w.cloud.Traffic.Total() - quiet; spent > 2+3+3+2 {
		t.Errorf("%d calls to Google Cloud, %v: there is no polling in it", spent, w.cloud.Traffic.Counts())
	}
	for _, obj := range []v1alpha1.Object{bucket, topic, policy} {
		w.noWarnings(obj)
	}
}

func TestAdditiveRevokesOnlyItsOwn(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	w.grant("roles/viewer", "user:ada@example.com")
	w.grant("roles/editor", "user:bob@example.com")
	p := aPolicy("team", additive(granting("roles/viewer", "user:Ada@Example.com", "user:cleo@example.com"), granting("roles/browser", "group:all@example.com")))
	w.create(p)
	w.ready(p)
	w.expectGrants("roles/viewer user:ada@example.com", "roles/editor user:bob@example.com", "roles/viewer user:cleo@example.com", "roles/browser group:all@example.com")

	rebind(w, p, granting("roles/browser", "group:all@example.com"))
	w.ready(p)
	w.expectGrants("roles/viewer user:ada@example.com", "roles/editor user:bob@example.com", "roles/browser group:all@example.com")

	w.revoke("roles/browser", "group:all@example.com")
	w.settled(p)
	w.expectGrants("roles/viewer user:ada@example.com", "roles/editor user:bob@example.com", "roles/browser group:all@example.com")
}

func TestDeletingAPolicy(t *testing.T) {
	t.Parallel()
	for deletion, stays := range map[v1alpha1.DeletionPolicy][]string{
		v1alpha1.DeletionOrphan: {"roles/viewer user:ada@example.com", "roles/viewer user:bob@example.com"},
		v1alpha1.DeletionDelete: {"roles/viewer user:ada@example.com"},
	} {
		t.Run(string(deletion), func(t *testing.T) {
			t.Parallel()
			w := startWorld(t)
			w.grant("roles/viewer", "user:ada@example.com")
			p := aPolicy("team", additive(granting("roles/viewer", "user:ada@example.com", "user:bob@example.com")))
			p.Spec.DeletionPolicy = deletion
			w.create(p)
			w.ready(p)
			w.delete(p)
			w.gone(p)
			w.expectGrants(stays...)
		})
	}
}

func TestTwoThatShareAGrant(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	shared, own := granting("roles/viewer", "user:ada@example.com"), granting("roles/browser", "user:bob@example.com")
	first, second := aPolicy("first", additive(shared, own)), aPolicy("second", additive(shared, own))
	for _, p := range []*v1alpha1.ProjectPolicy{first, second} {
		w.create(p)
		w.ready(p)
	}
	rebind(w, first, own)
	w.ready(first)
	w.expectGrants("roles/viewer user:ada@example.com", "roles/browser user:bob@example.com")
	rebind(w, second, own)
	w.ready(second)
	w.expectGrants("roles/browser user:bob@example.com")
}

func TestTwoOwnersOfARole(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	owner := aPolicy("owner", v1alpha1.IAMPolicy{Mode: v1alpha1.IAMAuthoritativeRoles, Bindings: []v1alpha1.IAMBinding{granting("roles/viewer", "user:ada@example.com")}})
	other := aPolicy("other", additive(granting("roles/viewer", "user:bob@example.com")))
	beside := aPolicy("beside", additive(granting("roles/browser", "user:bob@example.com")))
	owner.Spec.DeletionPolicy = v1alpha1.DeletionDelete
	owner.Spec.Adoption = v1alpha1.AdoptionAlways
	w.create(owner)
	w.ready(owner)
	w.eventually("the next second, since the older one wins", func() (bool, string) {
		return time.Now().Unix() > owner.CreationTimestamp.Unix(), ""
	})
	w.create(other)
	w.create(beside)
	w.reason(other, v1alpha1.ReasonConflict)
	w.ready(beside)
	w.expectGrants("roles/viewer user:ada@example.com", "roles/browser user:bob@example.com")
	if said := condition(other, v1alpha1.ConditionReady).Message; !strings.Contains(said, "/owner") {
		t.Errorf("the winner is not named: %s", said)
	}
	w.delete(owner)
	w.ready(other)
	w.expectGrants("roles/viewer user:bob@example.com", "roles/browser user:bob@example.com")
}

func TestAPolicyCostsOneReadAndOneWrite(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	var bindings []v1alpha1.IAMBinding
	for i := range 100 {
		bindings = append(bindings, granting(fmt.Sprintf("roles/custom%d.viewer", i), "user:ada@example.com", "group:all@example.com"))
	}
	p := aPolicy("team", additive(bindings...))
	p.Spec.Safety = &v1alpha1.IAMSafety{MaxRemovals: new(int32(100))}
	spent := func(when string, reads, writes int, kubeWrites int64) {
		t.Helper()
		if r, s := w.cloud.Traffic.Count(readProjectPolicy), w.cloud.Traffic.Count(setProjectPolicy); r != reads || s != writes || w.cloud.Traffic.Total() != reads+writes {
			t.Errorf("%s: %d reads and %d writes, %v in all", when, r, s, w.cloud.Traffic.Counts())
		}
		w.expectKubeWrites(kubeWrites)
		w.cloud.Traffic.ResetCounts()
		w.kubeWrites.Store(0)
	}
	w.create(p)
	w.ready(p)
	spent("200 grants", 1, 1, 2+unstamped())
	rebind(w, p, bindings[:50]...)
	w.ready(p)
	spent("100 grants less, once it is known what else is taken away, which is on record then", 2, 1, 2)
}

// TestTenWritersOnOnePolicy: none of the grants of ten manifests is lost, nor of a person who is at work at the same time.
func TestTenWritersOnOnePolicy(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	const each = 10
	var people sync.WaitGroup
	for i := range each {
		people.Go(func() {
			if err := w.cloud.ResourceManager.EditPolicy(w.project, func(policy *iampb.Policy) {
				policy.Bindings = append(policy.Bindings, &iampb.Binding{Role: "roles/viewer", Members: []string{fmt.Sprintf("user:person%d@example.com", i)}})
			}); err != nil {
				t.Error(err)
			}
		})
	}
	want := []string{}
	var policies []*v1alpha1.ProjectPolicy
	for i := range each {
		p := aPolicy(fmt.Sprintf("writer-%d", i), additive(granting("roles/viewer", v1alpha1.IAMMember(fmt.Sprintf("user:writer%d@example.com", i)))))
		w.create(p)
		policies = append(policies, p)
		want = append(want, fmt.Sprintf("roles/viewer user:writer%d@example.com", i), fmt.Sprintf("roles/viewer user:person%d@example.com", i))
	}
	people.Wait()
	for _, p := range policies {
		w.ready(p)
	}
	w.expectGrants(want...)
}

// TestAConcurrentGrantIsNotOverwritten: somebody grants something between our reading and our writing.
func TestAConcurrentGrantIsNotOverwritten(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	pause := w.cloud.Traffic.Pause(setProjectPolicy)
	p := aPolicy("team", additive(granting("roles/viewer", "user:ada@example.com")))
	w.create(p)
	w.reached(pause)
	w.grant("roles/editor", "user:bob@example.com")
	pause.Release()
	w.ready(p)
	w.expectGrants("roles/editor user:bob@example.com", "roles/viewer user:ada@example.com")
}

// TestAMemberThatGoogleRefuses is named, and all the others get what they shall have.
func TestAMemberThatGoogleRefuses(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	w.must(w.cloud.Directory.Set("user:adda@example.com", policy.Unknown))
	w.must(w.cloud.Directory.Set("group:typo@example.com", policy.Unknown))
	p := aPolicy("team", additive(granting("roles/viewer", "user:adda@example.com", "user:bob@example.com"), granting("roles/browser", "group:typo@example.com", "group:all@example.com")))
	w.create(p)
	w.reason(p, v1alpha1.ReasonInvalid)
	w.expectGrants("roles/viewer user:bob@example.com", "roles/browser group:all@example.com")
	said := condition(p, v1alpha1.ConditionReady).Message
	for _, name := range []string{"user:adda@example.com", "group:typo@example.com"} {
		if !strings.Contains(said, name) {
			t.Errorf("%s is not named in: %s", name, said)
		}
	}
	before := w.cloud.Traffic.Count(setProjectPolicy)
	annotate(w, p, "example.com/touched", "yes")
	w.restart()
	w.reason(p, v1alpha1.ReasonInvalid)
	if again := w.cloud.Traffic.Count(setProjectPolicy) - before; again != 0 {
		t.Errorf("%d more tries with the same manifest", again)
	}
	w.must(w.cloud.Directory.Set("user:adda@example.com", policy.Known))
	rebind(w, p, granting("roles/viewer", "user:adda@example.com", "user:bob@example.com"), granting("roles/browser", "group:all@example.com"))
	w.ready(p)
	w.expectGrants("roles/viewer user:adda@example.com", "roles/viewer user:bob@example.com", "roles/browser group:all@example.com")
	if len(p.Status.IAM.Refused) > 0 {
		t.Errorf("still refused: %v", p.Status.IAM.Refused)
	}
}

func TestIAMOfAResource(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	iam := additive(granting("roles/iam.workloadIdentityUser", "serviceAccount:cluster-project.svc.id.goog[shop/orders]"))
	account := anAccount("orders-writer", v1alpha1.ServiceAccountSpec{IAM: &iam})
	w.create(account)
	w.ready(account)
	if d := cmp.Diff([]v1alpha1.IAMGrants{{Role: "roles/iam.workloadIdentityUser", Members: []string{"serviceAccount:cluster-project.svc.id.goog[shop/orders]"}}}, account.Status.IAM.Grants); d != "" {
		t.Errorf("recorded (-want +got):\n%s", d)
	}
	edit(w, account, func(a *v1alpha1.ServiceAccount) { a.Spec.IAM = nil })
	w.eventually("the grant to be revoked", func() (bool, string) {
		w.get(account)
		return account.Status.IAM == nil, describe(account)
	})
	w.ready(account)
}
