// Command crdschemas writes the JSON schema of each version of each CustomResourceDefinition in a folder, for editors and checkers of
// manifests, into files named as kubeconform's catalogues name them.
//
//	crdschemas FOLDER OUTPUT
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: crdschemas FOLDER OUTPUT")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(folder, output string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("%s has no definitions", folder)
	}
	for _, file := range files {
		if err := write(file, output); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

func write(file, output string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var definition apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(text, &definition); err != nil {
		return err
	}
	folder := filepath.Join(output, definition.Spec.Group)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, version := range definition.Spec.Versions {
		schema, err := json.MarshalIndent(version.Schema.OpenAPIV3Schema, "", "  ")
		if err != nil {
			return err
		}
		name := strings.ToLower(definition.Spec.Names.Kind) + "_" + version.Name + ".json"
		if err := os.WriteFile(filepath.Join(folder, name), append(schema, '\n'), 0o644); err != nil {
			return err
		}
	}
	return nil
}
