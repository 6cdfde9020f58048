// Command crdcompatible compares the CustomResourceDefinitions of two folders, those of an earlier version and those of this one, and fails if
// manifests that the earlier one accepts would be refused, lose something or mean something else.
//
//	crdcompatible BEFORE AFTER
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: crdcompatible BEFORE AFTER")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(before, after string, out io.Writer) error {
	old, err := read(before)
	if err != nil {
		return err
	}
	now, err := read(after)
	if err != nil {
		return err
	}
	found := 0
	for name, definition := range old {
		all := []string{"the definition is gone"}
		if now[name] != nil {
			all = breaks(definition, now[name])
		}
		for _, each := range all {
			fmt.Fprintf(out, "%s: %s\n", name, each)
		}
		found += len(all)
	}
	if found > 0 {
		return fmt.Errorf("%d changes that break what is there", found)
	}
	return nil
}

// read reads the definitions of a folder, by their names.
func read(folder string) (map[string]*apiextensionsv1.CustomResourceDefinition, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s has no definitions", folder)
	}
	all := map[string]*apiextensionsv1.CustomResourceDefinition{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		definition := &apiextensionsv1.CustomResourceDefinition{}
		if err := yaml.UnmarshalStrict(text, definition); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all[definition.Name] = definition
	}
	return all, nil
}
