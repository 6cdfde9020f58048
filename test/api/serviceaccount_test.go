package api

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func TestServiceAccountRefusedOnCreate(t *testing.T) {
	for name, tc := range map[string]struct{ name, spec, sentence string }{
		"an unknown field": {spec: `{displayname: Importer}`, sentence: `unknown field "spec.displayname"`},
		"Google's name":    {spec: `{accountId: importer}`, sentence: `unknown field "spec.accountId"`},
		"labels":           {spec: `{labels: {team: shop}}`, sentence: `unknown field "spec.labels"`},
		"a wrong type":     {spec: `{disabled: "no"}`, sentence: `spec.disabled: Invalid value: "string"`},

		"a name that is too short":           {name: "abcde", sentence: "the account ID (spec.resourceID, or else metadata.name) must have 6 to 30 lower-case letters, digits and -, begin with a letter and not end with -: give spec.resourceID another value"},
		"a name that is too long":            {name: "a" + strings.Repeat("b", 30), sentence: "must have 6 to 30 lower-case letters, digits and -"},
		"a name that begins with a digit":    {name: "1importer", sentence: "begin with a letter"},
		"a name with a dot":                  {name: "shop.importer", sentence: "must have 6 to 30 lower-case letters, digits and -"},
		"an ID that ends with a dash":        {spec: `{resourceID: importer-}`, sentence: "not end with -"},
		"an ID with capitals":                {spec: `{resourceID: Importer}`, sentence: "must have 6 to 30 lower-case letters"},
		"an ID with an underscore":           {spec: `{resourceID: shop_importer}`, sentence: "must have 6 to 30 lower-case letters, digits and -"},
		"an e-mail for an ID":                {spec: `{resourceID: ` + account + `}`, sentence: "must have 6 to 30 lower-case letters, digits and -"},
		"a full name for an ID":              {spec: `{resourceID: projects/demo-project/serviceAccounts/` + account + `}`, sentence: "must have 6 to 30 lower-case letters"},
		"an empty ID":                        {spec: `{resourceID: ""}`, sentence: "spec.resourceID: Invalid value"},
		"a project that is a number":         {spec: `{projectID: "123456"}`, sentence: "spec.projectID in body should match"},
		"a policy that is for buckets":       {spec: `{deletionPolicy: DeleteWithContents}`, sentence: "spec.deletionPolicy DeleteWithContents is for buckets only: use Delete or Orphan for a service account"},
		"an unknown policy":                  {spec: `{deletionPolicy: Undelete}`, sentence: `spec.deletionPolicy: Unsupported value: "Undelete"`},
		"a long display name":                {spec: `{displayName: ` + strings.Repeat("n", 101) + `}`, sentence: "spec.displayName: Too long: may not be more than 100"},
		"a display name of too many bytes":   {spec: `{displayName: ` + strings.Repeat("é", 50) + `n}`, sentence: "displayName has more than 100 bytes in UTF-8, in which letters such as é take two: shorten it"},
		"a long description":                 {spec: `{description: ` + strings.Repeat("d", 257) + `}`, sentence: "spec.description: Too long: may not be more than 256"},
		"a description with too many bytes":  {spec: `{description: ` + strings.Repeat("語", 85) + `dd}`, sentence: "description has more than 256 bytes in UTF-8, in which letters such as é take two: shorten it"},
		"a grant that is one of the account": {spec: `{bindings: []}`, sentence: `unknown field "spec.bindings"`},
		"audit configs":                      {spec: `{iam: {auditConfigs: []}}`, sentence: `unknown field "spec.iam.auditConfigs"`},
	} {
		t.Run(name, func(t *testing.T) {
			expectRefusal(t, create(t, accountManifest(t, tc.name, tc.spec)), tc.sentence)
		})
	}
}

func TestServiceAccountAcceptedOnCreate(t *testing.T) {
	for name, tc := range map[string]struct{ name, spec string }{
		"nothing at all":                 {},
		"an empty spec":                  {spec: `{}`},
		"the shortest name":              {name: "abcdef"},
		"the longest name":               {name: "a" + strings.Repeat("-", 28) + "9"},
		"a name that needs an ID":        {name: "the.importer.of.the.shop.and.of.all.others", spec: `{resourceID: importer}`},
		"a short name that has an ID":    {name: "x", spec: `{resourceID: importer}`},
		"explicit empties":               {spec: `{displayName: "", description: "", disabled: false, iam: {}}`},
		"as many bytes as there may be":  {spec: `{displayName: ` + strings.Repeat("é", 50) + `, description: ` + strings.Repeat("語", 85) + `d}`},
		"as many letters as there be":    {spec: `{displayName: ` + strings.Repeat("n", 100) + `, description: ` + strings.Repeat("d", 256) + `}`},
		"a project of a domain":          {spec: `{projectID: "example.com:some-project"}`},
		"the public that acts as it":     {spec: `{iam: {bindings: [{role: roles/iam.serviceAccountUser, members: [allUsers, allAuthenticatedUsers]}]}}`},
		"an owner of its account":        {spec: `{iam: {mode: Authoritative, bindings: [{role: roles/owner, members: ["user:ada@example.com"]}]}}`},
		"itself, that makes its tokens":  {spec: `{iam: {bindings: [{role: roles/iam.serviceAccountTokenCreator, serviceAccountRefs: [{name: account}]}]}}`},
		"a resource that is not deleted": {spec: `{deletionPolicy: Delete, adoption: Never, management: Approve}`},
	} {
		t.Run(name, func(t *testing.T) {
			expectRefusal(t, create(t, accountManifest(t, tc.name, tc.spec)), "")
		})
	}
}

func TestServiceAccountUpdates(t *testing.T) {
	for name, tc := range map[string]struct{ before, status, after, sentence string }{
		"another resourceID":                 {before: `{resourceID: importer-one}`, after: `{resourceID: importer-two}`, sentence: "spec.resourceID is immutable: create a new object for another resource"},
		"resourceID removed":                 {before: `{resourceID: importer-one}`, after: `{}`, sentence: "spec.resourceID is immutable"},
		"resourceID added":                   {before: `{}`, after: `{resourceID: importer-one}`, sentence: "spec.resourceID is immutable"},
		"resourceID added as it is":          {before: `{}`, after: `{resourceID: account}`},
		"resourceID that is the name goes":   {before: `{resourceID: account}`, after: `{}`},
		"another projectID":                  {before: `{projectID: project-one}`, after: `{projectID: project-two}`, sentence: "projectID is immutable: create a new object for another project"},
		"projectID removed":                  {before: `{projectID: project-one}`, after: `{}`, sentence: "spec.projectID cannot be removed: create a new object for another project"},
		"projectID added before it is bound": {before: `{}`, after: `{projectID: project-one}`, sentence: "spec.projectID can be added only if it is the project that the object is bound to already (status.project)"},
		"another projectID added":            {before: `{}`, status: `{project: project-two}`, after: `{projectID: project-one}`, sentence: "spec.projectID can be added only if it is the project"},
		"projectID added as it is":           {before: `{}`, status: `{project: project-one}`, after: `{projectID: project-one}`},

		"all that may change":           {before: `{displayName: Importer, disabled: false, iam: {bindings: []}}`, after: `{displayName: Exporter, description: the other way, disabled: true}`},
		"all of it removed":             {before: `{displayName: Importer, description: of goods, disabled: true, iam: {mode: AuthoritativeRoles}}`, after: `{}`},
		"management and other common":   {before: `{}`, after: `{management: Observe, adoption: Always, deletionPolicy: Delete}`},
		"a policy emptied as it leaves": {before: `{iam: {bindings: [{role: roles/browser, members: [allUsers]}]}}`, after: `{iam: {mode: Authoritative}}`, sentence: "with mode Authoritative that would empty the policy"},
		"a bad value after a good":      {before: `{displayName: Importer}`, after: `{displayName: ` + strings.Repeat("é", 51) + `}`, sentence: "displayName has more than 100 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			expectUpdate(t, accountManifest(t, "", tc.before), tc.status, accountManifest(t, "", tc.after), tc.sentence)
		})
	}
}

// An object that nobody has looked at says so, and what was explicitly empty or false is still there for Go to see.
func TestServiceAccountDefaultsAndEmpties(t *testing.T) {
	obj := accountManifest(t, "", `{displayName: "", description: "", disabled: false, iam: {bindings: []}}`)
	want := v1alpha1.ServiceAccountSpec{
		CommonSpec:  commonDefaults,
		DisplayName: new(""), Description: new(""), Disabled: new(false),
		IAM: &v1alpha1.IAMPolicy{Mode: v1alpha1.IAMAdditive, Bindings: []v1alpha1.IAMBinding{}},
	}
	var got v1alpha1.ServiceAccount
	expectDefaults(t, obj, &got, &got.Spec, want)
}

func accountManifest(t *testing.T, name, spec string) *unstructured.Unstructured {
	t.Helper()
	return specManifest(t, "ServiceAccount", "account", name, spec)
}
