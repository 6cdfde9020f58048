package storage

import (
	"net/http"
	"strings"
)

// legacyBindings is the policy that a bucket starts with.
func (b *bucket) legacyBindings() []any {
	owners := []any{"projectEditor:" + b.Project, "projectOwner:" + b.Project}
	viewers := []any{"projectViewer:" + b.Project}
	bindings := []any{
		document{"role": "roles/storage.legacyBucketOwner", "members": owners},
		document{"role": "roles/storage.legacyBucketReader", "members": viewers},
	}
	if b.uniform() {
		bindings = append(bindings,
			document{"role": "roles/storage.legacyObjectOwner", "members": owners},
			document{"role": "roles/storage.legacyObjectReader", "members": viewers})
	}
	return bindings
}

func (b *bucket) policy() document {
	bindings := b.Bindings
	if bindings == nil {
		bindings = b.legacyBindings()
	}
	version := int64(1)
	for _, binding := range bindings {
		if object(binding.(document), "condition") != nil {
			version = 3
		}
	}
	policy := document{
		"kind": "storage#policy", "resourceId": "projects/_/buckets/" + b.Name,
		"version": number(version), "etag": etag(b.Metageneration),
	}
	if len(bindings) > 0 {
		policy["bindings"] = bindings
	}
	return policy
}

func (s *Service) getIamPolicy(r *request) (*reply, error) {
	b, err := s.open(r, "buckets.getIamPolicy")
	if err != nil {
		return nil, err
	}
	return ok(b.policy()), nil
}

// setIamPolicy replaces the policy. Its etag is the bucket's metageneration,
// so that any other change to the bucket makes it stale too.
func (s *Service) setIamPolicy(r *request) (*reply, error) {
	b, err := s.open(r, "buckets.setIamPolicy")
	if err != nil {
		return nil, err
	}
	policy, err := r.document()
	if err != nil {
		return nil, err
	}
	if sent := text(policy, "etag"); sent != "" && sent != etag(b.Metageneration) {
		return nil, conditionNotMet()
	}
	bindings := []any{}
	for _, item := range list(policy, "bindings") {
		binding, _ := item.(document)
		if err := b.checkBinding(binding); err != nil {
			return nil, err
		}
		if len(list(binding, "members")) > 0 {
			bindings = append(bindings, clone(binding))
		}
	}
	b.Bindings = bindings
	b.store(b.Config, r.now)
	return ok(b.policy()), nil
}

func (b *bucket) checkBinding(binding document) error {
	role := text(binding, "role")
	if !strings.Contains(role, "roles/") {
		return invalidf(`The role name must be in the form "roles/{role}", "organizations/{organization_id}/roles/{role}", ` +
			`or "projects/{project_id}/roles/{role}".`)
	}
	if strings.HasPrefix(role, "roles/") && !strings.HasPrefix(role, "roles/storage.") {
		return invalidf("Role %s is not supported for this resource.", role)
	}
	if object(binding, "condition") != nil && !b.uniform() {
		f := conditionNotMet()
		f.message = "To set IAM conditions in this bucket, enable uniform bucket-level access. This ensures that all object access is controlled uniformly at the bucket-level without individual, object-level permissions. Learn more at https://cloud.google.com/storage/docs/uniform-bucket-level-access"
		return f
	}
	for _, member := range texts(binding, "members") {
		public := member == "allUsers" || member == "allAuthenticatedUsers"
		if public && text(b.Config, "iamConfiguration", "publicAccessPrevention") == "enforced" {
			return publicPrevented()
		}
		if !public && !strings.Contains(member, ":") {
			return invalidf("The member %s is of an unknown type. Please set a valid type prefix for the member.", member)
		}
	}
	return nil
}

// testIamPermissions answers that the caller has them all: whoever may not
// see the bucket has not come this far.
func (s *Service) testIamPermissions(r *request) (*reply, error) {
	if _, err := s.open(r, "buckets.testIamPermissions"); err != nil {
		return nil, err
	}
	asked := r.URL.Query()["permissions"]
	if len(asked) == 0 {
		return nil, requiredParameter("permissions")
	}
	var held []any
	for _, permission := range asked {
		if !strings.HasPrefix(permission, "storage.") || strings.Contains(permission, "*") {
			return nil, failf(http.StatusBadRequest, "invalid", "%s is not a valid Google Cloud Storage permission.", permission)
		}
		held = append(held, permission)
	}
	return ok(document{"kind": "storage#testIamPermissionsResponse", "permissions": held}), nil
}
