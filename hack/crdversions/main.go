// Command crdversions has the CustomResourceDefinitions of a folder serve a further version, whose schema and columns are those of the version
// that they have. Objects are converted by nothing but another apiVersion (strategy None), which is right because the two never differ. It
// copies text, so that they are the same byte for byte.
//
//	crdversions VERSION FOLDER
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: crdversions VERSION FOLDER")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(version, folder string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("%s has no definitions", folder)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		served, err := serve(version, string(text))
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if err := os.WriteFile(file, []byte(served), 0o644); err != nil {
			return err
		}
	}
	return nil
}

const versions = "\n  versions:\n"

// The lines of a version, as controller-gen writes them, that are not the same in every version.
var (
	name    = regexp.MustCompile(`(?m)^    name: .*$`)
	storage = regexp.MustCompile(`(?m)^    storage: true$`)
)

// serve adds a version to a definition that has one, as controller-gen writes it: versions are the last thing that it has.
func serve(version, definition string) (string, error) {
	_, first, found := strings.Cut(definition, versions)
	if !found {
		return "", errors.New("no versions")
	}
	if strings.Count("\n"+first, "\n  - ") != 1 || len(name.FindAllString(first, -1)) != 1 || len(storage.FindAllString(first, -1)) != 1 {
		return "", errors.New("not the definition of exactly one version, which is stored")
	}
	further := name.ReplaceAllLiteralString(first, "    name: "+version)
	return definition + storage.ReplaceAllLiteralString(further, "    storage: false"), nil
}
