package bucket

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	raw "google.golang.org/api/storage/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// hierarchical is a bucket that can have contents of all sorts.
func hierarchical() *Live {
	live := &Live{Name: "logs", Metageneration: 1, HierarchicalNamespace: Switch{Enabled: true}}
	live.IAMConfiguration.UniformBucketLevelAccess.Enabled = true
	return live
}

// Folders are looked for where there can be some, and what hardly any bucket has only once nothing else explains that it is not empty.
func TestContents(t *testing.T) {
	type sort struct {
		Name       string
		Rare       bool
		CountedFor string
	}
	objects, caches := sort{"object generations", false, "objects"}, sort{"Anywhere Caches", true, ""}
	uniform := hierarchical()
	uniform.HierarchicalNamespace.Enabled = false
	cases := map[string]struct {
		live *Live
		want []sort
	}{
		"a plain bucket":   {&Live{}, []sort{objects, caches}},
		"uniform access":   {uniform, []sort{objects, {"managed folders", true, "folders"}, caches}},
		"with a hierarchy": {hierarchical(), []sort{objects, {"folders", false, "folders"}, {"managed folders", true, "folders"}, caches}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			impl, _ := newCloud(t)
			var got []sort
			for _, c := range impl.Contents(ref, tc.live) {
				s := sort{Name: c.Name, Rare: c.Rare}
				var progress v1alpha1.DeletionProgress
				if c.Deleted != nil {
					*c.Deleted(&progress)++
					s.CountedFor = map[bool]string{true: "objects", false: "folders"}[progress.ObjectsDeleted == 1]
				}
				got = append(got, s)
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("contents (-want +got):\n%s", d)
			}
		})
	}
}

// Each call names exactly the version that was listed.
func TestContentsOnTheWire(t *testing.T) {
	impl, cloud := newCloud(t)
	cloud.bucket = object{"name": "logs", "metageneration": "1"}
	cloud.objects = []object{{"name": "a", "generation": "11"}, {"name": "b/c d", "generation": "13"}}
	cloud.others = map[string][]object{
		"folders":        {{"name": "a/b/", "metageneration": "3"}},
		"managedFolders": {{"name": "m/", "metageneration": "1"}},
		"anywhereCaches": {{"anywhereCacheId": "us-central1-a", "state": "RUNNING"}},
	}
	cloud.fail = func(r request) (int, string) {
		switch {
		case r.Method == http.MethodPost:
			return http.StatusOK, "{}"
		case r.Method == http.MethodDelete && !strings.Contains(r.URL, "/o/"):
			return http.StatusNoContent, ""
		}
		return 0, ""
	}
	type listed struct {
		Name  string
		Depth int
	}
	cases := map[string]struct {
		pieces   []listed
		requests []string
	}{
		"object generations": {[]listed{{"a#11", 0}, {"b/c d#13", 0}}, []string{"GET /b/logs/o", "DELETE /b/logs/o/a?generation=11", "DELETE /b/logs/o/b/c d?generation=13"}},
		"folders":            {[]listed{{"a/b/", 2}}, []string{"GET /b/logs/folders", "DELETE /b/logs/folders/a/b/?ifMetagenerationMatch=3"}},
		"managed folders":    {[]listed{{"m/", 1}}, []string{"GET /b/logs/managedFolders", "DELETE /b/logs/managedFolders/m/?ifMetagenerationMatch=1"}},
		"Anywhere Caches":    {[]listed{{"us-central1-a", 0}}, []string{"GET /b/logs/anywhereCaches", "POST /b/logs/anywhereCaches/us-central1-a/disable"}},
	}
	for _, c := range impl.Contents(ref, hierarchical()) {
		t.Run(c.Name, func(t *testing.T) {
			cloud.requests = nil
			pieces, next, err := c.List(t.Context(), "")
			if next != "more" || err != nil {
				t.Fatalf("next page %q, error %v", next, err)
			}
			var got []listed
			for _, piece := range pieces {
				got = append(got, listed{piece.Name, piece.Depth})
				if err := piece.Delete(t.Context()); err != nil {
					t.Error(err)
				}
			}
			if d := cmp.Diff(cases[c.Name].pieces, got); d != "" {
				t.Errorf("pieces (-want +got):\n%s", d)
			}
			if d := cmp.Diff(cases[c.Name].requests, brief(cloud.requests)); d != "" {
				t.Errorf("requests (-want +got):\n%s", d)
			}
			if _, next, err := c.List(t.Context(), "more"); next != "" || err != nil {
				t.Errorf("after the last page: %q, %v", next, err)
			}
		})
	}
}

// brief leaves the query of lists out.
func brief(requests []request) []string {
	var out []string
	for _, r := range requests {
		url := r.URL
		if r.Method == http.MethodGet {
			url, _, _ = strings.Cut(url, "?")
		}
		out = append(out, r.Method+" "+url)
	}
	return out
}

// What is gone already is deleted, and in a bucket that is gone there is nothing. Other errors say what was tried.
func TestContentsThatFail(t *testing.T) {
	const gone = `{"error":{"code":404,"message":"No such object: logs/a","errors":[{"reason":"notFound"}]}}`
	const denied = `{"error":{"code":403,"message":"denied","errors":[{"reason":"forbidden"}]}}`
	cases := map[string]struct {
		method string
		status int
		body   string
		want   string
	}{
		"a bucket that is gone": {http.MethodGet, http.StatusNotFound, gone, ""},
		"no right to list":      {http.MethodGet, http.StatusForbidden, denied, `listing the objects of bucket "logs"`},
		"a piece that is gone":  {http.MethodDelete, http.StatusNotFound, gone, ""},
		"no right to delete":    {http.MethodDelete, http.StatusForbidden, denied, `deleting generation 11 of object "a" of bucket "logs"`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			impl, cloud := newCloud(t)
			cloud.bucket = object{"name": "logs", "metageneration": "1"}
			cloud.objects = []object{{"name": "a", "generation": "11"}}
			cloud.fail = func(r request) (int, string) {
				if r.Method == tc.method {
					return tc.status, tc.body
				}
				return 0, ""
			}
			pieces, _, err := impl.Contents(ref, &Live{})[0].List(t.Context(), "")
			for _, piece := range pieces {
				err = piece.Delete(t.Context())
			}
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v; want %q", err, tc.want)
			}
		})
	}
}

// What keeps an object from being deleted is told with what frees it, and until when, where that is known.
func TestKeeps(t *testing.T) {
	const soon, later = "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"
	of := func(period int64, locked bool) *Live {
		return &Live{RetentionPolicy: Retention{RetentionPeriod: period, IsLocked: locked}}
	}
	own := func(mode, until string) *raw.ObjectRetention {
		return &raw.ObjectRetention{Mode: mode, RetainUntilTime: until}
	}
	cases := map[string]struct {
		live   *Live
		object raw.Object
		why    string
		advice string
		until  string
	}{
		"nothing":                      {&Live{}, raw.Object{}, "", "", ""},
		"a temporary hold":             {&Live{}, raw.Object{TemporaryHold: true}, "under a temporary hold", "--no-temporary-hold", ""},
		"a hold and a retention":       {of(60, false), raw.Object{TemporaryHold: true, RetentionExpirationTime: soon}, "under a temporary hold", "--no-temporary-hold", ""},
		"an event-based hold":          {&Live{}, raw.Object{EventBasedHold: true}, "under an event-based hold", "--no-event-based-hold", ""},
		"one that starts a retention":  {of(60, false), raw.Object{EventBasedHold: true}, "under an event-based hold", "begins then", ""},
		"the bucket's retention":       {of(60, false), raw.Object{RetentionExpirationTime: soon}, "under the bucket's retention policy", "set spec.retentionPolicy to {}", soon},
		"a locked one":                 {of(60, true), raw.Object{RetentionExpirationTime: soon}, "under the bucket's locked retention policy", "nobody", soon},
		"its own retention":            {&Live{}, raw.Object{Retention: own("Unlocked", later), RetentionExpirationTime: later}, "under a retention of their own", "--override-unlocked-retention", later},
		"its own, which no list shows": {&Live{}, raw.Object{Retention: own("Unlocked", later)}, "under a retention of their own", "--clear-retention", later},
		"its own locked one":           {&Live{}, raw.Object{Retention: own("Locked", later), RetentionExpirationTime: later}, "under a locked retention of their own", "nobody", later},
		"its own, shorter than another": {
			of(60, false), raw.Object{Retention: own("Unlocked", soon), RetentionExpirationTime: later}, "under the bucket's retention policy", "spec.retentionPolicy", later,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := contents{ref: ref, live: tc.live}.keeps(&tc.object)
			if (got == nil) != (tc.why == "") {
				t.Fatalf("kept: %+v", got)
			}
			if got == nil {
				return
			}
			until := ""
			if !got.Until.IsZero() {
				until = got.Until.Format(time.RFC3339)
			}
			if got.Why != tc.why || !strings.Contains(got.Advice, tc.advice) || until != tc.until || got.Leaving {
				t.Errorf("kept: %+v", got)
			}
		})
	}
}

// A cache that is disabled goes an hour later, and one that is being created cannot be disabled yet.
func TestLeaving(t *testing.T) {
	since := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	cases := map[string]struct {
		cache raw.AnywhereCache
		until time.Time
		left  bool
	}{
		"running":                 {raw.AnywhereCache{State: "RUNNING"}, time.Time{}, false},
		"paused":                  {raw.AnywhereCache{State: "PAUSED"}, time.Time{}, false},
		"disabled":                {raw.AnywhereCache{State: "DISABLED", UpdateTime: since.Format(time.RFC3339)}, since.Add(time.Hour), true},
		"disabled, in lower case": {raw.AnywhereCache{State: "disabled"}, time.Time{}, true},
		"being created":           {raw.AnywhereCache{State: "CREATING"}, time.Time{}, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := leaving(&tc.cache)
			if (got != nil) != tc.left || got != nil && (!got.Leaving || !got.Until.Equal(tc.until)) {
				t.Errorf("kept: %+v", got)
			}
		})
	}
}

// Only what lets go of contents frees a deletion.
func TestFrees(t *testing.T) {
	locked := &v1alpha1.Bucket{Spec: v1alpha1.BucketSpec{RetentionPolicy: &v1alpha1.RetentionPolicy{RetentionSeconds: new(int64(60)), Locked: new(true)}}}
	cases := map[string]struct {
		change diff.Change
		live   *v1alpha1.Bucket
		want   bool
	}{
		"a retention removed":    {diff.Change{Path: "spec.retentionPolicy.retentionSeconds", From: "60"}, &v1alpha1.Bucket{}, true},
		"cleared":                {diff.Change{Path: "spec.retentionPolicy", From: `{"retentionSeconds":60}`, To: "{}"}, &v1alpha1.Bucket{}, true},
		"shortened":              {diff.Change{Path: "spec.retentionPolicy.retentionSeconds", From: "60", To: "9"}, &v1alpha1.Bucket{}, true},
		"extended":               {diff.Change{Path: "spec.retentionPolicy.retentionSeconds", From: "9", To: "60"}, &v1alpha1.Bucket{}, false},
		"a new one":              {diff.Change{Path: "spec.retentionPolicy.retentionSeconds", To: "60"}, &v1alpha1.Bucket{}, false},
		"locked":                 {diff.Change{Path: "spec.retentionPolicy.locked", From: "false", To: "true"}, &v1alpha1.Bucket{}, false},
		"removed, though locked": {diff.Change{Path: "spec.retentionPolicy.retentionSeconds", From: "60"}, locked, false},
		"no hold by default":     {diff.Change{Path: "spec.defaultEventBasedHold", From: "true", To: "false"}, &v1alpha1.Bucket{}, true},
		"a hold by default":      {diff.Change{Path: "spec.defaultEventBasedHold", From: "false", To: "true"}, &v1alpha1.Bucket{}, false},
		"soft delete":            {diff.Change{Path: "spec.softDeletePolicy.retentionSeconds", From: "604800", To: "0"}, &v1alpha1.Bucket{}, false},
		"versions":               {diff.Change{Path: "spec.versioning.enabled", From: "true", To: "false"}, &v1alpha1.Bucket{}, false},
		"object retention":       {diff.Change{Path: "spec.objectRetention", From: `"Enabled"`}, &v1alpha1.Bucket{}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := len(fields.Frees(diff.Changes{tc.change}, tc.live)) > 0; got != tc.want {
				t.Errorf("frees: %v", got)
			}
		})
	}
}

var _ kind.Emptier[*Live] = (*Kind)(nil)
