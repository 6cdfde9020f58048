package pubsub

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"unicode"
	"unicode/utf8"
)

// The limits of labels, see https://cloud.google.com/pubsub/docs/create-topic-labels.
const (
	maxLabels     = 64
	maxLabelRunes = 63
)

const (
	labelKeyRule   = `[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}`
	labelValueRule = `[\p{Ll}\p{Lo}\p{N}_-]{0,63}`
)

var (
	labelKey   = regexp.MustCompile(`^` + labelKeyRule + `$`)
	labelValue = regexp.MustCompile(`^` + labelValueRule + `$`)
)

func validateLabels(labels map[string]string) error {
	if len(labels) > maxLabels {
		return invalidLabels(fmt.Sprintf(`Invalid field "labels"; %d labels exceed the maximum of %d`, len(labels), maxLabels))
	}
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		if problem := problemOfKey(key); problem != "" {
			return invalidLabels(fmt.Sprintf(`Invalid field "labels"; key "%s" does not conform to regular expression "%s"%s`,
				key, labelKeyRule, problem))
		}
		value := labels[key]
		if length := utf8.RuneCountInString(value); length > maxLabelRunes {
			return invalidLabels(fmt.Sprintf(`Invalid field "labels.%s"; value "%s" exceeds maximum value length %d with a length of %d`,
				key, value, maxLabelRunes, length))
		}
		if !labelValue.MatchString(value) {
			return invalidLabels(fmt.Sprintf(`Invalid field "labels.%s"; value "%s" does not conform to regular expression "%s"`,
				key, value, labelValueRule))
		}
	}
	return nil
}

// problemOfKey says what is wrong with the key of a label, empty if nothing.
func problemOfKey(key string) string {
	first, _ := utf8.DecodeRuneInString(key)
	switch {
	case labelKey.MatchString(key):
		return ""
	case key != "" && !unicode.In(first, unicode.Ll, unicode.Lo):
		return fmt.Sprintf(`; first character "%c" is not a non-uppercased letter (Unicode character class Ll or Lo)`, first)
	default:
		return "; it is too long, empty, or has a character that is not allowed"
	}
}

func invalidLabels(problem string) error { return invalidArgument("Invalid labels: " + problem) }
