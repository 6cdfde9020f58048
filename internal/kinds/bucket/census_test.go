package bucket

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"cloud.google.com/go/storage"
	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// mapped says that a field of the library is read and written as a field of the spec.
const mapped = ""

const (
	byIAM  = "access control lists are legacy: access is for IAM"
	output = "an output of Google"
	alias  = "another name of UniformBucketLevelAccess"
)

// census classifies every field that the client library has for a bucket: mapped, or why it is not.
var census = map[reflect.Type]map[string]string{
	reflect.TypeFor[storage.BucketAttrs](): {
		"Name": mapped, "Location": mapped, "CustomPlacementConfig": mapped, "StorageClass": mapped, "Labels": mapped,
		"VersioningEnabled": mapped, "Lifecycle": mapped, "SoftDeletePolicy": mapped, "RetentionPolicy": mapped,
		"ObjectRetentionMode": mapped, "Autoclass": mapped, "RPO": mapped, "HierarchicalNamespace": mapped,
		"UniformBucketLevelAccess": mapped, "PublicAccessPrevention": mapped, "CORS": mapped, "Website": mapped, "Logging": mapped,
		"Encryption": mapped, "GoogleManagedEncryptionEnforcementConfig": mapped, "CustomerManagedEncryptionEnforcementConfig": mapped,
		"CustomerSuppliedEncryptionEnforcementConfig": mapped, "RequesterPays": mapped, "DefaultEventBasedHold": mapped,
		"ACL": byIAM, "DefaultObjectACL": byIAM, "PredefinedACL": byIAM, "PredefinedDefaultObjectACL": byIAM, "OwnerEntity": byIAM,
		"BucketPolicyOnly": alias,
		"MetaGeneration":   output, "Created": output, "Updated": output, "LocationType": output, "ProjectNumber": output,
		"Etag": "an output of Google that metageneration says too",
	},
	reflect.TypeFor[storage.BucketAttrsToUpdate](): {
		"StorageClass": mapped, "VersioningEnabled": mapped, "Lifecycle": mapped, "SoftDeletePolicy": mapped, "RetentionPolicy": mapped,
		"Autoclass": mapped, "RPO": mapped, "UniformBucketLevelAccess": mapped, "PublicAccessPrevention": mapped, "CORS": mapped,
		"Website": mapped, "Logging": mapped, "Encryption": mapped, "GoogleManagedEncryptionEnforcementConfig": mapped,
		"CustomerManagedEncryptionEnforcementConfig": mapped, "CustomerSuppliedEncryptionEnforcementConfig": mapped,
		"RequesterPays": mapped, "DefaultEventBasedHold": mapped, "setLabels": mapped, "deleteLabels": mapped,
		"PredefinedACL": byIAM, "PredefinedDefaultObjectACL": byIAM, "acl": byIAM, "defaultObjectACL": byIAM,
		"BucketPolicyOnly": alias,
	},
	reflect.TypeFor[storage.Lifecycle]():       {"Rules": mapped},
	reflect.TypeFor[storage.LifecycleRule]():   {"Action": mapped, "Condition": mapped},
	reflect.TypeFor[storage.LifecycleAction](): {"Type": mapped, "StorageClass": mapped},
	reflect.TypeFor[storage.LifecycleCondition](): {
		"AllObjects": mapped, "AgeInDays": mapped, "CreatedBefore": mapped, "CustomTimeBefore": mapped, "DaysSinceCustomTime": mapped,
		"DaysSinceNoncurrentTime": mapped, "Liveness": mapped, "MatchesPrefix": mapped, "MatchesStorageClasses": mapped, "MatchesSuffix": mapped,
		"NoncurrentTimeBefore": mapped, "NumNewerVersions": mapped,
	},
	reflect.TypeFor[storage.SoftDeletePolicy]():      {"RetentionDuration": mapped, "EffectiveTime": output},
	reflect.TypeFor[storage.RetentionPolicy]():       {"RetentionPeriod": mapped, "IsLocked": mapped, "EffectiveTime": output},
	reflect.TypeFor[storage.Autoclass]():             {"Enabled": mapped, "TerminalStorageClass": mapped, "ToggleTime": output, "TerminalStorageClassUpdateTime": output},
	reflect.TypeFor[storage.HierarchicalNamespace](): {"Enabled": mapped},
	reflect.TypeFor[storage.UniformBucketLevelAccess](): {
		"Enabled": mapped, "LockedTime": output,
	},
	reflect.TypeFor[storage.CustomPlacementConfig]():       {"DataLocations": mapped},
	reflect.TypeFor[storage.CORS]():                        {"MaxAge": mapped, "Methods": mapped, "Origins": mapped, "ResponseHeaders": mapped},
	reflect.TypeFor[storage.BucketWebsite]():               {"MainPageSuffix": mapped, "NotFoundPage": mapped},
	reflect.TypeFor[storage.BucketLogging]():               {"LogBucket": mapped, "LogObjectPrefix": mapped},
	reflect.TypeFor[storage.BucketEncryption]():            {"DefaultKMSKeyName": mapped},
	reflect.TypeFor[storage.EncryptionEnforcementConfig](): {"RestrictionMode": mapped, "EffectiveTime": output},
}

// A field that the library gains, or loses, has to be thought about.
func TestCensus(t *testing.T) {
	for typ, classified := range census {
		var has []string
		for field := range fieldsOf(typ) {
			has = append(has, field)
		}
		var known []string
		for field := range classified {
			known = append(known, field)
		}
		slices.Sort(has)
		slices.Sort(known)
		if diff := cmp.Diff(known, has); diff != "" {
			t.Errorf("fields of %v (-classified +there):\n%s", typ, diff)
		}
	}
}

// No struct that a mapped field leads to is missing from the census.
func TestCensusIsWhole(t *testing.T) {
	for typ, classified := range census {
		for name, field := range fieldsOf(typ) {
			inner := field.Type
			for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
				inner = inner.Elem()
			}
			if classified[name] != mapped || inner.Kind() != reflect.Struct || inner.PkgPath() != typ.PkgPath() {
				continue
			}
			if _, ok := census[inner]; !ok {
				t.Errorf("%v.%s leads to %v, which the census lacks", typ, name, inner)
			}
		}
	}
}

// What the census calls mapped is: a value in it shows in the description. Names are the object's own.
func TestMappedIsDescribed(t *testing.T) {
	empty := mustEncode((&Kind{}).Describe(&storage.BucketAttrs{}).Spec)
	for name, why := range census[reflect.TypeFor[storage.BucketAttrs]()] {
		if why != mapped || name == "Name" {
			continue
		}
		live := &storage.BucketAttrs{}
		fill(reflect.ValueOf(live).Elem().FieldByName(name))
		if mustEncode((&Kind{}).Describe(live).Spec) == empty {
			t.Errorf("%s does not show in the description", name)
		}
	}
}

func fieldsOf(typ reflect.Type) map[string]reflect.StructField {
	out := map[string]reflect.StructField{}
	for _, field := range reflect.VisibleFields(typ) {
		out[field.Name] = field
	}
	return out
}

// fill puts something into a value and all that is in it.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]string{"key": "value"}))
	case reflect.Struct:
		for _, field := range v.Fields() {
			if field.CanSet() {
				fill(field)
			}
		}
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(2)
		if v.Type() == reflect.TypeFor[time.Duration]() {
			v.SetInt(int64(2 * time.Second))
		}
	case reflect.String:
		v.SetString("something")
	default:
		panic("the library has a new kind of value: " + v.Kind().String())
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
