package kind

import (
	"context"
	"reflect"
	"testing"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
)

// TestReadOnlyKindsWriteNothing: of a kind of which every function is a trap, those that write are replaced, and all of those are: a function
// that is added to a kind has to be put on one side here.
func TestReadOnlyKindsWriteNothing(t *testing.T) {
	trapped := Kind{
		Traits: Traits{Name: "thing"},
		Fields: &Fields{
			Observe: func(context.Context, Ref) (Live, error) { return Live{}, nil },
			Create:  func(context.Context, Ref, v1alpha1.Object) (Live, error) { t.Error("created"); return Live{}, nil },
			Update: func(Ref, v1alpha1.Object, diff.Changes) []Write {
				return []Write{{Do: func(context.Context, Live) (Live, error) { t.Error("updated"); return Live{}, nil }}}
			},
			Delete: func(context.Context, Ref, Live) error { t.Error("deleted"); return nil },
			List:   func(context.Context, Ref, func([]Listed) bool) error { return nil },
			Contents: func(Ref, Live) []Contents {
				t.Error("contents were handed out, which can delete")
				return nil
			},
			Undelete: func(context.Context, Ref, string) (Live, error) { t.Error("undeleted"); return Live{}, nil },
		},
		Policy: &Policy{
			Path: "spec.iam",
			Of:   func(v1alpha1.Object) (*v1alpha1.IAMPolicy, []v1alpha1.AuditConfig) { return nil, nil },
			Get:  func(context.Context, Ref) (iampolicy.Policy, error) { return iampolicy.Policy{}, nil },
			Set: func(context.Context, Ref, iampolicy.Policy) (iampolicy.Policy, error) {
				t.Error("a policy was set")
				return iampolicy.Policy{}, nil
			},
			Initial: func(Ref, v1alpha1.Object) []iampolicy.Grant { return nil },
		},
	}
	reads := map[string]bool{"Fields.Observe": true, "Fields.List": true, "Policy.Of": true, "Policy.Get": true, "Policy.Initial": true}
	k, ctx := trapped.ReadOnly(), t.Context()
	for name, parts := range map[string][2]any{"Fields": {*trapped.Fields, *k.Fields}, "Policy": {*trapped.Policy, *k.Policy}} {
		before, after := reflect.ValueOf(parts[0]), reflect.ValueOf(parts[1])
		for i := range before.NumField() {
			if before.Field(i).Kind() != reflect.Func {
				continue
			}
			function := name + "." + before.Type().Field(i).Name
			if before.Field(i).IsNil() || after.Field(i).IsNil() {
				t.Errorf("%s is nil: give it a trap above", function)
			}
			if kept := before.Field(i).Pointer() == after.Field(i).Pointer(); kept != reads[function] {
				t.Errorf("%s is kept: %t, want %t", function, kept, reads[function])
			}
		}
	}
	var errs []error
	try := func(_ any, err error) { errs = append(errs, err) }
	try(k.Fields.Create(ctx, Ref{}, nil))
	try(k.Fields.Undelete(ctx, Ref{}, ""))
	try(k.Policy.Set(ctx, Ref{}, iampolicy.Policy{}))
	try(nil, k.Fields.Delete(ctx, Ref{}, Live{}))
	for _, write := range k.Fields.Update(Ref{}, nil, nil) {
		try(write.Do(ctx, Live{}))
	}
	for i, err := range errs {
		if err == nil {
			t.Errorf("write %d was not refused", i)
		}
	}
	k.Fields.Contents(Ref{}, Live{})
}
