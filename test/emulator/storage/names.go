package storage

import (
	"net/netip"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

var bucketPattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$`)

// checkBucketName applies the rules of
// https://cloud.google.com/storage/docs/buckets#naming. Ownership of domains
// is not asked for.
func checkBucketName(name string) error {
	longest := 63
	if strings.Contains(name, ".") {
		longest = 222
	}
	valid := len(name) >= 3 && len(name) <= longest && bucketPattern.MatchString(name) && !looksLikeGoogle(name)
	for part := range strings.SplitSeq(name, ".") {
		valid = valid && part != "" && len(part) <= 63
	}
	if _, err := netip.ParseAddr(name); err == nil || !valid {
		return invalidf("Invalid bucket name: '%s'", name)
	}
	return nil
}

func looksLikeGoogle(name string) bool {
	return strings.HasPrefix(name, "goog") || strings.Contains(name, "google") || strings.Contains(name, "g00gle")
}

// checkObjectName applies the rules of
// https://cloud.google.com/storage/docs/objects#naming.
func checkObjectName(name string) error {
	valid := name != "" && len(name) <= 1024 && utf8.ValidString(name) && !strings.ContainsAny(name, "\r\n") &&
		name != "." && name != ".." && !strings.HasPrefix(name, ".well-known/acme-challenge/")
	if !valid {
		return invalidf("Invalid object name: '%s'", name)
	}
	return nil
}

const maxLabels = 64

// checkLabels applies the rules of
// https://cloud.google.com/storage/docs/tags-and-labels#bucket-labels to the
// labels that a bucket would have.
func checkLabels(labels document) error {
	for key, value := range labels {
		first, _ := utf8.DecodeRuneInString(key)
		if !labelText(key) || !isLabelLetter(first) {
			return invalidf("Invalid user label: %s", key)
		}
		if value, _ := value.(string); !labelText(value) {
			return invalidf("Invalid user label: %s with value %s", key, value)
		}
	}
	if len(labels) > maxLabels {
		return invalidf("Attempt to create a bucket with %d labels, maximum is %d", len(labels), maxLabels)
	}
	return nil
}

func labelText(s string) bool {
	if utf8.RuneCountInString(s) > 63 || len(s) > 128 {
		return false
	}
	for _, r := range s {
		if !isLabelLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '-' {
			return false
		}
	}
	return true
}

// isLabelLetter takes the letters of all scripts, those that have a case
// only in lower case.
func isLabelLetter(r rune) bool {
	return unicode.IsLetter(r) && !unicode.IsUpper(r) && !unicode.IsTitle(r)
}
