package storage

import (
	"encoding/xml"
	"net/http"
)

// media answers with the content of an object, described in headers as both
// the JSON and the XML API do.
func media(o *storedObject) *reply {
	header := http.Header{}
	header.Set("Content-Type", text(o.Metadata, "contentType"))
	header.Set("ETag", `"`+o.etag()+`"`)
	header.Set("X-Goog-Generation", decimal(o.Generation))
	header.Set("X-Goog-Metageneration", decimal(o.Metageneration))
	header.Set("X-Goog-Stored-Content-Length", decimal(int64(len(o.Content))))
	header.Set("X-Goog-Storage-Class", text(o.Metadata, "storageClass"))
	header.Set("X-Goog-Hash", "crc32c="+o.crc32c())
	header.Add("X-Goog-Hash", "md5="+o.md5())
	encoding := text(o.Metadata, "contentEncoding")
	if encoding == "" {
		encoding = "identity"
	} else {
		header.Set("Content-Encoding", encoding)
	}
	header.Set("X-Goog-Stored-Content-Encoding", encoding)
	if cache := text(o.Metadata, "cacheControl"); cache != "" {
		header.Set("Cache-Control", cache)
	}
	return &reply{status: http.StatusOK, header: header, content: o.Content, media: true, modified: o.Updated}
}

// readObject reads an object by the path of the XML API, /BUCKET/OBJECT.
func (s *Service) readObject(r *request) (*reply, error) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return nil, failf(http.StatusMethodNotAllowed, "methodNotAllowed", "The specified method is not allowed against this resource.")
	}
	values := r.URL.Query()
	for header, parameter := range map[string]string{
		"X-Goog-If-Generation-Match":     "ifGenerationMatch",
		"X-Goog-If-Metageneration-Match": "ifMetagenerationMatch",
	} {
		if wanted := r.Header.Get(header); wanted != "" {
			values.Set(parameter, wanted)
		}
	}
	r.URL.RawQuery = values.Encode()
	_, o, err := s.openObject(r, "objects.get")
	if err != nil {
		return nil, err
	}
	return media(o), nil
}

// xmlCodes are the codes of the XML API for the errors that reading an
// object has.
var xmlCodes = map[int]string{
	http.StatusBadRequest:         "InvalidArgument",
	http.StatusForbidden:          "AccessDenied",
	http.StatusMethodNotAllowed:   "MethodNotAllowed",
	http.StatusPreconditionFailed: "PreconditionFailed",
}

func writeXMLFailure(w http.ResponseWriter, _ *http.Request, f *failure) {
	code, message := xmlCodes[f.status], f.message
	if f.status == http.StatusNotFound {
		code, message = "NoSuchKey", "The specified key does not exist."
		if f.message == bucketNotFound().message {
			code, message = "NoSuchBucket", f.message
		}
	}
	body, err := xml.Marshal(struct {
		XMLName xml.Name `xml:"Error"`
		Code    string
		Message string
	}{Code: code, Message: message})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/xml; charset=UTF-8")
	w.WriteHeader(f.status)
	_, _ = w.Write(append([]byte("<?xml version='1.0' encoding='UTF-8'?>"), body...))
}
