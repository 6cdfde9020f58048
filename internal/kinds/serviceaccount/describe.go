package serviceaccount

import (
	"cloud.google.com/go/iam/admin/apiv1/adminpb"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// Describe writes the account as the spec that a person would have written for it.
func (*Kind) Describe(live *adminpb.ServiceAccount) *v1alpha1.ServiceAccount {
	return &v1alpha1.ServiceAccount{Spec: v1alpha1.ServiceAccountSpec{
		DisplayName: new(live.GetDisplayName()),
		Description: new(live.GetDescription()),
		Disabled:    new(live.GetDisabled()),
	}}
}

// build writes what a spec says of an account and a create or a patch can send: all but whether it is disabled, which has
// calls of its own.
func build(spec v1alpha1.ServiceAccountSpec) *adminpb.ServiceAccount {
	account := &adminpb.ServiceAccount{}
	if spec.DisplayName != nil {
		account.DisplayName = *spec.DisplayName
	}
	if spec.Description != nil {
		account.Description = *spec.Description
	}
	return account
}

// Report fills the account's outputs in the object's status.
func (*Kind) Report(obj *v1alpha1.ServiceAccount, live *adminpb.ServiceAccount) {
	status := &obj.Status
	status.Name = live.GetName()
	status.Email = live.GetEmail()
	status.Member = ""
	if status.Email != "" {
		status.Member = "serviceAccount:" + status.Email
	}
	status.UniqueID = live.GetUniqueId()
	status.OAuth2ClientID = live.GetOauth2ClientId()
}
