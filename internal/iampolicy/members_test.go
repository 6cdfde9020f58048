package iampolicy

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestNormalMember(t *testing.T) {
	for in, want := range map[string]string{
		"user:alice@x.com": "user:alice@x.com",
		"User:Alice@X.com": "user:alice@x.com",
		"GROUP:g@x.com":    "group:g@x.com",
		"domain:X.com":     "domain:x.com",
		"serviceaccount:A@p.iam.gserviceaccount.com":  "serviceAccount:a@p.iam.gserviceaccount.com",
		"serviceAccount:p.svc.id.goog[ns/Name]":       "serviceAccount:p.svc.id.goog[ns/Name]",
		"projectowner:p":                              "projectOwner:p",
		"allusers":                                    "allUsers",
		"ALLAUTHENTICATEDUSERS":                       "allAuthenticatedUsers",
		"principal://iam.googleapis.com/x/Subject/A":  "principal://iam.googleapis.com/x/Subject/A",
		"PrincipalSet://iam.googleapis.com/x/Group/A": "principalSet://iam.googleapis.com/x/Group/A",
		"deleted:serviceAccount:A@x.com?uid=1":        "deleted:serviceAccount:a@x.com?uid=1",
		"Deleted:user:A@x.com?uid=1":                  "deleted:user:a@x.com?uid=1",
		"deleted:principal://x/Subject/A":             "deleted:principal://x/Subject/A",
		"mdb:Some/Thing":                              "mdb:Some/Thing",
		"Nobody":                                      "Nobody",
		"user:\u212a@x.com":                           "user:\u212a@x.com", // the sign of kelvin is not a k
		"":                                            "",
	} {
		if got := NormalMember(in); got != want {
			t.Errorf("%s is %s, want %s", in, got, want)
		}
	}
}

// TestNormalMemberIsNormal: what is normal stays so, and takes no memory.
func TestNormalMemberIsNormal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		normal := NormalMember(drawSpelling(t, rapid.SampledFrom(everybody).Draw(t, "member")))
		if again := NormalMember(normal); again != normal {
			t.Fatalf("%s became %s", normal, again)
		}
	})
	if n := testing.AllocsPerRun(10, func() { NormalMember("serviceAccount:a@p.iam.gserviceaccount.com") }); n > 0 {
		t.Errorf("a normal member costs %v allocations", n)
	}
}

func TestWhoWas(t *testing.T) {
	for in, want := range map[string]string{
		"deleted:serviceAccount:a@x.com?uid=1": "serviceAccount:a@x.com",
		"deleted:principal://x/subject/a":      "principal://x/subject/a",
		"user:a@x.com":                         "user:a@x.com",
	} {
		if was, deleted := whoWas(in); was != want || deleted != strings.HasPrefix(in, "deleted:") {
			t.Errorf("%s was %s, deleted %v", in, was, deleted)
		}
	}
}

// The agents are those of https://cloud.google.com/iam/docs/service-agents, one of each form.
func TestIsServiceAgent(t *testing.T) {
	for email, want := range map[string]bool{
		"service-123@gcp-sa-pubsub.iam.gserviceaccount.com":                            true,
		"service-p123@gcp-sa-accessapproval.iam.gserviceaccount.com":                   true,
		"service-org-123@security-center-api.iam.gserviceaccount.com":                  true,
		"service-folder-123@security-center-api.iam.gserviceaccount.com":               true,
		"service-123@compute-system.iam.gserviceaccount.com":                           true,
		"service-123@container-engine-robot.iam.gserviceaccount.com":                   true,
		"service-123@gs-project-accounts.iam.gserviceaccount.com":                      true,
		"service-123@serverless-robot-prod.iam.gserviceaccount.com":                    true,
		"service-123@gae-api-prod.google.com.iam.gserviceaccount.com":                  true,
		"p123-456@gcp-sa-cloud-sql.iam.gserviceaccount.com":                            true,
		"bqcx-123-abcd@gcp-sa-bigquery-condel.iam.gserviceaccount.com":                 true,
		"organizations-123@gcp-sa-riskmanager.iam.gserviceaccount.com":                 true,
		"bq-123@bigquery-encryption.iam.gserviceaccount.com":                           true,
		"project-123@storage-transfer-service.iam.gserviceaccount.com":                 true,
		"123@cloudservices.gserviceaccount.com":                                        true,
		"123@cloudbuild.gserviceaccount.com":                                           true,
		"firebase-service-account@firebase-sa-management.iam.gserviceaccount.com":      true,
		"cloud-logs@system.gserviceaccount.com":                                        true,
		"123-compute@developer.gserviceaccount.com":                                    false,
		"my-project@appspot.gserviceaccount.com":                                       false,
		"publisher@my-project.iam.gserviceaccount.com":                                 false,
		"service-account@my-project.iam.gserviceaccount.com":                           false,
		"service-123@gcp-sa-pubsub.iam.gserviceaccount.com.evil.com":                   false,
		"evil@x.com?service-123@gcp-sa-pubsub.iam.gserviceaccount.com/gserviceaccount": false,
	} {
		if got := isServiceAgent("serviceAccount:" + email); got != want {
			t.Errorf("%s: %v, want %v", email, got, want)
		}
		if isServiceAgent("user:" + email) {
			t.Errorf("a user %s is taken for a service agent", email)
		}
	}
}

func TestIsServiceAgentRole(t *testing.T) {
	for role, want := range map[string]bool{
		"roles/pubsub.serviceAgent":               true,
		"roles/aiplatform.customCodeServiceAgent": true,
		"roles/container.hostServiceAgentUser":    false,
		"roles/iam.serviceAccountUser":            false,
	} {
		if got := isServiceAgentRole(role); got != want {
			t.Errorf("%s: %v, want %v", role, got, want)
		}
	}
}
