package e2e

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	typed "github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
)

// kind is what the tests of the engine's promises need to know of a kind, beside what the registry has. A manifest has two
// settings: its team, which is shop unless a test says otherwise, and one that is on, off or unset.
type kind struct {
	typed.Kind

	// title is what the tests of the kind go by.
	title string
	// getting, creating, updating and deleting are the names of the calls; listing is the one of sweeps and first looks, and unmarking the one that
	// orphaning takes. Empty for none.
	getting, listing, creating, updating, deleting, unmarking string
	// creation is the reason of the event that tells of a create.
	creation string
	// lacks are the traits that the kind does not have, and why.
	lacks map[trait]string
	// paths are those by which a resource differs that has the setting off, and should have it on.
	paths func(id string) []string
	// teamPaths are those by which one differs that has the team bank, and should have shop.
	teamPaths func(id string) []string
	manifest  func(id string, spec v1alpha1.CommonSpec) v1alpha1.Object
	// set changes the setting in a manifest: on, off, or nil for unset.
	set func(obj v1alpha1.Object, on *bool)
	// team changes the team in a manifest; empty for unset.
	team func(obj v1alpha1.Object, team string)
	// console is somebody in the Google Cloud console.
	console func(w *world) console
}

// trait is something that is so for most kinds. A test says what holds for the others instead.
type trait string

// The traits.
const (
	comesAndGoes trait = "the resource does not exist without a manifest"
	ownerLabels  trait = "labels mark the owner"
	distinct     trait = "the resource can be told from one that somebody else made later under the same name"
	exclusive    trait = "one manifest owns the resource"
	adopted      trait = "what was there before and differs is adopted only once somebody has seen the difference"
	immediate    trait = "the resource is visible as soon as it is created"
	overwritten  trait = "a value that is managed already is written over, which needs no record beforehand"
)

// is says whether a kind has a trait.
func (k kind) is(t trait) bool { return k.lacks[t] == "" }

// absent is the reason of Ready while the resource is to be observed and is not there.
func (k kind) absent() string {
	if k.is(comesAndGoes) {
		return v1alpha1.ReasonNotFound
	}
	return v1alpha1.ReasonDiffers
}

// unmarks are the writes that orphaning takes.
func (k kind) unmarks() []string {
	if k.unmarking == "" {
		return nil
	}
	return []string{k.unmarking}
}

// looking is the call by which it is found out that there is nothing yet.
func (k kind) looking() string { return cmp.Or(k.listing, k.getting) }

// recording are the writes to Kubernetes before a create: labels that go with it prove it, and nothing else does.
func (k kind) recording() int64 {
	if k.is(ownerLabels) {
		return 0
	}
	return 1
}

// unstamped are the writes to Kubernetes of an object that the operator adds the finalizer to, since no policy has.
func unstamped() int64 {
	if stamps {
		return 0
	}
	return 1
}

// orphaning are the calls that it takes to let go of a resource: without marks to take off, a look at the most.
func (k kind) orphaning() map[string]int {
	calls := map[string]int{}
	if k.is(comesAndGoes) {
		calls[k.getting] = 1
	}
	for _, write := range k.unmarks() {
		calls[write] = 1
	}
	return calls
}

// console is what somebody does without Holdfast.
type console interface {
	// create makes a resource as the manifest wants it, or with the setting off.
	create(id string, on bool)
	set(id string, on bool)
	team(id, team string)
	// stray puts something there that no manifest mentions.
	stray(id string)
	// take makes the resource somebody else's, where that can be told.
	take(id string)
	delete(id string)
	// look returns what is there.
	look(id string) look
}

// look is what somebody sees in the console.
type look struct {
	there, on, stray bool
	team             string
	// owner are the labels that mark the owner.
	owner map[string]string
}

// table has every kind.
var table = []kind{topics, buckets, accounts, policies}

var shop = v1alpha1.Labels{"team": "shop"}

var topics = kind{
	Kind: registered("Topic"), title: "topic", creation: "Created",
	getting: "Publisher.GetTopic", creating: "Publisher.CreateTopic", updating: "Publisher.UpdateTopic", deleting: "Publisher.DeleteTopic",
	listing: "Publisher.ListTopics", unmarking: "Publisher.UpdateTopic",
	paths:     always("spec.messageRetentionSeconds"),
	teamPaths: always("spec.labels[team]"),
	manifest: func(id string, spec v1alpha1.CommonSpec) v1alpha1.Object {
		return aTopic(id, v1alpha1.TopicSpec{CommonSpec: spec, Labels: shop, MessageRetentionSeconds: new(retention(true))})
	},
	set: func(obj v1alpha1.Object, on *bool) {
		topic := obj.(*v1alpha1.Topic)
		topic.Spec.MessageRetentionSeconds = nil
		if on != nil {
			topic.Spec.MessageRetentionSeconds = new(retention(*on))
		}
	},
	team:    func(obj v1alpha1.Object, team string) { obj.(*v1alpha1.Topic).Spec.Labels = teamLabels(team) },
	console: func(w *world) console { return topicConsole{w} },
}

var buckets = kind{
	Kind: registered("Bucket"), title: "bucket", creation: "Created",
	getting: "buckets.get", listing: "buckets.list", creating: "buckets.insert", updating: "buckets.patch", deleting: "buckets.delete", unmarking: "buckets.patch",
	paths:     always("spec.versioning.enabled"),
	teamPaths: always("spec.labels[team]"),
	manifest: func(id string, spec v1alpha1.CommonSpec) v1alpha1.Object {
		return aBucket(id, v1alpha1.BucketSpec{CommonSpec: spec, Labels: shop, Versioning: &v1alpha1.Versioning{Enabled: new(true)}})
	},
	set: func(obj v1alpha1.Object, on *bool) {
		bucket := obj.(*v1alpha1.Bucket)
		bucket.Spec.Versioning = nil
		if on != nil {
			bucket.Spec.Versioning = &v1alpha1.Versioning{Enabled: on}
		}
	},
	team:    func(obj v1alpha1.Object, team string) { obj.(*v1alpha1.Bucket).Spec.Labels = teamLabels(team) },
	console: func(w *world) console { return bucketConsole{w} },
}

// accounts have their setting in the description, and their team in the display name.
var accounts = kind{
	Kind: registered("ServiceAccount"), title: "account", creation: "Created",
	getting: "IAM.GetServiceAccount", listing: "IAM.ListServiceAccounts", creating: "IAM.CreateServiceAccount", updating: "IAM.PatchServiceAccount",
	deleting: "IAM.DeleteServiceAccount",
	lacks: map[trait]string{
		ownerLabels: "accounts have no labels; the unique ID tells which account it is",
		immediate:   "Google may take a minute to show a new account",
	},
	paths:     always("spec.description"),
	teamPaths: always("spec.displayName"),
	manifest: func(id string, spec v1alpha1.CommonSpec) v1alpha1.Object {
		spec.ResourceID = accountID(cmp.Or(spec.ResourceID, id))
		return anAccount(id, v1alpha1.ServiceAccountSpec{CommonSpec: spec, DisplayName: new("shop"), Description: new(description(true))})
	},
	set: func(obj v1alpha1.Object, on *bool) {
		account := obj.(*v1alpha1.ServiceAccount)
		account.Spec.Description = nil
		if on != nil {
			account.Spec.Description = new(description(*on))
		}
	},
	team: func(obj v1alpha1.Object, team string) {
		account := obj.(*v1alpha1.ServiceAccount)
		account.Spec.DisplayName = nil
		if team != "" {
			account.Spec.DisplayName = &team
		}
	},
	console: func(w *world) console { return accountConsole{w} },
}

// policies grant one role, each its own, to a team and, by the setting, to one of two people. What others are granted stays.
var policies = kind{
	Kind: registered("ProjectPolicy"), title: "policy", creation: "Updated",
	getting: "Projects.GetIamPolicy", creating: "Projects.SetIamPolicy", updating: "Projects.SetIamPolicy", deleting: "Projects.SetIamPolicy",
	lacks: map[trait]string{
		comesAndGoes: "the project is there before the manifest and stays after it",
		ownerLabels:  "a project's labels say nothing of its policy",
		distinct:     "a grant is the same whoever makes it",
		exclusive:    "several manifests may grant the same, which stays until none of them does",
		adopted:      "granting takes nothing over that was there before",
		overwritten:  "another member is another grant, which is recorded before it is made",
	},
	paths:     func(id string) []string { return []string{grantPath(id, member(true))} },
	teamPaths: func(id string) []string { return []string{grantPath(id, team("shop"))} },
	manifest: func(id string, spec v1alpha1.CommonSpec) v1alpha1.Object {
		role := roleOf(cmp.Or(spec.ResourceID, id))
		spec.ResourceID = ""
		p := aPolicy(id, additive(granting(role, v1alpha1.IAMMember(team("shop")), v1alpha1.IAMMember(member(true)))))
		p.Spec.CommonSpec = spec
		return p
	},
	set: func(obj v1alpha1.Object, on *bool) {
		members := changeMembers(obj, "user:")
		if on != nil {
			*members = append(*members, v1alpha1.IAMMember(member(*on)))
		}
	},
	team: func(obj v1alpha1.Object, name string) {
		members := changeMembers(obj, "group:")
		if name != "" {
			*members = append(*members, v1alpha1.IAMMember(team(name)))
		}
	},
	console: func(w *world) console { return policyConsole{w} },
}

// registered finds a kind in the registry.
func registered(name string) typed.Kind {
	k, ok := typed.Named(kinds.All(nil), name)
	if !ok {
		panic("there is no kind " + name)
	}
	return k
}

func always(path string) func(string) []string {
	return func(string) []string { return []string{path} }
}

func teamLabels(team string) v1alpha1.Labels {
	if team == "" {
		return nil
	}
	return v1alpha1.Labels{"team": v1alpha1.LabelValue(team)}
}

func retention(on bool) int64 {
	if on {
		return 3600
	}
	return 7200
}

func description(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// accountID is the ID of the account of a name, which may be too short for one.
func accountID(id string) string { return id + "-account" }

func member(on bool) string { return "user:" + description(on) + "@example.com" }

func team(name string) string { return "group:" + name + "@example.com" }

// roleOf is the role that a policy of a name grants.
func roleOf(id string) string { return "roles/custom." + strings.ReplaceAll(id, "-", "_") }

func grantPath(id, member string) string {
	return "spec.bindings[" + roleOf(id) + "].members[" + member + "]"
}

// changeMembers takes the members of a type out of a policy's binding, and returns the others.
func changeMembers(obj v1alpha1.Object, prefix string) *[]v1alpha1.IAMMember {
	members := &obj.(*v1alpha1.ProjectPolicy).Spec.Bindings[0].Members
	*members = slices.DeleteFunc(*members, func(m v1alpha1.IAMMember) bool { return strings.HasPrefix(string(m), prefix) })
	return members
}

func aBucket(name string, spec v1alpha1.BucketSpec) *v1alpha1.Bucket {
	return &v1alpha1.Bucket{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: spec}
}

// forEachKind runs a test once per kind that is run, in parallel.
func forEachKind(t *testing.T, test func(t *testing.T, k kind)) {
	t.Helper()
	t.Parallel()
	for _, k := range shareOf(t, table) {
		t.Run(k.title, func(t *testing.T) {
			t.Parallel()
			test(t, k)
		})
	}
}

// TestTheTableIsComplete holds the table against the registry: every promise is tested of every kind.
func TestTheTableIsComplete(t *testing.T) {
	for _, k := range kinds.All(nil) {
		if !slices.ContainsFunc(table, func(row kind) bool { return row.Kind.Kind == k.Kind }) {
			t.Errorf("the kind %s is not in the table of these tests", k.Kind)
		}
	}
	for _, k := range table {
		for _, call := range []string{k.getting, k.creating, k.updating, k.deleting} {
			if !slices.ContainsFunc(k.Methods, func(m typed.Method) bool { return m.Name == call }) {
				t.Errorf("%s: the kind does not declare the call %q", k.title, call)
			}
		}
		if lists := k.Fields != nil && k.Fields.List != nil; lists != (k.listing != "") {
			t.Errorf("%s: that it can be listed is %v, and the call is %q", k.title, lists, k.listing)
		}
		if k.is(ownerLabels) != k.Labels || k.is(ownerLabels) != (k.unmarking != "") {
			t.Errorf("%s: that it can be marked with labels is %v, the kind says %v, and the call that takes them off is %q", k.title, k.is(ownerLabels), k.Labels, k.unmarking)
		}
		if k.is(immediate) != (k.Settles == 0) {
			t.Errorf("%s: that it is visible at once is %v, and the kind settles for %s", k.title, k.is(immediate), k.Settles)
		}
		if (k.listing != "") != (k.Fields != nil && k.Fields.List != nil) {
			t.Errorf("%s: the call that lists is %q, the kind says otherwise", k.title, k.listing)
		}
		if k.is(comesAndGoes) != (k.Fields != nil) {
			t.Errorf("%s: that it comes and goes is %v, the kind says otherwise", k.title, k.is(comesAndGoes))
		}
	}
}
