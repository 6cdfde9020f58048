package gitops

import (
	"fmt"
	"os"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// readme returns the one object that a section of README.md shows as YAML.
func readme(section string) (*unstructured.Unstructured, error) {
	text, err := os.ReadFile(root + "/README.md")
	if err != nil {
		return nil, err
	}
	_, after, found := strings.Cut(string(text), "\n## "+section+"\n")
	block := regexp.MustCompile("(?s)\n```yaml\n(.*?)```\n").FindStringSubmatch(after)
	if !found || block == nil {
		return nil, fmt.Errorf("README.md shows no YAML in a section %q", section)
	}
	obj := &unstructured.Unstructured{}
	json, err := yaml.YAMLToJSON([]byte(block[1]))
	if err != nil {
		return nil, fmt.Errorf("the YAML of README.md in the section %q: %w", section, err)
	}
	err = obj.UnmarshalJSON(json)
	return obj, err
}

// readmeScript returns the one script in a section of README.md, given by its heading, that has a word.
func readmeScript(heading, word string) (string, error) {
	text, err := os.ReadFile(root + "/README.md")
	if err != nil {
		return "", err
	}
	_, section, found := strings.Cut(string(text), "\n"+heading+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, block := range regexp.MustCompile("(?s)\n```sh\n(.*?)```\n").FindAllStringSubmatch(section, -1) {
		if strings.Contains(block[1], word) {
			return block[1], nil
		}
	}
	return "", fmt.Errorf("README.md has no script with %q below %q (found: %t)", word, heading, found)
}

// set sets fields of an object's spec, by their paths.
func set(obj *unstructured.Unstructured, values map[string]any) error {
	for path, value := range values {
		if err := unstructured.SetNestedField(obj.Object, value, append([]string{"spec"}, strings.Split(path, ".")...)...); err != nil {
			return err
		}
	}
	return nil
}
