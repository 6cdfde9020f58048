package gcp

import (
	"regexp"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// denialKind is a kind of denial: how Google's answer is known, and what is said of it. The README's table has each of them.
//
// Texts may have {permission}, {resource}, {service}, {constraint} and {id}, as Google names them; {project}, which is the manifest's where
// Google names none; and {account}, whom the call was made as.
type denialKind struct {
	// google describes Google's answer, for people.
	google string
	// reasons are Google's codes for it; violation is what the type of a violated precondition begins with; empty for none.
	reasons   []string
	violation string
	// message is Google's sentence. Its groups are named like what the texts may have.
	message *regexp.Regexp
	// anyCode says that the message or the violation is enough, with whatever code Google sends it.
	anyCode bool
	// wrong says what is wrong, and where; advice what to do.
	wrong, advice string
}

// Kinds of denial that something else needs to know, most of them recognized by something else than Google's sentence.
var (
	deniedPermission = denialKind{
		google: "`IAM_PERMISSION_DENIED`, or a sentence that names a permission; the same where an IAM deny policy takes the permission away",
		wrong:  kind.MissingPermission.Wrong,
		advice: kind.MissingPermission.Advice,
	}
	deniedImpersonation = denialKind{
		google: "`iam.serviceAccounts.getAccessToken` denied, or the account is disabled or unknown",
		wrong:  "Holdfast may not act as {resource}, which the Namespace's annotation holdfast.dev/impersonate-service-account names",
		advice: "Correct the annotation, or enable that account and grant Holdfast's service account roles/iam.serviceAccountTokenCreator on it",
	}
	deniedPayer = denialKind{
		google: "`serviceusage.services.use` denied, about a bucket whose requesters pay",
		wrong:  "permission serviceusage.services.use is missing on projects/{project}, which pays for the bucket's calls since its requesters pay",
		advice: "Grant {account} roles/serviceusage.serviceUsageConsumer on that project",
	}
	deniedGrants = denialKind{
		google:  "\"Policy update access denied.\"",
		message: regexp.MustCompile(`(?i)^policy update access denied\b`),
		wrong:   "a condition limits which roles {account} may grant and revoke, and this write has others: {roles}",
		advice: "Allow them in the condition, api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly([…]), or take them out of the manifest; " +
			"until then nothing of the policy is written",
	}
	deniedCredentials = denialKind{
		google: "401, or no token",
		wrong:  "Google does not accept the credentials that Holdfast runs with",
		advice: "Check the operator's Application Default Credentials, with GKE its Workload Identity",
	}
)

// denialKinds are the kinds of denial that Google's answer tells, the first that fits. Their sentences are from Google's documentation
// (https://cloud.google.com/apis/design/errors, https://cloud.google.com/storage/docs/json_api/v1/status-codes) and from public reports.
var denialKinds = []denialKind{
	deniedGrants,
	{
		google: "`SECURITY_POLICY_VIOLATED`, `vpcServiceControlsUniqueIdentifier`", reasons: []string{"SECURITY_POLICY_VIOLATED"},
		violation: "VPC_SERVICE_CONTROLS", message: regexp.MustCompile(`vpcServiceControlsUniqueIdentifier: (?P<id>[\w-]+)`),
		wrong:  "VPC Service Controls refuse the call (unique identifier {id})",
		advice: "No role helps: whoever runs the service perimeter finds the call by its identifier, and can let {account} in with an ingress rule",
	},
	{
		google: "`SERVICE_DISABLED`, `accessNotConfigured`", reasons: []string{"SERVICE_DISABLED", "accessNotConfigured"},
		message: regexp.MustCompile(`API has not been used in project (?P<project>\S+) before or it is disabled(?:.*?/apis/api/(?P<service>[\w.-]+)/)?`),
		wrong:   "the API {service} is disabled in project {project}",
		advice:  "Enable it: gcloud services enable {service} --project {project}",
	},
	{
		google:  "`BILLING_DISABLED`, `accountDisabled`, \"billing account … is disabled in state closed\"",
		reasons: []string{"BILLING_DISABLED", "accountDisabled", "UREQ_PROJECT_BILLING_NOT_FOUND"},
		message: regexp.MustCompile(`(?i)billing account .*\b(?:closed|absent|disabled|delinquent)|(?:closed|absent|delinquent|disabled) billing account|has not configured billing|` +
			`requires billing to be enabled\. Please enable billing on project #?(?P<project>[\w-]+)|has billing disabled`),
		wrong:  "billing is disabled for project {project}",
		advice: "Link an open billing account: gcloud billing projects link {project} --billing-account=ACCOUNT_ID",
	},
	{
		google:  "`USER_PROJECT_DENIED`, `serviceusage.services.use` denied",
		reasons: []string{"USER_PROJECT_DENIED"},
		message: regexp.MustCompile(`required permission to use project (?P<project>[\w:.-]*\w)|serviceusage\.services\.use`),
		wrong:   "{account} may not let its calls count against project {project}",
		advice:  "Grant it roles/serviceusage.serviceUsageConsumer on that project, or name another one with the operator's --quota-project",
	},
	{
		google:    "a violated constraint, with 403, with 412 `conditionNotMet` or with 400 `FAILED_PRECONDITION`",
		violation: "constraints/", anyCode: true,
		message: regexp.MustCompile(`(?P<constraint>(?:customConstraints/custom|constraints/[a-zA-Z])[\w.]*\w)|do not belong to a permitted customer|` +
			`not allowed by the project's organization policy(?:.*?/orgpolicies/(?P<constraint>[\w-]+))?`),
		wrong:  "an organization policy forbids it: {constraint}",
		advice: "Change the manifest to what the policy allows, or have an administrator of the organization change the policy; no role helps",
	},
	{
		google:  "\"There is an IP filtering condition that is preventing access to the resource\"",
		message: regexp.MustCompile(`(?i)\bIP filtering condition\b`),
		wrong:   "the bucket's IP filter does not let Holdfast in",
		advice: "Let its address or network in, in spec.ipFilter and in Google Cloud; for all but the bucket's IAM policy and objects it is enough " +
			"to grant storage.buckets.exemptFromIpFilter to {account}",
	},
	{
		google: "\"Project … has been deleted\", \"… scheduled for deletion\"", anyCode: true,
		message: regexp.MustCompile(`(?i)project '?#?(?P<project>[\w:.-]*)'? ?(?:has been|is|was) (?:deleted|(?:scheduled|marked) for deletion|pending deletion)`),
		wrong:   "project {project} is shut down",
		advice:  "Restore it within 30 days of its deletion: gcloud projects undelete {project}",
	},
	{
		google: "`CONSUMER_INVALID`, \"project not found\", \"unknown project id\"", reasons: []string{"CONSUMER_INVALID"}, anyCode: true,
		message: regexp.MustCompile(`(?i)requested project (?:was )?not found(?:.*?\(project=(?P<project>[^)]+)\))?|unknown project id(?:: (?P<project>\S*\w))?|` +
			`project '?(?:projects/)?(?P<project>[\w:.-]+)'? not found or permission denied`),
		wrong:  "project {project} does not exist, or {account} may not see it",
		advice: "Check spec.projectID, or the Namespace's annotation holdfast.dev/project-id; if that is right, grant {account} a role in the project",
	},
	{
		google:  "a permission that one of Google's service agents lacks, such as on a Cloud KMS key",
		message: regexp.MustCompile(`(?i)cloud kms key|service agent|did not have the necessary permissions`),
		wrong:   "one of Google's own service agents lacks a permission on what the manifest names",
		advice:  "Grant it to that agent; a role of {account} does not help",
	},
}

// denial says which kind of denial the answer is; nil if none that is known. An answer that is denied whatever its code is one by its words alone.
func (a answer) denial(anyCode bool) *denialKind {
	i := slices.IndexFunc(denialKinds, func(d denialKind) bool {
		return (!anyCode || d.anyCode) && (d.message.MatchString(a.message) || d.violation != "" && a.violated(d.violation) != "" ||
			!anyCode && slices.ContainsFunc(d.reasons, func(reason string) bool { return slices.Contains(a.reasons, reason) }))
	})
	if i < 0 {
		return nil
	}
	return &denialKinds[i]
}

// violated is the type of a violated precondition that begins like this; empty for none.
func (a answer) violated(prefix string) string {
	for _, v := range a.details.PreconditionFailure.GetViolations() {
		if strings.HasPrefix(v.GetType(), prefix) {
			return v.GetType()
		}
	}
	return ""
}

// explained says why Google denies a call, if not for want of a permission that it names.
func (a answer) explained(permission string) kind.Denial {
	switch known := a.denial(false); {
	case known != nil:
		return known.say(a.names(*known))
	case a.code == codes.Unauthenticated && permission == "":
		return deniedCredentials.say(nil)
	default:
		return kind.Denial{}
	}
}

// names are what Google names in an answer of that kind.
func (a answer) names(d denialKind) map[string]string {
	names := map[string]string{}
	note := func(name, value string) {
		if value = strings.TrimPrefix(tidy(value), "projects/"); value != "" && names[name] == "" {
			names[name] = value
		}
	}
	metadata := a.details.ErrorInfo.GetMetadata()
	note("service", metadata["service"])
	note("id", metadata["uid"])
	note("project", metadata["consumer"])
	if match := d.message.FindStringSubmatch(a.message); match != nil {
		for i, name := range d.message.SubexpNames() {
			note(name, match[i])
		}
	}
	if d.violation != "" {
		note("constraint", a.violated(d.violation))
	}
	for _, v := range a.details.PreconditionFailure.GetViolations() {
		note("id", v.GetDescription())
	}
	return names
}

// unnamed are what stands for what Google does not name. Project and account are filled in by those who know them.
var unnamed = map[string]string{"service": "SERVICE", "constraint": "Google does not name the constraint", "id": "not named"}

func (d denialKind) say(names map[string]string) kind.Denial {
	var pairs []string
	for _, names := range []map[string]string{names, unnamed} {
		for name, value := range names {
			pairs = append(pairs, "{"+name+"}", value)
		}
	}
	fill := strings.NewReplacer(pairs...)
	return kind.Denial{Wrong: fill.Replace(d.wrong), Advice: fill.Replace(d.advice)}
}
