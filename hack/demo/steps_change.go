package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

const (
	reportsFile   = "hack/demo/story/reports.yaml"
	editedFile    = "hack/demo/story/reports-edited.yaml"
	resetFile     = "hack/demo/story/reports-without-versioning.yaml"
	reportsBucket = "demo-analytics-reports"
)

// bucketObject is an object of the story, to be read.
func bucketObject(name string) *v1alpha1.Bucket {
	b := &v1alpha1.Bucket{}
	b.Namespace, b.Name = analytics, name
	return b
}

// playEdit: an edit in the manifest reaches Google Cloud with one PATCH.
func (s *stage) playEdit(ctx context.Context) error {
	reports := bucketObject("reports")
	if err := s.apply(ctx, reportsFile); err != nil {
		return err
	}
	if err := s.untilStands(ctx, reports, v1alpha1.ReasonUpToDate); err != nil {
		return err
	}
	s.show.sawf("%s/%s is Ready: %s", analytics, reports.Name, reports.Status.URL)
	mark, err := s.cloud.mark(ctx)
	if err != nil {
		return err
	}
	if err := s.apply(ctx, editedFile); err != nil {
		return err
	}
	if err := s.untilStands(ctx, reports, v1alpha1.ReasonUpToDate); err != nil {
		return err
	}
	if err := s.onePatch(ctx, mark, reportsBucket); err != nil {
		return err
	}
	live, err := s.cloud.get(ctx, bucketPath(reportsBucket))
	if err != nil {
		return err
	}
	labels, _ := live["labels"].(document)
	return s.expect(labels["cost-center"] == "4711" && labels["team"] == "analytics", "the bucket now has the label cost-center=4711, and still has team=analytics")
}

// playDrift: the sweep finds and corrects drift; a field that leaves the manifest is reset.
func (s *stage) playDrift(ctx context.Context) error {
	reports := bucketObject("reports")
	mark, err := s.cloud.mark(ctx)
	if err != nil {
		return err
	}
	if err := s.inConsole(ctx, "somebody switches versioning off and adds a label", http.MethodPatch, bucketPath(reportsBucket),
		document{"versioning": document{"enabled": false}, "labels": document{"added-by": "hand"}}); err != nil {
		return err
	}
	s.show.sayf("nobody tells Holdfast; its periodic sweep finds the drift")
	if err := s.untilVersioning(ctx, true); err != nil {
		return err
	}
	if err := s.onePatch(ctx, mark, reportsBucket); err != nil {
		return err
	}
	if err := s.untilEvent(ctx, "DriftCorrected", reports.Name); err != nil {
		return err
	}
	live, err := s.cloud.get(ctx, bucketPath(reportsBucket))
	if err != nil {
		return err
	}
	labels, _ := live["labels"].(document)
	if err := s.expect(labels["added-by"] == "hand", "versioning is on again; the unmanaged label added-by was left alone"); err != nil {
		return err
	}

	if err := s.apply(ctx, resetFile); err != nil {
		return err
	}
	if err := s.untilStands(ctx, reports, v1alpha1.ReasonDataLoss); err != nil {
		return err
	}
	if err := s.untilVersioning(ctx, true); err != nil {
		return err
	}
	s.show.sawf("versioning left the manifest; without it old versions are lost, so the plan is on hold (%s)", standing(reports).reason)
	if _, err := s.kubectl.run(ctx, "annotate", "--overwrite", "-n", analytics, "bucket", reports.Name,
		v1alpha1.ApproveAnnotation+"="+reports.Status.Plan.Hash); err != nil {
		return err
	}
	if err := s.untilStands(ctx, reports, v1alpha1.ReasonUpToDate); err != nil {
		return err
	}
	if err := s.untilVersioning(ctx, false); err != nil {
		return err
	}
	s.show.sawf("approved: it is reset to Google's default, off")
	return nil
}

// untilVersioning waits until the bucket of the reports keeps versions, or does not.
func (s *stage) untilVersioning(ctx context.Context, want bool) error {
	return s.until(ctx, fmt.Sprintf("the live bucket to have versioning %t", want), func(ctx context.Context) (string, bool, error) {
		live, err := s.cloud.get(ctx, bucketPath(reportsBucket))
		versioning, _ := live["versioning"].(document)
		enabled, _ := versioning["enabled"].(bool)
		return fmt.Sprintf("versioning %t", enabled), enabled == want, err
	})
}

// inConsole does something in Google Cloud behind Holdfast's back, and shows it.
func (s *stage) inConsole(ctx context.Context, told, method, path string, body document) error {
	s.show.sayf("%s, in the console:", told)
	s.show.command(curl(method, s.cloud.URL+path, body))
	return s.cloud.Call(ctx, method, path, body, nil)
}

// untilEvent waits for an event about an object of the story, and shows it.
func (s *stage) untilEvent(ctx context.Context, reason, name string) error {
	query := []string{
		"get", "events", "-n", analytics, "--field-selector", "involvedObject.name=" + name + ",reason=" + reason,
		"-o", "custom-columns=TYPE:.type,REASON:.reason,MESSAGE:.message",
	}
	if err := s.until(ctx, "an event "+reason, func(ctx context.Context) (string, bool, error) {
		out, err := s.kubectl.Run(ctx, query...)
		return "none yet", strings.Contains(out, reason), err
	}); err != nil {
		return err
	}
	_, err := s.kubectl.run(ctx, query...)
	return err
}
