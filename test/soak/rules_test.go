package main

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// TestRules lets writes be judged that are as they should, and such that break each of the rules.
func TestRules(t *testing.T) {
	const agent = "holdfast/v0.0.0-" + slotA
	created := func(s *subject) { _ = s.cloud.Storage.CreateBucket(s.project, map[string]any{"name": s.name}) }
	changed := func(s *subject) { _ = s.console(s, 5) }
	deleted := func(s *subject) { _ = s.deletes(s) }
	nothing := func(*subject) {}
	var r *rules
	create := traffic.Entry{Call: traffic.Call{Method: "buckets.insert"}, Path: "/b"}
	patch := traffic.Entry{Call: traffic.Call{Method: "buckets.patch"}, Path: "/b/x?ifMetagenerationMatch=1"}
	remove := traffic.Entry{Call: traffic.Call{Method: "buckets.delete"}, Path: "/b/x?ifMetagenerationMatch=1"}
	for name, tc := range map[string]struct {
		// before is what is known of the manifest and done to the resource before the write, which does what does does.
		before func(*known)
		write  traffic.Entry
		does   func(*subject)
		change func(*traffic.Entry)
		want   []string
	}{
		"a create":                 {nil, create, created, nil, nil},
		"a change":                 {func(k *known) { created(k.subject) }, patch, changed, nil, nil},
		"a second create":          {func(k *known) { k.absent = false }, create, created, nil, []string{"created already"}},
		"one that changes nothing": {func(k *known) { created(k.subject) }, patch, nothing, nil, []string{"changes nothing"}},
		"a deletion":               {func(k *known) { created(k.subject); k.deleted = true }, remove, deleted, nil, nil},
		"one that somebody notes before it is judged": {func(k *known) { created(k.subject) }, patch, func(s *subject) {
			changed(s)
			r.note(s, func(*known) {})
		}, nil, nil},
		"one that somebody else sees before it is judged": {func(k *known) { created(k.subject) }, patch, func(s *subject) {
			changed(s)
			r.touch(s, func(*known) {})
		}, nil, nil},
		"a deletion that nobody wanted": {func(k *known) { created(k.subject) }, remove, deleted, nil, []string{"nobody has deleted"}},
		"while a glass is broken":       {func(k *known) { k.held = time.Now() }, create, created, nil, []string{"glass is broken"}},
		"of a generation that is past":  {func(k *known) { k.generation, k.since = 3, time.Now().Add(-time.Minute) }, create, created, nil, []string{"generation 3 is there"}},
		"of a manifest that has come again for all that one knows": {func(k *known) {
			k.generation, k.since, k.deleted = 3, time.Now().Add(-time.Minute), true
		}, create, created, nil, nil},
		"of one that was there just now":  {func(k *known) { k.generation, k.since = 3, time.Now() }, create, created, nil, nil},
		"without a precondition":          {func(k *known) { created(k.subject) }, patch, changed, func(e *traffic.Entry) { e.Path = "/b/x" }, []string{"ifMetagenerationMatch"}},
		"without a reason":                {nil, create, created, func(e *traffic.Entry) { e.Reason = "" }, []string{"no reason"}},
		"for a manifest that nobody made": {nil, create, created, func(e *traffic.Entry) { e.Reason = "team-0/other@1" }, []string{"no such manifest"}},
		"by nobody knows whom":            {nil, create, created, func(e *traffic.Entry) { e.UserAgent = "curl" }, []string{"nobody knows which"}},
		"that was refused":                {func(k *known) { k.held = time.Now() }, create, nothing, func(e *traffic.Entry) { e.Status = http.StatusTooManyRequests }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			cloud := emulator.StartTest(t)
			r = newRules(newDiary(&out), fleet(cloud))
			var s *subject
			for _, each := range fleet(cloud) {
				if each.service == "storage" {
					s = each
				}
			}
			r.note(s, func(k *known) {
				if tc.before != nil {
					tc.before(k)
				}
				k.state = s.state()
			})
			e := tc.write
			e.Service, e.Write, e.Executed, e.Status, e.UserAgent = "storage", true, true, http.StatusOK, agent
			e.Time, e.Reason = time.Now(), s.String()+"@2"
			if tc.change != nil {
				tc.change(&e)
			}
			tc.does(s)
			r.over(e)
			var got []string
			for line := range strings.Lines(out.String()) {
				got = append(got, line)
			}
			if len(got) != len(tc.want) {
				t.Fatalf("got %q, want %q", got, tc.want)
			}
			for i, want := range tc.want {
				if !strings.Contains(got[i], want) {
					t.Errorf("got %q, want %q", got[i], want)
				}
			}
			err := r.verdict()
			if failed := err != nil; failed != (len(tc.want) > 0 || e.Status != http.StatusOK) {
				t.Errorf("the verdict is not what was told: %v", err)
			}
			for _, breach := range got {
				if err == nil || !strings.Contains(err.Error(), strings.TrimSpace(breach)) {
					t.Errorf("the verdict does not repeat %q: %v", breach, err)
				}
			}
		})
	}
}

// TestGenerationsOfAManifestThatComesAgain are its own: what is said late of the one before it says nothing of it.
func TestGenerationsOfAManifestThatComesAgain(t *testing.T) {
	of := func(uid types.UID, generation int64) *v1alpha1.Topic {
		return &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{UID: uid, Generation: generation}}
	}
	now := time.Now()
	k := &known{}
	k.created(of("first", 1), now)
	k.edited(of("first", 5), now)
	k.deleted = true
	k.created(of("second", 1), now)
	k.edited(of("first", 6), now)
	if k.deleted || k.generation != 1 {
		t.Errorf("deleted %t, generation %d; want the new one's first", k.deleted, k.generation)
	}
	k.edited(of("second", 2), now)
	if k.generation != 2 {
		t.Errorf("generation %d, want 2", k.generation)
	}
}

func TestPreconditionsOfPolicies(t *testing.T) {
	for name, tc := range map[string]struct {
		method, request, want string
	}{
		"of a bucket":                      {"buckets.setIamPolicy", `{"bindings":[],"etag":"CAE="}`, ""},
		"of a bucket without an etag":      {"buckets.setIamPolicy", `{"bindings":[]}`, "the etag of the policy"},
		"of a project":                     {"Projects.SetIamPolicy", `{"policy":{"etag":"CAE="}}`, ""},
		"of a project without an etag":     {"Projects.SetIamPolicy", `{"policy":{}}`, "the etag of the policy"},
		"of a topic without an etag":       {"IAMPolicy.SetIamPolicy", `{"policy":{}}`, "the etag of the policy"},
		"a topic, for which there is none": {"Publisher.UpdateTopic", `{}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := withoutPrecondition(traffic.Entry{Call: traffic.Call{Method: tc.method}, Request: tc.request})
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
