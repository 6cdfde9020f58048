package storage

import "net/http"

// predefined are the canned access control lists of buckets and of the
// objects in them; the bucket's owners always have OWNER on a bucket.
var predefined = map[string]struct{ bucket, objects []document }{
	"private":                {nil, nil},
	"projectPrivate":         {nil, nil},
	"publicRead":             {[]document{grant("allUsers", "READER")}, []document{grant("allUsers", "READER")}},
	"publicReadWrite":        {[]document{grant("allUsers", "WRITER")}, nil},
	"authenticatedRead":      {[]document{grant("allAuthenticatedUsers", "READER")}, []document{grant("allAuthenticatedUsers", "READER")}},
	"bucketOwnerRead":        {nil, nil},
	"bucketOwnerFullControl": {nil, nil},
}

func grant(entity, role string) document { return document{"entity": entity, "role": role} }

// namesACL reports whether a request sets an access control list.
func namesACL(r *request, resource document) bool {
	return r.query("predefinedAcl") != "" || r.query("predefinedDefaultObjectAcl") != "" ||
		len(list(resource, "acl")) > 0 || len(list(resource, "defaultObjectAcl")) > 0
}

// applyACL puts the lists that a request sets into a configuration; where
// access is uniform there are none to set.
func (b *bucket) applyACL(r *request, resource, config document) (document, error) {
	if !namesACL(r, resource) {
		return config, nil
	}
	if flag(config, "iamConfiguration", "uniformBucketLevelAccess", "enabled") {
		return nil, writeUnderUniformAccess()
	}
	config = clone(config)
	for _, field := range []struct{ name, parameter string }{
		{"acl", "predefinedAcl"},
		{"defaultObjectAcl", "predefinedDefaultObjectAcl"},
	} {
		entries, err := b.requestedACL(r, resource, field.name, field.parameter)
		if err != nil {
			return nil, err
		}
		if err := checkPublic(config, entries); err != nil {
			return nil, err
		}
		if entries != nil {
			config[field.name] = entries
		}
	}
	return config, nil
}

func writeUnderUniformAccess() error {
	return invalidf("Cannot use ACL API to update bucket policy when uniform bucket-level access is enabled. Read more at https://cloud.google.com/storage/docs/uniform-bucket-level-access")
}

// requestedACL returns the list that a request sets in one field, or nil.
func (b *bucket) requestedACL(r *request, resource document, field, parameter string) ([]any, error) {
	sent, canned := list(resource, field), r.query(parameter)
	switch {
	case canned != "" && len(sent) > 0:
		return nil, conflict("Cannot provide both a predefinedAcl and access controls.")
	case canned != "":
		return b.cannedACL(field, canned)
	}
	var entries []any
	for _, item := range sent {
		entry, err := newEntry(item.(document), field)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

// newEntry returns the entry that a request asks for in the list of a field.
func newEntry(sent document, field string) (document, error) {
	entity, role := text(sent, "entity"), text(sent, "role")
	if entity == "" {
		return nil, failf(http.StatusBadRequest, "required", "Required: entity")
	}
	if role != "OWNER" && role != "READER" && (role != "WRITER" || field != "acl") {
		return nil, invalidf("Invalid value for: %s is not a valid value", role)
	}
	return grant(entity, role), nil
}

func (b *bucket) cannedACL(field, canned string) ([]any, error) {
	grants, known := predefined[canned]
	if !known {
		return nil, invalidf("Invalid value for: %s is not a valid value", canned)
	}
	if canned == "projectPrivate" {
		return b.projectPrivate(), nil
	}
	entries := []any{grant(b.team("owners"), "OWNER")}
	chosen := grants.bucket
	if field == "defaultObjectAcl" {
		entries, chosen = []any{}, grants.objects
	}
	for _, entry := range chosen {
		entries = append(entries, entry)
	}
	return entries, nil
}

// checkPublic refuses to grant the public anything where that is prevented.
func checkPublic(config document, entries []any) error {
	if text(config, "iamConfiguration", "publicAccessPrevention") != "enforced" {
		return nil
	}
	for _, item := range entries {
		if entity := text(item.(document), "entity"); entity == "allUsers" || entity == "allAuthenticatedUsers" {
			return publicPrevented()
		}
	}
	return nil
}

func publicPrevented() error {
	f := conditionNotMet()
	f.message = "The member bindings allUsers and allAuthenticatedUsers are not allowed since public access prevention is enforced."
	return f
}
