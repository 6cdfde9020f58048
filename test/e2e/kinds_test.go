package e2e

import (
	"encoding/json"
	"testing"
	"time"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/protobuf/types/known/durationpb"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// kind is what the tests of the engine's promises need to know of a kind. Each manifest sets the label team=shop, and one
// setting: on is what the manifest of the tests says, off another value.
type kind struct {
	name, service string
	// getting, creating, updating and deleting are the names of the calls.
	getting, creating, updating, deleting string
	// path is the setting's.
	path     string
	manifest func(id string, spec v1alpha1.CommonSpec) v1alpha1.Object
	// set changes the setting in a manifest: on, off, or nil for unset.
	set func(obj v1alpha1.Object, on *bool)
	// labels changes the labels of a manifest.
	labels func(obj v1alpha1.Object, labels v1alpha1.Labels)
	// console is somebody in the Google Cloud console.
	console func(w *world) console
}

// console is what somebody does without Holdfast.
type console interface {
	// create makes a resource as the manifest wants it, or with the setting off.
	create(id string, on bool)
	set(id string, on bool)
	relabel(id string, change func(labels map[string]string))
	delete(id string)
	// look returns what is there.
	look(id string) (labels map[string]string, on, there bool)
}

var shop = v1alpha1.Labels{"team": "shop"}

var topics = kind{
	name: "topic", service: "pubsub", path: "spec.messageRetentionSeconds",
	getting: "Publisher.GetTopic", creating: "Publisher.CreateTopic", updating: "Publisher.UpdateTopic", deleting: "Publisher.DeleteTopic",
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
	labels:  func(obj v1alpha1.Object, labels v1alpha1.Labels) { obj.(*v1alpha1.Topic).Spec.Labels = labels },
	console: func(w *world) console { return topicConsole{w} },
}

func retention(on bool) int64 {
	if on {
		return 3600
	}
	return 7200
}

var buckets = kind{
	name: "bucket", service: "storage", path: "spec.versioning.enabled",
	getting: "buckets.get", creating: "buckets.insert", updating: "buckets.patch", deleting: "buckets.delete",
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
	labels:  func(obj v1alpha1.Object, labels v1alpha1.Labels) { obj.(*v1alpha1.Bucket).Spec.Labels = labels },
	console: func(w *world) console { return bucketConsole{w} },
}

func aBucket(name string, spec v1alpha1.BucketSpec) *v1alpha1.Bucket {
	return &v1alpha1.Bucket{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: spec}
}

// forEachKind runs a test once per kind, in parallel.
func forEachKind(t *testing.T, test func(t *testing.T, k kind)) {
	t.Helper()
	for _, k := range []kind{topics, buckets} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			test(t, k)
		})
	}
}

type topicConsole struct{ *world }

func (c topicConsole) create(id string, on bool) {
	c.t.Helper()
	c.must(c.cloud.PubSub.PutTopic(&pubsubpb.Topic{
		Name: c.topicName(id), Labels: map[string]string{"team": "shop"}, MessageRetentionDuration: seconds(retention(on)),
	}))
}

func (c topicConsole) set(id string, on bool) {
	c.t.Helper()
	c.must(c.cloud.PubSub.EditTopic(c.topicName(id), func(live *pubsubpb.Topic) { live.MessageRetentionDuration = seconds(retention(on)) }))
}

func (c topicConsole) relabel(id string, change func(map[string]string)) {
	c.t.Helper()
	c.must(c.cloud.PubSub.EditTopic(c.topicName(id), func(live *pubsubpb.Topic) { change(live.Labels) }))
}

func (c topicConsole) delete(id string) {
	c.t.Helper()
	c.must(c.cloud.PubSub.DeleteTopic(c.topicName(id)))
}

func (c topicConsole) look(id string) (labels map[string]string, on, there bool) {
	live, there := c.cloud.PubSub.Topic(c.topicName(id))
	return live.GetLabels(), live.GetMessageRetentionDuration().GetSeconds() == retention(true), there
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

func (c bucketConsole) relabel(id string, change func(map[string]string)) {
	c.t.Helper()
	labels, _, _ := c.look(id)
	patch := map[string]any{}
	for key := range labels {
		patch[key] = nil
	}
	change(labels)
	for key, value := range labels {
		patch[key] = value
	}
	c.must(c.cloud.Storage.EditBucket(id, map[string]any{"labels": patch}))
}

func (c bucketConsole) delete(id string) {
	c.t.Helper()
	c.must(c.cloud.Storage.DeleteBucket(id))
}

func (c bucketConsole) look(id string) (labels map[string]string, on, there bool) {
	live, there := c.liveBucket(id)
	return live.Labels, live.Versioning.Enabled, there
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
