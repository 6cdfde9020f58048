package storage

import (
	"math"
	"slices"
	"strconv"
	"time"
)

const (
	maxLifecycleRules   = 100
	maxLifecycleAffixes = 1000
)

// settleLifecycle checks the rules of
// https://cloud.google.com/storage/docs/lifecycle and writes them as Cloud
// Storage does: classes in upper case, empty lists left out.
func (c *change) settleLifecycle() error {
	rules := list(c.next, "lifecycle", "rule")
	if len(rules) == 0 {
		c.drop("lifecycle")
		return nil
	}
	if len(rules) > maxLifecycleRules {
		return invalidf("Lifecycle config cannot have more than %d rules.", maxLifecycleRules)
	}
	var settled []any
	affixes := 0
	for _, item := range rules {
		rule, err := settleRule(item)
		if err != nil {
			return err
		}
		if err := c.checkAutoclassRule(rule); err != nil {
			return err
		}
		affixes += len(list(rule, "condition", "matchesPrefix")) + len(list(rule, "condition", "matchesSuffix"))
		settled = append(settled, rule)
	}
	if affixes > maxLifecycleAffixes {
		return invalidf("Lifecycle matches_suffix and matches_prefix cannot specify more than %d rules per config.", maxLifecycleAffixes)
	}
	c.next["lifecycle"] = document{"rule": settled}
	return nil
}

// checkAutoclassRule: where Autoclass decides about classes, rules must not.
func (c *change) checkAutoclassRule(rule document) error {
	chooses := text(rule, "action", "type") == "SetStorageClass" || list(rule, "condition", "matchesStorageClass") != nil
	if chooses && flag(c.next, "autoclass", "enabled") {
		return invalidf("Lifecycle rules with a SetStorageClass action or a matchesStorageClass condition cannot be used with Autoclass.")
	}
	return nil
}

func settleRule(item any) (document, error) {
	rule, _ := item.(document)
	action, err := settleAction(object(rule, "action"))
	if err != nil {
		return nil, err
	}
	condition, err := settleCondition(object(rule, "condition"))
	if err != nil {
		return nil, err
	}
	if text(action, "type") == "AbortIncompleteMultipartUpload" {
		for name := range condition {
			if !slices.Contains([]string{"age", "matchesPrefix", "matchesSuffix"}, name) {
				return nil, invalidf("Lifecycle age_days, matches_prefix, and matches_suffix conditions are the only ones allowed for a ABORT_INCOMPLETE_MULTIPART_UPLOAD rule.")
			}
		}
	}
	return document{"action": action, "condition": condition}, nil
}

func settleAction(action document) (document, error) {
	kind, class := text(action, "type"), text(action, "storageClass")
	switch kind {
	case "":
		return nil, invalidArgument()
	case "SetStorageClass":
		if class == "" {
			return nil, invalidf("Lifecycle storage class rules must specify the destination storage class.")
		}
		known, ok := storageClass(class)
		if !ok {
			return nil, invalidf("Unknown storage class '%s' is not a valid option for SET_STORAGE_CLASS actions.", class)
		}
		return document{"type": kind, "storageClass": known}, nil
	case "Delete", "AbortIncompleteMultipartUpload":
		if class != "" {
			return nil, invalidf("Storage class can only be specified for SET_STORAGE_CLASS actions")
		}
		return document{"type": kind}, nil
	default:
		return nil, invalidf("Invalid value for: %s is not a valid value", kind)
	}
}

// conditionRules says how each condition is checked and written.
var conditionRules = map[string]func(name string, value any) (any, error){
	"age":                     settleDays,
	"daysSinceCustomTime":     settleDays,
	"daysSinceNoncurrentTime": settleDays,
	"numNewerVersions":        settleDays,
	"createdBefore":           settleDate,
	"customTimeBefore":        settleDate,
	"noncurrentTimeBefore":    settleDate,
	"matchesPrefix":           settleAffixes,
	"matchesSuffix":           settleAffixes,
	"matchesStorageClass":     settleClasses,
}

func settleCondition(condition document) (document, error) {
	settled := document{}
	for name, value := range condition {
		if value == nil {
			continue
		}
		if settle := conditionRules[name]; settle != nil {
			var err error
			if value, err = settle(name, value); err != nil {
				return nil, err
			}
		}
		if items, isList := value.([]any); isList && len(items) == 0 {
			continue
		}
		settled[name] = value
	}
	if len(settled) == 0 {
		return nil, invalidf("Lifecycle rules must have a condition.")
	}
	return settled, nil
}

func settleDays(name string, value any) (any, error) {
	days, _ := integer(document{name: value}, name)
	if days < 0 {
		return nil, invalidf("Lifecycle %s condition must be greater than or equal to 0, but was %d", name, days)
	}
	if days > math.MaxInt32 {
		return nil, failf(400, "parseError", "Parse Error: Invalid value for TYPE_INT32 field: '%s'.", strconv.FormatInt(days, 10))
	}
	return value, nil
}

func settleDate(_ string, value any) (any, error) {
	date, _ := value.(string)
	if _, err := time.Parse(time.DateOnly, date); err != nil {
		return nil, invalidf("Invalid value for: Invalid format: \"%s\"", date)
	}
	return value, nil
}

func settleAffixes(name string, value any) (any, error) {
	for _, affix := range texts(document{name: value}, name) {
		if affix == "" || len(affix) > 1024 {
			return nil, invalidf("Lifecycle %s cannot contain a string that is empty or longer than 1024.", name)
		}
	}
	return value, nil
}

func settleClasses(name string, value any) (any, error) {
	var settled []any
	for _, class := range texts(document{name: value}, name) {
		known, ok := storageClass(class)
		if !ok {
			return nil, invalidf("Invalid storage class \"%s\"", class)
		}
		settled = append(settled, known)
	}
	return settled, nil
}
