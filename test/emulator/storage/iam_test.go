package storage

import (
	"net/http"
	"testing"

	"cloud.google.com/go/iam/apiv1/iampb"
	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/test/emulator/policy"
)

const (
	uniform     = `"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": true}}`
	conditional = `{"role": "roles/storage.objectViewer", "members": ["user:a@example.com"], "condition": {"title": "t", "expression": "true"}}`
)

func TestPolicyRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		config, policy  string
		status          int
		reason, message string
	}{
		"a condition where access is not uniform": {
			``, `{"version": 3, "bindings": [` + conditional + `]}`, http.StatusPreconditionFailed, "conditionNotMet",
			"To set IAM conditions in this bucket, enable uniform bucket-level access. This ensures that all object access is controlled uniformly at the bucket-level without individual, object-level permissions. Learn more at https://cloud.google.com/storage/docs/uniform-bucket-level-access",
		},
		"a condition in version 1": {
			uniform, `{"version": 1, "bindings": [` + conditional + `]}`, http.StatusBadRequest, "invalid",
			"Policy version 1 does not support conditional role bindings: specify policy version 3. For more information, please refer to https://cloud.google.com/iam/docs/policies#versions",
		},
		"the public where that is prevented": {
			`"iamConfiguration": {"publicAccessPrevention": "enforced"}`, `{"bindings": [{"role": "roles/storage.objectViewer", "members": ["allUsers"]}]}`, http.StatusPreconditionFailed, "conditionNotMet",
			"The member bindings allUsers and allAuthenticatedUsers are not allowed since public access prevention is enforced.",
		},
		"a member of no type": {
			``, `{"bindings": [{"role": "roles/storage.objectViewer", "members": ["ada"]}]}`, http.StatusBadRequest, "invalid",
			`Policy members must be of the form "<type>:<value>".`,
		},
		"an account that does not exist": {
			``, `{"bindings": [{"role": "roles/storage.objectViewer", "members": ["serviceAccount:x@my-project.iam.gserviceaccount.com"]}]}`, http.StatusBadRequest, "invalid",
			"Service account x@my-project.iam.gserviceaccount.com does not exist.",
		},
		"no policy": {``, `{"bindings": {}}`, http.StatusBadRequest, "parseError", "Parse Error"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.create(t, "logs", c.config)
			before := h.must(t, "GET", "/b/logs/iam", "")
			a := h.do(t, "PUT", "/b/logs/iam", c.policy)
			if a.status != c.status || a.reason() != c.reason || a.message() != c.message {
				t.Errorf("%d %s %q\nwant %d %s %q", a.status, a.reason(), a.message(), c.status, c.reason, c.message)
			}
			if diff := cmp.Diff(before, h.must(t, "GET", "/b/logs/iam", "")); diff != "" {
				t.Errorf("the policy after the refusal (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPolicyVersions: Cloud Storage does not hide conditions, it refuses to
// show a policy that has some.
func TestPolicyVersions(t *testing.T) {
	h := newHarness(t)
	h.create(t, "logs", uniform)
	set := h.must(t, "PUT", "/b/logs/iam", `{"version": 3, "bindings": [`+conditional+`]}`)
	if text(set, "version") != "" || len(list(set, "bindings")) != 1 {
		t.Errorf("set: %v", set)
	}
	if version, _ := integer(set, "version"); version != 3 {
		t.Errorf("version %d", version)
	}
	if diff := cmp.Diff(set, h.must(t, "GET", "/b/logs/iam?optionsRequestedPolicyVersion=3", "")); diff != "" {
		t.Errorf("(-set +got):\n%s", diff)
	}
	for _, query := range []string{"", "?optionsRequestedPolicyVersion=1"} {
		a := h.do(t, "GET", "/b/logs/iam"+query, "")
		if a.status != http.StatusBadRequest || a.message() != "Requested policy version (1) cannot be less than the existing policy version (3). For more information, please refer to https://cloud.google.com/iam/docs/policies#versions" {
			t.Errorf("%q: %d %s", query, a.status, a.message())
		}
	}
	if a := h.do(t, "GET", "/b/logs/iam?optionsRequestedPolicyVersion=x", ""); a.status != http.StatusBadRequest {
		t.Errorf("no version: %d", a.status)
	}
}

func TestPolicyInTheConsole(t *testing.T) {
	h := newHarness(t)
	h.create(t, "logs", "")
	stale := text(h.must(t, "GET", "/b/logs/iam", ""), "etag")
	grant := func(role string) func(*iampb.Policy) {
		return func(p *iampb.Policy) { policy.Grant(p, role, "user:a@example.com") }
	}
	if err := h.EditPolicy("logs", grant("roles/storage.admin")); err != nil {
		t.Fatal(err)
	}
	p, err := h.Policy("logs")
	if err != nil || !policy.Has(p, "roles/storage.admin", "user:a@example.com") || !policy.Has(p, "roles/storage.legacyBucketOwner", "projectOwner:my-project") {
		t.Errorf("%v, %v", p, err)
	}
	if a := h.do(t, "PUT", "/b/logs/iam", `{"etag": "`+stale+`"}`); a.status != http.StatusPreconditionFailed {
		t.Errorf("under a stale etag: %d %s", a.status, a.body)
	}
	if err := h.EditPolicy("logs", grant("roles/owner")); err == nil || err.Error() != "Role roles/owner is not supported for this resource." {
		t.Errorf("a role that is none: %v", err)
	}
	if err := h.EditPolicy("nowhere", grant("roles/storage.admin")); err == nil {
		t.Error("a bucket that is not there: no error")
	}
	if _, err := h.Policy("nowhere"); err == nil {
		t.Error("a bucket that is not there: no error")
	}
}

func TestWithheldPermissions(t *testing.T) {
	h := newHarness(t)
	h.create(t, "logs", "")
	if err := h.projects.Withhold(testProject, "storage.buckets.setIamPolicy"); err != nil {
		t.Fatal(err)
	}
	ask := func(query string) []string {
		return texts(h.must(t, "GET", "/b/logs/iam/testPermissions?permissions="+query, ""), "permissions")
	}
	if diff := cmp.Diff([]string{"storage.buckets.get"}, ask("storage.buckets.get&permissions=storage.buckets.setIamPolicy")); diff != "" {
		t.Errorf("held (-want +got):\n%s", diff)
	}
	if held := ask("storage.buckets.setIamPolicy"); held != nil {
		t.Errorf("held %v", held)
	}
}
