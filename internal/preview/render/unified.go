package render

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"github.com/pmezard/go-difflib/difflib"
	"sigs.k8s.io/yaml"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/text"
)

// Unified is how two specs of a manifest differ, as a unified diff of YAML; empty if they do not. A nil one is not there. What says how the manifest
// is managed is left out: it has no counterpart in Google Cloud.
func Unified(live, desired v1alpha1.Object, from, to string) (string, error) {
	a, err := specYAML(live)
	if err != nil {
		return "", err
	}
	b, err := specYAML(desired)
	if err != nil || a == b {
		return "", err
	}
	return difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
		A: lines(a), B: lines(b), FromFile: from, ToFile: to, Context: 3,
	})
}

func lines(yaml string) []string {
	if yaml == "" {
		return nil
	}
	return difflib.SplitLines(strings.TrimSuffix(yaml, "\n"))
}

// specYAML is the spec of a manifest as YAML, but for the common spec; empty for none.
func specYAML(obj v1alpha1.Object) (string, error) {
	if obj == nil {
		return "", nil
	}
	obj = obj.DeepCopyObject().(v1alpha1.Object)
	*obj.GetCommonSpec() = v1alpha1.CommonSpec{}
	out, err := yaml.Marshal(map[string]any{"spec": specOf(obj)})
	return visibleLines(string(out)), err
}

func specOf(obj v1alpha1.Object) any {
	return reflect.ValueOf(obj).Elem().FieldByName("Spec").Interface()
}

// visibleLines are lines of which each can be seen.
func visibleLines(s string) string {
	lines := strings.SplitAfter(s, "\n")
	for i, line := range lines {
		if body, ended := strings.CutSuffix(line, "\n"); ended {
			lines[i] = text.Visible(body) + "\n"
		}
	}
	return strings.Join(lines, "")
}

// MergePatch is the merge patch that makes one manifest the other, as JSON; empty if there is nothing to change.
func MergePatch(from, to v1alpha1.Object) ([]byte, error) {
	before, err := json.Marshal(map[string]any{"spec": specOf(from)})
	if err != nil {
		return nil, err
	}
	after, err := json.Marshal(map[string]any{"spec": specOf(to)})
	if err != nil {
		return nil, err
	}
	patch, err := jsonpatch.CreateMergePatch(before, after)
	if err != nil {
		return nil, fmt.Errorf("comparing two specs: %w", err)
	}
	if string(patch) == "{}" {
		return nil, nil
	}
	return patch, nil
}

// Patch is a manifest, as YAML, with a merge patch applied. Comments are lost.
func Patch(manifest, patch []byte) ([]byte, error) {
	document, err := yaml.YAMLToJSON(manifest)
	if err != nil {
		return nil, err
	}
	if document, err = jsonpatch.MergePatch(document, patch); err != nil {
		return nil, fmt.Errorf("patching: %w", err)
	}
	return yaml.JSONToYAML(document)
}
