package fleet

import (
	"cmp"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// View is all that is to be known about one manifest. Its fields are those of -o json.
type View struct {
	Line

	UID                string                  `json:"uid"`
	Generation         int64                   `json:"generation"`
	ObservedGeneration int64                   `json:"observedGeneration"`
	DeletionTime       *metav1.Time            `json:"deletionTime,omitempty"`
	Management         v1alpha1.Management     `json:"management"`
	Adoption           v1alpha1.Adoption       `json:"adoption"`
	DeletionPolicy     v1alpha1.DeletionPolicy `json:"deletionPolicy"`
	// Owned says that the manifest has taken the resource over or created it; Created that it is known to have created it.
	Owned      bool   `json:"owned"`
	Created    bool   `json:"created"`
	ConsoleURL string `json:"consoleURL,omitempty"`

	Conditions []metav1.Condition `json:"conditions,omitempty"`
	Drift      []v1alpha1.Change  `json:"drift,omitempty"`
	Plan       *v1alpha1.Plan     `json:"plan,omitempty"`
	// Approve is the command that approves the plan.
	Approve    string                     `json:"approve,omitempty"`
	Approved   *v1alpha1.ApprovedPlan     `json:"approved,omitempty"`
	References []Reference                `json:"references,omitempty"`
	Unmanaged  []v1alpha1.UnmanagedField  `json:"unmanaged,omitempty"`
	Deletion   *v1alpha1.DeletionProgress `json:"deletion,omitempty"`

	BreakGlass        *v1alpha1.BreakGlass         `json:"breakGlass,omitempty"`
	BreakGlassHistory []v1alpha1.BreakGlassEpisode `json:"breakGlassHistory,omitempty"`
}

// Reference is a manifest that another one refers to.
type Reference struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Resolved is what it stands for, such as an e-mail; empty as long as that is waited for.
	Resolved string `json:"resolved,omitempty"`
	// Waiting says what is waited for.
	Waiting string `json:"waiting,omitempty"`
}

// ViewOf is all that a manifest says of itself. References, which others say, are the caller's to add.
func ViewOf(k kind.Kind, obj v1alpha1.Object) View {
	spec, status := obj.GetCommonSpec(), obj.GetCommonStatus()
	v := View{
		Line: LineOf(k.Kind, obj), UID: string(obj.GetUID()), Generation: obj.GetGeneration(), ObservedGeneration: status.ObservedGeneration,
		DeletionTime: obj.GetDeletionTimestamp(), Management: cmp.Or(spec.Management, v1alpha1.ManagementManage),
		Adoption:       cmp.Or(spec.Adoption, v1alpha1.AdoptionIfMatches),
		DeletionPolicy: cmp.Or(spec.DeletionPolicy, v1alpha1.DeletionOrphan),
		ConsoleURL:     k.ConsoleURL(status.Project, cmp.Or(k.ResourceID(obj), status.Project), status.Identity),
		Owned:          status.Identity != "", Created: status.Identity != "" && status.Identity == status.CreatedIdentity,
		Conditions: status.Conditions, Drift: status.Drift, Plan: status.Plan, Approved: status.Approved, Unmanaged: status.Unmanaged,
		Deletion: status.Deletion, BreakGlass: status.BreakGlass, BreakGlassHistory: status.BreakGlassHistory,
	}
	if status.Plan != nil {
		v.Approve = fmt.Sprintf("kubectl holdfast approve -n %s %s --hash %s", obj.GetNamespace(), Argument(k.Kind, obj.GetName()), status.Plan.Hash)
	}
	return v
}

// ReferenceOf says what a reference stands for. found is the manifest, nil if there is none; refusal is why it may not be referred to.
func ReferenceOf(k kind.Kind, ref kind.Reference, found v1alpha1.Object, refusal string) Reference {
	r := Reference{Kind: ref.Kind, Namespace: ref.Namespace, Name: ref.Name}
	switch {
	case refusal != "":
		r.Waiting = refusal
	case found == nil:
		r.Waiting = "there is no such " + ref.Kind
	default:
		if r.Resolved = k.Referent(found); r.Resolved == "" {
			s := StandingOf(found)
			r.Waiting = fmt.Sprintf("it has no resource yet: %s, %s", s.State, s.Reason)
		}
	}
	return r
}
