package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Settled says whether a pass would find nothing to do for a manifest as long as its resource is as it was last seen: it is Ready as it is now,
// nobody asks for anything, nothing is waited for, and what else it depends on is as it was then (EnvironmentDigest). The record is the one that
// the pass would begin with.
func Settled(m Manifest, r Record, e Environment) bool {
	obj, status := m.Object, m.Object.GetCommonStatus()
	s := subject{m, r, Observation{}, e, &Assessment{}}
	switch {
	case !settledStatus(status, obj.GetGeneration()), s.deleting(), s.heldBy() != "", asks(obj):
		return false
	case !guarded(obj) && s.management() != v1alpha1.ManagementObserve:
		return false
	case AssessUnobserved(m, r, e) != nil, !equality.Semantic.DeepEqual(r, RecordOf(status)):
		return false
	}
	return status.EnvironmentDigest == EnvironmentDigest(m.Kind, obj, e)
}

// settledStatus says whether a status tells that a generation is applied and that nothing is left to be done or to be waited for.
func settledStatus(status *v1alpha1.CommonStatus, generation int64) bool {
	ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	iam := status.IAM
	switch {
	case ready == nil, ready.Status != metav1.ConditionTrue, ready.ObservedGeneration != generation, status.ObservedGeneration != generation:
		return false
	case !meta.IsStatusConditionFalse(status.Conditions, v1alpha1.ConditionDrifted), status.BreakGlass != nil:
		return false
	case iam != nil && len(iam.Pending)+len(iam.Refused) > 0:
		return false
	}
	return len(status.Pending) == 0 && status.Approved == nil && status.Plan == nil && status.Deletion == nil
}

// asks says whether annotations ask for something that was not handled yet: an approval, a reconcile, or anything about a glass.
func asks(obj v1alpha1.Object) bool {
	annotations := obj.GetAnnotations()
	for key := range annotations {
		if key == v1alpha1.ApproveAnnotation || strings.HasPrefix(key, v1alpha1.BreakGlassAnnotation) {
			return true
		}
	}
	return annotations[v1alpha1.ReconcileRequestedAtAnnotation] != obj.GetCommonStatus().LastHandledReconcileAt
}

// environment is what a manifest depends on beside its spec, its record and its resource, as far as nothing else tells that it has changed.
type environment struct {
	Project     string              `json:"project"`
	Impersonate string              `json:"impersonate"`
	Reach       string              `json:"reach"`
	Permissions string              `json:"permissions"`
	Management  v1alpha1.Management `json:"management"`
	Removals    int                 `json:"removals"`
	Ownership   map[string]string   `json:"ownership"`
	References  []reference         `json:"references"`
	Sharers     []sharer            `json:"sharers"`
}

// reference is what a reference leads to, as in kind.Reference and Resolved.
type reference struct {
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
	Value      string `json:"value"`
	Missing    string `json:"missing"`
	NotAllowed string `json:"notAllowed"`
}

// sharer is another manifest of a shared policy.
type sharer struct {
	UID        string      `json:"uid"`
	Generation int64       `json:"generation"`
	Goes       bool        `json:"goes"`
	References []reference `json:"references"`
}

// EnvironmentDigest is a short hash of what a manifest depends on beside its spec, its record and its resource: as whom and where it may do what,
// whose it marks its resource as, what its references lead to, and what others say of a policy that it shares. Times are not among that, nor
// whose glass is broken and who owns the resource, which Settled looks at itself.
func EnvironmentDigest(k kind.Kind, obj v1alpha1.Object, e Environment) string {
	of := environment{
		Project: e.Binding.Project, Impersonate: e.Binding.Impersonate, Reach: string(e.Binding.Reach), Permissions: string(e.Binding.Permissions),
		Management: e.Limits.Management(obj.GetCommonSpec().Management), Removals: -1,
		Ownership: e.Ref.Ownership, References: e.References.list(),
	}
	if most, limited := e.Limits.Removals(); limited {
		of.Removals = most
	}
	if k.Shared() {
		for _, rival := range e.Rivals {
			other := rival.Object
			goes := !other.GetDeletionTimestamp().IsZero()
			of.Sharers = append(of.Sharers, sharer{string(other.GetUID()), other.GetGeneration(), goes, rival.References.list()})
		}
		slices.SortFunc(of.Sharers, func(a, b sharer) int { return strings.Compare(a.UID, b.UID) })
	}
	text, err := json.Marshal(of)
	if err != nil { // of strings and numbers
		panic(err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// list are the references in order, without when they were resolved.
func (r References) list() []reference {
	var out []reference
	for of, is := range r {
		out = append(out, reference{of.Kind, of.Namespace, of.Name, is.Value, is.Missing, is.NotAllowed})
	}
	slices.SortFunc(out, func(a, b reference) int { return strings.Compare(a.key(), b.key()) })
	return out
}

func (r reference) key() string { return r.Kind + " " + r.Namespace + "/" + r.Name }
