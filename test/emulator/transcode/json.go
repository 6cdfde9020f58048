package transcode

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	fieldMaskName = protoreflect.FullName("google.protobuf.FieldMask")
	durationName  = protoreflect.FullName("google.protobuf.Duration")
)

// decodeJSON reads a message from JSON. What is wrong with it is said as
// Google does, paths beginning with at.
func decodeJSON(raw []byte, message protoreflect.Message, at string) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return malformed(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return malformed(errors.New("Unexpected data after the end of the value"))
	}
	object, ok := value.(map[string]any)
	if !ok {
		return malformed(errors.New("Root element must be a message"))
	}
	if found := checkObject(object, message.Descriptor(), at); len(found) > 0 {
		return found.err()
	}
	checked, err := json.Marshal(object)
	if err != nil {
		return malformed(err)
	}
	if err := protojson.Unmarshal(checked, message.Interface()); err != nil {
		return malformed(err)
	}
	return nil
}

func malformed(err error) error {
	return status.Errorf(codes.InvalidArgument, "Invalid JSON payload received. %v.", err)
}

// checkObject compares an object with the message that it is to become, and
// brings field masks into the form that protojson reads.
func checkObject(object map[string]any, message protoreflect.MessageDescriptor, path string) violations {
	var found violations
	chosen := map[protoreflect.OneofDescriptor]bool{}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		field := fieldNamed(message, name)
		if field == nil {
			found = append(found, unknownName(name, path, "Cannot find field."))
			continue
		}
		if oneof := field.ContainingOneof(); oneof != nil && object[name] != nil {
			if chosen[oneof] {
				found = append(found, oneofTaken(oneof, name, path))
			}
			chosen[oneof] = true
		}
		value, bad := checkField(object[name], field, name, path)
		object[name] = value
		found = append(found, bad...)
	}
	return found
}

// checkField checks the value of one member of an object at path and returns
// what is to stand in its place.
func checkField(value any, field protoreflect.FieldDescriptor, name, path string) (any, violations) {
	at := joinPath(path, string(field.Name()))
	list, isList := value.([]any)
	switch {
	case value == nil:
		return nil, nil
	case field.IsMap():
		return value, checkMap(value, field, name, path)
	case field.IsList():
		if !isList {
			list = []any{value} // Google takes one value for a list of one
		}
		var found violations
		for i, element := range list {
			checked, bad := checkValue(element, field, name, fmt.Sprintf("%s[%d]", at, i))
			list[i] = checked
			found = append(found, bad...)
		}
		return list, found
	case isList && !holdsList(field):
		return value, violations{unknownName(name, path, "Proto field is not repeating, cannot start list.")}
	default:
		return checkValue(value, field, name, at)
	}
}

// holdsList reports whether JSON writes the message of a field as an array or
// as anything at all.
func holdsList(field protoreflect.FieldDescriptor) bool {
	if field.Message() == nil {
		return false
	}
	switch field.Message().FullName() {
	case "google.protobuf.ListValue", "google.protobuf.Value":
		return true
	default:
		return false
	}
}

func checkMap(value any, field protoreflect.FieldDescriptor, name, path string) violations {
	entries, ok := value.(map[string]any)
	at := joinPath(path, string(field.Name()))
	if !ok {
		return violations{*invalidValue(at, field, jsonText(value))}
	}
	var found violations
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		checked, bad := checkValue(entries[key], field.MapValue(), name, at+"["+key+"].value")
		entries[key] = checked
		found = append(found, bad...)
	}
	return found
}

// checkValue checks a value that is neither a list nor a map.
func checkValue(value any, field protoreflect.FieldDescriptor, name, at string) (any, violations) {
	if field.Message() == nil {
		if !fitsScalar(value, field) {
			return value, violations{*invalidValue(at, field, jsonText(value))}
		}
		return value, nil
	}
	object, isObject := value.(map[string]any)
	switch {
	case field.Message().FullName() == fieldMaskName:
		text, isText := value.(string)
		if !isText {
			return value, violations{*invalidValue(at, field, jsonText(value))}
		}
		return camelMask(text), nil
	case field.Message().FullName() == durationName:
		return value, checkDuration(value, field, name, at)
	case field.Message().ParentFile().Package() == "google.protobuf":
		return value, nil // well-known types have forms of their own
	case !isObject:
		return value, violations{*invalidValue(at, field, jsonText(value))}
	default:
		return object, checkObject(object, field.Message(), at)
	}
}

func checkDuration(value any, field protoreflect.FieldDescriptor, name, at string) violations {
	text, isText := value.(string)
	var why string
	switch {
	case !isText:
		return violations{*invalidValue(at, field, jsonText(value))}
	case !strings.HasSuffix(text, "s"):
		why = "Illegal duration format; duration must end with 's'"
	case protojson.Unmarshal([]byte(jsonText(value)), &durationpb.Duration{}) != nil:
		why = "Invalid duration format, failed to parse seconds"
	default:
		return nil
	}
	return violations{*invalidValue(at, field, fmt.Sprintf("Field '%s', %s", name, why))}
}

// fitsScalar reports whether protojson would read a value for a field.
func fitsScalar(value any, field protoreflect.FieldDescriptor) bool {
	text, isText := value.(string)
	number, isNumber := value.(json.Number)
	switch field.Kind() {
	case protoreflect.StringKind:
		return isText
	case protoreflect.BytesKind:
		return isText && isBase64(text)
	case protoreflect.BoolKind:
		_, isBool := value.(bool)
		return isBool
	case protoreflect.EnumKind:
		if isText {
			return field.Enum().Values().ByName(protoreflect.Name(text)) != nil
		}
		_, ok := parseEnum(field.Enum(), number.String())
		return isNumber && ok
	default:
		if isNumber {
			text = number.String()
		}
		_, ok := parseScalar(field.Kind(), text)
		return ok
	}
}

// isBase64 reports whether text is in one of the alphabets that JSON bytes
// may use, padded or not.
func isBase64(text string) bool {
	text = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(text), "=")
	_, err := base64.RawStdEncoding.DecodeString(text)
	return err == nil
}

// camelMask spells the paths of a field mask as JSON does. Google takes the
// spelling of proto files as well.
func camelMask(mask string) string {
	var camel strings.Builder
	upper := false
	for _, letter := range mask {
		switch {
		case letter == '_':
			upper = true
			continue
		case upper:
			camel.WriteString(strings.ToUpper(string(letter)))
		default:
			camel.WriteRune(letter)
		}
		upper = false
	}
	return camel.String()
}

func joinPath(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// jsonText returns a decoded value as JSON again, for an error.
func jsonText(value any) string {
	encoded, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(encoded)
}
