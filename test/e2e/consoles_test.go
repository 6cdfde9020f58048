package e2e

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"cloud.google.com/go/iam/apiv1/iampb"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// somebody is who does things in the console that no manifest mentions.
const somebody = "user:somebody@example.com"

// ofOwner are the labels that mark the owner.
func ofOwner(labels map[string]string) map[string]string {
	owner := maps.Clone(labels)
	maps.DeleteFunc(owner, func(key, _ string) bool { return !strings.HasPrefix(key, "holdfast-") })
	return owner
}

// takenLabels mark a resource as another installation's.
var takenLabels = map[string]string{
	v1alpha1.OwnerLabel: "another-cluster", v1alpha1.OwnerNamespaceLabel: "shop", v1alpha1.OwnerNameLabel: "theirs",
}

type topicConsole struct{ *world }

func (c topicConsole) create(id string, on bool) {
	c.t.Helper()
	c.must(c.cloud.PubSub.PutTopic(&pubsubpb.Topic{
		Name: c.topicName(id), Labels: map[string]string{"team": "shop"}, MessageRetentionDuration: seconds(retention(on)),
	}))
}

func (c topicConsole) edit(id string, change func(live *pubsubpb.Topic)) {
	c.t.Helper()
	c.must(c.cloud.PubSub.EditTopic(c.topicName(id), change))
}

func (c topicConsole) set(id string, on bool) {
	c.t.Helper()
	c.edit(id, func(live *pubsubpb.Topic) { live.MessageRetentionDuration = seconds(retention(on)) })
}

func (c topicConsole) label(id string, labels map[string]string) {
	c.t.Helper()
	c.edit(id, func(live *pubsubpb.Topic) { maps.Copy(live.Labels, labels) })
}

func (c topicConsole) team(id, team string) {
	c.t.Helper()
	c.label(id, map[string]string{"team": team})
}

func (c topicConsole) stray(id string) {
	c.t.Helper()
	c.label(id, map[string]string{"cost": "42"})
}

func (c topicConsole) take(id string) {
	c.t.Helper()
	c.label(id, takenLabels)
}

func (c topicConsole) delete(id string) {
	c.t.Helper()
	c.must(c.cloud.PubSub.DeleteTopic(c.topicName(id)))
}

func (c topicConsole) look(id string) look {
	live, there := c.cloud.PubSub.Topic(c.topicName(id))
	labels := live.GetLabels()
	return look{
		there: there, on: live.GetMessageRetentionDuration().GetSeconds() == retention(true),
		team: labels["team"], stray: labels["cost"] == "42", owner: ofOwner(labels),
	}
}

func seconds(n int64) *durationpb.Duration { return durationpb.New(time.Duration(n) * time.Second) }

type bucketConsole struct{ *world }

func (c bucketConsole) create(id string, on bool) {
	c.t.Helper()
	c.must(c.cloud.Storage.CreateBucket(c.project, map[string]any{
		"name": id, "labels": map[string]any{"team": "shop"}, "versioning": map[string]any{"enabled": on},
	}))
}

func (c bucketConsole) set(id string, on bool) {
	c.t.Helper()
	c.must(c.cloud.Storage.EditBucket(id, map[string]any{"versioning": map[string]any{"enabled": on}}))
}

func (c bucketConsole) label(id string, labels map[string]string) {
	c.t.Helper()
	patch := map[string]any{}
	for key, value := range labels {
		patch[key] = value
	}
	c.must(c.cloud.Storage.EditBucket(id, map[string]any{"labels": patch}))
}

func (c bucketConsole) team(id, team string) {
	c.t.Helper()
	c.label(id, map[string]string{"team": team})
}

func (c bucketConsole) stray(id string) {
	c.t.Helper()
	c.label(id, map[string]string{"cost": "42"})
}

func (c bucketConsole) take(id string) {
	c.t.Helper()
	c.label(id, takenLabels)
}

func (c bucketConsole) delete(id string) {
	c.t.Helper()
	c.must(c.cloud.Storage.DeleteBucket(id))
}

func (c bucketConsole) look(id string) look {
	live, there := c.liveBucket(id)
	return look{there: there, on: live.Versioning.Enabled, team: live.Labels["team"], stray: live.Labels["cost"] == "42", owner: ofOwner(live.Labels)}
}

// bucketView is what the tests look at in a bucket.
type bucketView struct {
	Location        string
	StorageClass    string
	TimeCreated     string
	Metageneration  string
	Labels          map[string]string
	Versioning      struct{ Enabled bool }
	RetentionPolicy struct {
		RetentionPeriod string
		IsLocked        bool
	}
}

// liveBucket reads a bucket behind everybody's back.
func (w *world) liveBucket(id string) (live bucketView, there bool) {
	w.t.Helper()
	document, there := w.cloud.Storage.Bucket(id)
	if !there {
		return live, false
	}
	w.must(json.Unmarshal([]byte(encoded(w, document)), &live))
	return live, true
}

type accountConsole struct{ *world }

func (c accountConsole) email(id string) string { return c.accountEmail(accountID(id)) }

func (c accountConsole) create(id string, on bool) {
	c.t.Helper()
	_, err := c.cloud.IAM.CreateAccount(c.project, accountID(id))
	c.must(err)
	c.team(id, "shop")
	c.set(id, on)
}

func (c accountConsole) edit(id string, change func(live *adminpb.ServiceAccount)) {
	c.t.Helper()
	c.must(c.cloud.IAM.EditAccount(c.email(id), change))
}

func (c accountConsole) set(id string, on bool) {
	c.t.Helper()
	c.edit(id, func(live *adminpb.ServiceAccount) { live.Description = description(on) })
}

func (c accountConsole) team(id, team string) {
	c.t.Helper()
	c.edit(id, func(live *adminpb.ServiceAccount) { live.DisplayName = team })
}

func (c accountConsole) stray(id string) {
	c.t.Helper()
	c.edit(id, func(live *adminpb.ServiceAccount) { live.Disabled = true })
}

// take puts another account in the place of the one that is there.
func (c accountConsole) take(id string) {
	c.t.Helper()
	c.delete(id)
	c.create(id, true)
}

func (c accountConsole) delete(id string) {
	c.t.Helper()
	c.must(c.cloud.IAM.DeleteAccount(c.email(id)))
}

func (c accountConsole) look(id string) look {
	live, there := c.cloud.IAM.Account(c.email(id))
	return look{there: there, on: live.GetDescription() == description(true), team: live.GetDisplayName(), stray: live.GetDisabled()}
}

// policyConsole grants and revokes the role of a policy. The resource counts as there while any member of a manifest has the role.
type policyConsole struct{ *world }

// change changes the members that have the role.
func (c policyConsole) change(id string, change func(members []string) []string) {
	c.t.Helper()
	role := roleOf(id)
	c.must(c.cloud.ResourceManager.EditPolicy(c.project, func(policy *iampb.Policy) {
		i := slices.IndexFunc(policy.GetBindings(), func(b *iampb.Binding) bool { return b.GetRole() == role })
		if i < 0 {
			i = len(policy.GetBindings())
			policy.Bindings = append(policy.Bindings, &iampb.Binding{Role: role})
		}
		policy.Bindings[i].Members = change(policy.Bindings[i].GetMembers())
		policy.Bindings = slices.DeleteFunc(policy.Bindings, func(b *iampb.Binding) bool { return len(b.GetMembers()) == 0 })
	}))
}

func (c policyConsole) create(id string, on bool) {
	c.t.Helper()
	c.team(id, "shop")
	c.set(id, on)
}

func (c policyConsole) set(id string, on bool) {
	c.t.Helper()
	c.change(id, func(members []string) []string {
		members = without(members, member(true), member(false))
		if on {
			members = append(members, member(true))
		}
		return members
	})
}

func (c policyConsole) team(id, name string) {
	c.t.Helper()
	c.change(id, func(members []string) []string {
		return append(without(members, team("shop"), team("bank")), team(name))
	})
}

func (c policyConsole) stray(id string) {
	c.t.Helper()
	c.change(id, func(members []string) []string { return append(members, somebody) })
}

func (c policyConsole) take(string) { c.t.Fatal("nobody can take a grant over") }

func (c policyConsole) delete(id string) {
	c.t.Helper()
	c.change(id, func(members []string) []string {
		return slices.DeleteFunc(members, func(m string) bool { return m != somebody })
	})
}

func (c policyConsole) look(id string) look {
	has := func(member string) bool { return slices.Contains(c.projectGrants(), roleOf(id)+" "+member) }
	seen := look{on: has(member(true)), stray: has(somebody)}
	for _, name := range []string{"bank", "shop"} {
		if has(team(name)) {
			seen.team = name
		}
	}
	seen.there = seen.on || seen.team != "" || has(member(false))
	return seen
}

func without(members []string, those ...string) []string {
	return slices.DeleteFunc(members, func(m string) bool { return slices.Contains(those, m) })
}
