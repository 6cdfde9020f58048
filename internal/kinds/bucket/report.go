package bucket

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// Report implements kind.Fielded.
func (k *Kind) Report(obj *v1alpha1.Bucket, live *Live) {
	status := &obj.Status
	status.URL = "gs://" + live.Name
	status.SelfLink = live.SelfLink
	status.Metageneration = live.Metageneration
	status.Location = live.Location
	status.LocationType = live.LocationType
	status.DataLocations = live.CustomPlacementConfig.DataLocations
	status.HierarchicalNamespace = new(live.HierarchicalNamespace.Enabled)
	status.ObjectRetention = live.ObjectRetention.Mode
	status.RetentionPolicyLocked = new(live.RetentionPolicy.IsLocked)
	status.UniformBucketLevelAccessLockedTime = secondOf(live.IAMConfiguration.UniformBucketLevelAccess.LockedTime)
	status.ProjectNumber = int64(live.ProjectNumber) //nolint:gosec // Google counts its projects far below 2^63.
	status.TimeCreated = secondOf(live.TimeCreated)
	status.Updated = secondOf(live.Updated)
}

// secondOf cuts a time to the second, as it is stored in Kubernetes; nil for none.
func secondOf(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	return new(metav1.NewTime(t.Truncate(time.Second)))
}
