package kind

import (
	"maps"
	"strings"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// MostLabels is how many labels Google lets a resource have.
const MostLabels = 64

// DescribeLabels returns those of a resource's live labels that a manifest can have: not Google's own, which begin with
// goog, nor ours. It is never nil.
func DescribeLabels(live map[string]string) v1alpha1.Labels {
	labels := v1alpha1.Labels{}
	for key, value := range live {
		if !reserved(key) {
			labels[key] = v1alpha1.LabelValue(value)
		}
	}
	return labels
}

// Labels returns all the labels that a resource should have: those wanted, with what DescribeLabels leaves out of the live
// ones, and the ownership labels of the Ref in place of those that are live. Which manifest has created an owned resource stays as it is.
func (r Ref) Labels(want v1alpha1.Labels, live map[string]string) map[string]string {
	labels := map[string]string{}
	for key, value := range live {
		if reserved(key) {
			labels[key] = value
		}
	}
	for _, key := range []string{v1alpha1.OwnerLabel, v1alpha1.OwnerNamespaceLabel, v1alpha1.OwnerNameLabel} {
		delete(labels, key)
	}
	if r.Ownership == nil {
		delete(labels, v1alpha1.CreatorLabel)
	}
	for key, value := range want {
		labels[key] = string(value)
	}
	maps.Copy(labels, r.Ownership)
	if len(labels) > MostLabels { // the manifest has come to want more: its status knows by now who created the resource
		delete(labels, v1alpha1.CreatorLabel)
	}
	return labels
}

func reserved(key string) bool {
	return strings.HasPrefix(key, "goog") || strings.HasPrefix(key, "holdfast-")
}
