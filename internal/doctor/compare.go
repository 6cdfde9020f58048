package doctor

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// defaults are values that the API server fills in where a manifest says nothing, by the last word of their path.
var defaults = map[string]any{
	"matchPolicy": "Equivalent", "namespaceSelector": map[string]any{}, "objectSelector": map[string]any{}, "scope": "*",
	"failurePolicy": "Fail", "reinvocationPolicy": "Never", "conversion": map[string]any{"strategy": "None"},
}

// Differences are the paths in which an object of the cluster differs from the one of this version, so many of them at most. What the API
// server fills in is no difference, whatever else the cluster's has is one: a condition more can make a policy let everything pass.
func Differences(shipped, installed map[string]any, most int) []string {
	var out []string
	differences("", plainJSON(shipped), plainJSON(installed), func(path string) bool {
		out = append(out, path)
		return len(out) < most
	})
	return out
}

// plainJSON makes all numbers of one type, and nothing of what is empty by omission.
func plainJSON(v any) any {
	encoded, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("an object is always JSON: %v", err))
	}
	var out any
	if err := json.Unmarshal(encoded, &out); err != nil {
		panic(fmt.Sprintf("what was just encoded is JSON: %v", err))
	}
	return out
}

// differences tells each difference until told to stop.
func differences(path string, want, have any, tell func(path string) bool) bool {
	switch want := want.(type) {
	case map[string]any:
		if have, ok := have.(map[string]any); ok {
			return differencesOfMaps(path, want, have, tell)
		}
	case []any:
		have, ok := have.([]any)
		if !ok || len(have) != len(want) {
			return tell(path)
		}
		for i := range want {
			if !differences(fmt.Sprintf("%s[%d]", path, i), want[i], have[i], tell) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(want, have) || tell(path)
}

func differencesOfMaps(path string, want, have map[string]any, tell func(path string) bool) bool {
	keys := maps.Clone(want)
	maps.Copy(keys, have)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		wanted, there := want[key]
		standard, filledIn := defaults[key]
		if !there && filledIn && reflect.DeepEqual(standard, have[key]) {
			continue
		}
		if !differences(path+"."+key, wanted, have[key], tell) {
			return false
		}
	}
	return true
}
