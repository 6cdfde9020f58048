package storage

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
)

// upload is a resumable upload under way.
type upload struct {
	// start is the request that began it; its parameters hold for the whole.
	start    *request
	metadata document
	content  []byte
}

func (s *Service) insertObject(r *request) (*reply, error) {
	if r.query("upload_id") != "" { // some clients go on with POST
		return s.continueUpload(r)
	}
	b, err := s.open(r, "objects.insert")
	if err != nil {
		return nil, err
	}
	switch r.query("uploadType") {
	case "resumable":
		return s.startUpload(r)
	case "multipart":
		metadata, content, err := splitMultipart(r)
		if err != nil {
			return nil, err
		}
		return s.insertContent(r, b, metadata, content)
	case "media":
		return s.insertContent(r, b, document{"contentType": r.Header.Get("Content-Type")}, r.body)
	default:
		return nil, invalidf("Invalid upload type: '%s'", r.query("uploadType"))
	}
}

// splitMultipart reads a multipart/related body: the metadata, then the
// content.
func splitMultipart(r *request) (document, []byte, error) {
	bad := failf(http.StatusBadRequest, "badContent", "Malformed multipart body.")
	parts := multipart.NewReader(bytes.NewReader(r.body), boundary(r.Header.Get("Content-Type")))
	first, err := parts.NextRawPart()
	if err != nil {
		return nil, nil, bad
	}
	sent, err := io.ReadAll(first)
	if err != nil {
		return nil, nil, bad
	}
	metadata, err := decode(sent)
	if err != nil {
		return nil, nil, err
	}
	second, err := parts.NextRawPart()
	if err != nil {
		return nil, nil, bad
	}
	content, err := io.ReadAll(second)
	if err != nil {
		return nil, nil, bad
	}
	if text(metadata, "contentType") == "" {
		metadata["contentType"] = second.Header.Get("Content-Type")
	}
	return metadata, content, nil
}

// boundary returns the boundary of a multipart body. Google's own clients
// put it in single quotes, which RFC 2045 does not know.
func boundary(contentType string) string {
	if _, params, err := mime.ParseMediaType(contentType); err == nil {
		return strings.Trim(params["boundary"], "'")
	}
	_, quoted, _ := strings.Cut(contentType, "boundary=")
	return strings.Trim(quoted, "'\"")
}

// insertContent creates a new generation of an object.
func (s *Service) insertContent(r *request, b *bucket, sent document, content []byte) (*reply, error) {
	resource, err := normalize(sent, objectType)
	if err != nil {
		return nil, err
	}
	name := r.query("name")
	if inBody := text(resource, "name"); name == "" {
		name = inBody
	} else if inBody != "" && inBody != name {
		return nil, disagreement(inBody, name)
	}
	if err := checkObjectName(name); err != nil {
		return nil, err
	}
	if err := r.checkInsertConditions(b.current(name)); err != nil {
		return nil, err
	}
	metadata := b.newMetadata(resource)
	if err := b.checkObjectRetention(nil, metadata, false); err != nil {
		return nil, err
	}
	if err := checkHashes(resource, &storedObject{Content: content}); err != nil {
		return nil, err
	}
	if err := b.replace(name, r.now); err != nil {
		return nil, err
	}
	o := s.addObject(b, name, metadata, content, r.now)
	return ok(b.renderObject(o, r.full(len(list(resource, "acl")) > 0))), nil
}

// checkInsertConditions: generation 0 stands for an object that is not there.
func (r *request) checkInsertConditions(current *storedObject) error {
	if current == nil {
		current = &storedObject{}
	}
	return r.checkObjectConditions(current)
}

// newMetadata decides the metadata of a new object in the bucket.
func (b *bucket) newMetadata(resource document) document {
	metadata := tidyObject(withoutObjectOutputs(resource))
	if text(metadata, "contentType") == "" {
		metadata["contentType"] = "application/octet-stream"
	}
	if text(metadata, "storageClass") == "" || flag(b.Config, "autoclass", "enabled") {
		metadata["storageClass"] = b.Config["storageClass"]
	}
	if key := text(b.Config, "encryption", "defaultKmsKeyName"); key != "" && text(metadata, "kmsKeyName") == "" {
		metadata["kmsKeyName"] = key + "/cryptoKeyVersions/1"
	}
	if _, given := metadata["eventBasedHold"]; !given && flag(b.Config, "defaultEventBasedHold") {
		metadata["eventBasedHold"] = true
	}
	return metadata
}

// checkHashes refuses content that is not what the client meant to send.
func checkHashes(resource document, o *storedObject) error {
	if sent := text(resource, "crc32c"); sent != "" && sent != o.crc32c() {
		return invalidf("Provided CRC32C \"%s\" doesn't match calculated CRC32C \"%s\".", sent, o.crc32c())
	}
	if sent := text(resource, "md5Hash"); sent != "" && sent != o.md5() {
		return invalidf("Provided MD5 hash \"%s\" doesn't match calculated MD5 hash \"%s\".", sent, o.md5())
	}
	return nil
}

func (s *Service) startUpload(r *request) (*reply, error) {
	metadata, err := r.document()
	if err != nil {
		return nil, err
	}
	if text(metadata, "contentType") == "" {
		metadata["contentType"] = r.Header.Get("X-Upload-Content-Type")
	}
	id := "upload-" + decimal(s.nextGeneration(r.now))
	s.uploads[id] = &upload{start: r, metadata: metadata}
	values := r.URL.Query()
	values.Set("upload_id", id)
	header := http.Header{}
	header.Set("Location", "http://"+r.Host+r.URL.EscapedPath()+"?"+values.Encode())
	header.Set("X-Guploader-Uploadid", id)
	return &reply{status: http.StatusOK, header: header}, nil
}

// continueUpload takes the next piece of a resumable upload, or says how far
// it has come.
func (s *Service) continueUpload(r *request) (*reply, error) {
	b, err := s.open(r, "objects.insert")
	if err != nil {
		return nil, err
	}
	id := r.query("upload_id")
	u := s.uploads[id]
	if u == nil {
		return nil, failf(http.StatusNotFound, "notFound", "No such upload.")
	}
	first, total, err := parseContentRange(r.Header.Get("Content-Range"), len(r.body))
	if err != nil {
		return nil, err
	}
	if first >= 0 {
		if first > int64(len(u.content)) {
			return nil, failf(http.StatusServiceUnavailable, "backendError", "Invalid request. A piece of the upload is missing.")
		}
		u.content = append(u.content[:first:first], r.body...)
	}
	if total < 0 || int64(len(u.content)) < total {
		return u.incomplete(r), nil
	}
	delete(s.uploads, id)
	whole := *u.start
	whole.now = r.now
	return s.insertContent(&whole, b, u.metadata, u.content)
}

// incomplete asks for more. Some clients cannot take a status of 308, which
// means something else in HTTP, and say so.
func (u *upload) incomplete(r *request) *reply {
	header := http.Header{}
	if len(u.content) > 0 {
		header.Set("Range", fmt.Sprintf("bytes=0-%d", len(u.content)-1))
	}
	if strings.EqualFold(r.Header.Get("X-Guploader-No-308"), "yes") {
		header.Set("X-Http-Status-Code-Override", "308")
		return &reply{status: http.StatusOK, header: header}
	}
	return &reply{status: http.StatusPermanentRedirect, header: header}
}

// parseContentRange reads "bytes 0-99/100", "bytes 0-99/*" and "bytes */100".
// First is -1 where no bytes come, total where it is not known yet. Without
// the header the body is all there is.
func parseContentRange(header string, length int) (first, total int64, err error) {
	if header == "" {
		return 0, int64(length), nil
	}
	span, size, found := strings.Cut(strings.TrimPrefix(header, "bytes "), "/")
	if !found {
		return 0, 0, invalidf("Failed to parse Content-Range header.")
	}
	first, total = -1, -1
	if size != "*" {
		if _, err := fmt.Sscanf(size, "%d", &total); err != nil {
			return 0, 0, invalidf("Failed to parse Content-Range header.")
		}
	}
	if span != "*" {
		if _, err := fmt.Sscanf(span, "%d-", &first); err != nil {
			return 0, 0, invalidf("Failed to parse Content-Range header.")
		}
	}
	return first, total, nil
}
