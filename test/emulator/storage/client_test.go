package storage_test

import (
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	gcs "cloud.google.com/go/storage"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"

	"github.com/holdfast-dev/holdfast/test/emulator"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// newClient is Google's own client, talking to an emulator.
func newClient(t *testing.T) (*gcs.Client, *emulator.Emulator) {
	t.Helper()
	e := emulator.StartTest(t)
	client, err := gcs.NewClient(t.Context(), option.WithEndpoint(e.StorageEndpoint()), option.WithoutAuthentication())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return client, e
}

func TestClientBuckets(t *testing.T) {
	client, e := newClient(t)
	ctx := t.Context()
	logs := client.Bucket("client-logs")
	if _, err := logs.Attrs(ctx); !errors.Is(err, gcs.ErrBucketNotExist) {
		t.Errorf("before: %v", err)
	}
	asked := &gcs.BucketAttrs{
		Location: "europe-west1", StorageClass: "NEARLINE", Labels: map[string]string{"team": "a"}, VersioningEnabled: true,
		Lifecycle: gcs.Lifecycle{Rules: []gcs.LifecycleRule{{
			Action:    gcs.LifecycleAction{Type: gcs.DeleteAction},
			Condition: gcs.LifecycleCondition{AllObjects: true},
		}}},
		RetentionPolicy:          &gcs.RetentionPolicy{RetentionPeriod: time.Hour},
		UniformBucketLevelAccess: gcs.UniformBucketLevelAccess{Enabled: true},
		PublicAccessPrevention:   gcs.PublicAccessPreventionEnforced,
		SoftDeletePolicy:         &gcs.SoftDeletePolicy{RetentionDuration: 10 * 24 * time.Hour},
		CORS:                     []gcs.CORS{{MaxAge: time.Minute, Methods: []string{"GET"}, Origins: []string{"*"}}},
		Website:                  &gcs.BucketWebsite{MainPageSuffix: "index.html"},
	}
	if err := logs.Create(ctx, "client-project", asked); err != nil {
		t.Fatal(err)
	}
	attrs, err := logs.Attrs(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(asked.Lifecycle, attrs.Lifecycle); diff != "" {
		t.Errorf("lifecycle (-want +got):\n%s", diff)
	}
	if attrs.Location != "EUROPE-WEST1" || attrs.LocationType != "region" || attrs.RetentionPolicy.RetentionPeriod != time.Hour ||
		attrs.SoftDeletePolicy.RetentionDuration != 10*24*time.Hour || !attrs.UniformBucketLevelAccess.Enabled ||
		attrs.PublicAccessPrevention != gcs.PublicAccessPreventionEnforced || attrs.CORS[0].MaxAge != time.Minute {
		t.Errorf("as created: %+v", attrs)
	}
	update := gcs.BucketAttrsToUpdate{RetentionPolicy: &gcs.RetentionPolicy{}, Lifecycle: &gcs.Lifecycle{}, CORS: []gcs.CORS{}}
	update.SetLabel("cost", "b")
	update.DeleteLabel("team")
	updated, err := logs.If(gcs.BucketConditions{MetagenerationMatch: attrs.MetaGeneration}).Update(ctx, update)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"cost": "b"}, updated.Labels); diff != "" || updated.RetentionPolicy != nil ||
		len(updated.Lifecycle.Rules) != 0 || len(updated.CORS) != 0 || updated.MetaGeneration != 2 {
		t.Errorf("as updated: %+v", updated)
	}
	_, err = logs.If(gcs.BucketConditions{MetagenerationMatch: 1}).Update(ctx, gcs.BucketAttrsToUpdate{VersioningEnabled: false})
	wantStatus(t, "an update of the past", err, http.StatusPreconditionFailed)
	if err := logs.Delete(ctx); err != nil {
		t.Error(err)
	}
	wantCounts(t, e, map[string]int{
		"storage buckets.get": 2, "storage buckets.insert": 1, "storage buckets.patch": 2, "storage buckets.delete": 1,
	})
}

func wantStatus(t *testing.T, what string, err error, status int) {
	t.Helper()
	var failure *googleapi.Error
	if !errors.As(err, &failure) || failure.Code != status {
		t.Errorf("%s: %v, want status %d", what, err, status)
	}
}

func wantCounts(t *testing.T, e *emulator.Emulator, want map[string]int) {
	t.Helper()
	if diff := cmp.Diff(want, e.Traffic.Counts()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

func TestClientObjects(t *testing.T) {
	client, _ := newClient(t)
	ctx := t.Context()
	logs := client.Bucket("client-objects")
	if err := logs.Create(ctx, "client-project", &gcs.BucketAttrs{VersioningEnabled: true, SoftDeletePolicy: &gcs.SoftDeletePolicy{}}); err != nil {
		t.Fatal(err)
	}
	object := logs.Object("dir/one two.txt")
	for _, content := range []string{"first", "second"} {
		w := object.NewWriter(ctx)
		w.ContentType, w.SendCRC32C, w.Metadata = "text/plain", false, map[string]string{"k": "v"}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	r, err := object.NewReader(ctx)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(r)
	if err != nil || string(content) != "second" {
		t.Errorf("read %q, %v", content, err)
	}
	wantStatus(t, "deleting a bucket with objects", logs.Delete(ctx), http.StatusConflict)
	versions := 0
	objects := logs.Objects(ctx, &gcs.Query{Versions: true, Prefix: "dir/"})
	for {
		attrs, err := objects.Next()
		if errors.Is(err, iterator.Done) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		versions++
		if err := logs.Object(attrs.Name).Generation(attrs.Generation).Delete(ctx); err != nil {
			t.Error(err)
		}
	}
	if versions != 2 {
		t.Errorf("%d versions, want 2", versions)
	}
	if _, err := object.NewReader(ctx); !errors.Is(err, gcs.ErrObjectNotExist) {
		t.Errorf("reading what is gone: %v", err)
	}
	if err := logs.Delete(ctx); err != nil {
		t.Error(err)
	}
}

// TestClientByEnvironment: the usual variable is enough.
func TestClientByEnvironment(t *testing.T) {
	e := emulator.StartTest(t)
	t.Setenv("STORAGE_EMULATOR_HOST", e.URL())
	client, err := gcs.NewClient(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Bucket("client-env").Create(t.Context(), "client-project", nil); err != nil {
		t.Fatal(err)
	}
	if err := e.Storage.PutObject("client-env", "one", []byte("content")); err != nil {
		t.Fatal(err)
	}
	r, err := client.Bucket("client-env").Object("one").NewReader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if content, err := io.ReadAll(r); err != nil || string(content) != "content" {
		t.Errorf("read %q, %v", content, err)
	}
	buckets := client.Buckets(t.Context(), "client-project")
	if attrs, err := buckets.Next(); err != nil || attrs.Name != "client-env" {
		t.Errorf("listed %+v, %v", attrs, err)
	}
}

// TestClientLargeObjects go in pieces.
func TestClientLargeObjects(t *testing.T) {
	client, e := newClient(t)
	ctx := t.Context()
	if err := e.Storage.CreateBucket("client-project", map[string]any{"name": "client-large"}); err != nil {
		t.Fatal(err)
	}
	object := client.Bucket("client-large").Object("big")
	w := object.NewWriter(ctx)
	w.ChunkSize = 256 << 10
	sent := make([]byte, 700<<10)
	for i := range sent {
		sent[i] = byte(i)
	}
	if _, err := w.Write(sent); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := object.NewRangeReader(ctx, 600<<10, 8)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sent[600<<10:600<<10+8], got); diff != "" || r.Attrs.Size != 700<<10 {
		t.Errorf("size %d (-want +got):\n%s", r.Attrs.Size, diff)
	}
}

func TestClientLocksAndRestores(t *testing.T) {
	client, _ := newClient(t)
	ctx := t.Context()
	kept := client.Bucket("client-kept")
	if err := kept.Create(ctx, "client-project", &gcs.BucketAttrs{RetentionPolicy: &gcs.RetentionPolicy{RetentionPeriod: time.Hour}}); err != nil {
		t.Fatal(err)
	}
	if err := kept.If(gcs.BucketConditions{MetagenerationMatch: 1}).LockRetentionPolicy(ctx); err != nil {
		t.Fatal(err)
	}
	_, err := kept.Update(ctx, gcs.BucketAttrsToUpdate{RetentionPolicy: &gcs.RetentionPolicy{}})
	wantStatus(t, "removing a locked retention", err, http.StatusForbidden)
	attrs, err := kept.Attrs(ctx)
	if err != nil || !attrs.RetentionPolicy.IsLocked {
		t.Fatalf("attrs %+v, %v", attrs, err)
	}
}

// TestClientSeesFaults: the client takes the injected errors for Google's.
func TestClientSeesFaults(t *testing.T) {
	client, e := newClient(t)
	ctx := t.Context()
	logs := client.Bucket("client-faults")
	if err := logs.Create(ctx, "client-project", nil); err != nil {
		t.Fatal(err)
	}
	once := client.Bucket("client-faults").Retryer(gcs.WithPolicy(gcs.RetryNever))
	get := traffic.Call{Service: "storage", Method: "buckets.get"}

	e.Traffic.Inject(traffic.Fault{Match: get, Times: 1, Status: http.StatusTooManyRequests, RetryAfter: 1500 * time.Millisecond})
	_, err := once.Attrs(ctx)
	var throttled *googleapi.Error
	if !errors.As(err, &throttled) || throttled.Code != http.StatusTooManyRequests || throttled.Header.Get("Retry-After") != "2" ||
		throttled.Errors[0].Reason != "rateLimitExceeded" {
		t.Errorf("throttled: %#v", err)
	}

	e.Traffic.Inject(traffic.Fault{Match: get, Times: 1, Status: http.StatusForbidden})
	_, err = once.Attrs(ctx)
	var denied *googleapi.Error
	const want = "caller@emulator.iam.gserviceaccount.com does not have storage.buckets.get access to the Google Cloud Storage bucket. Permission 'storage.buckets.get' denied on resource (or it may not exist)."
	if !errors.As(err, &denied) || denied.Code != http.StatusForbidden || denied.Message != want {
		t.Errorf("denied: %#v", err)
	}

	e.Traffic.Inject(traffic.Fault{Match: get, Times: 2, Status: http.StatusServiceUnavailable})
	if _, err = logs.Attrs(ctx); err != nil {
		t.Errorf("the client's own retries: %v", err)
	}

	lost := client.Bucket("client-lost").Retryer(gcs.WithPolicy(gcs.RetryNever))
	e.Traffic.Inject(traffic.Fault{Match: traffic.Call{Method: "buckets.insert"}, Times: 1, LoseReply: true})
	if err := lost.Create(ctx, "client-project", nil); err == nil {
		t.Error("a lost reply came")
	}
	if _, made := e.Storage.Bucket("client-lost"); !made {
		t.Error("the call whose reply was lost was not carried out")
	}
}
