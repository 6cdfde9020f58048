package emulator

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/holdfast-dev/holdfast/test/emulator/policy"
	"github.com/holdfast-dev/holdfast/test/emulator/projects"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// adminPath is where the emulator's own API is; README.md describes it.
const adminPath = "/emulator"

// maxAdminBody bounds a request to it, in bytes.
const maxAdminBody = 256 << 20

// adminHandler answers with a value that is written as JSON; nil is written
// as 204 No Content.
type adminHandler func(r *http.Request) (any, error)

func (e *Emulator) registerAdmin(mux *http.ServeMux) {
	for pattern, handle := range map[string]adminHandler{
		"GET " + adminPath + "/state":           func(*http.Request) (any, error) { return e.Dump(), nil },
		"PUT " + adminPath + "/state":           e.adminLoad,
		"GET " + adminPath + "/projects":        func(*http.Request) (any, error) { return e.Projects.List(), nil },
		"POST " + adminPath + "/projects":       e.adminAddProject,
		"PUT " + adminPath + "/folders":         e.adminSetFolder,
		"GET " + adminPath + "/principals":      func(*http.Request) (any, error) { return e.Directory.Principals(), nil },
		"PUT " + adminPath + "/principals":      e.adminSetPrincipal,
		"GET " + adminPath + "/aliases":         func(*http.Request) (any, error) { return e.Directory.Aliases(), nil },
		"PUT " + adminPath + "/aliases":         e.adminSetAlias,
		"POST " + adminPath + "/tokens":         e.adminIssueToken,
		"PUT " + adminPath + "/roles":           e.adminSetRole,
		"GET " + adminPath + "/counts":          func(*http.Request) (any, error) { return e.Traffic.Counts(), nil },
		"DELETE " + adminPath + "/counts":       done(e.Traffic.ResetCounts),
		"GET " + adminPath + "/faults":          e.adminFaults,
		"POST " + adminPath + "/faults":         e.adminInject,
		"DELETE " + adminPath + "/faults":       done(e.Traffic.RemoveAll),
		"DELETE " + adminPath + "/faults/{id}":  e.adminRemoveFault,
		"GET " + adminPath + "/quotas":          func(*http.Request) (any, error) { return e.Traffic.Quotas(), nil },
		"PUT " + adminPath + "/quotas":          e.adminSetQuota,
		"GET " + adminPath + "/journal":         e.adminJournal,
		"POST " + adminPath + "/journal:record": done(func() { e.Traffic.Record(true) }),
		"POST " + adminPath + "/journal:stop":   done(func() { e.Traffic.Record(false) }),
		"DELETE " + adminPath + "/journal":      done(e.Traffic.ClearJournal),
	} {
		mux.Handle(pattern, handle)
	}
	for _, service := range e.services {
		prefix := adminPath + "/" + service.Name()
		mux.Handle(prefix+"/", http.StripPrefix(prefix, versioned(service)))
	}
}

// versions are what the consoles of services expect before their paths, and
// what may be left out under /emulator.
var versions = map[string]string{"pubsub": "/v1", "iam": "/v1", "resourcemanager": "/v3", "asset": "/v1"}

func versioned(service Service) http.Handler {
	version, console := versions[service.Name()], service.Console()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, version+"/") {
			r.URL.Path = version + r.URL.Path
			if r.URL.RawPath != "" {
				r.URL.RawPath = version + r.URL.RawPath
			}
		}
		console.ServeHTTP(w, r)
	})
}

// ServeHTTP answers a request to the emulator's own API.
func (handle adminHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, err := handle(r)
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	case answer == nil:
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		_ = encoder.Encode(answer) // a client that has gone away needs no answer
	}
}

func done(do func()) adminHandler {
	return func(*http.Request) (any, error) {
		do()
		return nil, nil
	}
}

// readAdmin reads the body into a value and refuses fields that it does not
// have, since a misspelt one would silently do nothing.
func readAdmin(r *http.Request, into any) error {
	decoder := json.NewDecoder(io.LimitReader(r.Body, maxAdminBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("reading the request: %w", err)
	}
	return nil
}

func (e *Emulator) adminLoad(r *http.Request) (any, error) {
	dump, err := io.ReadAll(io.LimitReader(r.Body, maxAdminBody))
	if err != nil {
		return nil, fmt.Errorf("reading the request: %w", err)
	}
	return nil, e.Load(dump)
}

func (e *Emulator) adminAddProject(r *http.Request) (any, error) {
	var p projects.Project
	if err := readAdmin(r, &p); err != nil {
		return nil, err
	}
	if err := e.Projects.Add(p); err != nil {
		return nil, err
	}
	added, _ := e.Projects.Lookup(p.ID)
	return added, nil
}

func (e *Emulator) adminSetFolder(r *http.Request) (any, error) {
	var f projects.Folder
	if err := readAdmin(r, &f); err != nil {
		return nil, err
	}
	e.Projects.SetFolder(f)
	return nil, nil
}

func (e *Emulator) adminSetPrincipal(r *http.Request) (any, error) {
	var set struct {
		Principal string       `json:"principal"`
		State     policy.State `json:"state"`
	}
	if err := readAdmin(r, &set); err != nil {
		return nil, err
	}
	return nil, e.Directory.Set(set.Principal, set.State)
}

// adminIssueToken answers with an access token of a member.
func (e *Emulator) adminIssueToken(r *http.Request) (any, error) {
	var sent struct {
		Member string `json:"member"`
	}
	if err := readAdmin(r, &sent); err != nil {
		return nil, err
	}
	return map[string]string{"token": e.Access.Token(sent.Member)}, nil
}

func (e *Emulator) adminSetRole(r *http.Request) (any, error) {
	var sent struct {
		Role        string   `json:"role"`
		Permissions []string `json:"permissions"`
	}
	if err := readAdmin(r, &sent); err != nil {
		return nil, err
	}
	e.Access.SetRole(sent.Role, sent.Permissions...)
	return nil, nil
}

func (e *Emulator) adminSetAlias(r *http.Request) (any, error) {
	var set struct {
		Alias   string `json:"alias"`
		Primary string `json:"primary"`
	}
	if err := readAdmin(r, &set); err != nil {
		return nil, err
	}
	return nil, e.Directory.Alias(set.Alias, set.Primary)
}

func (e *Emulator) adminFaults(*http.Request) (any, error) {
	faults := []faultJSON{}
	for _, injected := range e.Traffic.Faults() {
		faults = append(faults, toFaultJSON(injected))
	}
	return faults, nil
}

func (e *Emulator) adminInject(r *http.Request) (any, error) {
	var sent faultJSON
	if err := readAdmin(r, &sent); err != nil {
		return nil, err
	}
	fault, err := sent.fault()
	if err != nil {
		return nil, err
	}
	return map[string]string{"id": e.Traffic.Inject(fault)}, nil
}

func (e *Emulator) adminRemoveFault(r *http.Request) (any, error) {
	e.Traffic.Remove(r.PathValue("id"))
	return nil, nil
}

func (e *Emulator) adminSetQuota(r *http.Request) (any, error) {
	var quota struct {
		Service   string `json:"service"`
		Project   string `json:"project"`
		PerMinute int    `json:"perMinute"`
	}
	if err := readAdmin(r, &quota); err != nil {
		return nil, err
	}
	if quota.Service == "" {
		return nil, fmt.Errorf("a quota needs a service, such as %q", "storage")
	}
	e.Traffic.SetQuota(quota.Service, quota.Project, quota.PerMinute)
	return nil, nil
}

func (e *Emulator) adminJournal(r *http.Request) (any, error) {
	var mark int64
	if since := r.URL.Query().Get("since"); since != "" {
		var err error
		if mark, err = strconv.ParseInt(since, 10, 64); err != nil {
			return nil, fmt.Errorf("since=%s: want the sequence number of a call", since)
		}
	}
	if r.URL.Query().Get("writes") == "true" {
		return append([]traffic.Entry{}, e.Traffic.WritesSince(mark)...), nil
	}
	return e.Traffic.Since(mark), nil
}
