package main

import (
	"encoding/json"
	"fmt"
	"slices"

	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"cloud.google.com/go/iam/apiv1/iampb"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator"
)

// How many there are: projects with a Namespace and a ProjectPolicy each, and manifests of each other kind in each.
const (
	projects  = 3
	manifests = 3
)

// subject is a manifest and what it is about. Both have a setting, a number, and that is all that changes.
type subject struct {
	service, namespace, project, name string
	cloud                             *emulator.Emulator
	kind
}

// kind is what the manifests of a kind have in common.
type kind struct {
	// made is a manifest with a setting.
	made func(s *subject, n int) v1alpha1.Object
	// set changes it.
	set func(obj v1alpha1.Object, n int)
	// console changes the setting of the resource, and deletes it; nil where a resource does not come and go.
	console func(s *subject, n int) error
	deletes func(s *subject) error
	// read is the resource; nil while it is not there. It is compared by what is encoded of it.
	read func(s *subject) any
	// agrees says whether the resource is as the manifest says.
	agrees func(s *subject, obj v1alpha1.Object) bool
}

// key is what the rules know a manifest by: an API has resources of one kind here.
func (s *subject) key() string { return s.service + " " + s.namespace + "/" + s.name }

func (s *subject) String() string { return s.namespace + "/" + s.name }

func (s *subject) meta() metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: s.namespace, Name: s.name}
}

// state is all that there is of the resource, less what changes with each write.
func (s *subject) state() string {
	encoded, err := json.Marshal(s.read(s))
	if err != nil {
		return err.Error()
	}
	return string(encoded)
}

// fleet are all subjects.
func fleet(cloud *emulator.Emulator) []*subject {
	var all []*subject
	for p := range projects {
		namespace, project := fmt.Sprintf("team-%d", p), fmt.Sprintf("team-%d-project", p)
		all = append(all, &subject{service: "resourcemanager", namespace: namespace, project: project, name: "access", cloud: cloud, kind: policies})
		for n := range manifests {
			all = append(all,
				&subject{service: "storage", namespace: namespace, project: project, name: fmt.Sprintf("%s-data-%d", project, n), cloud: cloud, kind: buckets},
				&subject{service: "pubsub", namespace: namespace, project: project, name: fmt.Sprintf("events-%d", n), cloud: cloud, kind: topics},
				&subject{service: "iam", namespace: namespace, project: project, name: fmt.Sprintf("account-%d", n), cloud: cloud, kind: accounts})
		}
	}
	return all
}

func labelled(n int) v1alpha1.Labels {
	return v1alpha1.Labels{"setting": v1alpha1.LabelValue(fmt.Sprint(n))}
}

// readers is a policy of a resource, which stays as it is.
func readers(role string) *v1alpha1.IAMPolicy {
	return &v1alpha1.IAMPolicy{Bindings: []v1alpha1.IAMBinding{{Role: role, Members: []v1alpha1.IAMMember{"group:readers@example.com"}}}}
}

var buckets = kind{
	made: func(s *subject, n int) v1alpha1.Object {
		return &v1alpha1.Bucket{ObjectMeta: s.meta(), Spec: v1alpha1.BucketSpec{
			CommonSpec: v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete},
			Location:   "EUROPE-WEST1", Labels: labelled(n), UniformBucketLevelAccess: &v1alpha1.UniformBucketLevelAccess{Enabled: new(true)},
			IAM: readers("roles/storage.objectViewer"),
		}}
	},
	set: func(obj v1alpha1.Object, n int) { obj.(*v1alpha1.Bucket).Spec.Labels = labelled(n) },
	console: func(s *subject, n int) error {
		return s.cloud.Storage.EditBucket(s.name, map[string]any{"labels": map[string]any{"setting": fmt.Sprint(n)}})
	},
	deletes: func(s *subject) error { return s.cloud.Storage.DeleteBucket(s.name) },
	read: func(s *subject) any {
		bucket, there := s.cloud.Storage.Bucket(s.name)
		if !there {
			return nil
		}
		for _, each := range []string{"etag", "metageneration", "updated"} {
			delete(bucket, each)
		}
		policy, _ := s.cloud.Storage.Policy(s.name)
		return []any{bucket, plain(policy, "etag")}
	},
	agrees: func(s *subject, obj v1alpha1.Object) bool {
		bucket, there := s.cloud.Storage.Bucket(s.name)
		labels, _ := bucket["labels"].(map[string]any)
		return there && labels["setting"] == string(obj.(*v1alpha1.Bucket).Spec.Labels["setting"])
	},
}

var topics = kind{
	made: func(s *subject, n int) v1alpha1.Object {
		return &v1alpha1.Topic{ObjectMeta: s.meta(), Spec: v1alpha1.TopicSpec{
			CommonSpec: v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete},
			Labels:     labelled(n), MessageRetentionSeconds: new(int64(600 + n)), IAM: readers("roles/pubsub.publisher"),
		}}
	},
	set: func(obj v1alpha1.Object, n int) {
		topic := obj.(*v1alpha1.Topic)
		topic.Spec.Labels, topic.Spec.MessageRetentionSeconds = labelled(n), new(int64(600+n))
	},
	console: func(s *subject, n int) error {
		return s.cloud.PubSub.EditTopic(s.topic(), func(live *pubsubpb.Topic) {
			live.MessageRetentionDuration = &durationpb.Duration{Seconds: int64(600 + n)}
		})
	},
	deletes: func(s *subject) error { return s.cloud.PubSub.DeleteTopic(s.topic()) },
	read: func(s *subject) any {
		topic, there := s.cloud.PubSub.Topic(s.topic())
		if !there {
			return nil
		}
		policy, _ := s.cloud.PubSub.Policy(s.topic())
		return []any{plain(topic), plain(policy, "etag")}
	},
	agrees: func(s *subject, obj v1alpha1.Object) bool {
		live, there := s.cloud.PubSub.Topic(s.topic())
		spec := obj.(*v1alpha1.Topic).Spec
		return there && live.GetLabels()["setting"] == string(spec.Labels["setting"]) &&
			live.GetMessageRetentionDuration().GetSeconds() == *spec.MessageRetentionSeconds
	},
}

func (s *subject) topic() string { return "projects/" + s.project + "/topics/" + s.name }

var accounts = kind{
	made: func(s *subject, n int) v1alpha1.Object {
		return &v1alpha1.ServiceAccount{ObjectMeta: s.meta(), Spec: v1alpha1.ServiceAccountSpec{
			CommonSpec:  v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete},
			DisplayName: new(fmt.Sprint("setting ", n)),
		}}
	},
	set: func(obj v1alpha1.Object, n int) {
		obj.(*v1alpha1.ServiceAccount).Spec.DisplayName = new(fmt.Sprint("setting ", n))
	},
	console: func(s *subject, n int) error {
		return s.cloud.IAM.EditAccount(s.email(), func(live *adminpb.ServiceAccount) { live.DisplayName = fmt.Sprint("setting ", n) })
	},
	deletes: func(s *subject) error { return s.cloud.IAM.DeleteAccount(s.email()) },
	read: func(s *subject) any {
		account, there := s.cloud.IAM.Account(s.email())
		if !there {
			return nil
		}
		return plain(account, "etag")
	},
	agrees: func(s *subject, obj v1alpha1.Object) bool {
		live, there := s.cloud.IAM.Account(s.email())
		return there && live.GetDisplayName() == *obj.(*v1alpha1.ServiceAccount).Spec.DisplayName
	},
}

func (s *subject) email() string { return s.name + "@" + s.project + ".iam.gserviceaccount.com" }

// policies grant a role to one of many people, by the setting.
var policies = kind{
	made: func(s *subject, n int) v1alpha1.Object {
		p := &v1alpha1.ProjectPolicy{ObjectMeta: s.meta(), Spec: v1alpha1.ProjectPolicySpec{IAMPolicy: v1alpha1.IAMPolicy{
			Bindings: []v1alpha1.IAMBinding{{Role: soakRole}},
		}}}
		setMembers(p, n)
		return p
	},
	set: func(obj v1alpha1.Object, n int) { setMembers(obj.(*v1alpha1.ProjectPolicy), n) },
	console: func(s *subject, n int) error {
		return s.cloud.ResourceManager.EditPolicy(s.project, func(policy *iampb.Policy) {
			for _, b := range policy.GetBindings() {
				if b.GetRole() == soakRole {
					b.Members = []string{"user:other@example.com", person(n)}
				}
			}
		})
	},
	read: func(s *subject) any { return plain(s.cloud.ResourceManager.Policy(s.project), "etag") },
	agrees: func(s *subject, obj v1alpha1.Object) bool {
		var live []string
		for _, b := range s.cloud.ResourceManager.Policy(s.project).GetBindings() {
			if b.GetRole() == soakRole {
				live = b.GetMembers()
			}
		}
		return !slices.ContainsFunc(obj.(*v1alpha1.ProjectPolicy).Spec.Bindings[0].Members, func(m v1alpha1.IAMMember) bool {
			return !slices.Contains(live, string(m))
		})
	},
}

const soakRole = "roles/viewer"

func person(n int) string { return fmt.Sprintf("user:person-%d@example.com", n) }

func setMembers(p *v1alpha1.ProjectPolicy, n int) {
	p.Spec.Bindings[0].Members = []v1alpha1.IAMMember{"group:everybody@example.com", v1alpha1.IAMMember(person(n))}
}

// plain is a message as it is encoded, less some of its fields.
func plain(message proto.Message, less ...string) any {
	encoded, err := protojson.Marshal(message)
	if err != nil {
		return err.Error()
	}
	fields := map[string]any{}
	if err := json.Unmarshal(encoded, &fields); err != nil {
		return err.Error()
	}
	for _, each := range less {
		delete(fields, each)
	}
	return fields
}
