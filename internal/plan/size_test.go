package plan

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Sizes in bytes.
const (
	// largestSpec is what config/admission/size.yaml lets a manifest have.
	largestSpec = 160 << 10
	// largestStored is what etcd stores, by default.
	largestStored = 1536 << 10
	// restOfObject is what is left for metadata: labels, annotations, who owns which field.
	restOfObject = 128 << 10
)

// largest are 1,490 members, which take up the largest spec.
func largest(tag string) []iampolicy.Grant {
	const members = 1490
	out := make([]iampolicy.Grant, members)
	for i := range out {
		name := fmt.Sprintf("user:%s%d@example.com", tag, i)
		out[i] = iampolicy.Grant{Role: "roles/pubsub.viewer", Member: name + strings.Repeat("x", largestSpec/members-len(name)-3)}
	}
	return out
}

// TestTheLargestManifestCanBeReportedOn: all that it grants was replaced under an approval, all of that goes by other names in Google Cloud, as
// long as its own, and everything that a status shows is as much and as long as it may be.
func TestTheLargestManifestCanBeReportedOn(t *testing.T) {
	before, after, aliases := largest("before"), largest("after"), largest("alias")
	long := strings.Repeat("x", 512)
	var changes diff.Changes
	for i := range before {
		changes = append(changes,
			diff.Change{Path: "spec.iam.bindings[roles/pubsub.viewer].members[" + before[i].Member + "]", From: `"granted"`},
			diff.Change{Path: "spec.iam.bindings[roles/pubsub.viewer].members[" + after[i].Member + "]", To: `"granted"`})
	}
	record := Record{
		Project: "shop-project", ExternalName: "//pubsub.googleapis.com/" + long,
		Approved: &v1alpha1.ApprovedPlan{Changes: digests(changes, nil)},
		Policy:   PolicyRecord{Known: true, Grants: before, Pending: after, StoredAs: StoredAs{}},
	}
	for i, g := range after {
		record.Policy.StoredAs[g.Member] = StoredName{Names: []string{aliases[i].Member}}
	}
	status := v1alpha1.CommonStatus{Drift: Bounded(kind.Kind{}, changes), Plan: &v1alpha1.Plan{Changes: Bounded(kind.Kind{}, changes)}}
	for range mostChanges {
		record.Policy.Refused = append(record.Policy.Refused, v1alpha1.IAMRefusal{Member: long, Message: long})
	}
	record.Store(&status)
	for range mostChanges {
		status.IAM.Kept = append(status.IAM.Kept, v1alpha1.IAMKept{Role: long, Member: long, Why: long})
		status.IAM.NotOwned = append(status.IAM.NotOwned, v1alpha1.IAMGrants{Role: long, Members: []string{long}})
		status.Unmanaged = append(status.Unmanaged, v1alpha1.UnmanagedField{Path: long, Value: long})
	}
	data, err := json.Marshal(status)
	if err != nil {
		t.Fatal(err)
	}
	if size := len(data) + largestSpec + restOfObject; size > largestStored {
		t.Errorf("an object has %d bytes, more than %d", size, largestStored)
	}
}
