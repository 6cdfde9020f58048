package transcode

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// setField sets the field at a dotted path, in the spelling of JSON or of the
// proto file, from text. A repeated field takes all values, any other one the
// last.
func setField(message protoreflect.Message, path string, texts []string) *violation {
	names := strings.Split(path, ".")
	for i, name := range names {
		field := fieldNamed(message.Descriptor(), name)
		if field == nil {
			return unboundParameter(path, name)
		}
		if i == len(names)-1 {
			return setTexts(message, field, texts)
		}
		if field.Message() == nil || field.IsList() || field.IsMap() {
			return unboundParameter(path, names[i+1])
		}
		message = message.Mutable(field).Message()
	}
	return nil
}

func unboundParameter(path, name string) *violation {
	return &violation{description: fmt.Sprintf(
		"Invalid JSON payload received. Unknown name %q: Cannot bind query parameter. Field '%s' could not be found in request message.",
		path, name)}
}

// fieldNamed finds a field by its JSON or its proto name.
func fieldNamed(message protoreflect.MessageDescriptor, name string) protoreflect.FieldDescriptor {
	if field := message.Fields().ByJSONName(name); field != nil {
		return field
	}
	return message.Fields().ByName(protoreflect.Name(name))
}

func setTexts(message protoreflect.Message, field protoreflect.FieldDescriptor, texts []string) *violation {
	if field.IsMap() {
		return unboundParameter(field.JSONName(), field.JSONName())
	}
	if !field.IsList() {
		value, ok := parseText(message.NewField(field), field, texts[len(texts)-1])
		if !ok {
			return invalidValue(string(field.Name()), field, strconv.Quote(texts[len(texts)-1]))
		}
		message.Set(field, value)
		return nil
	}
	list := message.Mutable(field).List()
	for _, text := range texts {
		value, ok := parseText(list.NewElement(), field, text)
		if !ok {
			return invalidValue(string(field.Name()), field, strconv.Quote(text))
		}
		list.Append(value)
	}
	return nil
}

// parseText reads one value. Blank is a new value of the field, which messages
// are read into.
func parseText(blank protoreflect.Value, field protoreflect.FieldDescriptor, text string) (protoreflect.Value, bool) {
	switch field.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(text), true
	case protoreflect.BytesKind:
		decoded, err := base64.StdEncoding.DecodeString(text)
		return protoreflect.ValueOfBytes(decoded), err == nil
	case protoreflect.EnumKind:
		return parseEnum(field.Enum(), text)
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return blank, parseMessage(blank.Message(), text) == nil
	default:
		return parseScalar(field.Kind(), text)
	}
}

func parseEnum(enum protoreflect.EnumDescriptor, text string) (protoreflect.Value, bool) {
	if value := enum.Values().ByName(protoreflect.Name(text)); value != nil {
		return protoreflect.ValueOfEnum(value.Number()), true
	}
	number, err := strconv.ParseInt(text, 10, 32)
	return protoreflect.ValueOfEnum(protoreflect.EnumNumber(number)), err == nil
}

// parseMessage reads a message that JSON writes as one string, such as a
// duration or a field mask.
func parseMessage(message protoreflect.Message, text string) error {
	if message.Descriptor().FullName() == fieldMaskName {
		text = camelMask(text)
	}
	quoted, err := json.Marshal(text)
	if err != nil {
		return fmt.Errorf("quoting %q: %w", text, err)
	}
	return protojson.Unmarshal(quoted, message.Interface())
}

func parseScalar(kind protoreflect.Kind, text string) (protoreflect.Value, bool) {
	switch kind {
	case protoreflect.BoolKind:
		yes := strings.EqualFold(text, "true") // gcloud writes True and False
		return protoreflect.ValueOfBool(yes), yes || strings.EqualFold(text, "false")
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		number, err := strconv.ParseInt(text, 10, 32)
		return protoreflect.ValueOfInt32(int32(number)), err == nil
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		number, err := strconv.ParseInt(text, 10, 64)
		return protoreflect.ValueOfInt64(number), err == nil
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		number, err := strconv.ParseUint(text, 10, 32)
		return protoreflect.ValueOfUint32(uint32(number)), err == nil
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		number, err := strconv.ParseUint(text, 10, 64)
		return protoreflect.ValueOfUint64(number), err == nil
	case protoreflect.FloatKind:
		number, err := strconv.ParseFloat(text, 32)
		return protoreflect.ValueOfFloat32(float32(number)), err == nil
	case protoreflect.DoubleKind:
		number, err := strconv.ParseFloat(text, 64)
		return protoreflect.ValueOfFloat64(number), err == nil
	default:
		return protoreflect.Value{}, false
	}
}
