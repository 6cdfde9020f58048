package storage

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/test/emulator/projects"
)

// open returns the bucket that a request is about, if the caller may know.
func (s *Service) open(r *request, method string) (*bucket, error) {
	b := s.buckets[r.PathValue("bucket")]
	if b == nil {
		return nil, bucketNotFound()
	}
	if err := s.checkProject(r, b.Project, method); err != nil {
		return nil, err
	}
	if err := s.checkOrigin(r, b, method); err != nil {
		return nil, err
	}
	if err := s.checkPayer(r, b); err != nil {
		return nil, err
	}
	b.purge(r.now)
	b.purgeCaches(r.now)
	return b, nil
}

// checkProject refuses a call about a project that the caller has no access to,
// or that is shut down.
func (s *Service) checkProject(r *request, project, method string) error {
	if s.foreign(r, project) {
		return denied(method)
	}
	if p, known := s.projects.Lookup(project); known && p.Deleted && !r.console {
		return accountDisabled()
	}
	return nil
}

// foreign reports whether the caller has no access to a project.
func (s *Service) foreign(r *request, project string) bool {
	p, known := s.projects.Lookup(project)
	return known && p.Foreign && !r.console
}

// projectNamed finds the project that a call of a method names in its query.
func (s *Service) projectNamed(r *request, method string) (projects.Project, error) {
	named := r.query("project")
	if named == "" {
		return projects.Project{}, requiredParameter("project")
	}
	return s.lookupProject(r, named, method)
}

// lookupProject finds a project that a call of a method names.
func (s *Service) lookupProject(r *request, named, method string) (projects.Project, error) {
	project, known := s.projects.Lookup(named)
	if !known {
		return projects.Project{}, invalidf("Unknown project id: %s", named)
	}
	return project, s.checkProject(r, project.ID, method)
}

// getServiceAccount tells as whom Cloud Storage acts in a project.
func (s *Service) getServiceAccount(r *request) (*reply, error) {
	project, err := s.lookupProject(r, r.PathValue("project"), "projects.serviceAccount.get")
	if err != nil {
		return nil, err
	}
	return ok(document{
		"kind":          "storage#serviceAccount",
		"email_address": "service-" + decimal(project.Number) + "@gs-project-accounts.iam.gserviceaccount.com",
	}), nil
}

func (s *Service) insertBucket(r *request) (*reply, error) {
	project, err := s.projectNamed(r, "buckets.insert")
	if err != nil {
		return nil, err
	}
	sent, err := r.document()
	if err != nil {
		return nil, err
	}
	resource, err := normalize(sent, bucketType)
	if err != nil {
		return nil, err
	}
	name := text(resource, "name")
	if name == "" {
		return nil, failf(http.StatusBadRequest, "required", "Required")
	}
	if err := checkBucketName(name); err != nil {
		return nil, err
	}
	if err := s.checkFields(r, project.ID, resource); err != nil {
		return nil, err
	}
	config, err := newConfig(name, resource, r.queryFlag("enableObjectRetention"), r.now)
	if err != nil {
		return nil, err
	}
	b := &bucket{
		Name: name, Project: project.ID, ProjectNumber: project.Number, Metageneration: 1,
		Created: r.now, Updated: r.now, Objects: map[string][]*storedObject{},
	}
	if b.Config, err = b.applyACL(r, resource, config); err != nil {
		return nil, err
	}
	if other := s.buckets[name]; other != nil {
		return nil, nameTaken(other.Project == project.ID)
	}
	b.Generation = s.nextGeneration(r.now)
	s.add(b)
	return ok(s.shown(r, b, r.full(namesACL(r, resource)))), nil
}

// nameTaken is the error for a name that exists: bucket names are global.
func nameTaken(own bool) error {
	if own {
		return conflict("Your previous request to create the named bucket succeeded and you already own it.")
	}
	return conflict("The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.")
}

func (s *Service) getBucket(r *request) (*reply, error) {
	if r.queryFlag("softDeleted") {
		return s.getDeletedBucket(r)
	}
	b, err := s.open(r, "buckets.get")
	if err != nil {
		return nil, err
	}
	if err := r.checkCondition("ifMetageneration", b.Metageneration); err != nil {
		return nil, err
	}
	return ok(s.shown(r, b, r.full(false))), nil
}

func (s *Service) listBuckets(r *request) (*reply, error) {
	project, err := s.projectNamed(r, "buckets.list")
	if err != nil {
		return nil, err
	}
	var found []*bucket
	for _, b := range s.listed(project.ID, r.queryFlag("softDeleted")) {
		if strings.HasPrefix(b.Name, r.query("prefix")) {
			found = append(found, b)
		}
	}
	slices.SortFunc(found, func(a, b *bucket) int { return strings.Compare(a.position(), b.position()) })
	shown, next, err := page(r, found, (*bucket).position)
	if err != nil {
		return nil, err
	}
	answer := document{"kind": "storage#buckets"}
	var items []any
	for _, b := range shown {
		items = append(items, s.summed(r, b, r.full(false)))
	}
	if items != nil {
		answer["items"] = items
	}
	if next != "" {
		answer["nextPageToken"] = next
	}
	return ok(answer), nil
}

// listed returns the buckets of a project, in no order.
func (s *Service) listed(project string, softDeleted bool) []*bucket {
	if !softDeleted {
		return slices.Collect(maps.Values(s.byProject[project]))
	}
	var deleted []*bucket
	for _, b := range s.deleted {
		if b.Project == project {
			deleted = append(deleted, b)
		}
	}
	return deleted
}

// position is where a bucket comes in a list.
func (b *bucket) position() string { return b.Name + "\x00" + decimal(b.Generation) }

func (s *Service) patchBucket(r *request) (*reply, error) {
	return s.writeBucket(r, "buckets.patch", patchedConfig)
}

func (s *Service) updateBucket(r *request) (*reply, error) {
	return s.writeBucket(r, "buckets.update", replacedConfig)
}

func (s *Service) writeBucket(
	r *request, method string, decide func(name string, old, request document, now time.Time) (document, error),
) (*reply, error) {
	b, err := s.open(r, method)
	if err != nil {
		return nil, err
	}
	if err := r.checkCondition("ifMetageneration", b.Metageneration); err != nil {
		return nil, err
	}
	sent, err := r.document()
	if err != nil {
		return nil, err
	}
	resource, err := normalize(sent, bucketType)
	if err != nil {
		return nil, err
	}
	if name := text(resource, "name"); name != "" && name != b.Name {
		return nil, disagreement(name, b.Name)
	}
	if err := s.checkFields(r, b.Project, resource); err != nil {
		return nil, err
	}
	if method == "buckets.patch" && len(sent) == 0 && !namesACL(r, nil) {
		return ok(s.shown(r, b, r.full(true))), nil // an empty patch is not a change
	}
	config, err := decide(b.Name, b.Config, resource, r.now)
	if err != nil {
		return nil, err
	}
	if config, err = b.applyACL(r, resource, config); err != nil {
		return nil, err
	}
	if err := s.limitUpdate(r, b); err != nil {
		return nil, err
	}
	b.store(config, r.now)
	return ok(s.shown(r, b, r.full(true))), nil
}

// disagreement is the error for a body that names something else than the
// path does.
func disagreement(content, path string) error {
	return invalidf("Value '%s' in content does not agree with value '%s'. This can happen when a value set through a parameter is inconsistent with a value set in the request.", content, path)
}

// store puts a new configuration in place.
func (b *bucket) store(config document, now time.Time) {
	b.Config = config
	b.Metageneration++
	b.Updated = now
}

// limitUpdate refuses a second change within a second, where limits apply.
func (s *Service) limitUpdate(r *request, b *bucket) error {
	if !s.limitUpdates || r.console || r.now.Sub(b.Updated) >= time.Second {
		return nil
	}
	f := failf(http.StatusTooManyRequests, "rateLimitExceeded", "The project exceeded the rate limit for creating and deleting buckets.")
	f.domain = "usageLimits"
	return f
}

func (s *Service) deleteBucket(r *request) (*reply, error) {
	b, err := s.open(r, "buckets.delete")
	if err != nil {
		return nil, err
	}
	if err := r.checkCondition("ifMetageneration", b.Metageneration); err != nil {
		return nil, err
	}
	if !b.empty() && !(r.console && r.queryFlag("force")) {
		return nil, conflict("The bucket you tried to delete is not empty.")
	}
	s.remove(b)
	if kept := b.softDelete(); kept > 0 {
		b.SoftDeleted, b.HardDelete = r.now, r.now.Add(kept)
		s.deleted = append(s.deleted, b)
	}
	return noContent(), nil
}

// findDeleted returns the soft-deleted bucket of the generation that a
// request names.
func (s *Service) findDeleted(r *request, method string) (*bucket, error) {
	generation, given, err := r.queryInt("generation")
	if err != nil {
		return nil, err
	}
	if !given {
		return nil, requiredParameter("generation")
	}
	i := slices.IndexFunc(s.deleted, func(b *bucket) bool {
		return b.Name == r.PathValue("bucket") && b.Generation == generation
	})
	if i < 0 {
		return nil, bucketNotFound()
	}
	if err := s.checkProject(r, s.deleted[i].Project, method); err != nil {
		return nil, err
	}
	return s.deleted[i], nil
}

func (s *Service) getDeletedBucket(r *request) (*reply, error) {
	b, err := s.findDeleted(r, "buckets.get")
	if err != nil {
		return nil, err
	}
	return ok(b.render(r.full(false))), nil
}

func (s *Service) restoreBucket(r *request) (*reply, error) {
	b, err := s.findDeleted(r, "buckets.restore")
	if err != nil {
		return nil, err
	}
	if other := s.buckets[b.Name]; other != nil {
		return nil, nameTaken(other.Project == b.Project)
	}
	s.deleted = slices.DeleteFunc(s.deleted, func(other *bucket) bool { return other == b })
	b.SoftDeleted, b.HardDelete = time.Time{}, time.Time{}
	s.add(b)
	return ok(b.render(r.full(false))), nil
}

func (s *Service) lockRetentionPolicy(r *request) (*reply, error) {
	b, err := s.open(r, "buckets.lockRetentionPolicy")
	if err != nil {
		return nil, err
	}
	wanted, given, err := r.queryInt("ifMetagenerationMatch")
	if err != nil {
		return nil, err
	}
	if !given {
		return nil, requiredParameter("ifMetagenerationMatch")
	}
	if object(b.Config, "retentionPolicy") == nil || flag(b.Config, "retentionPolicy", "isLocked") {
		return nil, invalidf("Bucket '%s' does not have an unlocked retention policy.", b.Name)
	}
	if wanted != b.Metageneration {
		return nil, conditionNotMet()
	}
	b.store(merge(b.Config, document{"retentionPolicy": document{"isLocked": true}}), r.now)
	return ok(s.shown(r, b, false)), nil
}

func (s *Service) getStorageLayout(r *request) (*reply, error) {
	b, err := s.open(r, "buckets.getStorageLayout")
	if err != nil {
		return nil, err
	}
	layout := document{"kind": "storage#storageLayout", "bucket": b.Name}
	for _, field := range []string{"location", "locationType", "customPlacementConfig", "hierarchicalNamespace"} {
		if value, ok := b.Config[field]; ok {
			layout[field] = value
		}
	}
	return ok(layout), nil
}
