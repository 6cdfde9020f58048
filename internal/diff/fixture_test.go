package diff

import (
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// thing is a kind with one field of each sort.
type thing struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitzero"`
	Spec              thingSpec `json:"spec,omitzero"`
}

type thingSpec struct {
	v1alpha1.CommonSpec `json:",inline"`

	Location string            `json:"location,omitempty"`
	Class    string            `json:"class,omitempty"`
	Labels   map[string]string `json:"labels,omitzero"`
	Regions  []string          `json:"regions,omitzero"`
	Pays     *bool             `json:"pays,omitempty"`
	Website  *website          `json:"website,omitempty"`
	Source   *source           `json:"source,omitempty"`
}

type website struct {
	Page     string `json:"page,omitempty"`
	NotFound string `json:"notFound,omitempty"`
	Days     *int32 `json:"days,omitempty"`
}

// source is a union, compared whole.
type source struct {
	Bucket string   `json:"bucket,omitempty"`
	Stream string   `json:"stream,omitempty"`
	Globs  []string `json:"globs,omitzero"`
}

var thingFields = Fields{
	"spec.location":  {Immutable: "it is fixed when the thing is created", Equal: FoldedStrings},
	"spec.class":     {Default: `"STANDARD"`},
	"spec.pays":      {Default: "false"},
	"spec.regions":   {Equal: StringSet},
	"spec.source":    {Atomic: true},
	"spec.website":   {},
	"spec.labels[*]": {},
}

func (t *thing) GetCommonSpec() *v1alpha1.CommonSpec     { return &t.Spec.CommonSpec }
func (t *thing) GetCommonStatus() *v1alpha1.CommonStatus { return &v1alpha1.CommonStatus{} }

func (t *thing) DeepCopyObject() runtime.Object {
	out := *t
	out.Spec = *t.Spec.copy()
	return &out
}

func (s *thingSpec) copy() *thingSpec {
	out := *s
	if s.Labels != nil {
		out.Labels = map[string]string{}
		maps.Copy(out.Labels, s.Labels)
	}
	if s.Regions != nil {
		out.Regions = append([]string{}, s.Regions...)
	}
	if s.Pays != nil {
		out.Pays = new(*s.Pays)
	}
	if s.Website != nil {
		w := *s.Website
		if w.Days != nil {
			w.Days = new(*w.Days)
		}
		out.Website = &w
	}
	if s.Source != nil {
		src := *s.Source
		if src.Globs != nil {
			src.Globs = append([]string{}, src.Globs...)
		}
		out.Source = &src
	}
	return &out
}
