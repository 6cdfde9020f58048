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

// set sets fields of an object's spec, by their paths.
func set(obj *unstructured.Unstructured, values map[string]any) error {
	for path, value := range values {
		if err := unstructured.SetNestedField(obj.Object, value, append([]string{"spec"}, strings.Split(path, ".")...)...); err != nil {
			return err
		}
	}
	return nil
}
