package storage

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"cloud.google.com/go/iam/apiv1/iampb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/holdfast-dev/holdfast/test/emulator/policy"
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

// keptPolicy is the policy in the form that policies are kept in. Its etag is
// the bucket's metageneration, so that any other change to the bucket makes
// it stale too.
func (b *bucket) keptPolicy() (*iampb.Policy, error) {
	bindings := b.Bindings
	if bindings == nil {
		bindings = b.legacyBindings()
	}
	return policyFrom(document{"bindings": bindings, "etag": etag(b.Metageneration)})
}

// policyFrom reads a policy as the JSON API has it.
func policyFrom(doc document) (*iampb.Policy, error) {
	encoded, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("reading a policy: %w", err)
	}
	kept := &iampb.Policy{}
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(encoded, kept); err != nil {
		return nil, failf(http.StatusBadRequest, "parseError", "Parse Error")
	}
	return kept, nil
}

// bindingsOf writes the bindings of a policy as the JSON API has them.
func bindingsOf(p *iampb.Policy) ([]any, error) {
	encoded, err := protojson.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("writing a policy: %w", err)
	}
	doc, err := decode(encoded)
	if err != nil {
		return nil, err
	}
	return append([]any{}, list(doc, "bindings")...), nil
}

// showPolicy is the policy as the API shows it.
func (s *Service) showPolicy(b *bucket) (document, error) {
	kept, err := b.keptPolicy()
	if err != nil {
		return nil, err
	}
	bindings, err := bindingsOf(s.rules.Directory.ShowAll(kept))
	if err != nil {
		return nil, err
	}
	version := int64(1)
	if policy.HasConditions(kept) {
		version = 3
	}
	shown := document{
		"kind": "storage#policy", "resourceId": "projects/_/buckets/" + b.Name,
		"version": number(version), "etag": etag(b.Metageneration),
	}
	if len(bindings) > 0 {
		shown["bindings"] = bindings
	}
	return shown, nil
}

// getIamPolicy returns the policy. A caller who asks for a version that
// cannot show all of it gets nothing.
func (s *Service) getIamPolicy(r *request) (*reply, error) {
	b, err := s.open(r, "buckets.getIamPolicy")
	if err != nil {
		return nil, err
	}
	requested, _, err := r.queryInt("optionsRequestedPolicyVersion")
	if err != nil {
		return nil, err
	}
	kept, err := b.keptPolicy()
	if err != nil {
		return nil, err
	}
	if err := policy.CheckRequested(kept, int32(requested)); err != nil && !r.console {
		return nil, asPolicyFailure(err)
	}
	shown, err := s.showPolicy(b)
	if err != nil {
		return nil, err
	}
	return ok(shown), nil
}

// setIamPolicy replaces the policy.
func (s *Service) setIamPolicy(r *request) (*reply, error) {
	b, err := s.open(r, "buckets.setIamPolicy")
	if err != nil {
		return nil, err
	}
	doc, err := r.document()
	if err != nil {
		return nil, err
	}
	sent, err := policyFrom(doc)
	if err != nil {
		return nil, err
	}
	if err := s.replacePolicy(b, sent, r.now); err != nil {
		return nil, err
	}
	shown, err := s.showPolicy(b)
	if err != nil {
		return nil, err
	}
	return ok(shown), nil
}

// replacePolicy puts a policy in the place of a bucket's; the caller holds
// s.mu.
func (s *Service) replacePolicy(b *bucket, sent *iampb.Policy, now time.Time) error {
	if err := b.checkPolicy(sent); err != nil {
		return err
	}
	current, err := b.keptPolicy()
	if err != nil {
		return err
	}
	next, err := s.rules.Replace(current, sent, nil)
	if err != nil {
		return asPolicyFailure(err)
	}
	if b.Bindings, err = bindingsOf(next); err != nil {
		return err
	}
	b.store(b.Config, now)
	return nil
}

// Policy returns the IAM policy of a bucket with all that it has, as somebody
// in the console sees it.
func (s *Service) Policy(name string) (*iampb.Policy, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buckets[name]
	if b == nil {
		return nil, bucketNotFound()
	}
	kept, err := b.keptPolicy()
	return s.rules.Directory.ShowAll(kept), err
}

// EditPolicy changes the IAM policy of a bucket, as somebody in the console
// would: without a call being counted or faulted, but with the same rules.
func (s *Service) EditPolicy(name string, edit func(*iampb.Policy)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buckets[name]
	if b == nil {
		return bucketNotFound()
	}
	kept, err := b.keptPolicy()
	if err != nil {
		return err
	}
	edited := s.rules.Directory.ShowAll(kept)
	edit(edited)
	edited.Etag, edited.Version = nil, 3
	return s.replacePolicy(b, edited, s.now())
}

// asPolicyFailure says in the words of Cloud Storage what is wrong with a
// policy.
func asPolicyFailure(err error) error {
	if status.Code(err) == codes.Aborted {
		return conditionNotMet()
	}
	return invalidf("%s", status.Convert(err).Message())
}

// checkPolicy refuses what this bucket's configuration excludes.
func (b *bucket) checkPolicy(sent *iampb.Policy) error {
	prevented := text(b.Config, "iamConfiguration", "publicAccessPrevention") == "enforced"
	for _, binding := range sent.GetBindings() {
		if binding.GetCondition() != nil && !b.uniform() {
			f := conditionNotMet()
			f.message = "To set IAM conditions in this bucket, enable uniform bucket-level access. This ensures that all object access is controlled uniformly at the bucket-level without individual, object-level permissions. Learn more at https://cloud.google.com/storage/docs/uniform-bucket-level-access"
			return f
		}
		if prevented && slices.ContainsFunc(binding.GetMembers(), policy.IsPublic) {
			return publicPrevented()
		}
	}
	return nil
}

// testIamPermissions answers that the caller has them all, but those that are
// withheld in the project: whoever may not see the bucket has not come this
// far.
func (s *Service) testIamPermissions(r *request) (*reply, error) {
	b, err := s.open(r, "buckets.testIamPermissions")
	if err != nil {
		return nil, err
	}
	project, _ := s.projects.Lookup(b.Project)
	asked := r.URL.Query()["permissions"]
	if len(asked) == 0 {
		return nil, requiredParameter("permissions")
	}
	var held []any
	for _, permission := range asked {
		if !strings.HasPrefix(permission, "storage.") || strings.Contains(permission, "*") {
			return nil, failf(http.StatusBadRequest, "invalid", "%s is not a valid Google Cloud Storage permission.", permission)
		}
		if !project.Lacks(permission) {
			held = append(held, permission)
		}
	}
	answer := document{"kind": "storage#testIamPermissionsResponse"}
	if len(held) > 0 {
		answer["permissions"] = held
	}
	return ok(answer), nil
}
