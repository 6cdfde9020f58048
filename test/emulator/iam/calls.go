package iam

import (
	"context"
	"encoding/base64"
	"unicode/utf8"

	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Page sizes: what a list returns if it is not told, and the largest.
const (
	defaultPage = 20
	maxPage     = 100
)

// etag is what every account has: Google deprecates it, and it never changes.
var etag = []byte("01021920")

func (a account) proto() *adminpb.ServiceAccount {
	return &adminpb.ServiceAccount{
		Name: resourceName(a), ProjectId: a.Project, UniqueId: a.UniqueID, Email: a.Email(), DisplayName: a.DisplayName,
		Etag:        etag, //nolint:staticcheck // deprecated, and still sent
		Description: a.Description, Oauth2ClientId: a.UniqueID, Disabled: a.Disabled,
	}
}

// ListServiceAccounts returns a page of a project's accounts.
func (s *Service) ListServiceAccounts(
	_ context.Context, request *adminpb.ListServiceAccountsRequest,
) (*adminpb.ListServiceAccountsResponse, error) {
	project, err := s.project(request.GetName(), "iam.serviceAccounts.list")
	if err != nil {
		return nil, err
	}
	last, err := base64.RawURLEncoding.DecodeString(request.GetPageToken())
	if err != nil || request.GetPageSize() < 0 {
		return nil, invalid("Request contains an invalid argument.")
	}
	size := min(int(request.GetPageSize()), maxPage)
	if size == 0 {
		size = defaultPage
	}
	response := &adminpb.ListServiceAccountsResponse{}
	for _, a := range s.accounts.of(project.ID) {
		if a.Email() <= string(last) {
			continue
		}
		if len(response.GetAccounts()) == size {
			response.NextPageToken = base64.RawURLEncoding.EncodeToString([]byte(response.GetAccounts()[size-1].GetEmail()))
			break
		}
		response.Accounts = append(response.Accounts, a.proto())
	}
	return response, nil
}

// GetServiceAccount returns an account, by its e-mail address or its unique
// ID.
func (s *Service) GetServiceAccount(
	_ context.Context, request *adminpb.GetServiceAccountRequest,
) (*adminpb.ServiceAccount, error) {
	a, err := s.find(request.GetName(), "iam.serviceAccounts.get")
	if err != nil {
		return nil, err
	}
	return a.proto(), nil
}

// find returns the account that a resource name names.
func (s *Service) find(name, permission string) (account, error) {
	key, err := s.key(name, permission)
	if err != nil {
		return account{}, err
	}
	return s.accounts.find(key)
}

// CreateServiceAccount makes an account.
func (s *Service) CreateServiceAccount(
	_ context.Context, request *adminpb.CreateServiceAccountRequest,
) (*adminpb.ServiceAccount, error) {
	project, err := s.project(request.GetName(), "iam.serviceAccounts.create")
	if err != nil {
		return nil, err
	}
	a := account{
		Project: project.ID, ID: request.GetAccountId(),
		DisplayName: request.GetServiceAccount().GetDisplayName(), Description: request.GetServiceAccount().GetDescription(),
	}
	created, err := s.add(a)
	if err != nil {
		return nil, err
	}
	return created.proto(), nil
}

// add checks an account and makes it.
func (s *Service) add(a account) (account, error) {
	if err := checkID(a.ID); err != nil {
		return account{}, err
	}
	if err := checkTexts(a); err != nil {
		return account{}, err
	}
	return s.accounts.create(a)
}

// The sizes of texts, in bytes.
const (
	maxDisplayName = 100
	maxDescription = 256
)

func checkTexts(a account) error {
	switch {
	case len(a.DisplayName) > maxDisplayName || !utf8.ValidString(a.DisplayName):
		return invalid("The display name must be at most %d UTF-8 bytes long.", maxDisplayName)
	case len(a.Description) > maxDescription || !utf8.ValidString(a.Description):
		return invalid("The description must be at most %d UTF-8 bytes long.", maxDescription)
	default:
		return nil
	}
}

// UpdateServiceAccount sets the display name, and returns the whole account.
func (s *Service) UpdateServiceAccount(_ context.Context, sent *adminpb.ServiceAccount) (*adminpb.ServiceAccount, error) {
	a, err := s.update(sent, []string{"display_name"})
	if err != nil {
		return nil, err
	}
	return a.proto(), nil
}

// PatchServiceAccount sets what the mask says, and returns no more than that
// and the name.
func (s *Service) PatchServiceAccount(
	_ context.Context, request *adminpb.PatchServiceAccountRequest,
) (*adminpb.ServiceAccount, error) {
	paths := request.GetUpdateMask().GetPaths()
	if len(paths) == 0 {
		return nil, invalid("The update mask must be set.")
	}
	a, err := s.update(request.GetServiceAccount(), paths)
	if err != nil {
		return nil, err
	}
	patched := &adminpb.ServiceAccount{Name: resourceName(a)}
	for _, path := range paths {
		if path == "display_name" {
			patched.DisplayName = a.DisplayName
		} else {
			patched.Description = a.Description
		}
	}
	return patched, nil
}

func (s *Service) update(sent *adminpb.ServiceAccount, paths []string) (account, error) {
	for _, path := range paths {
		if path != "display_name" && path != "description" {
			return account{}, invalid("Invalid update mask: %s cannot be updated, only display_name and description.", path)
		}
	}
	if err := checkTexts(account{DisplayName: sent.GetDisplayName(), Description: sent.GetDescription()}); err != nil {
		return account{}, err
	}
	return s.change(sent.GetName(), "iam.serviceAccounts.update", func(a *account) {
		for _, path := range paths {
			if path == "display_name" {
				a.DisplayName = sent.GetDisplayName()
			} else {
				a.Description = sent.GetDescription()
			}
		}
	})
}

// change edits the account that a resource name names.
func (s *Service) change(name, permission string, edit func(*account)) (account, error) {
	key, err := s.key(name, permission)
	if err != nil {
		return account{}, err
	}
	return s.accounts.change(key, edit)
}

// DeleteServiceAccount deletes an account; it can be restored for 30 days.
func (s *Service) DeleteServiceAccount(
	_ context.Context, request *adminpb.DeleteServiceAccountRequest,
) (*emptypb.Empty, error) {
	_, err := s.change(request.GetName(), "iam.serviceAccounts.delete", s.delete)
	return empty(err)
}

func (s *Service) delete(a *account) { a.Deleted = s.accounts.now() }

func empty(err error) (*emptypb.Empty, error) {
	if err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, nil
}

// UndeleteServiceAccount restores an account, which only its unique ID can
// name.
func (s *Service) UndeleteServiceAccount(
	_ context.Context, request *adminpb.UndeleteServiceAccountRequest,
) (*adminpb.UndeleteServiceAccountResponse, error) {
	uid, err := s.key(request.GetName(), "iam.serviceAccounts.undelete")
	if err != nil {
		return nil, err
	}
	a, err := s.accounts.restore(uid)
	if err != nil {
		return nil, err
	}
	return &adminpb.UndeleteServiceAccountResponse{RestoredAccount: a.proto()}, nil
}

// EnableServiceAccount enables an account, also one that is.
func (s *Service) EnableServiceAccount(
	_ context.Context, request *adminpb.EnableServiceAccountRequest,
) (*emptypb.Empty, error) {
	_, err := s.change(request.GetName(), "iam.serviceAccounts.enable", func(a *account) { a.Disabled = false })
	return empty(err)
}

// DisableServiceAccount disables an account, also one that is.
func (s *Service) DisableServiceAccount(
	_ context.Context, request *adminpb.DisableServiceAccountRequest,
) (*emptypb.Empty, error) {
	_, err := s.change(request.GetName(), "iam.serviceAccounts.disable", func(a *account) { a.Disabled = true })
	return empty(err)
}
