package e2e

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func TestDriftIsCorrectedAndWhatNobodyDeclaredStays(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		console := k.console(w)
		console.set("orders", false)
		console.team("orders", "bank")
		console.stray("orders")
		mark := w.cloud.Traffic.Mark()
		w.settled(obj)
		w.ready(obj)
		if live := console.look("orders"); !live.on || live.team != "shop" || !live.stray {
			t.Errorf("live: %+v", live)
		}
		if d := cmp.Diff([]string{k.updating}, w.writes(mark)); d != "" {
			t.Errorf("writes (-want +got):\n%s", d)
		}
	})
}

func TestWhatWasDeletedInTheConsoleIsMadeAgain(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		forgetCreation(w, obj)
		k.console(w).delete("orders")
		w.settled(obj)
		w.ready(obj)
		if live := k.console(w).look("orders"); !live.there || !live.on || live.team != "shop" {
			t.Errorf("live: %+v", live)
		}
	})
}

func TestUnsetIsUnmanaged(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		k.set(obj, nil)
		w.create(obj)
		w.ready(obj)
		k.console(w).set("orders", true)
		mark := w.cloud.Traffic.Mark()
		w.settled(obj)
		w.ready(obj)
		w.noWrites(mark)
		if !k.console(w).look("orders").on {
			t.Error("what the manifest does not set was changed")
		}
		if !k.is(comesAndGoes) { // nor does it show: a policy is as long as others make it
			return
		}
		var observed map[string]any
		w.must(json.Unmarshal(obj.GetCommonStatus().Observed.Raw, &observed))
		if len(observed) < 2 {
			t.Errorf("status.observed has only %v", observed)
		}
	})
}

func TestWhatLeavesIsResetAndNothingBesideIt(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		k.console(w).stray("orders")
		edit(w, obj, func(o v1alpha1.Object) { k.team(o, "") })
		w.ready(obj)
		live := k.console(w).look("orders")
		live.owner = nil
		if d := cmp.Diff(look{there: true, on: true, stray: true}, live, looks); d != "" {
			t.Errorf("live (-want +got):\n%s", d)
		}
		w.expectMarked(k, obj)
	})
}

func TestWhatWasAdoptedIsResetToo(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		k.console(w).create("orders", true)
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		edit(w, obj, func(o v1alpha1.Object) { k.set(o, nil) })
		w.ready(obj)
		if on := k.console(w).look("orders").on; on == k.is(adopted) {
			t.Errorf("a field that was there before the manifest, and left it, is on: %v", on)
		}
	})
}

// TestEachFieldOfATopicIsResetWhenItLeaves adds each field to a bare topic and takes it away again.
func TestEachFieldOfATopicIsResetWhenItLeaves(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	w.request(http.MethodPost, "/v1/projects/"+w.project+"/schemas?schemaId=events", `{"type": "AVRO",
		"definition": "{\"type\": \"record\", \"name\": \"Event\", \"fields\": [{\"name\": \"id\", \"type\": \"string\"}]}"}`)
	for name, add := range map[string]func(*v1alpha1.TopicSpec){
		"kms-key":   func(s *v1alpha1.TopicSpec) { s.KMSKeyName = "projects/p/locations/global/keyRings/r/cryptoKeys/k" },
		"retention": func(s *v1alpha1.TopicSpec) { s.MessageRetentionSeconds = new(int64(3600)) },
		"storage-policy": func(s *v1alpha1.TopicSpec) {
			s.MessageStoragePolicy = &v1alpha1.TopicMessageStoragePolicy{AllowedPersistenceRegions: []string{"europe-west1"}, EnforceInTransit: new(true)}
		},
		"schema": func(s *v1alpha1.TopicSpec) {
			s.SchemaSettings = &v1alpha1.TopicSchemaSettings{Schema: "projects/" + w.project + "/schemas/events", Encoding: v1alpha1.TopicSchemaEncodingJSON}
		},
		"ingestion": func(s *v1alpha1.TopicSpec) {
			s.Ingestion = &v1alpha1.TopicIngestion{Source: &v1alpha1.TopicIngestionSource{CloudStorage: &v1alpha1.TopicCloudStorageSource{Bucket: "imports"}}}
		},
		"transforms": func(s *v1alpha1.TopicSpec) {
			s.MessageTransforms = []v1alpha1.TopicMessageTransform{{JavaScriptUDF: &v1alpha1.TopicJavaScriptUDF{
				FunctionName: "f", Code: "function f(m) { return m; }",
			}}}
		},
		"labels": func(s *v1alpha1.TopicSpec) { s.Labels = shop },
	} {
		t.Run(name, func(t *testing.T) {
			topic := aTopic(name, v1alpha1.TopicSpec{})
			addAndRemove(t, w, "topic", topic, func() any { return w.liveTopic(name) },
				func(o *v1alpha1.Topic) { add(&o.Spec) },
				func(o *v1alpha1.Topic) { o.Spec = v1alpha1.TopicSpec{CommonSpec: o.Spec.CommonSpec} })
		})
	}
}

// TestEachGroupOfABucketIsResetWhenItLeaves does the same for a bucket.
func TestEachGroupOfABucketIsResetWhenItLeaves(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	for name, add := range map[string]func(*v1alpha1.BucketSpec){
		"storage-class": func(s *v1alpha1.BucketSpec) { s.StorageClass = v1alpha1.StorageClassNearline },
		"labels":        func(s *v1alpha1.BucketSpec) { s.Labels = shop },
		"versioning":    func(s *v1alpha1.BucketSpec) { s.Versioning = &v1alpha1.Versioning{Enabled: new(true)} },
		"lifecycle": func(s *v1alpha1.BucketSpec) {
			s.Lifecycle = &v1alpha1.Lifecycle{Rules: []v1alpha1.LifecycleRule{{
				Action: v1alpha1.LifecycleAction{Type: v1alpha1.LifecycleDelete}, Condition: v1alpha1.LifecycleCondition{Age: new(int64(30))},
			}}}
		},
		"soft-delete": func(s *v1alpha1.BucketSpec) {
			s.SoftDeletePolicy = &v1alpha1.SoftDeletePolicy{RetentionSeconds: new(int64(0))}
		},
		"retention-policy": func(s *v1alpha1.BucketSpec) {
			s.RetentionPolicy = &v1alpha1.RetentionPolicy{RetentionSeconds: new(int64(60))}
		},
		"autoclass": func(s *v1alpha1.BucketSpec) {
			s.Autoclass = &v1alpha1.Autoclass{Enabled: new(true), TerminalStorageClass: "ARCHIVE"}
		},
		"uniform-access": func(s *v1alpha1.BucketSpec) {
			s.UniformBucketLevelAccess = &v1alpha1.UniformBucketLevelAccess{Enabled: new(true)}
		},
		"access-prevention": func(s *v1alpha1.BucketSpec) { s.PublicAccessPrevention = v1alpha1.PublicAccessPreventionEnforced },
		"cors": func(s *v1alpha1.BucketSpec) {
			s.CORS = []v1alpha1.CORS{{Origin: []string{"https://example.com"}, Method: []string{"GET"}, MaxAgeSeconds: new(int64(60))}}
		},
		"website": func(s *v1alpha1.BucketSpec) {
			s.Website = &v1alpha1.Website{MainPageSuffix: "index.html", NotFoundPage: "404.html"}
		},
		"logging": func(s *v1alpha1.BucketSpec) {
			s.Logging = &v1alpha1.Logging{LogBucket: "all-logs", LogObjectPrefix: "orders"}
		},
		"encryption": func(s *v1alpha1.BucketSpec) {
			s.Encryption = &v1alpha1.BucketEncryption{
				DefaultKMSKeyName:                        "projects/p/locations/us/keyRings/r/cryptoKeys/k",
				GoogleManagedEncryptionEnforcementConfig: &v1alpha1.EncryptionEnforcementConfig{RestrictionMode: v1alpha1.RestrictionFull},
			}
		},
		"requester-pays":   func(s *v1alpha1.BucketSpec) { s.RequesterPays = new(true) },
		"event-based-hold": func(s *v1alpha1.BucketSpec) { s.DefaultEventBasedHold = new(true) },
	} {
		t.Run(name, func(t *testing.T) {
			bucket := aBucket(name, v1alpha1.BucketSpec{})
			addAndRemove(t, w, "bucket", bucket, func() any { return w.settings(name) },
				func(o *v1alpha1.Bucket) { add(&o.Spec) },
				func(o *v1alpha1.Bucket) { o.Spec = v1alpha1.BucketSpec{CommonSpec: o.Spec.CommonSpec} })
		})
	}
}

// addAndRemove adds a part of the spec to an object that has none, and takes it away again: live, which is what Google Cloud has,
// must change and then be as before. Both conversations are golden, under the kind and the object's name.
func addAndRemove[T v1alpha1.Object](t *testing.T, w *world, kind string, obj T, live func() any, add, remove func(T)) {
	t.Helper()
	w.create(obj)
	w.ready(obj)
	before := live()
	step := func(name string, change func(T)) {
		mark := w.cloud.Traffic.Mark()
		edit(w, obj, change)
		w.ready(obj)
		w.golden(kind+"/fields/"+obj.GetName()+"-"+name, mark)
	}
	step("update", add)
	if cmp.Equal(before, live(), protocmp.Transform()) {
		t.Fatal("adding it changed nothing")
	}
	step("reset", remove)
	if d := cmp.Diff(before, live(), protocmp.Transform()); d != "" {
		t.Errorf("it is not reset (-before +after):\n%s", d)
	}
}

func TestExplicitEmptiesAreManaged(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	w.must(w.cloud.Storage.CreateBucket(w.project, map[string]any{
		"name":    "orders",
		"cors":    []any{map[string]any{"origin": []any{"*"}, "method": []any{"GET"}}},
		"website": map[string]any{"mainPageSuffix": "index.html"},
		"lifecycle": map[string]any{"rule": []any{map[string]any{
			"action": map[string]any{"type": "Delete"}, "condition": map[string]any{"age": 30},
		}}},
	}))
	bucket := aBucket("orders", v1alpha1.BucketSpec{
		CommonSpec: v1alpha1.CommonSpec{Adoption: v1alpha1.AdoptionAlways},
		CORS:       []v1alpha1.CORS{}, Website: &v1alpha1.Website{}, Lifecycle: &v1alpha1.Lifecycle{Rules: []v1alpha1.LifecycleRule{}},
	})
	w.create(bucket)
	w.ready(bucket)
	settings := w.settings("orders")
	for _, group := range []string{"cors", "website", "lifecycle"} {
		if value, there := settings[group]; there {
			t.Errorf("%s is still there: %v", group, value)
		}
	}
	if d := cmp.Diff([]string{"spec.cors", "spec.lifecycle.rules", "spec.website"}, bucket.Status.AppliedFields); d != "" {
		t.Errorf("applied fields (-want +got):\n%s", d)
	}

	t.Log("one that comes back is drift")
	w.must(w.cloud.Storage.EditBucket("orders", map[string]any{"website": map[string]any{"mainPageSuffix": "index.html"}}))
	w.settled(bucket)
	w.ready(bucket)
	if value, there := w.settings("orders")["website"]; there {
		t.Errorf("website is back: %v", value)
	}
}

func TestWhatGoogleCannotChangeIsSaidAndNothingIsWritten(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	w.must(w.cloud.Storage.CreateBucket(w.project, map[string]any{"name": "orders", "location": "EU"}))
	mark := w.cloud.Traffic.Mark()
	bucket := aBucket("orders", v1alpha1.BucketSpec{
		CommonSpec: v1alpha1.CommonSpec{Adoption: v1alpha1.AdoptionAlways},
		Location:   "US", Versioning: &v1alpha1.Versioning{Enabled: new(true)},
	})
	w.create(bucket)
	w.reason(bucket, v1alpha1.ReasonImmutable)
	w.expectAdvice(bucket, `spec.location is "EU" and cannot be changed to "US"`)
	w.noWrites(mark)
}

// settings are a bucket as it is, without what changes by itself and what says the same as nothing.
func (w *world) settings(name string) map[string]any {
	w.t.Helper()
	document, there := w.cloud.Storage.Bucket(name)
	if !there {
		w.t.Fatalf("bucket %s does not exist", name)
	}
	var settings map[string]any
	w.must(json.Unmarshal([]byte(encoded(w, document)), &settings))
	prune(settings)
	return settings
}

func prune(settings map[string]any) {
	for key, value := range settings {
		section, isSection := value.(map[string]any)
		if isSection {
			prune(section)
		}
		switch {
		case isSection && len(section) == 0, value == false, value == "NotRestricted":
			delete(settings, key)
		case slices.Contains([]string{"metageneration", "updated", "etag", "effectiveTime", "toggleTime"}, key):
			delete(settings, key)
		}
	}
}
