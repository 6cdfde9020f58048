package kind

import (
	"context"
	"slices"
	"strings"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
)

// Of is the kind without its type parameters: with fields, and with an IAM policy if it is Policied.
func Of[T v1alpha1.Object, L any](typed Fielded[T, L]) Kind {
	k := of[T](typed)
	e := eraser[T, L]{typed}
	k.Fields = &Fields{Observe: e.observe, Create: e.create, Update: e.update, Delete: e.delete}
	if lister, ok := typed.(Lister[L]); ok {
		k.Fields.List = func(ctx context.Context, ref Ref, yield func([]Listed) bool) error {
			return lister.List(ctx, ref, func(page []Item[L]) bool { return yield(e.listed(page)) })
		}
	}
	if emptier, ok := typed.(Emptier[L]); ok {
		k.Fields.Contents = func(ref Ref, live Live) []Contents { return emptier.Contents(ref, live.source.(L)) }
	}
	if undeleter, ok := typed.(Undeleter[L]); ok {
		k.Fields.Undelete = func(ctx context.Context, ref Ref, uid string) (Live, error) {
			return e.live(undeleter.Undelete(ctx, ref, uid))
		}
	}
	if policied, ok := typed.(Policied[T]); ok {
		k.Policy = policyOf(policied, "spec.iam")
	}
	if granted, ok := typed.(Granted[T]); ok {
		k.Policy.Initial = func(ref Ref, live v1alpha1.Object) []iampolicy.Grant { return granted.Initial(ref, live.(T)) }
	}
	return k
}

// PolicyOf is the kind without its type parameter: the IAM policy of a resource that exists without Holdfast.
func PolicyOf[T v1alpha1.Object](typed interface {
	Resource[T]
	Policied[T]
},
) Kind {
	k := of[T](typed)
	k.Policy = policyOf(typed, "spec")
	return k
}

// of is what all kinds have in common.
func of[T v1alpha1.Object](typed Resource[T]) Kind {
	k := Kind{
		Traits:       typed.Traits(),
		New:          func() v1alpha1.Object { return typed.New() },
		ExternalName: typed.ExternalName,
		References:   func(obj v1alpha1.Object) []Reference { return references(typed, obj.(T)) },
		Names:        func(obj v1alpha1.Object) []Name { return names(typed, obj.(T)) },
	}
	if using, ok := typed.(Using[T]); ok {
		k.Uses = func(obj v1alpha1.Object) []Use { return using.Uses(obj.(T)) }
	}
	if referable, ok := typed.(Referable[T]); ok {
		k.Referent = func(obj v1alpha1.Object) string { return referable.Referent(obj.(T)) }
	}
	return k
}

// references are all that a manifest refers to: its policy's serviceAccountRefs, and what else the kind says.
func references[T v1alpha1.Object](typed any, obj T) []Reference {
	var out []Reference
	if policied, ok := typed.(Policied[T]); ok {
		spec, _ := policied.Policy(obj)
		out = PolicyReferences(spec)
	}
	if referring, ok := typed.(Referring[T]); ok {
		out = append(out, referring.References(obj)...)
	}
	return out
}

// names are all that a manifest names: the accounts in its policy, and what else the kind says.
func names[T v1alpha1.Object](typed any, obj T) []Name {
	var out []Name
	if policied, ok := typed.(Policied[T]); ok {
		out = policyNames(policied.Policy(obj))
	}
	if naming, ok := typed.(Naming[T]); ok {
		out = append(out, naming.Names(obj)...)
	}
	return out
}

// policyNames are the service accounts that a policy, or an audit config, names by their e-mails.
func policyNames(spec *v1alpha1.IAMPolicy, audit []v1alpha1.AuditConfig) []Name {
	var out []Name
	add := func(member string) {
		if name, ok := MemberName(member); ok {
			out = append(out, name)
		}
	}
	if spec != nil {
		for _, binding := range spec.Bindings {
			for _, member := range binding.Members {
				add(string(member))
			}
			for _, ref := range binding.ServiceAccountRefs {
				out = append(out, AccountNames(ref.External)...)
			}
		}
	}
	for _, config := range audit {
		for _, log := range config.AuditLogConfigs {
			for _, member := range log.ExemptedMembers {
				add(string(member))
			}
		}
	}
	return out
}

// MemberName is what a member of an IAM policy names; ok is false if that is no service account.
func MemberName(member string) (name Name, ok bool) {
	account, _ := strings.CutPrefix(member, "serviceAccount:")
	names := AccountNames(account)
	if account == member || len(names) == 0 {
		return Name{}, false
	}
	return names[0], true
}

// AccountNames are the service accounts with these e-mails, of which the empty ones name none.
func AccountNames(emails ...string) []Name {
	var out []Name
	for _, email := range emails {
		if email != "" {
			out = append(out, Name{Kind: "ServiceAccount", Referent: strings.ToLower(email)})
		}
	}
	return out
}

// PolicyReferences are the ServiceAccounts that the bindings of a policy refer to.
func PolicyReferences(spec *v1alpha1.IAMPolicy) []Reference {
	if spec == nil {
		return nil
	}
	var out []Reference
	for _, binding := range spec.Bindings {
		for _, ref := range binding.ServiceAccountRefs {
			if ref.Name != "" {
				out = append(out, AccountReference(ref))
			}
		}
	}
	return out
}

// AccountReference is a reference to a ServiceAccount by its name.
func AccountReference(ref v1alpha1.ServiceAccountRef) Reference {
	return Reference{Kind: "ServiceAccount", Namespace: ref.Namespace, Name: ref.Name}
}

func policyOf[T v1alpha1.Object](policied Policied[T], path string) *Policy {
	return &Policy{
		Path: path,
		Of: func(obj v1alpha1.Object) (*v1alpha1.IAMPolicy, []v1alpha1.AuditConfig) {
			return policied.Policy(obj.(T))
		},
		Get: policied.GetPolicy,
		Set: func(ctx context.Context, ref Ref, policy iampolicy.Policy) (iampolicy.Policy, error) {
			return policied.SetPolicy(ctx, ref, policy)
		},
	}
}

// eraser puts a kind's own types where its functions get and return any.
type eraser[T v1alpha1.Object, L any] struct{ typed Fielded[T, L] }

// live describes what a call returned.
func (e eraser[T, L]) live(source L, err error) (Live, error) {
	if err != nil {
		return Live{}, err
	}
	obj := e.typed.Describe(source)
	e.typed.Report(obj, source)
	unmanaged := e.typed.Unmanaged(source)
	slices.SortFunc(unmanaged, func(a, b diff.Unmanaged) int { return strings.Compare(a.Path, b.Path) })
	return Live{Object: obj, Unmanaged: unmanaged, Identity: e.typed.Identify(source), source: source}, nil
}

func (e eraser[T, L]) observe(ctx context.Context, ref Ref) (Live, error) {
	return e.live(e.typed.Observe(ctx, ref))
}

func (e eraser[T, L]) create(ctx context.Context, ref Ref, want v1alpha1.Object) (Live, error) {
	return e.live(e.typed.Create(ctx, ref, want.(T)))
}

func (e eraser[T, L]) update(ref Ref, want v1alpha1.Object, changes diff.Changes) []Write {
	calls := e.typed.Update(ref, want.(T), changes)
	writes := make([]Write, 0, len(calls))
	for _, call := range calls {
		writes = append(writes, Write{Name: call.Name, Do: func(ctx context.Context, live Live) (Live, error) {
			return e.live(call.Do(ctx, live.source.(L)))
		}})
	}
	return writes
}

func (e eraser[T, L]) delete(ctx context.Context, ref Ref, live Live) error {
	return e.typed.Delete(ctx, ref, live.source.(L))
}

func (e eraser[T, L]) listed(page []Item[L]) []Listed {
	out := make([]Listed, 0, len(page))
	for _, item := range page {
		live, _ := e.live(item.Live, nil)
		out = append(out, Listed{ID: item.ID, Live: live, Partial: item.Partial})
	}
	return out
}
