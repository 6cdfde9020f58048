package gcp

import (
	"fmt"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// ownerError is a detail of Resource Manager's, of a type that no client library knows.
func ownerError(t testing.TB) protoadapt.MessageV1 {
	t.Helper()
	label := descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum()
	text := func(number int32, name string) *descriptorpb.FieldDescriptorProto {
		return &descriptorpb.FieldDescriptorProto{Name: &name, Number: &number, Label: label, Type: descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum()}
	}
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: new("test.proto"), Package: new("google.cloudresourcemanager.v1"), Syntax: new("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{
			Name:  new("ProjectIamPolicyError"),
			Field: []*descriptorpb.FieldDescriptorProto{text(1, "type"), text(2, "member"), text(3, "role")},
		}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	message := dynamicpb.NewMessage(file.Messages().Get(0))
	for i, value := range []string{"ORG_MUST_INVITE_EXTERNAL_OWNERS", "user:ann@example.com", "roles/owner"} {
		message.Set(message.Descriptor().Fields().Get(i), protoreflect.ValueOfString(value))
	}
	return protoadapt.MessageV1Of(message)
}

func TestRefusedMember(t *testing.T) {
	const account = "ann@p.iam.gserviceaccount.com"
	said := map[string]string{
		"Service account " + account + " does not exist.": account,
		"User ann@example.com does not exist.":            "ann@example.com",
		"Group staff@example.com does not exist.":         "staff@example.com",
		"Domain example.com does not exist.":              "example.com",
		`Principal ` + account + ` is of type "serviceAccount". The principal should appear as "serviceAccount:` + account + `". See https://cloud.google.com/iam/help/members/types for additional documentation.`: account,
		`Account ann@example.com is of type "user". Please set the type prefix to be "user:".`:                                                                                                                      "ann@example.com",
		"The member ann@example.com is of an unknown type. Please set a valid type prefix for the member.":                                                                                                          "ann@example.com",
		"The member principalSet://iam.googleapis.com/pool/attribute.a/b is of an unknown type. Please set a valid type prefix for the member.":                                                                     "principalSet://iam.googleapis.com/pool/attribute.a/b",
		"Identity Pool does not exist (p.svc.id.goog). Please check that you specified a valid resource name as returned in the `name` attribute in the configuration API.":                                         "p.svc.id.goog",
		"Invalid service account (ann@p.iam).": "ann@p.iam",
		"Unknown user: ann@example.com":        "ann@example.com",
		"The member bindings allUsers and allAuthenticatedUsers are not allowed since public access prevention is enforced.":                  "allUsers",
		"One or more users named in the policy do not belong to a permitted customer. User " + account + " is not in permitted organization.": account,
		"Request contains an invalid argument. (user:ann@example.com cannot be granted roles/owner: ORG_MUST_INVITE_EXTERNAL_OWNERS)":         "user:ann@example.com",

		"Request contains an invalid argument.":                                                    "",
		"Role roles/nothing is not supported for this resource.":                                   "",
		"Unknown service account":                                                                  "",
		"Policy members must be of the form \"<type>:<value>\".":                                   "",
		"One or more users named in the policy do not belong to a permitted customer.":             "",
		"The number of members in the policy (1501) is larger than the maximum allowed size 1500.": "",
	}
	for message, want := range said {
		err := fmt.Errorf("setting the policy: %w", rpcError(t, codes.InvalidArgument, message))
		if got, ok := RefusedMember(err); got != want || ok != (want != "") {
			t.Errorf("%s\ngot %q, %v, want %q", message, got, ok, want)
		}
	}
	overHTTP := httpError(t, 400, storageBody(400, "invalid", "Service account "+account+" does not exist."))
	if got, ok := RefusedMember(overHTTP); got != account || !ok {
		t.Errorf("over HTTP: %q, %v", got, ok)
	}
	for name, err := range map[string]error{
		"none": nil, "not Google's": fmt.Errorf("%s", "User ann@example.com does not exist."),
		"not found": rpcError(t, codes.NotFound, "Service account "+account+" does not exist."),
	} {
		if got, ok := RefusedMember(err); ok {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestIsMember(t *testing.T) {
	cases := map[string]struct {
		member, named string
		want          bool
	}{
		"by e-mail":                 {"user:ann@example.com", "ann@example.com", true},
		"by the whole":              {"user:ann@example.com", "user:ann@example.com", true},
		"in another case":           {"user:ann@example.com", "Ann@Example.com", true},
		"another":                   {"user:bo@example.com", "ann@example.com", false},
		"part of it":                {"user:ann@example.com.au", "ann@example.com", false},
		"of another type":           {"group:ann@example.com", "user:ann@example.com", false},
		"a pool's account":          {"serviceAccount:p.svc.id.goog[ns/name]", "p.svc.id.goog", true},
		"another pool's":            {"serviceAccount:q.svc.id.goog[ns/name]", "p.svc.id.goog", false},
		"a principal":               {"principal://iam.googleapis.com/x", "principal://iam.googleapis.com/x", true},
		"everybody with an account": {"allAuthenticatedUsers", "allUsers", true},
		"everybody":                 {"allUsers", "allUsers", true},
		"nobody, of everybody":      {"allUsers", "", false},
	}
	for name, tc := range cases {
		if got := IsMember(tc.member, tc.named); got != tc.want {
			t.Errorf("%s: IsMember(%q, %q) = %v", name, tc.member, tc.named, got)
		}
	}
}

func FuzzTexts(f *testing.F) {
	f.Add(protowire.AppendString(protowire.AppendTag(nil, 2, protowire.BytesType), "user:ann@example.com"))
	f.Add(protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 7))
	f.Fuzz(func(t *testing.T, message []byte) {
		size := 0
		for _, text := range texts(message) {
			size += len(text)
		}
		if size > len(message) {
			t.Errorf("%d bytes of text in %d bytes", size, len(message))
		}
	})
}
