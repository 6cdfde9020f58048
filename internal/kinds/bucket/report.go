package bucket

import (
	"time"

	"cloud.google.com/go/storage"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// selfLinks is what the selfLink of each bucket begins with; the library does not hand it on.
const selfLinks = "https://www.googleapis.com/storage/v1/b/"

// Report implements kind.Fielded.
func (k *Kind) Report(obj *v1alpha1.Bucket, live *storage.BucketAttrs) {
	status := &obj.Status
	status.URL = "gs://" + live.Name
	status.SelfLink = selfLinks + live.Name
	status.Metageneration = live.MetaGeneration
	status.Location = live.Location
	status.LocationType = live.LocationType
	status.DataLocations = nil
	if p := live.CustomPlacementConfig; p != nil {
		status.DataLocations = p.DataLocations
	}
	status.HierarchicalNamespace = new(hasFolders(live))
	status.ObjectRetention = live.ObjectRetentionMode
	status.RetentionPolicyLocked = new(live.RetentionPolicy != nil && live.RetentionPolicy.IsLocked)
	status.UniformBucketLevelAccessLockedTime = secondOf(live.UniformBucketLevelAccess.LockedTime)
	status.ProjectNumber = int64(live.ProjectNumber) //nolint:gosec // Google counts its projects far below 2^63.
	status.TimeCreated = secondOf(live.Created)
	status.Updated = secondOf(live.Updated)
}

// secondOf cuts a time to the second, as it is stored in Kubernetes; nil for none.
func secondOf(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	return new(metav1.NewTime(t.Truncate(time.Second)))
}
