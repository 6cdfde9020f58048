package policy

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"

	"cloud.google.com/go/iam/apiv1/iampb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// Grant gives a member a role, without a condition.
func Grant(p *iampb.Policy, role, member string) {
	p.Bindings = append(p.Bindings, &iampb.Binding{Role: role, Members: []string{member}})
}

// Revoke takes a role from a member, under every condition.
func Revoke(p *iampb.Policy, role, member string) {
	for _, b := range p.GetBindings() {
		if b.GetRole() == role {
			b.Members = slices.DeleteFunc(b.GetMembers(), func(held string) bool { return held == member })
		}
	}
}

// Has reports whether a member has a role, under whatever condition.
func Has(p *iampb.Policy, role, member string) bool {
	return slices.ContainsFunc(p.GetBindings(), func(b *iampb.Binding) bool {
		return b.GetRole() == role && slices.Contains(b.GetMembers(), member)
	})
}

// Resource is the policy of one resource, in the hands of somebody in the
// console.
type Resource struct {
	book *Book
	name string
}

// Resource returns the policy of a resource.
func (b *Book) Resource(name string) Resource { return Resource{b, name} }

// Mount puts the policies of resources on a console: GET and PUT of
// PATH/policy, and POST of {"role": …, "member": …} to PATH/policy:grant and
// PATH/policy:revoke. Open finds the resource of a request.
func Mount(mux *http.ServeMux, path string, open func(*http.Request) (Resource, error)) {
	handle := func(pattern string, edit func(r *http.Request) (func(*iampb.Policy), error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := answer(w, r, open, edit); err != nil {
				traffic.WriteRPCError(w, err)
			}
		})
	}
	handle("GET "+path+"/policy", nil)
	handle("PUT "+path+"/policy", replacing)
	handle("POST "+path+"/policy:grant", changing(Grant))
	handle("POST "+path+"/policy:revoke", changing(Revoke))
}

func answer(
	w http.ResponseWriter, r *http.Request, open func(*http.Request) (Resource, error),
	edit func(r *http.Request) (func(*iampb.Policy), error),
) error {
	resource, err := open(r)
	if err != nil {
		return err
	}
	if edit != nil {
		change, err := edit(r)
		if err != nil {
			return status.Error(codes.InvalidArgument, err.Error())
		}
		if err := resource.book.Edit(resource.name, change); err != nil {
			return err
		}
	}
	encoded, err := protojson.Marshal(resource.book.Read(resource.name))
	if err != nil {
		return fmt.Errorf("encoding a policy: %w", err)
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(json.RawMessage(encoded)) // a client that has gone away needs no answer
	return nil
}

func replacing(r *http.Request) (func(*iampb.Policy), error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("reading a policy: %w", err)
	}
	sent := &iampb.Policy{}
	if err := protojson.Unmarshal(body, sent); err != nil {
		return nil, fmt.Errorf("reading a policy: %w", err)
	}
	return func(p *iampb.Policy) { p.Bindings, p.AuditConfigs = sent.GetBindings(), sent.GetAuditConfigs() }, nil
}

func changing(change func(p *iampb.Policy, role, member string)) func(*http.Request) (func(*iampb.Policy), error) {
	return func(r *http.Request) (func(*iampb.Policy), error) {
		var grant struct{ Role, Member string }
		if err := json.NewDecoder(r.Body).Decode(&grant); err != nil {
			return nil, fmt.Errorf("reading a grant: %w", err)
		}
		return func(p *iampb.Policy) { change(p, grant.Role, grant.Member) }, nil
	}
}
