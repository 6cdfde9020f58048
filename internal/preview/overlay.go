package preview

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/plan"
	"github.com/holdfast-dev/holdfast/internal/tenancy"
)

// ours is how the annotations begin that mean something to Holdfast.
const ours = "holdfast.dev/"

// Overlay is what a cluster has once manifests are applied: those, over what it has now. Of that it keeps what matters to them: there may be
// ten thousands of objects.
//
// It is filled in this order: what the cluster has of Namespaces, the Namespaces that are applied, the manifests, then what the cluster has of
// each kind, in their Order. What is passed in is its own from then on.
type Overlay struct {
	now        time.Time
	kinds      []kind.Kind
	namespaces map[string]map[string]string
	applied    []plan.Manifest
	// at is where in applied a manifest is.
	at map[kind.Reference]int
	// others are the manifests of the cluster that matter.
	others []plan.Manifest
	// known says which of applied the cluster has.
	known map[int]bool
	// projects are those that the manifests' namespaces reach, and ids the names of their resources, by kind: what else is of one of those may
	// be a rival.
	projects map[string]bool
	ids      map[string]map[string]bool
	// referred are what manifests refer to, and refused the members that Google refused.
	referred map[kind.Reference]bool
	refused  map[kind.Name]bool
}

// NewOverlay returns an empty one. What is applied and is not in the cluster is created now.
func NewOverlay(kinds []kind.Kind, now time.Time) *Overlay {
	return &Overlay{
		now: now, kinds: kinds, namespaces: map[string]map[string]string{}, at: map[kind.Reference]int{}, known: map[int]bool{},
		projects: map[string]bool{}, ids: map[string]map[string]bool{}, referred: map[kind.Reference]bool{}, refused: map[kind.Name]bool{},
	}
}

// Order are the kinds in the order in which what the cluster has of them is to be passed in: what others refer to comes last.
func (o *Overlay) Order() []kind.Kind {
	return slices.SortedStableFunc(slices.Values(o.kinds), func(a, b kind.Kind) int { return order(a) - order(b) })
}

func order(k kind.Kind) int {
	if k.Principal != nil {
		return 1
	}
	return 0
}

// Namespace adds a Namespace, or what is applied to one that was added.
func (o *Overlay) Namespace(name string, annotations map[string]string) {
	kept := o.namespaces[name]
	if kept == nil {
		kept = map[string]string{}
		o.namespaces[name] = kept
	}
	for key, value := range annotations {
		if strings.HasPrefix(key, ours) {
			kept[key] = value
		}
	}
}

// Apply adds a manifest that is applied.
func (o *Overlay) Apply(m plan.Manifest) {
	o.at[reference(m)] = len(o.applied)
	o.applied = append(o.applied, m)
	for _, binding := range tenancy.Bindings(o.namespaces[m.Object.GetNamespace()]) {
		o.projects[binding.Project] = true
	}
	if o.ids[m.Kind.Kind] == nil {
		o.ids[m.Kind.Kind] = map[string]bool{}
	}
	o.ids[m.Kind.Kind][m.Kind.ResourceID(m.Object)] = true
	o.refer(m)
}

// refer notes what a manifest refers to.
func (o *Overlay) refer(m plan.Manifest) {
	for _, ref := range m.Kind.References(m.Object) {
		o.referred[absolute(ref, m.Object.GetNamespace())] = true
	}
	if iam := m.Object.GetCommonStatus().IAM; iam != nil {
		for _, refusal := range iam.Refused {
			if name, ok := kind.MemberName(refusal.Member); ok {
				o.refused[name] = true
			}
		}
	}
}

// Live adds a manifest that the cluster has.
func (o *Overlay) Live(m plan.Manifest) {
	if i, ok := o.at[reference(m)]; ok {
		o.known[i] = true
		Lay(o.applied[i].Object, m.Object)
		o.refer(o.applied[i])
		return
	}
	project := inventory.ProjectIn(m.Object, o.namespaces[m.Object.GetNamespace()])
	rival := o.projects[project] && o.ids[m.Kind.Kind][m.Kind.ResourceID(m.Object)]
	if rival {
		o.refer(m)
	}
	named := m.Kind.Referent != nil && o.refused[kind.Name{Kind: m.Kind.Kind, Referent: m.Kind.Referent(m.Object)}]
	if rival || named || o.referred[reference(m)] {
		m.Object = m.Object.DeepCopyObject().(v1alpha1.Object) // of the page that it came with nothing is kept
		o.others = append(o.others, m)
	}
}

// Lay completes a manifest by what the cluster has of the object, as applying it would: what it does not mention of Holdfast's annotations
// stays, as does all that is not the manifest's to say.
func Lay(applied, live v1alpha1.Object) {
	annotations := map[string]string{}
	for key, value := range live.GetAnnotations() {
		if strings.HasPrefix(key, ours) {
			annotations[key] = value
		}
	}
	maps.Copy(annotations, applied.GetAnnotations())
	applied.SetAnnotations(annotations)
	applied.SetUID(live.GetUID())
	applied.SetCreationTimestamp(live.GetCreationTimestamp())
	applied.SetDeletionTimestamp(live.GetDeletionTimestamp())
	applied.SetFinalizers(live.GetFinalizers())
	applied.SetResourceVersion(live.GetResourceVersion())
	applied.SetGeneration(live.GetGeneration())
	if !equality.Semantic.DeepEqual(part(applied, "Spec").Interface(), part(live, "Spec").Interface()) {
		applied.SetGeneration(live.GetGeneration() + 1)
	}
	part(applied, "Status").Set(part(live, "Status"))
}

func part(obj v1alpha1.Object, name string) reflect.Value {
	return reflect.ValueOf(obj).Elem().FieldByName(name)
}

// source is what there is once all is applied.
func (o *Overlay) source() inventory.Source {
	for i, m := range o.applied {
		if !o.known[i] {
			m.Object.SetGeneration(1)
			m.Object.SetCreationTimestamp(metav1.Time{Time: o.now})
		}
	}
	var all []v1alpha1.Object
	for _, m := range slices.Concat(o.applied, o.others) {
		m.Object.GetObjectKind().SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(m.Kind.Kind))
		all = append(all, m.Object)
	}
	return inventory.NewFolder(o.kinds, o.namespaces, all)
}

// Accounts are the service accounts that Namespaces name to be acted as.
func (o *Overlay) Accounts() []string {
	var out []string
	for _, annotations := range o.namespaces {
		if account := tenancy.Impersonates(annotations); account != "" {
			out = append(out, account)
		}
	}
	return out
}

func reference(m plan.Manifest) kind.Reference {
	return kind.Reference{Kind: m.Kind.Kind, Namespace: m.Object.GetNamespace(), Name: m.Object.GetName()}
}
