package plan

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// BenchmarkAssess assesses a bucket of 20 fields and a policy of 50 members that matches its manifest: what each object of a fleet costs
// with each sweep. Below it is the floor: to write the same manifest as JSON once.
func BenchmarkAssess(b *testing.B) {
	const fields, members = 20, 50
	spec := func() v1alpha1.BucketSpec {
		s := v1alpha1.BucketSpec{
			Location: "EU", StorageClass: "STANDARD", Versioning: &v1alpha1.Versioning{Enabled: new(true)}, RPO: "DEFAULT",
			RetentionPolicy: &v1alpha1.RetentionPolicy{RetentionSeconds: new(int64(60)), Locked: new(false)}, Labels: v1alpha1.Labels{},
		}
		for i := range fields - 6 {
			s.Labels[fmt.Sprintf("label-%02d", i)] = v1alpha1.LabelValue(fmt.Sprintf("value-%02d", i))
		}
		return s
	}
	s := situationOf(buckets, &v1alpha1.Bucket{Spec: spec()})
	s.record = Record{Identity: "42/today"}
	s.seen.Fields = FieldsSeen{Looked: true, Exists: true, Live: kind.Live{Object: &v1alpha1.Bucket{Spec: spec()}, Identity: kind.Identity{UID: "42/today"}}}
	var grantees []iampolicy.Grant
	for i := range members {
		grantees = append(grantees, iampolicy.Grant{Role: fmt.Sprintf("roles/role.%d", i%5), Member: fmt.Sprintf("user:member-%02d@example.com", i)})
	}
	s.with(grants(grantees...))
	s.seen.Policy = livePolicy(grantees...)
	s.record.Policy = PolicyRecord{Known: true, Mode: v1alpha1.IAMAdditive, Grants: grantees}
	first := s.assess()
	if first.Verdict.Reason != v1alpha1.ReasonUpToDate || len(first.Fields.Managed) != fields {
		b.Fatalf("verdict %+v of %d fields", first.Verdict, len(first.Fields.Managed))
	}
	b.Run("assess", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.assess()
		}
	})
	b.Run("floor", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := json.Marshal(s.Object); err != nil {
				b.Fatal(err)
			}
		}
	})
}
