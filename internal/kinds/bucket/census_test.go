package bucket

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	raw "google.golang.org/api/storage/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

const (
	byIAM   = "access control lists are legacy: access is for IAM"
	output  = "an output of Google"
	later   = "the spec has no field for it yet"
	deleted = "only deleted buckets have it"
)

// leftOut are the fields of a bucket, by Google's own description of its API, that are not read, and why.
var leftOut = map[string]string{
	"acl":              byIAM,
	"defaultObjectAcl": byIAM,
	"owner":            byIAM,

	"autoclass.terminalStorageClassUpdateTime":                             output,
	"autoclass.toggleTime":                                                 output,
	"encryption.customerManagedEncryptionEnforcementConfig.effectiveTime":  output,
	"encryption.customerSuppliedEncryptionEnforcementConfig.effectiveTime": output,
	"encryption.googleManagedEncryptionEnforcementConfig.effectiveTime":    output,
	"etag":                           "an output of Google that metageneration says too",
	"generation":                     output,
	"id":                             "the name once more",
	"kind":                           "the same for every bucket",
	"retentionPolicy.effectiveTime":  output,
	"satisfiesPZI":                   "reserved by Google",
	"satisfiesPZS":                   "reserved by Google",
	"softDeletePolicy.effectiveTime": output,

	"hardDeleteTime": deleted,
	"softDeleteTime": deleted,

	"iamConfiguration.bucketPolicyOnly": "the former name of uniformBucketLevelAccess",

	"ipFilter":                         later,
	"softDeletePolicy.hardDeletePause": later,
}

// A field that Google adds, or takes away, has to be thought about. The library is generated from Google's description.
func TestCensus(t *testing.T) {
	unread, unknown := apart(reflect.TypeFor[raw.Bucket](), reflect.TypeFor[Live](), "")
	slices.Sort(unread)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(leftOut)), unread); diff != "" {
		t.Errorf("fields that are not read (-left out +there):\n%s", diff)
	}
	if len(unknown) > 0 {
		t.Errorf("fields that Google does not have: %v", unknown)
	}
}

// apart compares two types by their JSON: the paths that only Google's has, and those that only ours has.
func apart(google, ours reflect.Type, path string) (unread, unknown []string) {
	theirs, own := jsonFields(google), jsonFields(ours)
	for name, field := range theirs {
		if mine, ok := own[name]; !ok {
			unread = append(unread, path+name)
		} else if inner := structIn(mine.Type); inner != nil {
			more, less := apart(structIn(field.Type), inner, path+name+".")
			unread, unknown = append(unread, more...), append(unknown, less...)
		}
	}
	for name := range own {
		if _, ok := theirs[name]; !ok {
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
		"ObjectRetention", "Autoclass", "RPO", "HierarchicalNamespace", "UniformBucketLevelAccess", "PublicAccessPrevention", "CORS", "Website",
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
