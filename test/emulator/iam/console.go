package iam

import (
	"encoding/json"
	"fmt"
	"net/http"

	"cloud.google.com/go/iam/admin/apiv1/adminpb"
)

// Account returns an account as it is, by its e-mail address or unique ID,
// without a call being counted; also one that is not visible yet, and by its
// unique ID one that is deleted.
func (s *Service) Account(key string) (account *adminpb.ServiceAccount, found bool) {
	a, ok := s.accounts.any(key)
	if !ok {
		return nil, false
	}
	return a.proto(), true
}

// Console answers nothing yet.
func (s *Service) Console() http.Handler { return http.NotFoundHandler() }

// dump is the state as JSON.
type dump struct {
	Accounts []*account                 `json:"accounts,omitempty"`
	Policies map[string]json.RawMessage `json:"policies,omitempty"`
	Made     int                        `json:"made,omitempty"`
}

// Dump returns all accounts, deleted ones too, and the policies on them by
// unique ID.
func (s *Service) Dump() any {
	d := dump{Policies: s.policies.Dump()}
	d.Accounts, d.Made = s.accounts.all()
	return d
}

// Load replaces everything by what Dump returned.
func (s *Service) Load(encoded json.RawMessage) error {
	var d dump
	if err := json.Unmarshal(encoded, &d); err != nil {
		return fmt.Errorf("reading the state of IAM: %w", err)
	}
	if err := s.policies.Load(d.Policies); err != nil {
		return fmt.Errorf("reading the state of IAM: %w", err)
	}
	s.accounts.replace(d.Accounts, d.Made)
	return nil
}
