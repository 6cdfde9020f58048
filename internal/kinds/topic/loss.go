package topic

import (
	"encoding/json"
	"slices"
	"strconv"

	"google.golang.org/protobuf/proto"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
)

// What loses the messages of a topic. Not among it: the schema, and the regions where messages may be stored, since a publisher is told what
// Google does not accept; the key, since messages stay as they were encrypted; access, labels, the logs of ingestion.

func losesMessages(c diff.Change) string {
	from, err := strconv.ParseInt(c.From, 10, 64)
	if err != nil {
		return "" // none were kept
	}
	if to, err := strconv.ParseInt(c.To, 10, 64); err == nil && to >= from {
		return ""
	}
	return "messages that are older than the new retention are deleted"
}

// losesImports: Google does not keep how far it has come in a source, so what the source drops before it is set again is never imported.
func losesImports(c diff.Change) string {
	if c.From == "" || c.From == "{}" {
		return ""
	}
	return "the source is not imported from any more, and Google forgets how far it had come"
}

// losesToTransforms: a transform may drop messages, or change them so that one after it does. Only what takes away the last ones provably drops
// no more.
func losesToTransforms(c diff.Change) string {
	const why = "transforms can drop messages, or parts of them, that they did not drop before"
	from, known := activeTransforms(c.From)
	to, readable := activeTransforms(c.To)
	if !readable {
		return why
	}
	if len(to) == 0 || known && len(to) <= len(from) && slices.EqualFunc(to, from[:len(to)], sameTransform) {
		return ""
	}
	return why
}

func activeTransforms(list string) (active []v1alpha1.TopicMessageTransform, ok bool) {
	if list != "" && json.Unmarshal([]byte(list), &active) != nil {
		return nil, false
	}
	return slices.DeleteFunc(active, func(t v1alpha1.TopicMessageTransform) bool { return t.Disabled != nil && *t.Disabled }), true
}

func sameTransform(a, b v1alpha1.TopicMessageTransform) bool {
	x, errX := buildTransforms([]v1alpha1.TopicMessageTransform{a})
	y, errY := buildTransforms([]v1alpha1.TopicMessageTransform{b})
	return errX == nil && errY == nil && proto.Equal(x[0], y[0])
}
