package bucket

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// later are the fields that the spec has none for yet: they show as unmanaged.
var later = []string{"softDeletePolicy.hardDeletePause"}

// A field that Google adds, or takes away, has to be thought about.
func TestCensus(t *testing.T) {
	unread, unknown := apart(discovered(t), reflect.TypeFor[Live](), "")
	slices.Sort(unread)
	leftOut := slices.Sorted(maps.Keys(ignored))
	leftOut = append(leftOut, later...)
	slices.Sort(leftOut)
	if diff := cmp.Diff(leftOut, unread); diff != "" {
		t.Errorf("fields that are not read (-left out +there):\n%s", diff)
	}
	if len(unknown) > 0 {
		t.Errorf("fields that Google does not have: %v", unknown)
	}
}

// schema is a resource, or a part of one, in Google's own description of its API.
type schema struct {
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
}

// discovered is the bucket in the description that the client library is generated from, and comes with.
func discovered(t *testing.T) schema {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "google.golang.org/api").Output()
	if err != nil {
		t.Fatalf("finding the client library: %v", err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "storage", "v1", "storage-api.json"))
	if err != nil {
		t.Fatal(err)
	}
	var api struct {
		Schemas map[string]schema `json:"schemas"`
	}
	if err := json.Unmarshal(text, &api); err != nil {
		t.Fatal(err)
	}
	return api.Schemas["Bucket"]
}

// apart compares Google's description with a type: the paths that only Google has, and those that only we have.
func apart(google schema, ours reflect.Type, path string) (unread, unknown []string) {
	for google.Items != nil {
		google = *google.Items
	}
	own := jsonFields(ours)
	for name, field := range google.Properties {
		if mine, ok := own[name]; !ok {
			unread = append(unread, path+name)
		} else if inner := structIn(mine.Type); inner != nil {
			more, less := apart(field, inner, path+name+".")
			unread, unknown = append(unread, more...), append(unknown, less...)
		}
	}
	for name := range own {
		if _, ok := google.Properties[name]; !ok {
			unknown = append(unknown, path+name)
		}
	}
	return unread, unknown
}

// jsonFields are the fields of a struct by the names that JSON has for them.
func jsonFields(typ reflect.Type) map[string]reflect.StructField {
	out := map[string]reflect.StructField{}
	for field := range typ.Fields() {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "-" {
			out[name] = field
		}
	}
	return out
}

// structIn is the struct that a type is, points to or lists; nil for what has no fields of its own.
func structIn(typ reflect.Type) reflect.Type {
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || typ == reflect.TypeFor[time.Time]() {
		return nil
	}
	return typ
}

// Whatever is read shows: in the description, the report or the identity.
func TestReadIsShown(t *testing.T) {
	whole := shown(furnish(nil))
	for _, path := range leaves(reflect.TypeFor[Live](), nil) {
		if shown(furnish(path)) == whole {
			t.Errorf("%v does not show", path)
		}
	}
}

// shown is all that is made of a live bucket.
func shown(live *Live) string {
	k := New(nil)
	obj := k.Describe(live)
	k.Report(obj, live)
	return mustEncode(obj) + mustEncode(k.Identify(live))
}

// leaves are the paths to the values in a type.
func leaves(typ reflect.Type, path []string) [][]string {
	inner := structIn(typ)
	if inner == nil {
		return [][]string{path}
	}
	var out [][]string
	for _, field := range jsonFields(inner) {
		out = append(out, leaves(field.Type, append(slices.Clone(path), field.Name))...)
	}
	return out
}

// furnish makes a bucket with something in every field but one.
func furnish(without []string) *Live {
	live := &Live{}
	fill(reflect.ValueOf(live).Elem(), "something", without)
	return live
}

// fill puts something into a value and all that is in it, but for what the path without leads to; nil leads nowhere.
func fill(v reflect.Value, name string, without []string) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(1, 0)))
		return
	case map[string]string:
		v.Set(reflect.ValueOf(map[string]string{"key": "value"}))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), name, without)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), name, without)
	case reflect.Struct:
		for _, field := range jsonFields(v.Type()) {
			rest := []string(nil)
			if len(without) > 0 && without[0] == field.Name {
				if rest = without[1:]; len(rest) == 0 {
					continue
				}
			}
			fill(v.FieldByIndex(field.Index), field.Name, rest)
		}
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int64:
		v.SetInt(2)
	case reflect.Uint64:
		v.SetUint(2)
	case reflect.String:
		v.SetString(name)
	default:
		panic("a new kind of value: " + v.Kind().String())
	}
}

// A field that the spec gains has to be known to drawSpec, and so to the round trip, and to the tests on the wire.
func TestSpecIsKnown(t *testing.T) {
	known := []string{
		"CommonSpec", "Location", "CustomPlacementConfig", "StorageClass", "Labels", "Versioning", "Lifecycle", "SoftDeletePolicy", "RetentionPolicy",
		"ObjectRetention", "Autoclass", "RPO", "HierarchicalNamespace", "UniformBucketLevelAccess", "PublicAccessPrevention", "IPFilter", "CORS", "Website",
		"Logging", "Encryption", "RequesterPays", "DefaultEventBasedHold", "IAM",
	}
	var has []string
	for field := range reflect.TypeFor[v1alpha1.BucketSpec]().Fields() {
		has = append(has, field.Name)
	}
	if diff := cmp.Diff(known, has); diff != "" {
		t.Errorf("fields of the spec (-known +there):\n%s", diff)
	}
}
