package iam

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/holdfast-dev/holdfast/test/emulator/policy"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// Console answers GET, POST, PATCH (a JSON merge patch of displayName,
// description and disabled) and DELETE of service accounts at the paths of
// the REST API, :undelete of a unique ID, their policies, and GET and PUT of
// /v1/settings.
func (s *Service) Console() http.Handler {
	const list = "/v1/projects/{project}/serviceAccounts"
	const one = list + "/{account}"
	mux := http.NewServeMux()
	for pattern, handle := range map[string]func(*http.Request) (any, error){
		"GET " + list:      s.consoleList,
		"POST " + list:     s.consoleCreate,
		"GET " + one:       s.consoleGet,
		"PATCH " + one:     s.consolePatch,
		"DELETE " + one:    s.consoleDelete,
		"POST " + one:      s.consoleUndelete,
		"GET /v1/settings": func(*http.Request) (any, error) { return settingsJSON(s.Settings()), nil },
		"PUT /v1/settings": s.consoleSet,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			value, err := handle(r)
			if err != nil {
				traffic.WriteRPCError(w, err)
				return
			}
			w.Header().Set("Content-Type", "application/json; charset=UTF-8")
			encoder := json.NewEncoder(w)
			encoder.SetIndent("", "  ")
			_ = encoder.Encode(value) // a client that has gone away needs no answer
		})
	}
	policy.Mount(mux, one, func(r *http.Request) (policy.Resource, error) {
		a, ok := s.accounts.any(r.PathValue("account"))
		if !ok {
			return policy.Resource{}, unknown()
		}
		return s.policies.Resource(a.UniqueID), nil
	})
	return mux
}

func (s *Service) consoleList(r *http.Request) (any, error) {
	accounts := []json.RawMessage{}
	for _, a := range s.accounts.of(r.PathValue("project")) {
		accounts = append(accounts, rawJSON(a.proto()))
	}
	return map[string]any{"accounts": accounts}, nil
}

func (s *Service) consoleCreate(r *http.Request) (any, error) {
	sent := &adminpb.CreateServiceAccountRequest{}
	if err := readBody(r, sent); err != nil {
		return nil, err
	}
	created, err := s.CreateAccount(r.PathValue("project"), sent.GetAccountId())
	if err != nil {
		return nil, err
	}
	err = s.EditAccount(created.GetUniqueId(), func(a *adminpb.ServiceAccount) { proto.Merge(a, sent.GetServiceAccount()) })
	if err != nil {
		return nil, err
	}
	return s.shown(created.GetUniqueId())
}

func (s *Service) consoleGet(r *http.Request) (any, error) { return s.shown(r.PathValue("account")) }

func (s *Service) shown(key string) (any, error) {
	a, ok := s.Account(key)
	if !ok {
		return nil, unknown()
	}
	return rawJSON(a), nil
}

func (s *Service) consolePatch(r *http.Request) (any, error) {
	var patch struct {
		DisplayName *string `json:"displayName"`
		Description *string `json:"description"`
		Disabled    *bool   `json:"disabled"`
	}
	if err := json.NewDecoder(r.Body).Decode(&patch); err != nil {
		return nil, invalid("Reading a patch: %v", err)
	}
	err := s.EditAccount(r.PathValue("account"), func(a *adminpb.ServiceAccount) {
		replace(&a.DisplayName, patch.DisplayName)
		replace(&a.Description, patch.Description)
		replace(&a.Disabled, patch.Disabled)
	})
	if err != nil {
		return nil, err
	}
	return s.consoleGet(r)
}

func replace[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

func (s *Service) consoleDelete(r *http.Request) (any, error) {
	return struct{}{}, s.DeleteAccount(r.PathValue("account"))
}

func (s *Service) consoleUndelete(r *http.Request) (any, error) {
	uid, ok := strings.CutSuffix(r.PathValue("account"), ":undelete")
	if !ok {
		return nil, invalid("Want UNIQUE_ID:undelete, not %q.", r.PathValue("account"))
	}
	if err := s.UndeleteAccount(uid); err != nil {
		return nil, err
	}
	return s.shown(uid)
}

// consoleSettings is the JSON form of Settings.
type consoleSettings struct {
	Quota           int    `json:"quota"`
	VisibilityDelay string `json:"visibilityDelay"`
	Sightings       []bool `json:"sightings,omitempty"`
}

func settingsJSON(settings Settings) consoleSettings {
	return consoleSettings{Quota: settings.Quota, VisibilityDelay: settings.VisibilityDelay.String(), Sightings: settings.Sightings}
}

func (s *Service) consoleSet(r *http.Request) (any, error) {
	sent := settingsJSON(s.Settings())
	if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
		return nil, invalid("Reading the settings: %v", err)
	}
	delay, err := time.ParseDuration(sent.VisibilityDelay)
	if err == nil && (delay < 0 || sent.Quota < 0) {
		err = errors.New("want no negative numbers")
	}
	if err != nil {
		return nil, invalid("Reading the settings: %v", err)
	}
	s.Set(Settings{Quota: sent.Quota, VisibilityDelay: delay, Sightings: sent.Sightings})
	return settingsJSON(s.Settings()), nil
}

func readBody(r *http.Request, into proto.Message) error {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = protojson.Unmarshal(body, into)
	}
	if err != nil {
		return invalid("Reading the request: %v", err)
	}
	return nil
}

// rawJSON encodes an account, which always can be.
func rawJSON(a *adminpb.ServiceAccount) json.RawMessage {
	encoded, err := protojson.Marshal(a)
	if err != nil {
		panic("iam: encoding an account: " + err.Error())
	}
	return encoded
}
