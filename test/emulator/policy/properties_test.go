package policy_test

import (
	"fmt"
	"testing"

	"cloud.google.com/go/iam/apiv1/iampb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	"github.com/holdfast-dev/holdfast/test/emulator/grpctest"
	"github.com/holdfast-dev/holdfast/test/emulator/policy"
)

var anyMember = rapid.SampledFrom([]string{
	"user:a@example.com", "user:B@Example.com", "group:c@example.com", "domain:example.com",
	"serviceAccount:" + reader, "serviceAccount:" + writer, "serviceAccount:x@theirs.iam.gserviceaccount.com",
	"serviceAccount:my-project.svc.id.goog[ns/name]", "deleted:serviceAccount:" + reader + "?uid=11",
	"deleted:user:a@example.com?uid=1", "allUsers", "nonsense", "user:x@invalid.example",
})

var anyBinding = rapid.Custom(func(t *rapid.T) *iampb.Binding {
	b := binding(rapid.SampledFrom([]string{"roles/viewer", "roles/x.y", "roles/x.z"}).Draw(t, "role"), rapid.SliceOfN(anyMember, 0, 4).Draw(t, "members")...)
	if b.GetRole() != "roles/viewer" && rapid.Bool().Draw(t, "conditional") {
		under(rapid.SampledFrom([]string{"one", "two"}).Draw(t, "title"), b)
	}
	return b
})

// TestWhatIsReadCanBeWritten: whatever was written, and whoever was deleted,
// came back or was made again since then, the policy that is read can be
// written under its etag and stays the same but for that.
func TestWhatIsReadCanBeWritten(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		book, directory, known := newBook(t)
		made := 100
		rt.Repeat(map[string]func(*rapid.T){
			"write": func(rt *rapid.T) {
				before := book.Read(project)
				if _, err := book.Set(project, set(of(rapid.SliceOfN(anyBinding, 0, 5).Draw(rt, "bindings")...))); err == nil {
					return
				}
				wantSame(rt, "a refused write changed the policy", before, book.Read(project))
			},
			"delete an account":   func(*rapid.T) { delete(known, reader) },
			"undelete an account": func(*rapid.T) { known[reader] = "11" },
			"make an account": func(*rapid.T) {
				made++
				known[reader] = fmt.Sprint(made)
			},
			"delete a user":  func(*rapid.T) { grpctest.Must(t, directory.Set("user:a@example.com", policy.Deleted)) },
			"restore a user": func(*rapid.T) { grpctest.Must(t, directory.Set("user:a@example.com", policy.Known)) },
			"": func(rt *rapid.T) {
				before := book.Read(project)
				before.Version = 3
				after, err := book.Set(project, set(before))
				if err != nil {
					rt.Fatalf("writing what was read: %v: %v", err, before)
				}
				before.Etag, before.Version = after.GetEtag(), after.GetVersion()
				wantSame(rt, "(-read +written)", before, after)
			},
		})
	})
}

// wantSame compares two policies; finding out where they differ is slow.
func wantSame(t *rapid.T, what string, want, got *iampb.Policy) {
	t.Helper()
	if !proto.Equal(want, got) {
		t.Fatalf("%s:\n%s", what, cmp.Diff(want, got, protocmp.Transform()))
	}
}

func FuzzSet(f *testing.F) {
	f.Add([]byte(`{"version": 3, "bindings": [{"role": "roles/x.y", "members": ["user:a@example.com"], "condition": {"title": "t", "expression": "true"}}]}`), int32(1))
	f.Add([]byte(`{"auditConfigs": [{"service": "allServices", "auditLogConfigs": [{"logType": "DATA_READ"}]}], "bindings": [{"members": ["deleted:user:a?uid=1"]}]}`), int32(3))
	f.Fuzz(func(t *testing.T, raw []byte, version int32) {
		sent := &iampb.Policy{}
		if protojson.Unmarshal(raw, sent) != nil {
			return
		}
		book, _, _ := newBook(t)
		answered, err := book.Set(project, set(sent))
		if err != nil {
			return
		}
		answered.Version = 3
		if _, err := book.Set(project, set(answered)); err != nil {
			t.Errorf("writing what was answered: %v: %v", err, answered)
		}
		_, _ = book.Get(project, &iampb.GetIamPolicyRequest{Options: &iampb.GetPolicyOptions{RequestedPolicyVersion: version}})
	})
}
