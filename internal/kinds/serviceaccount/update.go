package serviceaccount

import (
	"context"

	iam "cloud.google.com/go/iam/admin/apiv1"
	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// maskPaths are the fields of an account that a patch can change, each with the field of the spec that it is built from.
var maskPaths = []struct{ mask, spec string }{
	{"display_name", "spec.displayName"},
	{"description", "spec.description"},
}

// Update returns the patch, if there is something to patch, and then the call that enables or disables the account.
//
// Accounts have no etag in use, so nothing keeps a change that somebody else makes to the same field between our reading and
// our writing; the next look would show it gone.
func (k *Kind) Update(ref kind.Ref, want *v1alpha1.ServiceAccount, changes diff.Changes) []kind.Call[*adminpb.ServiceAccount] {
	var calls []kind.Call[*adminpb.ServiceAccount]
	if mask := maskOf(changes); len(mask.GetPaths()) > 0 {
		calls = append(calls, kind.Call[*adminpb.ServiceAccount]{
			Name: "updating the service account",
			Do: func(ctx context.Context, live *adminpb.ServiceAccount) (*adminpb.ServiceAccount, error) {
				return k.patch(ctx, ref, live, build(want.Spec), mask)
			},
		})
	}
	if changes.Has("spec.disabled") {
		disable := want.Spec.Disabled != nil && *want.Spec.Disabled
		name := "enabling the service account"
		if disable {
			name = "disabling the service account"
		}
		calls = append(calls, kind.Call[*adminpb.ServiceAccount]{
			Name: name,
			Do: func(ctx context.Context, live *adminpb.ServiceAccount) (*adminpb.ServiceAccount, error) {
				return k.setDisabled(ctx, ref, live, disable)
			},
		})
	}
	return calls
}

func maskOf(changes diff.Changes) *fieldmaskpb.FieldMask {
	mask := &fieldmaskpb.FieldMask{}
	for _, field := range maskPaths {
		if changes.Has(field.spec) {
			mask.Paths = append(mask.Paths, field.mask)
		}
	}
	return mask
}

// patch changes the fields in the mask. Google's answer has those, and may lack all others.
func (k *Kind) patch(
	ctx context.Context, ref kind.Ref, live, account *adminpb.ServiceAccount, mask *fieldmaskpb.FieldMask,
) (*adminpb.ServiceAccount, error) {
	account.Name = named(ref, live.GetUniqueId())
	return call(ctx, k, "updating", ref, func(client *iam.IamClient) (*adminpb.ServiceAccount, error) {
		answer, err := client.PatchServiceAccount(ctx, &adminpb.PatchServiceAccountRequest{ServiceAccount: account, UpdateMask: mask})
		if err != nil {
			return nil, err
		}
		return merged(live, answer, mask), nil
	})
}

// merged is the live account with the fields of a mask as an answer has them.
func merged(live, answer *adminpb.ServiceAccount, mask *fieldmaskpb.FieldMask) *adminpb.ServiceAccount {
	updated := proto.CloneOf(live)
	to, from := updated.ProtoReflect(), answer.ProtoReflect()
	for _, path := range mask.GetPaths() {
		field := to.Descriptor().Fields().ByTextName(path)
		to.Set(field, from.Get(field))
	}
	return updated
}

func (k *Kind) setDisabled(ctx context.Context, ref kind.Ref, live *adminpb.ServiceAccount, disabled bool) (*adminpb.ServiceAccount, error) {
	doing, name := "enabling", named(ref, live.GetUniqueId())
	if disabled {
		doing = "disabling"
	}
	return call(ctx, k, doing, ref, func(client *iam.IamClient) (*adminpb.ServiceAccount, error) {
		var err error
		if disabled {
			err = client.DisableServiceAccount(ctx, &adminpb.DisableServiceAccountRequest{Name: name})
		} else {
			err = client.EnableServiceAccount(ctx, &adminpb.EnableServiceAccountRequest{Name: name})
		}
		updated := proto.CloneOf(live)
		updated.Disabled = disabled
		return updated, err
	})
}
