package inventory

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// appeared is when the service accounts became ready that are members of a manifest's policy and that Google refused, by the member. It finds
// them in all namespaces, since Google Cloud has no other way to name them; nothing of them may be shown.
func (i *Inventory) appeared(ctx context.Context, obj v1alpha1.Object) (map[string]time.Time, error) {
	status := obj.GetCommonStatus().IAM
	if status == nil {
		return nil, nil
	}
	var out map[string]time.Time
	for _, refusal := range status.Refused {
		name, ok := kind.MemberName(refusal.Member)
		if !ok {
			continue
		}
		k, ok := kind.Named(i.Kinds, name.Kind)
		if !ok {
			continue
		}
		named, err := i.Source.ByReferent(ctx, k, name.Referent)
		if err != nil {
			return nil, err
		}
		for _, account := range named {
			ready := meta.FindStatusCondition(account.GetCommonStatus().Conditions, v1alpha1.ConditionReady)
			if ready == nil || ready.Status != metav1.ConditionTrue || ready.LastTransitionTime.Time.Before(out[refusal.Member]) {
				continue
			}
			if out == nil {
				out = map[string]time.Time{}
			}
			out[refusal.Member] = ready.LastTransitionTime.Time
		}
	}
	return out, nil
}
