package serviceaccount

import (
	"encoding/json"
	"maps"
	"reflect"
	"strings"
	"testing"

	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// census says of each field that an account has in the client library where it is in our API: paths in spec or status, or
// why it is nowhere, in words.
var census = map[string]string{
	"name":             "status.name",
	"project_id":       "left out: the project is said by the name, and by status.project",
	"unique_id":        "status.uniqueId",
	"email":            "status.email status.member",
	"display_name":     "spec.displayName",
	"etag":             "left out: Google deprecates it",
	"description":      "spec.description",
	"oauth2_client_id": "status.oauth2ClientId",
	"disabled":         "spec.disabled",
}

// TestCensus sets each field of an account in turn, and looks for it where the census says. It fails where the client
// library has a field that the census lacks.
func TestCensus(t *testing.T) {
	left := maps.Clone(census)
	without := inJSON(t, &adminpb.ServiceAccount{})
	fields := (&adminpb.ServiceAccount{}).ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		name := string(field.Name())
		place, known := census[name]
		if !known {
			t.Errorf("an account has %s: map it, or say in the census why not", name)
			continue
		}
		delete(left, name)
		account := &adminpb.ServiceAccount{}
		switch field.Kind() {
		case protoreflect.StringKind:
			account.ProtoReflect().Set(field, protoreflect.ValueOfString("something"))
		case protoreflect.BoolKind:
			account.ProtoReflect().Set(field, protoreflect.ValueOfBool(true))
		case protoreflect.BytesKind:
			account.ProtoReflect().Set(field, protoreflect.ValueOfBytes([]byte("something")))
		default:
			t.Fatalf("%s is of a new kind: %v", name, field.Kind())
		}
		want := map[string]bool{}
		if !strings.HasPrefix(place, "left out: ") {
			for path := range strings.FieldsSeq(place) {
				want[path] = true
			}
		}
		if diff := cmp.Diff(want, differing("", without, inJSON(t, account))); diff != "" {
			t.Errorf("where %s shows (-want +got):\n%s", name, diff)
		}
	}
	for name := range left {
		t.Errorf("the census has %s, which no account has", name)
	}
}

// inJSON is all that we show of an account.
func inJSON(t *testing.T, account *adminpb.ServiceAccount) map[string]any {
	t.Helper()
	obj := (&Kind{}).Describe(account)
	(&Kind{}).Report(obj, account)
	text, err := json.Marshal(obj)
	if err != nil {
		t.Fatal(err)
	}
	var shown map[string]any
	if err := json.Unmarshal(text, &shown); err != nil {
		t.Fatal(err)
	}
	return shown
}

// differing are the paths at which two objects differ.
func differing(prefix string, a, b map[string]any) map[string]bool {
	found := map[string]bool{}
	keys := map[string]any{}
	maps.Copy(keys, a)
	maps.Copy(keys, b)
	for key := range keys {
		if reflect.DeepEqual(a[key], b[key]) {
			continue
		}
		inA, okA := a[key].(map[string]any)
		inB, okB := b[key].(map[string]any)
		if !okA && !okB {
			found[prefix+key] = true
			continue
		}
		maps.Copy(found, differing(prefix+key+".", inA, inB))
	}
	return found
}

// A field that the spec gains has to be known to aSpec, and so to the round trip.
func TestSpecIsKnown(t *testing.T) {
	var has []string
	for field := range reflect.TypeFor[v1alpha1.ServiceAccountSpec]().Fields() {
		has = append(has, field.Name)
	}
	if diff := cmp.Diff([]string{"CommonSpec", "DisplayName", "Description", "Disabled", "IAM"}, has); diff != "" {
		t.Errorf("fields of the spec (-known +there):\n%s", diff)
	}
}
