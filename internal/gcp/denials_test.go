package gcp

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// detailedBody is an error as Google's newer JSON APIs write it, and those in front of Cloud Storage.
func detailedBody(reason, message, metadata string) string {
	return `{"error":{"code":403,"message":"` + message + `","errors":[{"message":"` + message + `","domain":"global","reason":"forbidden"}],"status":"PERMISSION_DENIED",` +
		`"details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"` + reason + `","domain":"googleapis.com","metadata":{` + metadata + `}}]}}`
}

// TestDenialsSayWhatToDo: the sentences and codes are from Google's documentation and from public reports of them.
func TestDenialsSayWhatToDo(t *testing.T) {
	const (
		perimeterSentence = "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: VQQnKf-Xt_Z16"
		disabledSentence  = "Cloud Pub/Sub API has not been used in project 4711 before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/pubsub.googleapis.com/overview?project=4711 then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry."
		billingSentence   = "This API method requires billing to be enabled. Please enable billing on project #4711 by visiting https://console.developers.google.com/billing/enable?project=4711 then retry."
		payerSentence     = "Caller does not have required permission to use project payer. Grant the caller the roles/serviceusage.serviceUsageConsumer role, or a custom role with the serviceusage.services.use permission, by visiting https://console.developers.google.com/iam-admin/iam/project?project=payer and then retry."
		regionsSentence   = "The requested message storage policy contains the following GCP regions that are not allowed by the project's organization policy: us-east1. The organization policy may be updated by your project or organization administrator. See https://console.cloud.google.com/iam-admin/orgpolicies/gcp-resourceLocations?project=4711."
	)
	info := func(reason string, metadata ...string) *errdetails.ErrorInfo {
		out := &errdetails.ErrorInfo{Reason: reason, Domain: "googleapis.com", Metadata: map[string]string{}}
		for i := 0; i < len(metadata); i += 2 {
			out.Metadata[metadata[i]] = metadata[i+1]
		}
		return out
	}
	violation := func(kind, subject, description string) *errdetails.PreconditionFailure {
		return &errdetails.PreconditionFailure{Violations: []*errdetails.PreconditionFailure_Violation{{Type: kind, Subject: subject, Description: description}}}
	}
	cases := map[string]struct {
		err  error
		want kind.Denial
	}{
		"credentials": {rpcError(t, codes.Unauthenticated, "Request had invalid authentication credentials."), deniedCredentials.say(nil)},
		"perimeter": {
			rpcError(t, codes.PermissionDenied, perimeterSentence,
				violation("VPC_SERVICE_CONTROLS", "", "VQQnKf-Xt_Z16"), info("SECURITY_POLICY_VIOLATED", "uid", "VQQnKf-Xt_Z16", "consumer", "projects/4711")),
			said(t, "perimeter", "id", "VQQnKf-Xt_Z16"),
		},
		"perimeter, by the details": {
			rpcError(t, codes.PermissionDenied, "Request is prohibited by organization's policy.", violation("VPC_SERVICE_CONTROLS", "", "VQQnKf-Xt_Z16")),
			said(t, "perimeter", "id", "VQQnKf-Xt_Z16"),
		},
		"perimeter, Cloud Storage": {
			httpError(t, 403, storageBody(403, "vpcServiceControls", perimeterSentence)), said(t, "perimeter", "id", "VQQnKf-Xt_Z16"),
		},
		"disabled API": {
			rpcError(t, codes.PermissionDenied, disabledSentence, info("SERVICE_DISABLED", "service", "pubsub.googleapis.com", "consumer", "projects/4711")),
			said(t, "API", "service", "pubsub.googleapis.com", "project", "4711"),
		},
		"disabled API, by the sentence": {
			rpcError(t, codes.PermissionDenied, disabledSentence), said(t, "API", "service", "pubsub.googleapis.com", "project", "4711"),
		},
		"disabled API, JSON": {
			httpError(t, 403, detailedBody("SERVICE_DISABLED", "Disabled.", `"service":"storage.googleapis.com","consumer":"projects/4711"`)),
			said(t, "API", "service", "storage.googleapis.com", "project", "4711"),
		},
		"disabled API, older JSON": {
			httpError(t, 403, storageBody(403, "accessNotConfigured", disabledSentence)), said(t, "API", "service", "pubsub.googleapis.com", "project", "4711"),
		},
		"billing": {rpcError(t, codes.PermissionDenied, billingSentence, info("BILLING_DISABLED", "consumer", "projects/4711")), said(t, "billing", "project", "4711")},
		"billing, by the sentence": {
			rpcError(t, codes.PermissionDenied, billingSentence), said(t, "billing", "project", "4711"),
		},
		"billing account closed": {
			httpError(t, 403, storageBody(403, "accountDisabled", "The billing account for the owning project is disabled in state closed")), said(t, "billing"),
		},
		"billing account absent": {
			httpError(t, 403, storageBody(403, "forbidden", "The project to be billed is associated with an absent billing account.")), said(t, "billing"),
		},
		"quota project": {
			rpcError(t, codes.PermissionDenied, payerSentence, info("USER_PROJECT_DENIED", "consumer", "projects/payer")), said(t, "calls count", "project", "payer"),
		},
		"quota project, Cloud Storage": {
			httpError(t, 403, storageBody(403, "forbidden", "ann@example.com does not have serviceusage.services.use access to the Google Cloud project. Permission 'serviceusage.services.use' denied on resource (or it may not exist).")),
			said(t, "calls count"),
		},
		"organization policy, 412": {
			httpError(t, 412, storageBody(412, "conditionNotMet", "Request violates constraint 'constraints/storage.uniformBucketLevelAccess'")),
			said(t, "organization", "constraint", "constraints/storage.uniformBucketLevelAccess"),
		},
		"organization policy with a custom constraint, 412": {
			httpError(t, 412, storageBody(412, "conditionNotMet", `Operation denied by custom org policy: ["customConstraints/custom.bucketVersioning": "versioning is on"].`)),
			said(t, "organization", "constraint", "customConstraints/custom.bucketVersioning"),
		},
		"organization policy, by the violation alone": {
			rpcError(t, codes.FailedPrecondition, "Service account creation is not allowed on this project.",
				violation("constraints/iam.disableServiceAccountCreation", "projects/p?configvalue=x", "Service account creation is not allowed on this project.")),
			said(t, "organization", "constraint", "constraints/iam.disableServiceAccountCreation"),
		},
		"organization policy, 403": {
			httpError(t, 403, storageBody(403, "forbidden", "Constraint constraints/gcp.resourceLocations violated for 'p'.")),
			said(t, "organization", "constraint", "constraints/gcp.resourceLocations"),
		},
		"organization policy, regions": {
			rpcError(t, codes.FailedPrecondition, regionsSentence), said(t, "organization", "constraint", "gcp-resourceLocations"),
		},
		"organization policy, members": {
			httpError(t, 412, storageBody(412, "conditionNotMet", "One or more users named in the policy do not belong to a permitted customer.")),
			said(t, "organization"),
		},
		"project shut down": {
			httpError(t, 403, detailedBody("CONSUMER_INVALID", "Project #4711 has been deleted.", "")), said(t, "shut down", "project", "4711"),
		},
		"project shut down, a precondition": {
			rpcError(t, codes.FailedPrecondition, "Project 4711 has been scheduled for deletion and cannot be used for API calls."), said(t, "shut down", "project", "4711"),
		},
		"project unknown": {
			rpcError(t, codes.PermissionDenied, "Permission denied on resource project typo.", info("CONSUMER_INVALID", "consumer", "projects/typo")),
			said(t, "does not exist", "project", "typo"),
		},
		"project unknown to Cloud Storage": {
			httpError(t, 400, storageBody(400, "invalid", "Unknown project id: typo")), said(t, "does not exist", "project", "typo"),
		},
		"project unknown to Pub/Sub": {
			rpcError(t, codes.NotFound, "Requested project not found or user does not have access to it (project=typo). Make sure to specify the unique project identifier and not the Google Cloud Console display name."),
			said(t, "does not exist", "project", "typo"),
		},
		"a limit on grants": {rpcError(t, codes.PermissionDenied, "Policy update access denied."), said(t, "a condition limits")},
		"a limit on grants, JSON": {
			httpError(t, 403, storageBody(403, "forbidden", "Policy update access denied.")), said(t, "a condition limits"),
		},
		"key": {
			httpError(t, 403, storageBody(403, "forbidden", "Permission denied on Cloud KMS key. Please ensure that your Cloud Storage service account has been authorized to use this key.")),
			said(t, "service agents"),
		},
		"no more is known": {rpcError(t, codes.PermissionDenied, "No."), kind.Denial{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := Classify(tc.err)
			if got.Class != kind.Denied {
				t.Errorf("class %s", got.Class)
			}
			if diff := cmp.Diff(tc.want, got.Denial); diff != "" {
				t.Errorf("denial (-want +got):\n%s", diff)
			}
		})
	}
}

// said is what is said of the kind of denial whose sentence has a word, with what Google names.
func said(t *testing.T, word string, pairs ...string) kind.Denial {
	t.Helper()
	names := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		names[pairs[i]] = pairs[i+1]
	}
	for _, d := range denialKinds {
		if strings.Contains(d.wrong, word) || word == "perimeter" && d.violation == "VPC_SERVICE_CONTROLS" {
			return d.say(names)
		}
	}
	t.Fatalf("nothing says %q", word)
	return kind.Denial{}
}

// TestOrdinaryAnswersAreNoDenials: what sounds like a denial and is none keeps its class.
func TestOrdinaryAnswersAreNoDenials(t *testing.T) {
	cases := map[string]struct {
		err  error
		want kind.Class
	}{
		"a schema that was deleted":       {rpcError(t, codes.FailedPrecondition, "Schema has been deleted."), kind.Invalid},
		"a topic that was deleted":        {rpcError(t, codes.NotFound, "Resource not found (resource=project-has-been-deleted)."), kind.NotFound},
		"a violated precondition":         {rpcError(t, codes.FailedPrecondition, "No.", &errdetails.PreconditionFailure{Violations: []*errdetails.PreconditionFailure_Violation{{Type: "STATE"}}}), kind.Invalid},
		"too many calls, said with a 403": {httpError(t, 403, storageBody(403, "rateLimitExceeded", "Slow down.")), kind.Throttled},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Classify(tc.err); got.Class != tc.want || got.Denial != (kind.Denial{}) {
				t.Errorf("class %s, want %s; denial %+v", got.Class, tc.want, got.Denial)
			}
		})
	}
}

// TestTheReadmeHasEveryDenial holds the README's table against what is said.
func TestTheReadmeHasEveryDenial(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := strings.NewReplacer("{permission}", "PERMISSION", "{resource}", "RESOURCE", "{service}", "SERVICE", "{project}", "PROJECT_ID", "{id}", "ID",
		"{constraint}", "CONSTRAINT", "{account}", "ACCOUNT", "{roles}", "ROLES")
	for _, d := range append([]denialKind{deniedPermission, deniedImpersonation, deniedPayer, deniedCredentials}, denialKinds...) {
		row := "| " + d.google + " | " + shown.Replace(d.wrong) + " | " + shown.Replace(d.advice) + " |"
		if !strings.Contains(string(readme), row) {
			t.Errorf("the README lacks the row\n%s", row)
		}
	}
}
