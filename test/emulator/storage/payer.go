package storage

import (
	"cmp"
	"net/http"

	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// usePermission is the permission to have a project billed.
const usePermission = "serviceusage.services.use"

// checkPayer refuses a call about a bucket whose requesters pay that does not
// name the project to bill, where that is enforced, see
// https://cloud.google.com/storage/docs/requester-pays.
func (s *Service) checkPayer(r *request, b *bucket) error {
	if !s.enforcePayer || r.console {
		return nil
	}
	named := cmp.Or(r.query("userProject"), r.Header.Get("X-Goog-User-Project"))
	if named == "" {
		if flag(b.Config, "billing", "requesterPays") {
			return failf(http.StatusBadRequest, "required", "Bucket is a requester pays bucket but no user project provided.")
		}
		return nil
	}
	project, known := s.projects.Lookup(named)
	switch {
	case !known:
		return invalidf("User project specified in the request is invalid.")
	case project.Lacks(usePermission), !r.principal().HasOn(traffic.Call{Service: "serviceusage", Project: project.ID}, usePermission):
		return r.lacking(usePermission, "project")
	default:
		return nil
	}
}
