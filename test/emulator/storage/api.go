package storage

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// maxBody bounds a request's body, in bytes: the emulator keeps objects in
// memory.
const maxBody = 256 << 20

// request is a call that has been read.
type request struct {
	*http.Request
	body []byte
	// console is set for calls through the back door, to which neither
	// permissions nor rate limits apply.
	console bool
	now     time.Time
}

// reply is what a handler answers. Without a document or content it is empty.
type reply struct {
	status  int
	header  http.Header
	json    document
	content []byte
	// media is set when content is the answer, even if it is empty.
	media    bool
	modified time.Time
}

func ok(json document) *reply { return &reply{status: http.StatusOK, json: json} }

// noContent answers a deletion. The content type is Google's, though there
// is no content.
func noContent() *reply {
	return &reply{status: http.StatusNoContent, header: http.Header{"Content-Type": {"application/json"}}}
}

// handler carries a call out. The service's lock is held.
type handler func(s *Service, r *request) (*reply, error)

// route is one method of the API.
type route struct {
	verb, path string
	// method is Google's name, such as "buckets.get".
	method string
	handle handler
}

const (
	apiPath      = "/storage/v1"
	uploadPath   = "/upload/storage/v1"
	downloadPath = "/download/storage/v1"
	// resumablePath is where the discovery document sends resumable uploads.
	resumablePath = "/resumable/upload/storage/v1"
)

var routes = []route{
	{"GET", apiPath + "/projects/{project}/serviceAccount", "projects.serviceAccount.get", (*Service).getServiceAccount},
	{"GET", apiPath + "/b", "buckets.list", (*Service).listBuckets},
	{"POST", apiPath + "/b", "buckets.insert", (*Service).insertBucket},
	{"GET", apiPath + "/b/{bucket}", "buckets.get", (*Service).getBucket},
	{"PATCH", apiPath + "/b/{bucket}", "buckets.patch", (*Service).patchBucket},
	{"PUT", apiPath + "/b/{bucket}", "buckets.update", (*Service).updateBucket},
	{"DELETE", apiPath + "/b/{bucket}", "buckets.delete", (*Service).deleteBucket},
	{"POST", apiPath + "/b/{bucket}/restore", "buckets.restore", (*Service).restoreBucket},
	{"POST", apiPath + "/b/{bucket}/lockRetentionPolicy", "buckets.lockRetentionPolicy", (*Service).lockRetentionPolicy},
	{"GET", apiPath + "/b/{bucket}/storageLayout", "buckets.getStorageLayout", (*Service).getStorageLayout},
	{"GET", apiPath + "/b/{bucket}/acl", "bucketAccessControls.list", bucketACL.list},
	{"POST", apiPath + "/b/{bucket}/acl", "bucketAccessControls.insert", bucketACL.insert},
	{"GET", apiPath + "/b/{bucket}/acl/{entity}", "bucketAccessControls.get", bucketACL.get},
	{"PUT", apiPath + "/b/{bucket}/acl/{entity}", "bucketAccessControls.update", bucketACL.update},
	{"PATCH", apiPath + "/b/{bucket}/acl/{entity}", "bucketAccessControls.patch", bucketACL.patch},
	{"DELETE", apiPath + "/b/{bucket}/acl/{entity}", "bucketAccessControls.delete", bucketACL.delete},
	{"GET", apiPath + "/b/{bucket}/defaultObjectAcl", "defaultObjectAccessControls.list", defaultObjectACL.list},
	{"POST", apiPath + "/b/{bucket}/defaultObjectAcl", "defaultObjectAccessControls.insert", defaultObjectACL.insert},
	{"GET", apiPath + "/b/{bucket}/defaultObjectAcl/{entity}", "defaultObjectAccessControls.get", defaultObjectACL.get},
	{"PUT", apiPath + "/b/{bucket}/defaultObjectAcl/{entity}", "defaultObjectAccessControls.update", defaultObjectACL.update},
	{"PATCH", apiPath + "/b/{bucket}/defaultObjectAcl/{entity}", "defaultObjectAccessControls.patch", defaultObjectACL.patch},
	{"DELETE", apiPath + "/b/{bucket}/defaultObjectAcl/{entity}", "defaultObjectAccessControls.delete", defaultObjectACL.delete},
	{"GET", apiPath + "/b/{bucket}/iam", "buckets.getIamPolicy", (*Service).getIamPolicy},
	{"PUT", apiPath + "/b/{bucket}/iam", "buckets.setIamPolicy", (*Service).setIamPolicy},
	{"GET", apiPath + "/b/{bucket}/iam/testPermissions", "buckets.testIamPermissions", (*Service).testIamPermissions},
	{"GET", apiPath + "/b/{bucket}/folders", "folders.list", folders.list},
	{"POST", apiPath + "/b/{bucket}/folders", "folders.insert", folders.insert},
	{"GET", apiPath + "/b/{bucket}/folders/{folder}", "folders.get", folders.get},
	{"DELETE", apiPath + "/b/{bucket}/folders/{folder}", "folders.delete", folders.delete},
	{"GET", apiPath + "/b/{bucket}/managedFolders", "managedFolders.list", managedFolders.list},
	{"POST", apiPath + "/b/{bucket}/managedFolders", "managedFolders.insert", managedFolders.insert},
	{"GET", apiPath + "/b/{bucket}/managedFolders/{folder}", "managedFolders.get", managedFolders.get},
	{"DELETE", apiPath + "/b/{bucket}/managedFolders/{folder}", "managedFolders.delete", managedFolders.delete},
	{"GET", apiPath + "/b/{bucket}/anywhereCaches", "anywhereCaches.list", (*Service).listCaches},
	{"POST", apiPath + "/b/{bucket}/anywhereCaches", "anywhereCaches.insert", (*Service).insertCache},
	{"GET", apiPath + "/b/{bucket}/anywhereCaches/{cache}", "anywhereCaches.get", (*Service).getCache},
	{"POST", apiPath + "/b/{bucket}/anywhereCaches/{cache}/disable", "anywhereCaches.disable", turnCache("disable", cacheDisabled)},
	{"POST", apiPath + "/b/{bucket}/anywhereCaches/{cache}/pause", "anywhereCaches.pause", turnCache("pause", cachePaused)},
	{"POST", apiPath + "/b/{bucket}/anywhereCaches/{cache}/resume", "anywhereCaches.resume", turnCache("resume", cacheRunning)},
	{"GET", apiPath + "/b/{bucket}/o", "objects.list", (*Service).listObjects},
	{"GET", apiPath + "/b/{bucket}/o/{object}", "objects.get", (*Service).getObject},
	{"PATCH", apiPath + "/b/{bucket}/o/{object}", "objects.patch", (*Service).patchObject},
	{"PUT", apiPath + "/b/{bucket}/o/{object}", "objects.update", (*Service).updateObject},
	{"DELETE", apiPath + "/b/{bucket}/o/{object}", "objects.delete", (*Service).deleteObject},
	{"POST", apiPath + "/b/{bucket}/o/{object}/restore", "objects.restore", (*Service).restoreObject},
	{"GET", downloadPath + "/b/{bucket}/o/{object}", "objects.get", (*Service).getObject},
	{"POST", uploadPath + "/b/{bucket}/o", "objects.insert", (*Service).insertObject},
	{"PUT", uploadPath + "/b/{bucket}/o", "objects.insert", (*Service).continueUpload},
	{"POST", resumablePath + "/b/{bucket}/o", "objects.insert", (*Service).insertObject},
	{"PUT", resumablePath + "/b/{bucket}/o", "objects.insert", (*Service).continueUpload},
}

// unknownMethod is what calls are counted as that the emulator does not have.
const unknownMethod = "unknown"

func notFound(*Service, *request) (*reply, error) {
	return nil, failf(http.StatusNotFound, "notFound", "Not Found")
}

// RegisterHTTP adds the JSON API, uploads and downloads, and reading objects
// by the path of the XML API (/BUCKET/OBJECT).
func (s *Service) RegisterHTTP(mux *http.ServeMux) {
	for _, rt := range routes {
		mux.Handle(rt.verb+" "+rt.path, s.underTraffic(rt.method, s.serve(rt.handle, false, writeFailure)))
	}
	for _, path := range []string{apiPath, uploadPath, downloadPath, resumablePath} {
		mux.Handle(path+"/", s.underTraffic(unknownMethod, s.serve(notFound, false, writeFailure)))
	}
	// Without a verb, so that the pattern stays more general than those of
	// other services.
	mux.Handle("/{bucket}/{object...}", s.underTraffic("objects.get", s.serve((*Service).readObject, false, writeXMLFailure)))
}

// underTraffic puts a method under the traffic control.
func (s *Service) underTraffic(method string, next http.Handler) http.Handler {
	classify := func(r *http.Request) traffic.Call { return s.call(method, r) }
	return s.traffic.Middleware(classify, traffic.StorageErrors)(next)
}

// call names a request to a method: its quota is the one of the bucket's
// project, or of the project that the request names.
func (s *Service) call(method string, r *http.Request) traffic.Call {
	call := traffic.Call{Service: s.Name(), Method: method, Resource: r.PathValue("bucket")}
	project := r.URL.Query().Get("project")
	if call.Resource != "" {
		project = s.projectOf(call.Resource)
	}
	if p, known := s.projects.Lookup(project); known {
		call.Project = p.ID
	}
	return call
}

// serve reads a request, has it carried out and writes the answer.
func (s *Service) serve(handle handler, console bool, fail func(http.ResponseWriter, *http.Request, *failure)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			fail(w, r, invalidf("Reading the request: %v", err))
			return
		}
		answer, err := s.do(handle, &request{Request: r, body: body, console: console})
		if err != nil {
			fail(w, r, asFailure(err))
			return
		}
		write(w, r, answer)
	})
}

// do carries a call out under the lock.
func (s *Service) do(handle handler, r *request) (*reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.now = s.now()
	s.purge(r.now)
	return handle(s, r)
}

func asFailure(err error) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	return failf(http.StatusInternalServerError, "internalError", "%s", err.Error())
}

func write(w http.ResponseWriter, r *http.Request, answer *reply) {
	maps.Copy(w.Header(), answer.header)
	switch {
	case answer.media:
		http.ServeContent(w, r, "", answer.modified, bytes.NewReader(answer.content))
	case answer.json == nil:
		w.WriteHeader(answer.status)
	default:
		writeJSON(w, r, answer.status, selectFields(answer.json, r.URL.Query().Get("fields")))
	}
}

func writeJSON(w http.ResponseWriter, r *http.Request, status int, doc document) {
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	if !strings.EqualFold(r.URL.Query().Get("prettyPrint"), "false") {
		encoder.SetIndent("", "  ")
	}
	if err := encoder.Encode(doc); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if etag := text(doc, "etag"); etag != "" {
		w.Header().Set("ETag", etag)
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_, _ = w.Write(encoded.Bytes()) // a client that has gone away needs no answer
}

func writeFailure(w http.ResponseWriter, r *http.Request, f *failure) {
	if f.status == http.StatusNotModified {
		w.WriteHeader(f.status)
		return
	}
	writeJSON(w, r, f.status, f.body())
}

// query returns a query parameter, or "".
func (r *request) query(name string) string { return r.URL.Query().Get(name) }

// queryFlag returns a boolean query parameter.
func (r *request) queryFlag(name string) bool { return strings.EqualFold(r.query(name), "true") }

// queryInt returns a whole-numbered query parameter and whether it is there.
func (r *request) queryInt(name string) (int64, bool, error) {
	value := r.query(name)
	if value == "" {
		return 0, false, nil
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		f := failf(http.StatusBadRequest, "invalidParameter", "Invalid value '%s'. Values must be whole numbers.", value)
		f.locationType, f.location = "parameter", name
		return 0, false, f
	}
	return n, true, nil
}

// document reads the body as a resource.
func (r *request) document() (document, error) { return decode(r.body) }

// full reports whether the request wants access control lists too.
func (r *request) full(byDefault bool) bool {
	switch r.query("projection") {
	case "full":
		return true
	case "noAcl":
		return false
	default:
		return byDefault
	}
}

// checkCondition holds a pair of conditions, such as ifMetagenerationMatch
// and ifMetagenerationNotMatch, against a number. A NotMatch that fails is
// 304, for writes too.
func (r *request) checkCondition(name string, actual int64) error {
	wanted, given, err := r.queryInt(name + "Match")
	if err != nil {
		return err
	}
	if given && wanted != actual {
		return conditionNotMet()
	}
	unwanted, given, err := r.queryInt(name + "NotMatch")
	if err != nil {
		return err
	}
	if given && unwanted == actual {
		return notModified()
	}
	return nil
}
