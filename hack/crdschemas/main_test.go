package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEveryVersionOfEveryDefinitionHasASchema(t *testing.T) {
	t.Parallel()
	output := t.TempDir()
	if err := run("../../config/crd/bases", output); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, kind := range []string{"breakglassrecord", "bucket", "projectpolicy", "serviceaccount", "topic"} {
		for _, version := range []string{"v1alpha1", "v1beta1"} {
			want = append(want, kind+"_"+version+".json")
		}
	}
	entries, err := os.ReadDir(filepath.Join(output, "gcp.holdfast.dev"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}

	text, err := os.ReadFile(filepath.Join(output, "gcp.holdfast.dev", "bucket_v1alpha1.json"))
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Properties struct {
			Spec struct {
				Properties map[string]any `json:"properties"`
			} `json:"spec"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	if schema.Properties.Spec.Properties["uniformBucketLevelAccess"] == nil {
		t.Error("the schema of a Bucket has no spec.uniformBucketLevelAccess")
	}
}
