package bucket

import (
	"cmp"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/test/emulator"
	"github.com/holdfast-dev/holdfast/test/policytest"
)

// emulated is a bucket in the emulated Google Cloud, and what was applied to it.
type emulated struct {
	impl    *Kind
	ref     kind.Ref
	cloud   *emulator.Emulator
	applied []string
}

func emulate(t *testing.T) *emulated {
	t.Helper()
	cloud := emulator.StartTest(t, emulator.Options{EnforceRequesterPays: true})
	return &emulated{impl: New(policytest.Clients(t, cloud, methods...)), ref: ref, cloud: cloud}
}

// context is that of a pass.
func (e *emulated) context(t *testing.T) context.Context {
	return gcp.WithProject(t.Context(), e.ref.Project)
}

// create makes the bucket, and checks that nothing is left to do.
func (e *emulated) create(t *testing.T, obj *v1alpha1.Bucket) *Live {
	t.Helper()
	live, err := e.impl.Create(e.context(t), e.ref, obj)
	if err != nil {
		t.Fatal(err)
	}
	result := compare(obj, live, nil)
	if len(result.Changes) > 0 {
		t.Fatalf("what was created differs: %v", result.Changes)
	}
	e.applied = result.Managed
	return live
}

// apply does to the bucket what the engine would, and checks that nothing is left to do, by the answer and by another look.
func (e *emulated) apply(t *testing.T, obj *v1alpha1.Bucket) diff.Changes {
	t.Helper()
	live, err := e.impl.Observe(e.context(t), e.ref)
	if err != nil {
		t.Fatal(err)
	}
	result := compare(obj, live, e.applied)
	if live, err = change(e.context(t), e.impl, live, result); err != nil {
		t.Fatal(err)
	}
	if left := compare(obj, live, e.applied).Changes; len(left) > 0 {
		t.Errorf("the answer differs: %v", left)
	}
	if live, err = e.impl.Observe(e.context(t), e.ref); err != nil {
		t.Fatal(err)
	}
	if left := compare(obj, live, e.applied).Changes; len(left) > 0 {
		t.Errorf("what was updated differs: %v", left)
	}
	e.applied = result.Managed
	return result.Changes
}

// sample reads a manifest of config/samples.
func sample(t testing.TB, file string) *v1alpha1.Bucket {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "config", "samples", file))
	if err != nil {
		t.Fatal(err)
	}
	obj := &v1alpha1.Bucket{}
	if err := yaml.UnmarshalStrict(text, obj); err != nil {
		t.Fatal(err)
	}
	return obj
}

func TestEmulatedLife(t *testing.T) {
	e := emulate(t)
	full := sample(t, "bucket-full.yaml")
	if _, err := e.impl.Observe(t.Context(), e.ref); !gcp.IsNotFound(err) {
		t.Fatalf("a bucket before its creation: %v; want not found", err)
	}
	mark := e.cloud.Traffic.Mark()
	live := e.create(t, full)
	if got, want := len(e.cloud.Traffic.Since(mark)), 1; got != want {
		t.Errorf("creating took %d calls; want %d: the answer to the write is read from it", got, want)
	}
	for label, value := range ref.Ownership {
		if live.Labels[label] != value {
			t.Errorf("label %s is %q; want %q", label, live.Labels[label], value)
		}
	}

	mark = e.cloud.Traffic.Mark()
	if changes := e.apply(t, full); len(changes) > 0 {
		t.Errorf("nothing changed, and yet: %v", changes)
	}
	if writes := e.cloud.Traffic.WritesSince(mark); len(writes) > 0 {
		t.Errorf("nothing changed, and yet it wrote: %v", writes)
	}

	for name, edit := range edits {
		t.Run(name, func(t *testing.T) {
			edited := full.DeepCopy()
			edit(&edited.Spec)
			if changes := e.apply(t, edited); len(changes) == 0 {
				t.Error("nothing to do")
			}
			if changes := e.apply(t, full); len(changes) == 0 {
				t.Error("nothing to do on the way back")
			}
		})
	}

	minimal := sample(t, "bucket-minimal.yaml")
	minimal.Spec.Location, minimal.Spec.CustomPlacementConfig = full.Spec.Location, full.Spec.CustomPlacementConfig
	minimal.Spec.ObjectRetention = full.Spec.ObjectRetention
	e.apply(t, minimal)
	if live, err := e.impl.Observe(t.Context(), e.ref); err != nil {
		t.Error(err)
	} else if err := e.impl.Delete(t.Context(), e.ref, live); err != nil {
		t.Error(err)
	} else if err := e.impl.Delete(t.Context(), e.ref, live); err != nil {
		t.Errorf("deleting what is deleted: %v", err)
	}
}

// edits are edits of the full sample: fields changed, cleared and left out.
var edits = map[string]func(*v1alpha1.BucketSpec){
	"storageClass changed":          func(s *v1alpha1.BucketSpec) { s.StorageClass = "COLDLINE" },
	"storageClass left out":         func(s *v1alpha1.BucketSpec) { s.StorageClass, s.RPO = "", v1alpha1.RPODefault },
	"rpo left out":                  func(s *v1alpha1.BucketSpec) { s.RPO = "" },
	"a label changed, one left out": func(s *v1alpha1.BucketSpec) { s.Labels = v1alpha1.Labels{"team": "billing"} },
	"labels left out":               func(s *v1alpha1.BucketSpec) { s.Labels = nil },
	"versioning disabled":           func(s *v1alpha1.BucketSpec) { s.Versioning.Enabled = new(false) },
	"versioning left out":           func(s *v1alpha1.BucketSpec) { s.Versioning = nil },
	"rules changed":                 func(s *v1alpha1.BucketSpec) { s.Lifecycle.Rules = s.Lifecycle.Rules[1:] },
	"rules cleared":                 func(s *v1alpha1.BucketSpec) { s.Lifecycle.Rules = []v1alpha1.LifecycleRule{} },
	"lifecycle cleared":             func(s *v1alpha1.BucketSpec) { s.Lifecycle = &v1alpha1.Lifecycle{} },
	"lifecycle left out":            func(s *v1alpha1.BucketSpec) { s.Lifecycle = nil },
	"soft delete off":               func(s *v1alpha1.BucketSpec) { s.SoftDeletePolicy.RetentionSeconds = new(int64(0)) },
	"soft delete left out":          func(s *v1alpha1.BucketSpec) { s.SoftDeletePolicy = nil },
	"retention changed":             func(s *v1alpha1.BucketSpec) { s.RetentionPolicy.RetentionSeconds = new(int64(3600)) },
	"retention cleared":             func(s *v1alpha1.BucketSpec) { s.RetentionPolicy = &v1alpha1.RetentionPolicy{} },
	"retention left out":            func(s *v1alpha1.BucketSpec) { s.RetentionPolicy = nil },
	"autoclass enabled":             enableAutoclass,
	"event-based hold by default":   func(s *v1alpha1.BucketSpec) { s.DefaultEventBasedHold = new(true) },
	"uniform access disabled":       func(s *v1alpha1.BucketSpec) { s.UniformBucketLevelAccess.Enabled = new(false) },
	"uniform access left out":       func(s *v1alpha1.BucketSpec) { s.UniformBucketLevelAccess = nil },
	"public access inherited":       func(s *v1alpha1.BucketSpec) { s.PublicAccessPrevention = v1alpha1.PublicAccessPreventionInherited },
	"public access left out":        func(s *v1alpha1.BucketSpec) { s.PublicAccessPrevention = "" },
	"cors changed":                  func(s *v1alpha1.BucketSpec) { s.CORS[0].MaxAgeSeconds = nil },
	"cors cleared":                  func(s *v1alpha1.BucketSpec) { s.CORS = []v1alpha1.CORS{} },
	"cors left out":                 func(s *v1alpha1.BucketSpec) { s.CORS = nil },
	"a page changed":                func(s *v1alpha1.BucketSpec) { s.Website.MainPageSuffix = "home.html" },
	"a page left out":               func(s *v1alpha1.BucketSpec) { s.Website.NotFoundPage = "" },
	"web site cleared":              func(s *v1alpha1.BucketSpec) { s.Website = &v1alpha1.Website{} },
	"web site left out":             func(s *v1alpha1.BucketSpec) { s.Website = nil },
	"log bucket changed":            func(s *v1alpha1.BucketSpec) { s.Logging.LogBucket = "holdfast-other-logs" },
	"log prefix left out":           func(s *v1alpha1.BucketSpec) { s.Logging.LogObjectPrefix = "" },
	"logging cleared":               func(s *v1alpha1.BucketSpec) { s.Logging = &v1alpha1.Logging{} },
	"logging left out":              func(s *v1alpha1.BucketSpec) { s.Logging = nil },
	"key left out":                  func(s *v1alpha1.BucketSpec) { s.Encryption.DefaultKMSKeyName = "" },
	"restriction changed": func(s *v1alpha1.BucketSpec) {
		s.Encryption.CustomerSuppliedEncryptionEnforcementConfig.RestrictionMode = v1alpha1.RestrictionNone
	},
	"restriction left out":    func(s *v1alpha1.BucketSpec) { s.Encryption.CustomerSuppliedEncryptionEnforcementConfig = nil },
	"another restriction":     restrictGoogleManaged,
	"encryption cleared":      func(s *v1alpha1.BucketSpec) { s.Encryption = &v1alpha1.BucketEncryption{} },
	"encryption left out":     func(s *v1alpha1.BucketSpec) { s.Encryption = nil },
	"a filter's mode changed": func(s *v1alpha1.BucketSpec) { s.IPFilter.Mode = v1alpha1.IPFilterEnabled },
	"a filter's ranges changed": func(s *v1alpha1.BucketSpec) {
		s.IPFilter.PublicNetworkSource.AllowedIPCIDRRanges = []v1alpha1.IPCIDRRange{"198.51.100.0/24"}
	},
	"a filter's ranges cleared": func(s *v1alpha1.BucketSpec) {
		s.IPFilter.PublicNetworkSource.AllowedIPCIDRRanges = []v1alpha1.IPCIDRRange{}
	},
	"a filter's ranges left out":   func(s *v1alpha1.BucketSpec) { s.IPFilter.PublicNetworkSource = nil },
	"a filter's networks cleared":  func(s *v1alpha1.BucketSpec) { s.IPFilter.VPCNetworkSources = []v1alpha1.VPCNetworkSource{} },
	"a filter's networks left out": func(s *v1alpha1.BucketSpec) { s.IPFilter.VPCNetworkSources = nil },
	"a filter's switches left out": func(s *v1alpha1.BucketSpec) {
		s.IPFilter.AllowCrossOrgVPCs, s.IPFilter.AllowAllServiceAgentAccess = nil, nil
	},
	"the filter left out": func(s *v1alpha1.BucketSpec) { s.IPFilter = nil },
	"requester pays":      func(s *v1alpha1.BucketSpec) { s.RequesterPays = new(true) },
}

func enableAutoclass(s *v1alpha1.BucketSpec) {
	s.Autoclass = &v1alpha1.Autoclass{Enabled: new(true), TerminalStorageClass: "ARCHIVE"}
	s.Lifecycle = &v1alpha1.Lifecycle{}
}

func restrictGoogleManaged(s *v1alpha1.BucketSpec) {
	s.Encryption.GoogleManagedEncryptionEnforcementConfig = &v1alpha1.EncryptionEnforcementConfig{RestrictionMode: v1alpha1.RestrictionFull}
}

func TestEmulatedMinimal(t *testing.T) {
	e := emulate(t)
	minimal := sample(t, "bucket-minimal.yaml")
	e.create(t, minimal)
	if changes := e.apply(t, minimal); len(changes) > 0 {
		t.Errorf("nothing changed, and yet: %v", changes)
	}
}

func TestEmulatedLock(t *testing.T) {
	e := emulate(t)
	obj := &v1alpha1.Bucket{Spec: v1alpha1.BucketSpec{RetentionPolicy: &v1alpha1.RetentionPolicy{RetentionSeconds: new(int64(3600))}}}
	e.create(t, obj)
	obj.Spec.RetentionPolicy = &v1alpha1.RetentionPolicy{RetentionSeconds: new(int64(7200)), Locked: new(true)}
	mark := e.cloud.Traffic.Mark()
	e.apply(t, obj)
	var methods []string
	for _, entry := range e.cloud.Traffic.WritesSince(mark) {
		methods = append(methods, entry.Method)
	}
	if want := []string{"buckets.patch", "buckets.lockRetentionPolicy"}; !gocmp.Equal(methods, want) {
		t.Errorf("writes %v; want %v", methods, want)
	}
}

func TestEmulatedEmpty(t *testing.T) {
	e := emulate(t)
	live := e.create(t, &v1alpha1.Bucket{Spec: v1alpha1.BucketSpec{Versioning: &v1alpha1.Versioning{Enabled: new(true)}}})
	for range 2 {
		for _, name := range []string{"a", "b/c", "d e"} {
			if err := e.cloud.Storage.PutObject(ref.ID, name, []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := e.impl.Delete(t.Context(), e.ref, live); !gcp.IsNotEmpty(err) {
		t.Errorf("deleting a bucket with objects: %v; want not empty", err)
	}
	if n := e.empty(t, live); n != 6 {
		t.Errorf("deleted %d generations; want 6", n)
	}
	if err := e.impl.Delete(t.Context(), e.ref, live); err != nil {
		t.Error(err)
	}
	if n := e.empty(t, live); n != 0 {
		t.Errorf("deleted %d generations in a bucket that is deleted", n)
	}
}

// empty deletes all that is in the bucket, and returns how many pieces that was.
func (e *emulated) empty(t *testing.T, live *Live) (deleted int) {
	t.Helper()
	for _, contents := range e.impl.Contents(e.ref, live) {
		pieces, next, err := contents.List(t.Context(), "")
		if err != nil || next != "" {
			t.Fatalf("%s: more %q, error %v", contents.Name, next, err)
		}
		slices.SortFunc(pieces, func(a, b kind.Piece) int { return cmp.Compare(b.Depth, a.Depth) })
		for _, piece := range pieces {
			if err := piece.Delete(t.Context()); err != nil {
				t.Error(err)
			}
			deleted++
		}
	}
	return deleted
}

// full creates a bucket with contents of all sorts: an object, the two folders that it is in, a managed folder and a cache.
func (e *emulated) full(t *testing.T) *Live {
	t.Helper()
	live := e.create(t, &v1alpha1.Bucket{Spec: v1alpha1.BucketSpec{
		HierarchicalNamespace: &v1alpha1.HierarchicalNamespace{Enabled: new(true)}, UniformBucketLevelAccess: &v1alpha1.UniformBucketLevelAccess{Enabled: new(true)},
	}})
	if err := e.cloud.Storage.PutObject(e.ref.ID, "a/b/c", []byte("x")); err != nil {
		t.Fatal(err)
	}
	for path, body := range map[string]string{"managedFolders": `{"name": "m/"}`, "anywhereCaches": `{"zone": "us-central1-a"}`} {
		console, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.cloud.URL()+"/emulator/storage/b/"+e.ref.ID+"/"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(console)
		if err != nil || resp.StatusCode != http.StatusOK || resp.Body.Close() != nil {
			t.Fatalf("%s: %v, %+v", path, err, resp)
		}
	}
	return live
}

func TestEmulatedContents(t *testing.T) {
	e := emulate(t)
	live := e.full(t)
	if n := e.empty(t, live); n != 5 {
		t.Errorf("%d pieces; want 5", n)
	}
	service, err := e.impl.clients.StorageService(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	caches, err := service.AnywhereCaches.List(e.ref.ID).Context(t.Context()).Do()
	if err != nil || len(caches.Items) != 1 || leaving(caches.Items[0]) == nil {
		t.Errorf("the cache: %+v, %v", caches, err)
	}
}

func TestEmulatedOrphan(t *testing.T) {
	e := emulate(t)
	live := e.create(t, sample(t, "bucket-minimal.yaml"))
	orphaned := e.ref
	orphaned.Ownership = nil
	for _, call := range e.impl.Update(orphaned, e.impl.Describe(live), nil) {
		var err error
		if live, err = call.Do(t.Context(), live); err != nil {
			t.Fatal(err)
		}
	}
	if len(live.Labels) > 0 {
		t.Errorf("labels %v; want none", live.Labels)
	}
}
