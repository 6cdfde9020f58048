package gcp

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/holdfast-dev/holdfast/internal/diff"
)

// Unknown finds what a message of Google's has beside the fields that this version of the client library knows, in it and in the
// messages inside. A path leads there by the JSON names of the fields, and ends in the number of the field: schemaSettings.#12. A
// value is a number, a string, or base64 for what is neither; what is there repeatedly is a list.
func Unknown(message proto.Message) []diff.Unmanaged {
	return unknownIn(message.ProtoReflect(), "")
}

func unknownIn(message protoreflect.Message, path string) []diff.Unmanaged {
	out := unknownOf(message.GetUnknown(), path)
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		at := path + field.JSONName()
		switch {
		case field.Message() == nil || field.IsMap():
		case field.IsList():
			for i := range value.List().Len() {
				out = append(out, unknownIn(value.List().Get(i).Message(), fmt.Sprintf("%s[%d].", at, i))...)
			}
		default:
			out = append(out, unknownIn(value.Message(), at+".")...)
		}
		return true
	})
	return out
}

// unknownOf reads fields of which nothing but the wire format is known. What cannot be read is not from Google.
func unknownOf(fields protoreflect.RawFields, path string) []diff.Unmanaged {
	var numbers []protowire.Number
	values := map[protowire.Number][]string{}
	for len(fields) > 0 {
		number, kind, length := protowire.ConsumeField(fields)
		if length < 0 {
			break
		}
		if _, seen := values[number]; !seen {
			numbers = append(numbers, number)
		}
		values[number] = append(values[number], wireValue(kind, fields[protowire.SizeTag(number):length]))
		fields = fields[length:]
	}
	var out []diff.Unmanaged
	for _, number := range numbers {
		value := values[number][0]
		if all := values[number]; len(all) > 1 {
			value = "[" + strings.Join(all, ",") + "]"
		}
		out = append(out, diff.Unmanaged{Path: fmt.Sprintf("%s#%d", path, number), Value: value})
	}
	return out
}

// wireValue writes a value as JSON.
func wireValue(kind protowire.Type, value []byte) string {
	switch kind {
	case protowire.VarintType:
		n, _ := protowire.ConsumeVarint(value)
		return strconv.FormatUint(n, 10)
	case protowire.BytesType:
		value, _ = protowire.ConsumeBytes(value)
		if text := string(value); utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl) {
			return quote(text)
		}
	default: // in the bytes of the wire
	}
	return quote(value)
}

// quote writes a string as JSON, and bytes as base64.
func quote[T string | []byte](v T) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and bytes are always JSON
	}
	return string(text)
}
