package kind

import (
	"context"
	"fmt"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
)

// ReadOnly is the kind for those who only ask what would be written: it observes and lists, and each of its writes fails before anything is
// sent. What it can do is still told: a function that is nil stays so, and no other is.
func (k Kind) ReadOnly() Kind {
	refusal := fmt.Errorf("nothing of a %s is written by who only asks", k.Name)
	if k.Fields != nil {
		k.Fields = k.Fields.readOnly(refusal)
	}
	if k.Policy != nil {
		policy := *k.Policy
		policy.Set = func(context.Context, Ref, iampolicy.Policy) (iampolicy.Policy, error) {
			return iampolicy.Policy{}, refusal
		}
		k.Policy = &policy
	}
	return k
}

func (f Fields) readOnly(refusal error) *Fields {
	f.Create = func(context.Context, Ref, v1alpha1.Object) (Live, error) { return Live{}, refusal }
	f.Update = func(Ref, v1alpha1.Object, diff.Changes) []Write {
		return []Write{{Name: "writing", Do: func(context.Context, Live) (Live, error) { return Live{}, refusal }}}
	}
	f.Delete = func(context.Context, Ref, Live) error { return refusal }
	if f.Contents != nil {
		f.Contents = func(Ref, Live) []Contents { return nil }
	}
	if f.Undelete != nil {
		f.Undelete = func(context.Context, Ref, string) (Live, error) { return Live{}, refusal }
	}
	return &f
}
