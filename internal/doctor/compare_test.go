package doctor

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDifferences(t *testing.T) {
	type object = map[string]any
	shipped := object{"spec": object{"failurePolicy": "Fail", "rules": []any{object{"verbs": []any{"get", "list"}, "limit": int64(3)}}}}
	for name, tc := range map[string]struct {
		installed object
		want      []string
	}{
		"the same": {object{"spec": object{"failurePolicy": "Fail", "rules": []any{object{"verbs": []any{"get", "list"}, "limit": 3.0}}}}, nil},
		"what the API server fills in": {
			object{"spec": object{"failurePolicy": "Fail", "rules": []any{object{"verbs": []any{"get", "list"}, "limit": 3, "scope": "*"}}, "matchPolicy": "Equivalent", "namespaceSelector": object{}}}, nil,
		},
		"another value": {object{"spec": object{"failurePolicy": "Ignore", "rules": []any{object{"verbs": []any{"get", "list"}, "limit": 3}}}}, []string{".spec.failurePolicy"}},
		"a selector that lets things pass": {
			object{"spec": object{"failurePolicy": "Fail", "rules": []any{object{"verbs": []any{"get", "list"}, "limit": 3}}, "namespaceSelector": object{"matchLabels": object{"a": "b"}}}},
			[]string{".spec.namespaceSelector"},
		},
		"a condition more": {
			object{"spec": object{"failurePolicy": "Fail", "rules": []any{object{"verbs": []any{"get", "list"}, "limit": 3}}, "matchConditions": []any{"false"}}}, []string{".spec.matchConditions"},
		},
		"a verb less":      {object{"spec": object{"failurePolicy": "Fail", "rules": []any{object{"verbs": []any{"get"}, "limit": 3}}}}, []string{".spec.rules[0].verbs"}},
		"everything":       {object{}, []string{".spec"}},
		"more than wanted": {object{"spec": object{"a": "1", "b": "2", "c": "3"}}, []string{".spec.a", ".spec.b"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Differences(shipped, tc.installed, 2)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
