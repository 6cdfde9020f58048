package storage

import "github.com/holdfast-dev/holdfast/test/emulator/traffic"

// What single fields of a bucket need besides, see
// https://cloud.google.com/storage/docs/access-control/iam-json.
const (
	setIAMPolicy          = "storage.buckets.setIamPolicy"
	enableObjectRetention = "storage.buckets.enableObjectRetention"
)

// principal is who makes the call.
func (r *request) principal() traffic.Principal { return traffic.PrincipalOf(r.Context()) }

// lacks reports whether the caller lacks a permission for what the call is
// about, which is in a project. The console has all of them.
func (s *Service) lacks(r *request, project, permission string) bool {
	p, known := s.projects.Lookup(project)
	return !r.console && (known && p.Lacks(permission) || !r.principal().Has(permission))
}

// lacking refuses a call for want of a permission on a subject.
func (r *request) lacking(permission, subject string) error {
	return forbiddenf("%s", traffic.StorageLacks(r.principal().Email(), permission, subject))
}

// checkFields refuses a bucket with fields that the caller may not set.
func (s *Service) checkFields(r *request, project string, sent document) error {
	_, filters := sent["ipFilter"]
	_, prevents := object(sent, "iamConfiguration")["publicAccessPrevention"]
	creates := r.PathValue("bucket") == ""
	switch {
	case filters && s.lacks(r, project, setIPFilter):
		return r.lacking(setIPFilter, "Storage bucket")
	case (prevents || namesACL(r, sent)) && !creates && s.lacks(r, project, setIAMPolicy):
		return r.lacking(setIAMPolicy, "Storage bucket")
	case creates && r.queryFlag("enableObjectRetention") && s.lacks(r, project, enableObjectRetention):
		return r.lacking(enableObjectRetention, "project")
	}
	return nil
}
