// Package serviceaccount is all that is special to the kind ServiceAccount: how a spec and an IAM service account translate
// into each other (describe.go), and the calls that read, create, update, delete and undelete one and its policy.
//
// An account is looked for by its name. Everything that is done to one that was found names its unique ID, so that it fails
// where somebody has put another of the same name in its place; but for the policy, whose etag proves that it is the one that was read.
package serviceaccount

import (
	"context"
	"strings"
	"time"

	iam "cloud.google.com/go/iam/admin/apiv1"
	"cloud.google.com/go/iam/admin/apiv1/adminpb"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Kind is the kind ServiceAccount.
type Kind struct {
	client ClientFunc
}

// ClientFunc returns the client that acts as a service account; as the manager itself where impersonate is empty. The client
// does not retry.
type ClientFunc func(ctx context.Context, impersonate string) (*iam.IamClient, error)

var (
	_ kind.Fielded[*v1alpha1.ServiceAccount, *adminpb.ServiceAccount] = (*Kind)(nil)
	_ kind.Policied[*v1alpha1.ServiceAccount]                         = (*Kind)(nil)
	_ kind.Undeleter[*adminpb.ServiceAccount]                         = (*Kind)(nil)
	_ kind.Referable[*v1alpha1.ServiceAccount]                        = (*Kind)(nil)
)

// New returns the kind, which reaches IAM through client.
func New(client ClientFunc) *Kind {
	return &Kind{client: client}
}

// settles is how long a new account may take to be known everywhere in Google: a minute or more, by
// https://cloud.google.com/iam/docs/service-accounts-create, and as any change of access seven minutes, by
// https://cloud.google.com/iam/docs/access-change-propagation.
const settles = 7 * time.Minute

// staleReads is how long, and staleLooks how often at least, an account is looked for that is not found any more. IAM is eventually consistent
// (https://cloud.google.com/iam/docs/overview#consistency): reads have been seen to find an account and then not to find it, three times
// in a row. Two looks of a busy process may be far apart, and are still no more than two.
const (
	staleReads = 8 * time.Second
	staleLooks = 3
)

// Traits are the facts about service accounts that the engine decides by.
func (*Kind) Traits() kind.Traits {
	return kind.Traits{
		Kind: "ServiceAccount", Plural: "serviceaccounts", Name: "service account", Methods: methods,
		FieldTraits: fields, Principal: &kind.Principal{Disabled: "spec.disabled"}, AssetType: "iam.googleapis.com/ServiceAccount",
		Settles: settles, StaleReads: staleReads, StaleLooks: staleLooks, Known: settles,
		ConsolePath: "iam-admin/serviceaccounts/details/{uid}?project={project}",
	}
}

// New returns an empty ServiceAccount.
func (*Kind) New() *v1alpha1.ServiceAccount {
	return &v1alpha1.ServiceAccount{}
}

// ExternalName is //iam.googleapis.com/projects/P/serviceAccounts/E-MAIL.
func (*Kind) ExternalName(ref kind.Ref) string {
	return "//iam.googleapis.com/" + nameOf(ref)
}

// Referent is the account's e-mail.
func (*Kind) Referent(obj *v1alpha1.ServiceAccount) string { return obj.Status.Email }

// Identify tells an account from others of the same name by its unique ID, which Google gives to one account only.
func (*Kind) Identify(live *adminpb.ServiceAccount) kind.Identity {
	return kind.Identity{UID: live.GetUniqueId()}
}

// nameOf is the account's name in IAM, whichever account has it.
func nameOf(ref kind.Ref) string {
	return named(ref, emailOf(ref))
}

// named is the name of an account with that e-mail or unique ID. It has the project in it, because without (projects/-)
// Google answers 403 for an account that does not exist.
func named(ref kind.Ref, account string) string {
	return "projects/" + ref.Project + "/serviceAccounts/" + account
}

// emailOf is ID@PROJECT.iam.gserviceaccount.com. A project in a domain, example.com:p, is p.example.com there.
func emailOf(ref kind.Ref) string {
	host := ref.Project
	if domain, project, scoped := strings.Cut(host, ":"); scoped {
		host = project + "." + domain
	}
	return ref.ID + "@" + host + ".iam.gserviceaccount.com"
}
