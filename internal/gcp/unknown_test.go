package gcp

import (
	"testing"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/holdfast-dev/holdfast/internal/diff"
)

// with is a message with a field that the library does not know.
func with[M proto.Message](message M, number protowire.Number, value any) M {
	unknown := message.ProtoReflect().GetUnknown()
	switch value := value.(type) {
	case int:
		unknown = protowire.AppendVarint(protowire.AppendTag(unknown, number, protowire.VarintType), uint64(value))
	case string:
		unknown = protowire.AppendString(protowire.AppendTag(unknown, number, protowire.BytesType), value)
	}
	message.ProtoReflect().SetUnknown(unknown)
	return message
}

func TestUnknown(t *testing.T) {
	for name, tc := range map[string]struct {
		message proto.Message
		want    []diff.Unmanaged
	}{
		"nothing":           {&pubsubpb.Topic{Name: "projects/p/topics/t", Labels: map[string]string{"a": "b"}}, nil},
		"a number":          {with(&pubsubpb.Topic{}, 90, 7), []diff.Unmanaged{{Path: "#90", Value: "7"}}},
		"a text":            {with(&pubsubpb.Topic{}, 90, `a "b"`), []diff.Unmanaged{{Path: "#90", Value: `"a \"b\""`}}},
		"a message":         {with(&pubsubpb.Topic{}, 90, "\x08\x01"), []diff.Unmanaged{{Path: "#90", Value: `"CAE="`}}},
		"a list":            {with(with(&pubsubpb.Topic{}, 90, "a"), 90, "b"), []diff.Unmanaged{{Path: "#90", Value: `["a","b"]`}}},
		"two fields":        {with(with(&pubsubpb.Topic{}, 91, 1), 90, 2), []diff.Unmanaged{{Path: "#91", Value: "1"}, {Path: "#90", Value: "2"}}},
		"in a message":      {&pubsubpb.Topic{SchemaSettings: with(&pubsubpb.SchemaSettings{}, 12, 1)}, []diff.Unmanaged{{Path: "schemaSettings.#12", Value: "1"}}},
		"in one of a union": {&pubsubpb.Topic{MessageTransforms: []*pubsubpb.MessageTransform{{}, with(&pubsubpb.MessageTransform{}, 30, "x")}}, []diff.Unmanaged{{Path: "messageTransforms[1].#30", Value: `"x"`}}},
	} {
		t.Run(name, func(t *testing.T) {
			wire, err := proto.Marshal(tc.message)
			if err != nil {
				t.Fatal(err)
			}
			read := tc.message.ProtoReflect().New().Interface()
			if err := proto.Unmarshal(wire, read); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tc.want, Unknown(read)); d != "" {
				t.Errorf("unknown (-want +got):\n%s", d)
			}
		})
	}
}
