package e2e

import (
	"net/http"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// TestDenialsSayWhatToDo: whatever Google denies a read or a write for, the condition says what is wrong, where, and what to do.
// The manifest is Stalled, and recovers by itself.
func TestDenialsSayWhatToDo(t *testing.T) {
	t.Parallel()
	const perimeter = "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: ABC_def-1"
	cases := map[string]struct {
		fault traffic.Fault
		says  []string
	}{
		"permission": {traffic.Fault{Status: http.StatusForbidden}, []string{"permission ", " is missing on ", "Grant a role that has it to Holdfast's service account"}},
		"API": {
			traffic.Fault{Status: http.StatusForbidden, Message: "Disabled.", Details: &traffic.Details{
				Info: "SERVICE_DISABLED", Metadata: map[string]string{"service": "some.googleapis.com", "consumer": "projects/4711"},
			}}, []string{"gcloud services enable some.googleapis.com --project 4711"},
		},
		"billing": {
			traffic.Fault{Status: http.StatusForbidden, Message: "No billing.", Details: &traffic.Details{
				Info: "BILLING_DISABLED", Metadata: map[string]string{"consumer": "projects/4711"},
			}}, []string{"billing is disabled for project 4711", "gcloud billing projects link 4711"},
		},
		"billing account": {
			traffic.Fault{Status: http.StatusForbidden, Message: "The billing account for the owning project is disabled in state closed"},
			[]string{"billing is disabled for project project-"},
		},
		"perimeter": {
			traffic.Fault{Status: http.StatusForbidden, Message: perimeter, Details: &traffic.Details{
				Info: "SECURITY_POLICY_VIOLATED", Metadata: map[string]string{"uid": "ABC_def-1"}, Violation: "VPC_SERVICE_CONTROLS", Description: "ABC_def-1",
			}}, []string{"VPC Service Controls refuse the call (unique identifier ABC_def-1)", "No role helps"},
		},
		"organization policy, 403": {
			traffic.Fault{Status: http.StatusForbidden, Message: "violates constraint 'constraints/gcp.resourceLocations'"},
			[]string{"an organization policy forbids it: constraints/gcp.resourceLocations"},
		},
		"organization policy, a violation": {
			traffic.Fault{Status: http.StatusBadRequest, Message: "It is not allowed here.", Details: &traffic.Details{
				Violation: "constraints/iam.disableServiceAccountCreation", Description: "It is not allowed here.",
			}}, []string{"an organization policy forbids it: constraints/iam.disableServiceAccountCreation"},
		},
		"quota project": {
			traffic.Fault{Status: http.StatusForbidden, Message: "Caller does not have required permission to use project payer. Grant the caller the roles/serviceusage.serviceUsageConsumer role."},
			[]string{"may not let its calls count against project payer"},
		},
		"project shut down": {
			traffic.Fault{Status: http.StatusForbidden, Message: "Project #4711 has been deleted.", Details: &traffic.Details{Info: "CONSUMER_INVALID"}},
			[]string{"project 4711 is shut down", "gcloud projects undelete 4711"},
		},
		"project unknown": {
			traffic.Fault{Status: http.StatusForbidden, Message: "Permission denied on resource project typo.", Details: &traffic.Details{
				Info: "CONSUMER_INVALID", Metadata: map[string]string{"consumer": "projects/typo"},
			}}, []string{"project typo does not exist, or Holdfast's service account may not see it", "holdfast.dev/project-id"},
		},
		"credentials": {traffic.Fault{Status: http.StatusUnauthorized, Message: "Invalid Credentials"}, []string{"Application Default Credentials"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			forEachKind(t, func(t *testing.T, k kind) {
				for _, method := range []string{k.getting, k.creating} {
					t.Run(method, func(t *testing.T) {
						w := startWorld(t)
						w.cannotList(k)
						fault := tc.fault
						fault.Match = call(method)
						w.cloud.Traffic.Inject(fault)
						obj := k.manifest("orders", v1alpha1.CommonSpec{})
						w.create(obj)
						w.reason(obj, v1alpha1.ReasonDenied)
						for _, words := range tc.says {
							w.expectAdvice(obj, words)
						}
						if c := condition(obj, v1alpha1.ConditionStalled); c == nil || c.Status != metav1.ConditionTrue {
							t.Errorf("Stalled is %+v", c)
						}
						w.cloud.Traffic.RemoveAll()
						w.settled(obj)
						w.ready(obj)
					})
				}
			})
		})
	}
}
