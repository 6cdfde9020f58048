package kinds

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// TestWhatLosesData has a row for every field that can lose data when it changes, and for what is near it.
func TestWhatLosesData(t *testing.T) {
	const rules, source = "spec.lifecycle.rules", "spec.ingestion.source"
	del := func(condition string) string { return `[{"action":{"type":"Delete"},"condition":{` + condition + `}}]` }
	cases := map[string]struct {
		kind, path, from, to string
		loses                bool
	}{
		"versioning off":                {"Bucket", "spec.versioning.enabled", "true", "false", true},
		"versioning reset":              {"Bucket", "spec.versioning.enabled", "true", "", true},
		"versioning as a whole":         {"Bucket", "spec.versioning", `{"enabled":true}`, "{}", true},
		"versioning on":                 {"Bucket", "spec.versioning.enabled", "false", "true", false},
		"versioning never on":           {"Bucket", "spec.versioning.enabled", "", "false", false},
		"soft delete off":               {"Bucket", "spec.softDeletePolicy.retentionSeconds", "604800", "0", true},
		"soft delete off, from default": {"Bucket", "spec.softDeletePolicy.retentionSeconds", "", "0", true},
		"soft delete lowered":           {"Bucket", "spec.softDeletePolicy.retentionSeconds", "7776000", "604800", true},
		"soft delete reset from more":   {"Bucket", "spec.softDeletePolicy.retentionSeconds", "7776000", "", true},
		"soft delete reset from less":   {"Bucket", "spec.softDeletePolicy.retentionSeconds", "0", "", false},
		"soft delete raised":            {"Bucket", "spec.softDeletePolicy.retentionSeconds", "604800", "7776000", false},
		"retention shortened":           {"Bucket", "spec.retentionPolicy.retentionSeconds", "60", "59", true},
		"retention removed":             {"Bucket", "spec.retentionPolicy.retentionSeconds", "60", "", true},
		"retention removed, as a whole": {"Bucket", "spec.retentionPolicy", `{"retentionSeconds":60,"locked":false}`, "{}", true},
		"retention lengthened":          {"Bucket", "spec.retentionPolicy.retentionSeconds", "60", "61", false},
		"retention begun":               {"Bucket", "spec.retentionPolicy.retentionSeconds", "", "60", false},
		"default hold off":              {"Bucket", "spec.defaultEventBasedHold", "true", "false", true},
		"default hold reset":            {"Bucket", "spec.defaultEventBasedHold", "true", "", true},
		"default hold on":               {"Bucket", "spec.defaultEventBasedHold", "false", "true", false},
		"storage class":                 {"Bucket", "spec.storageClass", `"STANDARD"`, `"ARCHIVE"`, false},
		"labels":                        {"Bucket", "spec.labels[team]", `"shop"`, "", false},

		"a first rule":               {"Bucket", rules, "", del(`"age":30`), true},
		"no rule any more":           {"Bucket", rules, del(`"age":30`), "", false},
		"an empty list":              {"Bucket", rules, del(`"age":30`), "[]", false},
		"age lowered":                {"Bucket", rules, del(`"age":30`), del(`"age":29`), true},
		"age to nothing":             {"Bucket", rules, del(`"age":30,"withState":"LIVE"`), del(`"withState":"LIVE"`), true},
		"age raised":                 {"Bucket", rules, del(`"age":30`), del(`"age":31`), false},
		"another rule beside":        {"Bucket", rules, del(`"age":30`), `[{"action":{"type":"Delete"},"condition":{"age":30}},{"action":{"type":"Delete"},"condition":{"age":9}}]`, true},
		"a narrower rule beside":     {"Bucket", rules, del(`"age":30`), `[{"action":{"type":"Delete"},"condition":{"age":30}},{"action":{"type":"Delete"},"condition":{"age":40,"matchesPrefix":["a"]}}]`, false},
		"a condition dropped":        {"Bucket", rules, del(`"age":30,"matchesPrefix":["a"]`), del(`"age":30`), true},
		"a condition added":          {"Bucket", rules, del(`"age":30`), del(`"age":30,"matchesSuffix":["a"]`), false},
		"a shorter prefix":           {"Bucket", rules, del(`"matchesPrefix":["ab"]`), del(`"matchesPrefix":["a"]`), true},
		"a longer prefix":            {"Bucket", rules, del(`"matchesPrefix":["a","b"]`), del(`"matchesPrefix":["ab"]`), false},
		"another prefix":             {"Bucket", rules, del(`"matchesPrefix":["a"]`), del(`"matchesPrefix":["a","b"]`), true},
		"a shorter suffix":           {"Bucket", rules, del(`"matchesSuffix":["ab"]`), del(`"matchesSuffix":["b"]`), true},
		"a longer suffix":            {"Bucket", rules, del(`"matchesSuffix":["b"]`), del(`"matchesSuffix":["ab"]`), false},
		"another storage class":      {"Bucket", rules, del(`"matchesStorageClass":["ARCHIVE"]`), del(`"matchesStorageClass":["ARCHIVE","NEARLINE"]`), true},
		"fewer storage classes":      {"Bucket", rules, del(`"matchesStorageClass":["ARCHIVE","NEARLINE"]`), del(`"matchesStorageClass":["ARCHIVE"]`), false},
		"live ones, too":             {"Bucket", rules, del(`"withState":"ARCHIVED","age":1`), del(`"withState":"ANY","age":1`), true},
		"other ones":                 {"Bucket", rules, del(`"withState":"ARCHIVED"`), del(`"withState":"LIVE"`), true},
		"noncurrent ones alone":      {"Bucket", rules, del(`"age":1`), del(`"age":1,"withState":"ARCHIVED"`), false},
		"fewer newer versions":       {"Bucket", rules, del(`"numNewerVersions":3`), del(`"numNewerVersions":2`), true},
		"sooner when noncurrent":     {"Bucket", rules, del(`"daysSinceNoncurrentTime":3`), del(`"daysSinceNoncurrentTime":2`), true},
		"sooner after custom time":   {"Bucket", rules, del(`"daysSinceCustomTime":3`), del(`"daysSinceCustomTime":2`), true},
		"created before a later day": {"Bucket", rules, del(`"createdBefore":"2026-01-30"`), del(`"createdBefore":"2026-01-31"`), true},
		"created before an earlier":  {"Bucket", rules, del(`"createdBefore":"2026-01-30"`), del(`"createdBefore":"2026-01-29"`), false},
		"noncurrent before a later":  {"Bucket", rules, del(`"noncurrentTimeBefore":"2026-01-30"`), del(`"noncurrentTimeBefore":"2026-01-31"`), true},
		"custom time before a later": {"Bucket", rules, del(`"customTimeBefore":"2026-01-30"`), del(`"customTimeBefore":"2026-01-31"`), true},
		"smaller ones":               {"Bucket", rules, del(`"sizeAboveBytes":9`), del(`"sizeAboveBytes":8`), true},
		"larger ones":                {"Bucket", rules, del(`"sizeBelowBytes":9`), del(`"sizeBelowBytes":10`), true},
		"another pattern":            {"Bucket", rules, del(`"matchesPattern":"a"`), del(`"matchesPattern":"a+"`), true},
		"from moving to deleting":    {"Bucket", rules, `[{"action":{"type":"SetStorageClass","storageClass":"ARCHIVE"},"condition":{"age":1}}]`, del(`"age":1`), true},
		"moving alone":               {"Bucket", rules, "", `[{"action":{"type":"SetStorageClass","storageClass":"ARCHIVE"},"condition":{"age":1}}]`, false},
		"uploads that were given up": {"Bucket", rules, "", `[{"action":{"type":"AbortIncompleteMultipartUpload"},"condition":{"age":1}}]`, false},
		"moving into the rule's class": {
			"Bucket", rules, del(`"matchesStorageClass":["ARCHIVE"]`),
			`[{"action":{"type":"Delete"},"condition":{"matchesStorageClass":["ARCHIVE"]}},{"action":{"type":"SetStorageClass","storageClass":"ARCHIVE"},"condition":{"age":1}}]`, true,
		},
		"what is no list": {"Bucket", rules, del(`"age":1`), "x", true},

		"messages kept for less time":    {"Topic", "spec.messageRetentionSeconds", "7200", "3600", true},
		"messages not kept any more":     {"Topic", "spec.messageRetentionSeconds", "7200", "", true},
		"messages kept longer":           {"Topic", "spec.messageRetentionSeconds", "3600", "7200", false},
		"messages kept from now on":      {"Topic", "spec.messageRetentionSeconds", "", "600", false},
		"no source any more":             {"Topic", source, `{"awsKinesis":{}}`, "", true},
		"no ingestion any more":          {"Topic", "spec.ingestion", `{"source":{"awsKinesis":{}}}`, "{}", true},
		"another source":                 {"Topic", source, `{"awsKinesis":{}}`, `{"cloudStorage":{}}`, true},
		"a first source":                 {"Topic", source, "", `{"cloudStorage":{}}`, false},
		"the logs of ingestion":          {"Topic", "spec.ingestion.platformLogs.severity", `"INFO"`, `"DISABLED"`, false},
		"a transform":                    {"Topic", "spec.messageTransforms", "", `[{"javaScriptUDF":{"functionName":"f","code":"f"}}]`, true},
		"a transform that does nothing":  {"Topic", "spec.messageTransforms", "", `[{"javaScriptUDF":{"functionName":"f","code":"f"},"disabled":true}]`, false},
		"another transform":              {"Topic", "spec.messageTransforms", `[{"javaScriptUDF":{"functionName":"f","code":"f"}}]`, `[{"javaScriptUDF":{"functionName":"f","code":"f2"}}]`, true},
		"no transform any more":          {"Topic", "spec.messageTransforms", `[{"javaScriptUDF":{"functionName":"f","code":"f"}}]`, "", false},
		"the last transform taken away":  {"Topic", "spec.messageTransforms", `[{"compression":{"algorithm":"ZLIB","mode":"COMPRESS"}},{"javaScriptUDF":{"functionName":"f","code":"f"}}]`, `[{"compression":{"algorithm":"ZLIB","mode":"COMPRESS"}}]`, false},
		"the first transform taken away": {"Topic", "spec.messageTransforms", `[{"compression":{"algorithm":"ZLIB","mode":"COMPRESS"}},{"javaScriptUDF":{"functionName":"f","code":"f"}}]`, `[{"javaScriptUDF":{"functionName":"f","code":"f"}}]`, true},
		"a schema":                       {"Topic", "spec.schemaSettings.schema", "", `"projects/p/schemas/s"`, false},
		"a key":                          {"Topic", "spec.kmsKeyName", `"a"`, `"b"`, false},

		"an account disabled": {"ServiceAccount", "spec.disabled", "false", "true", false},
	}
	covered := map[string]bool{}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			k, _ := kind.Named(All(nil), tc.kind)
			why := k.FieldTraits.Loses(diff.Change{Path: tc.path, From: tc.from, To: tc.to})
			if got := why != ""; got != tc.loses {
				t.Errorf("loses data: %t (%q)", got, why)
			}
		})
		if tc.loses {
			covered[tc.kind+" "+tc.path] = true
		}
	}
	var declared, missing []string
	for _, k := range All(nil) {
		for path, field := range k.FieldTraits {
			if field.Loses != nil {
				declared = append(declared, k.Kind+" "+path)
				if !covered[k.Kind+" "+path] {
					missing = append(missing, k.Kind+" "+path)
				}
			}
		}
	}
	slices.Sort(declared)
	if len(missing) > 0 {
		t.Errorf("no case for %q", missing)
	}
	if d := cmp.Diff([]string{
		"Bucket spec.defaultEventBasedHold", "Bucket spec.lifecycle.rules", "Bucket spec.retentionPolicy.retentionSeconds",
		"Bucket spec.softDeletePolicy.retentionSeconds", "Bucket spec.versioning.enabled",
		"Topic spec.ingestion.source", "Topic spec.messageRetentionSeconds", "Topic spec.messageTransforms",
	}, declared); d != "" {
		t.Errorf("fields (-want +got):\n%s", d)
	}
}
