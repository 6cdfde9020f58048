package e2e

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/projects"
)

// paidBuckets are buckets whose requesters pay.
var paidBuckets = func() kind {
	k := buckets
	k.title, k.manifest = "paid bucket", func(id string, spec v1alpha1.CommonSpec) v1alpha1.Object {
		obj := buckets.manifest(id, spec).(*v1alpha1.Bucket)
		obj.Spec.RequesterPays = new(true)
		return obj
	}
	k.console = func(w *world) console { return paidBucketConsole{bucketConsole{w}} }
	return k
}()

type paidBucketConsole struct{ bucketConsole }

func (c paidBucketConsole) create(id string, on bool) {
	c.t.Helper()
	c.bucketConsole.create(id, on)
	c.pays(id, true)
}

// pays switches on or off, in the console, that the requesters of a bucket pay.
func (w *world) pays(id string, on bool) {
	w.t.Helper()
	w.must(w.cloud.Storage.EditBucket(id, map[string]any{"billing": map[string]any{"requesterPays": on}}))
}

// paying are the calls about a bucket since a mark, each with what became of it: paid, unpaid (the owner pays), or refused because nobody
// did. Whoever pays is the bucket's own project.
func (w *world) paying(mark int64, bucket string) []string {
	w.t.Helper()
	var out []string
	for _, e := range w.cloud.Traffic.Since(mark) {
		at, err := url.Parse(e.Path)
		w.must(err)
		if !strings.HasPrefix(at.Path, "/storage/v1/b/"+bucket) {
			continue
		}
		payer := at.Query().Get("userProject")
		switch {
		case payer == "" && e.Status == http.StatusBadRequest:
			out = append(out, e.Method+" refused")
		case payer == "":
			out = append(out, e.Method+" unpaid")
		case payer == w.project:
			out = append(out, e.Method+" paid")
		default:
			w.t.Errorf("%s is billed to %s", e.Method, payer)
		}
	}
	return out
}

// expectPaying checks the calls about a bucket since a mark.
func (w *world) expectPaying(mark int64, bucket string, want ...string) {
	w.t.Helper()
	if d := cmp.Diff(want, w.paying(mark, bucket)); d != "" {
		w.t.Errorf("calls about %s (-want +got):\n%s", bucket, d)
	}
}

// A bucket whose requesters pay is kept like any other, at one call more when Holdfast finds out.
func TestABucketWhoseRequestersPay(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	bucket := aBucket("logs", v1alpha1.BucketSpec{
		CommonSpec:    v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete},
		RequesterPays: new(true), Labels: shop,
		IAM: &v1alpha1.IAMPolicy{Bindings: []v1alpha1.IAMBinding{granting("roles/storage.objectViewer", "user:ann@example.com")}},
	})
	mark := w.cloud.Traffic.Mark()
	w.create(bucket)
	w.ready(bucket)
	if refused := slices.DeleteFunc(w.paying(mark, "logs"), func(c string) bool { return !strings.HasSuffix(c, " refused") }); len(refused) != 1 {
		t.Errorf("refused: %v; want one call", refused)
	}
	mark = w.cloud.Traffic.Mark()
	w.settled(bucket)
	w.expectPaying(mark, "logs", "buckets.get paid", "buckets.getIamPolicy paid")

	t.Log("edited")
	mark = w.cloud.Traffic.Mark()
	edit(w, bucket, func(b *v1alpha1.Bucket) {
		b.Spec.Labels = v1alpha1.Labels{"team": "bank"}
		b.Spec.IAM.Bindings[0].Members = []v1alpha1.IAMMember{"user:bob@example.com"}
	})
	w.ready(bucket)
	if unpaid := slices.DeleteFunc(w.paying(mark, "logs"), func(c string) bool { return strings.HasSuffix(c, " paid") }); len(unpaid) > 0 {
		t.Errorf("not paid: %v", unpaid)
	}
	w.readers(bucket, "user:bob@example.com")

	t.Log("after a restart")
	mark = w.cloud.Traffic.Mark()
	w.restart()
	w.settled(bucket)
	w.ready(bucket)
	if calls := w.paying(mark, "logs"); len(calls) < 2 || calls[0] != "buckets.get refused" || slices.Contains(calls[1:], "buckets.get refused") {
		t.Errorf("calls after the restart: %v; want the first refused, and no other", calls)
	}

	t.Log("switched off by the manifest")
	edit(w, bucket, func(b *v1alpha1.Bucket) { b.Spec.RequesterPays = new(false) })
	w.ready(bucket)
	mark = w.cloud.Traffic.Mark()
	w.settled(bucket)
	w.expectPaying(mark, "logs", "buckets.get unpaid", "buckets.getIamPolicy unpaid")

	t.Log("switched on again, and deleted")
	edit(w, bucket, func(b *v1alpha1.Bucket) { b.Spec.RequesterPays = new(true) })
	w.ready(bucket)
	w.delete(bucket)
	w.gone(bucket)
	if _, there := w.liveBucket("logs"); there {
		t.Error("the bucket is still there")
	}
}

// Somebody else switches it on and off.
func TestRequesterPaysIsSwitchedInTheConsole(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		spec *bool
		// on is how the console leaves it, and want how it should be then.
		on, want bool
	}{
		"on, unmanaged":  {nil, true, true},
		"on, managed":    {new(false), true, false},
		"off, unmanaged": {nil, false, false},
		"off, managed":   {new(true), false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := startWorld(t)
			w.must(w.cloud.Storage.CreateBucket(w.project, map[string]any{"name": "logs", "billing": map[string]any{"requesterPays": !tc.on}}))
			bucket := aBucket("logs", v1alpha1.BucketSpec{RequesterPays: tc.spec})
			w.create(bucket)
			w.ready(bucket)
			w.pays("logs", tc.on)
			w.settled(bucket)
			w.ready(bucket)
			w.settled(bucket)
			mark := w.cloud.Traffic.Mark()
			w.settled(bucket)
			w.ready(bucket)
			if live, _ := w.cloud.Storage.Bucket("logs"); live["billing"].(map[string]any)["requesterPays"] != tc.want {
				t.Errorf("the bucket has %v; want %t", live["billing"], tc.want)
			}
			w.expectPaying(mark, "logs", map[bool]string{true: "buckets.get paid", false: "buckets.get unpaid"}[tc.want])
		})
	}
}

// Adopting costs no write, and observing none ever.
func TestABucketWhoseRequestersPayIsAdopted(t *testing.T) {
	t.Parallel()
	for name, spec := range map[string]v1alpha1.CommonSpec{
		"managed": {}, "observed": {Management: v1alpha1.ManagementObserve},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := startWorld(t)
			paidBuckets.console(w).create("logs", true)
			mark := w.cloud.Traffic.Mark()
			bucket := paidBuckets.manifest("logs", spec)
			w.create(bucket)
			w.ready(bucket)
			w.noWrites(mark)
			w.settled(bucket)
			if calls := w.paying(mark, "logs"); calls[0] != "buckets.get refused" || slices.Contains(calls[1:], "buckets.get refused") {
				t.Errorf("calls: %v; want the first refused, and no other", calls)
			}
		})
	}
}

func TestABucketWhoseRequestersPayIsDeletedWithItsContents(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	bucket := fullBucket(w, 30)
	w.pays("logs", true)
	mark := w.cloud.Traffic.Mark()
	w.delete(bucket)
	w.gone(bucket)
	if n := w.carriedOut(mark, "objects.delete", ""); n != 60 {
		t.Errorf("%d generations were deleted, want 60", n)
	}
	if refused := slices.DeleteFunc(w.paying(mark, "logs"), func(c string) bool { return !strings.HasSuffix(c, " refused") }); len(refused) != 1 {
		t.Errorf("refused: %v; want one call", refused)
	}
}

// The policy of such a bucket is held in every mode.
func TestThePolicyOfABucketWhoseRequestersPay(t *testing.T) {
	t.Parallel()
	for _, mode := range []v1alpha1.IAMMode{v1alpha1.IAMAdditive, v1alpha1.IAMAuthoritativeRoles, v1alpha1.IAMAuthoritative} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			w := startWorld(t)
			w.must(w.cloud.Storage.CreateBucket(w.project, map[string]any{"name": "logs", "billing": map[string]any{"requesterPays": true}}))
			bucket := aBucket("logs", v1alpha1.BucketSpec{
				CommonSpec: v1alpha1.CommonSpec{Adoption: v1alpha1.AdoptionAlways}, UniformBucketLevelAccess: &v1alpha1.UniformBucketLevelAccess{Enabled: new(true)},
				IAM: &v1alpha1.IAMPolicy{Mode: mode, Bindings: []v1alpha1.IAMBinding{granting("roles/storage.objectViewer", "user:ann@example.com")}},
			})
			w.create(bucket)
			w.readers(bucket, "user:ann@example.com")
			edit(w, bucket, func(b *v1alpha1.Bucket) {
				b.Spec.IAM.Bindings[0].Members = []v1alpha1.IAMMember{"user:bob@example.com"}
			})
			w.readers(bucket, "user:bob@example.com")
		})
	}
}

// readers waits until these are granted to read a bucket, and approves what waits for it.
func (w *world) readers(bucket *v1alpha1.Bucket, want ...string) {
	w.t.Helper()
	w.eventually("the readers to be granted", func() (bool, string) {
		w.get(bucket)
		if plan := bucket.Status.Plan; plan != nil {
			annotate(w, bucket, v1alpha1.ApproveAnnotation, plan.Hash)
		}
		var readers []string
		for _, binding := range w.policyOn(bucket).GetBindings() {
			if binding.GetRole() == "roles/storage.objectViewer" {
				readers = append(readers, binding.GetMembers()...)
			}
		}
		return slices.Equal(readers, want), describe(bucket)
	})
	w.ready(bucket)
}

// Without the permission to bill the project nothing works, and status says which it is and on what. Once it is there, or the owner pays
// again, all goes on.
func TestNobodyMayBillTheProject(t *testing.T) {
	t.Parallel()
	for name, help := range map[string]func(w *world){
		"granted":              func(w *world) { w.must(w.cloud.Projects.Withhold(w.project)) },
		"the owner pays again": func(w *world) { w.pays("logs", false) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := startWorld(t)
			bucket := aBucket("logs", v1alpha1.BucketSpec{Labels: shop})
			w.create(bucket)
			w.ready(bucket)
			w.pays("logs", true)
			w.settled(bucket)
			w.ready(bucket)
			w.must(w.cloud.Projects.Withhold(w.project, "serviceusage.services.use"))
			w.settled(bucket)
			w.reason(bucket, v1alpha1.ReasonDenied)
			if want, got := "permission serviceusage.services.use is missing on projects/"+w.project, condition(bucket, v1alpha1.ConditionReady).Message; !strings.Contains(got, want) {
				t.Errorf("the message does not say %q: %s", want, got)
			}
			help(w)
			w.settled(bucket)
			w.ready(bucket)
		})
	}
}

// A bucket of another project is nobody's business, whoever pays.
func TestSomebodyElsesBucketWhoseRequestersPay(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	w.must(w.cloud.Projects.Add(projects.Project{ID: "project-of-others", Number: 987654321012}))
	w.must(w.cloud.Storage.CreateBucket("project-of-others", map[string]any{
		"name": "plans-of-others", "location": "EUROPE-WEST4", "labels": map[string]any{"plans": "secret"}, "billing": map[string]any{"requesterPays": true},
	}))
	bucket := aBucket("theirs", v1alpha1.BucketSpec{CommonSpec: v1alpha1.CommonSpec{
		ResourceID: "plans-of-others", Adoption: v1alpha1.AdoptionAlways, DeletionPolicy: v1alpha1.DeletionDelete,
	}})
	mark := w.cloud.Traffic.Mark()
	w.create(bucket)
	w.reason(bucket, v1alpha1.ReasonConflict)
	for _, secret := range []string{"EUROPE-WEST4", "secret", "987654321012"} {
		if text := encoded(w, bucket); strings.Contains(text, secret) {
			t.Errorf("the object shows %q:\n%s", secret, text)
		}
	}
	w.delete(bucket)
	w.gone(bucket)
	w.nothingWasWritten(mark)
	w.paying(mark, "plans-of-others") // nobody else is billed
}

// A process that is killed at any of the calls about such a bucket comes to the same end.
func TestKilledAtEachCallAboutABucketWhoseRequestersPay(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"create", "update", "adopt", "delete"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			killAtEachCall(t, paidBuckets, crashes[name])
		})
	}
}

// Requester pays is switched on between the look and the write: the write is refused, repeated with who pays, and done once.
func TestRequesterPaysIsSwitchedOnBeforeAWrite(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	bucket := aBucket("logs", v1alpha1.BucketSpec{Labels: shop})
	w.create(bucket)
	w.ready(bucket)
	writing := w.cloud.Traffic.Pause(call("buckets.patch"))
	mark := w.cloud.Traffic.Mark()
	edit(w, bucket, func(b *v1alpha1.Bucket) { b.Spec.Labels = v1alpha1.Labels{"team": "bank"} })
	w.reached(writing)
	w.pays("logs", true)
	writing.Release()
	w.ready(bucket)
	calls := w.paying(mark, "logs")
	if !slices.Contains(calls, "buckets.patch refused") || calls[slices.Index(calls, "buckets.patch refused")+1] != "buckets.patch paid" {
		t.Errorf("calls: %v; want the write to be repeated at once", calls)
	}
	if n := w.carriedOut(mark, "buckets.patch", "logs"); n > 1 {
		t.Errorf("the bucket was changed %d times", n)
	}
}
