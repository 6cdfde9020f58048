// Package readme reads what README.md shows, for tests that do it.
package readme

import (
	"fmt"
	"os"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// block is a block of code, with its language.
var block = regexp.MustCompile("(?s)\n```([a-z]+)\n(.*?)```\n")

// blocks returns the blocks of a language in a section of the README.md in a folder, up to the next heading. There is at least one.
func blocks(root, section, language string) ([]string, error) {
	text, err := os.ReadFile(root + "/README.md")
	if err != nil {
		return nil, err
	}
	_, after, found := strings.Cut(string(text), "# "+section+"\n")
	if !found {
		return nil, fmt.Errorf("README.md has no section %q", section)
	}
	within, _, _ := strings.Cut(after, "\n##")
	var out []string
	for _, found := range block.FindAllStringSubmatch(within, -1) {
		if found[1] == language {
			out = append(out, found[2])
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("README.md shows no %s in the section %q", language, section)
	}
	return out, nil
}

// Commands are the commands that a section shows, as a script for a shell.
func Commands(root, section string) (string, error) {
	found, err := blocks(root, section, "sh")
	return strings.Join(found, ""), err
}

// Object is the first object that a section shows as YAML.
func Object(root, section string) (*unstructured.Unstructured, error) {
	found, err := blocks(root, section, "yaml")
	if err != nil {
		return nil, err
	}
	obj := &unstructured.Unstructured{}
	json, err := yaml.YAMLToJSON([]byte(found[0]))
	if err != nil {
		return nil, fmt.Errorf("the YAML of README.md in the section %q: %w", section, err)
	}
	err = obj.UnmarshalJSON(json)
	return obj, err
}
