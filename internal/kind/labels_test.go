package kind

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func TestDescribeLabels(t *testing.T) {
	live := map[string]string{"team": "data", "goog-drz": "x", "holdfast-owner": "o", "holdfast-later": "l"}
	if diff := cmp.Diff(v1alpha1.Labels{"team": "data"}, DescribeLabels(live)); diff != "" {
		t.Errorf("DescribeLabels: -want +got\n%s", diff)
	}
	if DescribeLabels(nil) == nil {
		t.Error("DescribeLabels(nil) is nil, which reads as: not looked at")
	}
}

func TestRefLabels(t *testing.T) {
	ours := map[string]string{v1alpha1.OwnerLabel: "o", v1alpha1.OwnerNamespaceLabel: "ns", v1alpha1.OwnerNameLabel: "n"}
	for name, tc := range map[string]struct {
		ownership  map[string]string
		want       v1alpha1.Labels
		live, then map[string]string
	}{
		"a new resource": {
			ownership: ours,
			want:      v1alpha1.Labels{"team": "data"},
			then: map[string]string{"team": "data",
				"holdfast-owner": "o", "holdfast-namespace": "ns", "holdfast-name": "n"},
		},
		"Google's labels and those of a later version stay": {
			want: v1alpha1.Labels{"team": "data"},
			live: map[string]string{"team": "ops", "goog-drz": "x", "holdfast-later": "l"},
			then: map[string]string{"team": "data", "goog-drz": "x", "holdfast-later": "l"},
		},
		"a label that is not wanted goes": {
			live: map[string]string{"team": "ops"},
			then: map[string]string{},
		},
		"another's ownership is replaced": {
			ownership: map[string]string{v1alpha1.OwnerLabel: "o"},
			live:      map[string]string{"holdfast-owner": "other", "holdfast-namespace": "there"},
			then:      map[string]string{"holdfast-owner": "o"},
		},
		"who created it stays": {
			ownership: ours,
			live:      map[string]string{"holdfast-owner": "o", "holdfast-namespace": "ns", "holdfast-name": "n", "holdfast-created-by": "1"},
			then:      map[string]string{"holdfast-owner": "o", "holdfast-namespace": "ns", "holdfast-name": "n", "holdfast-created-by": "1"},
		},
		"who created it goes with the owner": {
			live: map[string]string{"holdfast-owner": "o", "holdfast-namespace": "ns", "holdfast-name": "n", "holdfast-created-by": "1"},
			then: map[string]string{},
		},
		"who created it goes where the manifest needs all the room there is": {
			ownership: ours,
			want:      many(MostLabels - 3),
			live:      map[string]string{"holdfast-owner": "o", "holdfast-namespace": "ns", "holdfast-name": "n", "holdfast-created-by": "1"},
			then:      Ref{Ownership: ours}.Labels(many(MostLabels-3), nil),
		},
		"without an owner ours go": {
			want: v1alpha1.Labels{"team": "data"},
			live: map[string]string{"team": "data", "holdfast-owner": "o", "holdfast-namespace": "ns", "holdfast-name": "n"},
			then: map[string]string{"team": "data"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := Ref{Ownership: tc.ownership}.Labels(tc.want, tc.live)
			if diff := cmp.Diff(tc.then, got); diff != "" {
				t.Errorf("Labels: -want +got\n%s", diff)
			}
		})
	}
}

// many are as many labels.
func many(n int) v1alpha1.Labels {
	labels := v1alpha1.Labels{}
	for i := range n {
		labels[fmt.Sprintf("label-%d", i)] = "x"
	}
	return labels
}
