package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

const (
	archiveFile   = "hack/demo/story/archive.yaml"
	archiveBucket = "demo-analytics-archive"
	exportsFile   = "hack/demo/story/exports.yaml"
	exportsBucket = "demo-analytics-exports"
)

// inherited are buckets that existed before Holdfast.
var inherited = []document{
	{"name": archiveBucket, "location": "EU", "storageClass": "NEARLINE", "labels": document{"made-by": "terraform"}},
	{"name": exportsBucket, "location": "EUROPE-WEST3", "labels": document{"made-by": "hand"}},
}

// makeInherited creates those buckets.
func (s *stage) makeInherited(ctx context.Context) error {
	for _, bucket := range inherited {
		if err := s.cloud.Call(ctx, http.MethodPost, "/emulator/storage/b?project="+analyticsProject, bucket, nil); err != nil {
			return fmt.Errorf("creating an old bucket: %w", err)
		}
	}
	return nil
}

// playAdoption: what matches is taken over without a write; what differs waits, with its plan, for approval.
func (s *stage) playAdoption(ctx context.Context) error {
	if err := s.makeInherited(ctx); err != nil {
		return err
	}
	s.show.sayf("somebody created the buckets %s and %s long ago", archiveBucket, exportsBucket)
	mark, err := s.cloud.mark(ctx)
	if err != nil {
		return err
	}
	if err := s.adoptMatching(ctx, mark); err != nil {
		return err
	}
	exports := bucketObject("exports")
	if err := s.foresee(ctx, "on hold", "plan", "-f", exportsFile); err != nil {
		return err
	}
	if err := s.apply(ctx, exportsFile); err != nil {
		return err
	}
	if err := s.untilStands(ctx, exports, v1alpha1.ReasonAwaitingAdoption); err != nil {
		return err
	}
	if _, err := s.kubectl.run(ctx, "get", "bucket", "-n", analytics, exports.Name, "-o", "jsonpath-as-json={.status.plan}"); err != nil {
		return err
	}
	if err := s.noWrites(ctx, mark, exportsBucket); err != nil {
		return err
	}
	s.show.sawf("it differs, so its plan is on hold (%s), and nothing was written", standing(exports).reason)

	approving := []string{"holdfast", "approve", "-n", analytics, "bucket/" + exports.Name, "--yes", "--hash", exports.Status.Plan.Hash}
	if _, err := s.kubectl.run(ctx, approving...); err != nil {
		return err
	}
	if err := s.untilStands(ctx, exports, v1alpha1.ReasonUpToDate); err != nil {
		return err
	}
	if err := s.onePatch(ctx, mark, exportsBucket); err != nil {
		return err
	}
	s.show.sawf("approved: applied, and Ready")
	return nil
}

func (s *stage) adoptMatching(ctx context.Context, mark int64) error {
	archive := bucketObject("archive")
	if err := s.apply(ctx, archiveFile); err != nil {
		return err
	}
	if err := s.untilStands(ctx, archive, v1alpha1.ReasonUpToDate); err != nil {
		return err
	}
	if err := s.untilEvent(ctx, "Adopted", archive.Name); err != nil {
		return err
	}
	if err := s.noWrites(ctx, mark, archiveBucket); err != nil {
		return err
	}
	s.show.sawf("it matches: Ready without a single write to Google Cloud")
	return nil
}
