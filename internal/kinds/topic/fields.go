package topic

import (
	"google.golang.org/protobuf/proto"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
)

// fields says what is special about the fields of a topic. None is immutable: gcloud and Terraform change all of them in
// place, the key included.
var fields = diff.Fields{
	// An update sends each whole.
	"spec.messageStoragePolicy": {Whole: true},
	"spec.schemaSettings":       {Whole: true},
	"spec.ingestion":            {Whole: true},

	"spec.messageStoragePolicy.allowedPersistenceRegions": {Equal: diff.StringSet, Inherited: true},
	"spec.messageStoragePolicy.enforceInTransit":          {Default: "false"},
	"spec.ingestion.source":                               {Atomic: true, Equal: sameSource, Loses: losesImports},
	"spec.ingestion.platformLogs.severity":                {Default: `"DISABLED"`},
	"spec.iam":                                            {Apart: true},
	"spec.messageTransforms":                              {Equal: sameTransforms, Loses: losesToTransforms},
	"spec.messageRetentionSeconds":                        {Loses: losesMessages},
}

// sameSource says whether two sources mean the same to Google: what one leaves unset may be explicit in the other.
func sameSource(desired, live any) bool {
	a, b := desired.(v1alpha1.TopicIngestionSource), live.(v1alpha1.TopicIngestionSource)
	return proto.Equal(buildSource(&a), buildSource(&b))
}

// sameTransforms says whether two lists of transforms mean the same to Google. What cannot be built equals nothing, so that
// building it reports why.
func sameTransforms(desired, live any) bool {
	a, errA := buildTransforms(desired.([]v1alpha1.TopicMessageTransform))
	b, errB := buildTransforms(live.([]v1alpha1.TopicMessageTransform))
	if errA != nil || errB != nil || len(a) != len(b) {
		return false
	}
	for i := range a {
		if !proto.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}
