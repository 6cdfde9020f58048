package importer_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/importer"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
)

func named(t testing.TB, name string) kind.Kind {
	t.Helper()
	k, ok := kind.Named(kinds.All(nil), name)
	if !ok {
		t.Fatalf("there is no kind %s", name)
	}
	return k
}

// live is a resource whose description is the spec.
func live(t testing.TB, k kind.Kind, spec string, unmanaged ...diff.Unmanaged) kind.Live {
	t.Helper()
	obj := k.New()
	if err := json.Unmarshal([]byte(`{"spec":`+spec+`}`), obj); err != nil {
		t.Fatal(err)
	}
	return kind.Live{Object: obj, Unmanaged: unmanaged}
}

func TestCompose(t *testing.T) {
	for name, c := range map[string]struct {
		kind, id, spec string
		unmanaged      []diff.Unmanaged
		want           string
		left           []string
		refused        string
	}{
		"what Google would have chosen is left out": {
			kind: "Bucket", id: "logs", spec: `{"location":"US","storageClass":"STANDARD","versioning":{"enabled":false},"softDeletePolicy":{"retentionSeconds":604800}}`,
			want: `{"adoption":"IfMatches"}`,
		},
		"what differs is in": {
			kind: "Bucket", id: "logs", spec: `{"location":"EU","storageClass":"NEARLINE","versioning":{"enabled":true},"labels":{"team":"shop"}}`,
			want: `{"adoption":"IfMatches","labels":{"team":"shop"},"location":"EU","storageClass":"NEARLINE","versioning":{"enabled":true}}`,
		},
		"a name that Kubernetes does not allow": {
			kind: "Topic", id: "My_Topic", spec: `{}`, want: `{"adoption":"IfMatches","resourceID":"My_Topic"}`,
		},
		"a default that something else needs beside it": {
			kind: "Bucket", id: "logs", spec: `{"location":"US","customPlacementConfig":{"dataLocations":["US-EAST1","US-WEST1"]}}`,
			want: `{"adoption":"IfMatches","customPlacementConfig":{"dataLocations":["US-EAST1","US-WEST1"]},"location":"US"}`,
		},
		"a default that is required where it is": {
			kind: "Bucket", id: "logs", spec: `{"ipFilter":{"mode":"Disabled","publicNetworkSource":{"allowedIPCIDRRanges":["192.0.2.0/24"]}}}`,
			want: `{"adoption":"IfMatches","ipFilter":{"mode":"Disabled","publicNetworkSource":{"allowedIPCIDRRanges":["192.0.2.0/24"]}}}`,
		},
		"what the spec has no field for": {
			kind: "Bucket", id: "logs", spec: `{"storageClass":"NEARLINE"}`, unmanaged: []diff.Unmanaged{{Path: "spec.fancy", Value: "true"}},
			want: `{"adoption":"IfMatches","storageClass":"NEARLINE"}`, left: []string{"spec.fancy"},
		},
		"a list with something in it that the spec has no field for": {
			kind: "Bucket", id: "logs", spec: `{"storageClass":"NEARLINE","lifecycle":{"rules":[{"action":{"type":"Delete"},"condition":{"age":1}}]}}`,
			unmanaged: []diff.Unmanaged{{Path: "spec.lifecycle.rules[0].condition.weather", Value: `"rain"`}},
			want:      `{"adoption":"IfMatches","storageClass":"NEARLINE"}`, left: []string{"spec.lifecycle.rules[0].condition.weather", "spec.lifecycle.rules"},
		},
		"a value that the schema does not know": {
			kind: "Bucket", id: "logs", spec: `{"storageClass":"FANCY","rpo":"ASYNC_TURBO","location":"EUR4"}`,
			want: `{"adoption":"IfMatches","location":"EUR4","rpo":"ASYNC_TURBO"}`, left: []string{"spec.storageClass"},
		},
		"values that do not go together": {
			kind: "Bucket", id: "logs", spec: `{"autoclass":{"enabled":true},"storageClass":"NEARLINE"}`,
			want: `{"adoption":"IfMatches","storageClass":"NEARLINE"}`, left: []string{"spec.autoclass.enabled"},
		},
		"a label that manifests cannot have": {
			kind: "Bucket", id: "logs", spec: `{"labels":{"team":"shop","Team":"shop"}}`,
			want: `{"adoption":"IfMatches"}`, left: []string{"spec.labels[Team]", "spec.labels[team]"},
		},
		"a name that manifests cannot have": {
			kind: "Bucket", id: "my-google-bucket", spec: `{}`, refused: "must not begin with goog",
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := named(t, c.kind)
			got, err := importer.Compose(importer.Resource{
				Kind: k, Ref: kind.Ref{Project: "my-project", ID: c.id}, Live: live(t, k, c.spec, c.unmanaged...),
			}, "shop", importer.Offline(t.Context()))
			if err != nil {
				t.Fatal(err)
			}
			if c.refused != "" {
				if !strings.Contains(got.Refused, c.refused) {
					t.Errorf("refused: %q, want %q", got.Refused, c.refused)
				}
				return
			}
			spec, err := json.Marshal(got.Object.Object["spec"])
			if err != nil || got.Refused != "" {
				t.Fatal(err, got.Refused)
			}
			if diff := cmp.Diff(c.want, string(spec)); diff != "" {
				t.Errorf("spec (-want +got):\n%s", diff)
			}
			var left []string
			for _, l := range got.Left {
				left = append(left, l.Path)
			}
			if diff := cmp.Diff(c.left, left); diff != "" {
				t.Errorf("left out (-want +got):\n%s", diff)
			}
		})
	}
}

// specOf is a spec, or that of a manifest that sets nothing.
func specOf(spec string) string {
	if spec == "" {
		return "{}"
	}
	return spec
}

func TestComposePolicies(t *testing.T) {
	viewer := iampolicy.Binding{Role: "roles/viewer", Members: []string{"user:bob@example.com", "user:ada@example.com"}}
	for name, c := range map[string]struct {
		kind   string
		spec   string // empty for {}
		policy iampolicy.Policy
		want   string
		left   []string
		// initial counts what is left out since Google grants it by itself.
		initial int
	}{
		"grants and audit configs of a project": {
			kind: "ProjectPolicy",
			policy: iampolicy.Policy{
				Bindings:     []iampolicy.Binding{viewer, {Role: "roles/browser", Members: []string{"group:team@example.com"}, Condition: iampolicy.Condition{Title: "x", Expression: "true"}}},
				AuditConfigs: []iampolicy.AuditConfig{{Service: "allServices", Logs: []iampolicy.AuditLog{{Type: "DATA_READ"}}}},
			},
			want: `{"auditConfigs":[{"auditLogConfigs":[{"logType":"DATA_READ"}],"service":"allServices"}],` +
				`"bindings":[{"condition":{"expression":"true","title":"x"},"members":["group:team@example.com"],"role":"roles/browser"},` +
				`{"members":["user:ada@example.com","user:bob@example.com"],"role":"roles/viewer"}],"mode":"Additive"}`,
		},
		"what passes": {
			kind: "ProjectPolicy", want: `{"bindings":[{"members":["user:ada@example.com","user:bob@example.com"],"role":"roles/viewer"}],"mode":"Additive"}`,
			policy: iampolicy.Policy{Bindings: []iampolicy.Binding{viewer, {Role: "roles/editor", Members: []string{"serviceAccount:1@cloudservices.gserviceaccount.com", "deleted:user:eve@example.com?uid=1"}}}},
			left:   []string{"spec.bindings", "spec.bindings"},
		},
		"a member that manifests cannot have": {
			kind: "Topic", want: `{"adoption":"IfMatches","iam":{"bindings":[{"members":["user:ada@example.com","user:bob@example.com"],"role":"roles/viewer"}],"mode":"Additive"}}`,
			policy: iampolicy.Policy{Bindings: []iampolicy.Binding{{Role: "roles/viewer", Members: append([]string{"mdb:some-thing"}, viewer.Members...)}}},
			left:   []string{"spec.iam.bindings"},
		},
		"a role that manifests cannot have": {
			kind: "Topic", want: `{"adoption":"IfMatches"}`, policy: iampolicy.Policy{Bindings: []iampolicy.Binding{{Role: "fancy", Members: viewer.Members}}},
			left: []string{"spec.iam.bindings", "spec.iam.bindings"},
		},
		"what Google grants on a new bucket": {
			kind: "Bucket", want: `{"adoption":"IfMatches"}`, initial: 3,
			policy: iampolicy.Policy{Bindings: []iampolicy.Binding{
				{Role: "roles/storage.legacyBucketOwner", Members: []string{"projectEditor:my-project", "projectOwner:my-project"}},
				{Role: "roles/storage.legacyBucketReader", Members: []string{"projectViewer:my-project"}},
			}},
		},
		"what Google grants on a new bucket, and more of it": {
			kind: "Bucket", initial: 1,
			want: `{"adoption":"IfMatches","iam":{"bindings":[{"members":["projectOwner:other-project","user:ada@example.com"],"role":"roles/storage.legacyBucketOwner"},` +
				`{"members":["projectOwner:my-project"],"role":"roles/storage.legacyObjectOwner"}],"mode":"Additive"}}`,
			policy: iampolicy.Policy{Bindings: []iampolicy.Binding{
				{Role: "roles/storage.legacyBucketOwner", Members: []string{"projectOwner:my-project", "projectOwner:other-project", "user:ada@example.com"}},
				{Role: "roles/storage.legacyObjectOwner", Members: []string{"projectOwner:my-project"}}, // which it does only under uniform access
			}},
		},
		"what Google grants on a new bucket under uniform access": {
			kind: "Bucket", spec: `{"uniformBucketLevelAccess":{"enabled":true}}`, initial: 3,
			want: `{"adoption":"IfMatches","iam":{"bindings":[{"condition":{"expression":"true","title":"x"},"members":["projectViewer:my-project"],` +
				`"role":"roles/storage.legacyBucketReader"}],"mode":"Additive"},"uniformBucketLevelAccess":{"enabled":true}}`,
			policy: iampolicy.Policy{Bindings: []iampolicy.Binding{
				{Role: "roles/storage.legacyObjectOwner", Members: []string{"projectEditor:my-project", "projectOwner:my-project"}},
				{Role: "roles/storage.legacyObjectReader", Members: []string{"projectViewer:my-project"}},
				{Role: "roles/storage.legacyBucketReader", Members: []string{"projectViewer:my-project"}, Condition: iampolicy.Condition{Title: "x", Expression: "true"}},
			}},
		},
		"a policy that nobody can have there": {
			kind: "Topic", want: `{"adoption":"IfMatches"}`, left: []string{"spec.iam"},
			policy: iampolicy.Policy{Bindings: []iampolicy.Binding{{Role: "roles/pubsub.viewer", Members: viewer.Members, Condition: iampolicy.Condition{Title: "x", Expression: "true"}}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := named(t, c.kind)
			res := importer.Resource{Kind: k, Ref: kind.Ref{Project: "my-project"}, Policy: &c.policy}
			if k.Fields != nil {
				res.Ref.ID, res.Live = "orders", live(t, k, specOf(c.spec))
			}
			got, err := importer.Compose(res, "shop", importer.Offline(t.Context()))
			if err != nil || got.Refused != "" {
				t.Fatal(err, got.Refused)
			}
			if got.Initial != c.initial {
				t.Errorf("%d grants are Google's own, want %d", got.Initial, c.initial)
			}
			spec, err := json.Marshal(got.Object.Object["spec"])
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, string(spec)); diff != "" {
				t.Errorf("spec (-want +got):\n%s", diff)
			}
			var left []string
			for _, l := range got.Left {
				left = append(left, l.Path)
			}
			if diff := cmp.Diff(c.left, left); diff != "" {
				t.Errorf("left out (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAPolicyOfNothing: what lists nothing is no manifest.
func TestAPolicyOfNothing(t *testing.T) {
	got, err := importer.Compose(importer.Resource{Kind: named(t, "ProjectPolicy"), Ref: kind.Ref{Project: "p"}, Policy: &iampolicy.Policy{}}, "shop", importer.Offline(t.Context()))
	if err != nil || got.Refused == "" {
		t.Errorf("%+v, %v", got, err)
	}
}
