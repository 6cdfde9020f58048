package plan

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// manifestOf is a topic's manifest: the younger of two, unless it is changed.
func manifestOf(changes ...func(*v1alpha1.Topic)) *v1alpha1.Topic {
	obj := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{
		Namespace: "shop", Name: "younger", UID: "younger", Generation: 1, CreationTimestamp: metav1.Unix(2000, 0), Finalizers: []string{v1alpha1.Finalizer},
	}}
	for _, change := range changes {
		change(obj)
	}
	return obj
}

// What manifests may be.
var (
	elder     = func(o *v1alpha1.Topic) { o.Name, o.UID, o.CreationTimestamp = "elder", "elder", metav1.Unix(1000, 0) }
	holds     = func(o *v1alpha1.Topic) { o.Status.Project, o.Status.Identity = "p", "it" }
	unguarded = func(o *v1alpha1.Topic) { o.Finalizers = nil }
	foreign   = func(o *v1alpha1.Topic) { o.Finalizers = []string{"example.com/never"} }
	goes      = func(o *v1alpha1.Topic) { o.DeletionTimestamp = new(metav1.Unix(3000, 0)) }
	observes  = func(o *v1alpha1.Topic) { o.Spec.Management = v1alpha1.ManagementObserve }
	wontAdopt = func(o *v1alpha1.Topic) { o.Spec.Adoption = v1alpha1.AdoptionNever }
	conflicts = func(o *v1alpha1.Topic) {
		o.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonConflict, ObservedGeneration: 1}}
	}
	edited = func(o *v1alpha1.Topic) { o.Generation = 2 }
)

// Of two manifests of a resource that may both act, one and only one owns it, whichever is asked.
func TestWhichOfTwoManifestsOwnsTheResource(t *testing.T) {
	type changes = []func(*v1alpha1.Topic)
	cases := map[string]struct {
		elder, younger changes
		bars           bool // the elder
		want           string
	}{
		"two that are new":                                 {nil, nil, false, "elder"},
		"two that hold it":                                 {changes{holds}, changes{holds}, false, "elder"},
		"an elder one that does not hold it":               {nil, changes{holds}, false, "younger"},
		"an elder one that holds it without our finalizer": {changes{holds, unguarded}, changes{holds}, false, "younger"},
		"an elder one that holds it and may not act":       {changes{holds}, nil, true, "younger"},
		"an elder one that goes":                           {changes{holds, goes}, nil, false, "elder"},
		"an elder one that is released":                    {changes{holds, goes, foreign}, nil, false, "younger"},
		"an elder one that only observes":                  {changes{holds, observes}, nil, false, "younger"},
		"an elder one that does not want it as it is":      {changes{wontAdopt, conflicts}, nil, false, "younger"},
		"one that did not, and was edited":                 {changes{wontAdopt, conflicts, edited}, nil, false, "elder"},
		"one that does not want it, but holds it":          {changes{wontAdopt, conflicts, holds}, nil, false, "elder"},
		"two that do not want it":                          {changes{wontAdopt, conflicts}, changes{wontAdopt, conflicts}, false, "elder"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			old, young := manifestOf(append(changes{elder}, tc.elder...)...), manifestOf(tc.younger...)
			wins := func(me, other *v1alpha1.Topic, barred bool) string {
				s := subject{
					Manifest: Manifest{Kind: kind.Kind{Fields: &kind.Fields{}}, Object: me}, record: RecordOf(&me.Status.CommonStatus),
					env: Environment{Now: time.Unix(4000, 0), Rivals: []Rival{{Object: other, Barred: barred}}}, so: &Assessment{},
				}
				if winner := s.winner(); winner != nil {
					return winner.GetName()
				}
				return me.Name
			}
			if got := wins(young, old, tc.bars); got != tc.want {
				t.Errorf("the younger one finds that %s owns it, want %s", got, tc.want)
			}
			acts := guarded(old) && old.Spec.Management != v1alpha1.ManagementObserve && !tc.bars
			if got := wins(old, young, false); acts && got != tc.want {
				t.Errorf("the elder one finds that %s owns it, want %s", got, tc.want)
			}
		})
	}
}
