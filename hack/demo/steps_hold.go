package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// playGlass: only who may break the glass can. While it is broken, drift is detected and shown, and nothing is written. Once
// it is closed, drift is corrected, and who did what stays on record.
func (s *stage) playGlass(ctx context.Context) error {
	exports := bucketObject("exports")
	if err := s.glassStays(ctx, exports); err != nil {
		return err
	}
	if _, err := s.kubectl.run(ctx, s.breaking(exports, onCall)...); err != nil { // it waits for the acknowledgement
		return err
	}
	if err := s.untilCondition(ctx, exports, v1alpha1.ConditionBreakGlass); err != nil {
		return err
	}
	mark, err := s.cloud.mark(ctx)
	if err != nil {
		return err
	}
	if err := s.inConsole(ctx, "ada, who is on call, lifts the public access prevention", http.MethodPatch, bucketPath(exportsBucket),
		document{"iamConfiguration": document{"publicAccessPrevention": "inherited"}}); err != nil {
		return err
	}
	if err := s.untilCondition(ctx, exports, v1alpha1.ConditionDrifted); err != nil {
		return err
	}
	if err := s.showBucket(ctx, exports.Name, "wide", "jsonpath-as-json={.status.drift}"); err != nil {
		return err
	}
	if err := s.foresee(ctx, "publicAccessPrevention", "diff", "-n", analytics, "bucket/"+exports.Name); err != nil {
		return err
	}
	if err := s.noWrites(ctx, mark, exportsBucket); err != nil {
		return err
	}
	s.show.sawf("the drift is shown, and nothing was written")
	return s.closeGlass(ctx, exports, mark)
}

// The people of the incident.
const (
	editor = "alice" // may edit the namespace's objects
	onCall = "ada"   // may break the glass as well
	lead   = "grace" // may, too
)

// incident is why the glass is broken.
const incident = "INC-4711: partner needs access"

// breaking is the one line that breaks the glass.
func (s *stage) breaking(obj *v1alpha1.Bucket, person string) []string {
	return []string{"holdfast", "break-glass", "open", "-n", analytics, "bucket/" + obj.Name, "--as", person, "--reason", incident}
}

// glassStays shows that the right to edit the namespace's objects is not enough to break the glass, and that nobody can do it
// in somebody else's name.
func (s *stage) glassStays(ctx context.Context, exports *v1alpha1.Bucket) error {
	for person, role := range map[string]string{editor: "holdfast-edit", onCall: "holdfast-break-glass", lead: "holdfast-break-glass"} {
		if _, err := s.kubectl.run(ctx, "create", "rolebinding", "-n", analytics, person, "--clusterrole="+role, "--user="+person); err != nil {
			return err
		}
	}
	out, err := s.kubectl.run(ctx, s.breaking(exports, editor)...)
	if err == nil {
		return errors.New("alice broke the glass without having the verb break-glass")
	}
	if err := s.expect(strings.Contains(out, "the RBAC verb break-glass"), "alice may edit buckets, but not break the glass"); err != nil {
		return err
	}
	out, err = s.kubectl.run(ctx, "annotate", "-n", analytics, "bucket", exports.Name, "--as", onCall,
		v1alpha1.BreakGlassAnnotation+"="+incident, v1alpha1.BreakGlassByAnnotation+"=eve")
	if err == nil {
		return errors.New("ada broke the glass in eve's name")
	}
	return s.expect(strings.Contains(out, "must be your own name"), "ada may break it, but not in eve's name")
}

// closeGlass shows that drift is corrected once the glass is closed, and what stays on record.
func (s *stage) closeGlass(ctx context.Context, exports *v1alpha1.Bucket, mark int64) error {
	for _, command := range [][]string{
		{"holdfast", "break-glass", "list", "-A"},
		{"holdfast", "break-glass", "close", "-n", analytics, "bucket/" + exports.Name, "--as", lead, "--yes"}, // it shows what will be put back
	} {
		if _, err := s.kubectl.run(ctx, command...); err != nil {
			return err
		}
	}
	if err := s.until(ctx, "the drift to be corrected", func(ctx context.Context) (string, bool, error) {
		live, err := s.cloud.get(ctx, bucketPath(exportsBucket))
		access, _ := live["iamConfiguration"].(document)
		prevention, _ := access["publicAccessPrevention"].(string)
		return prevention, prevention == "enforced", err
	}); err != nil {
		return err
	}
	if err := s.onePatch(ctx, mark, exportsBucket); err != nil {
		return err
	}
	if err := s.until(ctx, "the record of the glass", func(ctx context.Context) (string, bool, error) {
		err := s.kube.Get(ctx, client.ObjectKeyFromObject(exports), exports)
		return "no record", len(exports.Status.BreakGlassHistory) == 1, err
	}); err != nil {
		return err
	}
	if err := s.showBucket(ctx, exports.Name, "jsonpath-as-json={.status.breakGlassHistory}"); err != nil {
		return err
	}
	record := exports.Status.BreakGlassHistory[0]
	return s.expect(record.By == onCall && record.ClosedBy == lead && record.Verified && len(record.Seen) > 0,
		"corrected; the record says that %s broke the glass, why, what was changed meanwhile, and that %s closed it", record.By, record.ClosedBy)
}

// showBucket shows a bucket of the story in each of the forms.
func (s *stage) showBucket(ctx context.Context, name string, outputs ...string) error {
	for _, output := range outputs {
		if _, err := s.kubectl.run(ctx, "get", "bucket", "-n", analytics, name, "-o", output); err != nil {
			return err
		}
	}
	return nil
}

// untilCondition waits until a condition of an object is True.
func (s *stage) untilCondition(ctx context.Context, obj v1alpha1.Object, condition string) error {
	what := fmt.Sprintf("%s/%s to be %s", obj.GetNamespace(), obj.GetName(), condition)
	return s.until(ctx, what, func(ctx context.Context) (string, bool, error) {
		if err := s.kube.Get(ctx, client.ObjectKeyFromObject(obj), obj); err != nil {
			return "", false, err
		}
		c := meta.FindStatusCondition(obj.GetCommonStatus().Conditions, condition)
		if c == nil {
			return "no such condition", false, nil
		}
		return fmt.Sprintf("%s=%s, %s: %s", c.Type, c.Status, c.Reason, c.Message), c.Status == "True", nil
	})
}

// refused are manifests that the API server refuses, each with a part of the message that says why.
var refused = []struct{ file, sentence string }{
	{"hack/demo/story/refused/misspelt.yaml", `unknown field "spec.storageclass"`},
	{"hack/demo/story/refused/contradiction.yaml", "spec.storageClass must be STANDARD or left out while spec.autoclass is enabled"},
	{"hack/demo/story/refused/moved.yaml", "spec.location is immutable"},
}

// playRefusals: a bad manifest is refused at apply, with a message that says why.
func (s *stage) playRefusals(ctx context.Context) error {
	for _, r := range refused {
		if err := s.showFile(r.file); err != nil {
			return err
		}
		out, err := s.kubectl.run(ctx, "apply", "-f", r.file)
		if err == nil {
			return fmt.Errorf("%s was accepted; it must be refused", r.file)
		}
		if err := s.expect(strings.Contains(out, r.sentence), "refused: %s", r.sentence); err != nil {
			return err
		}
	}
	return nil
}
