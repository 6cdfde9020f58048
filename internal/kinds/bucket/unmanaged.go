package bucket

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/internal/diff"
)

const (
	byIAM   = "access control lists are legacy: access is for IAM"
	output  = "an output of Google"
	deleted = "only deleted buckets have it"
)

// ignored are the fields that Live lacks, in Google's words, and that nobody needs to be shown; with the reason.
var ignored = map[string]string{
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
}

// renamed are the places that the spec calls otherwise than Google does.
var renamed = map[string]string{
	"lifecycle.rule":   "spec.lifecycle.rules",
	"iamConfiguration": "spec",
	"billing":          "spec",
}

// Unmanaged implements kind.Fielded: what stands in Google's JSON and Live has no field for.
func (k *Kind) Unmanaged(live *Live) []diff.Unmanaged {
	return unmanagedIn(live.Raw, reflect.TypeFor[Live](), "", "spec")
}

// unmanagedIn finds what a JSON value has and its Go type has not. name is where it stands in Google's words, without indices; path in
// the manifest's.
func unmanagedIn(text json.RawMessage, typ reflect.Type, name, path string) []diff.Unmanaged {
	if typ.Kind() == reflect.Pointer {
		return unmanagedIn(text, typ.Elem(), name, path)
	}
	var out []diff.Unmanaged
	switch {
	case typ.Kind() == reflect.Slice:
		var items []json.RawMessage
		if json.Unmarshal(text, &items) == nil { // Live was read from it
			for i, item := range items {
				out = append(out, unmanagedIn(item, typ.Elem(), name, fmt.Sprintf("%s[%d]", path, i))...)
			}
		}
	case typ.Kind() == reflect.Struct && typ != reflect.TypeFor[time.Time]():
		var members map[string]json.RawMessage
		if json.Unmarshal(text, &members) == nil {
			for key, value := range members {
				out = append(out, unmanagedMember(value, typ, key, strings.TrimPrefix(name+"."+key, "."), path)...)
			}
		}
	}
	return out
}

// unmanagedMember finds what a member of a JSON object has and the Go type of the object has not: itself, or something in it.
func unmanagedMember(value json.RawMessage, of reflect.Type, key, name, path string) []diff.Unmanaged {
	if to, ok := renamed[name]; ok {
		path = to
	} else {
		path += "." + key
	}
	for field := range of.Fields() {
		if field.Tag.Get("json") == key || strings.HasPrefix(field.Tag.Get("json"), key+",") {
			return unmanagedIn(value, field.Type, name, path)
		}
	}
	if ignored[name] != "" || string(value) == "null" {
		return nil
	}
	return []diff.Unmanaged{{Path: path, Value: ordered(value)}}
}

// ordered writes JSON compactly, the members of objects by name: the same whenever it means the same, as the hash of a plan has to be.
func ordered(text json.RawMessage) string {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil { // it was parsed before
		return string(text)
	}
	return jsonOf(value)
}
