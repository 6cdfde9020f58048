package planserver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	"github.com/holdfast-dev/holdfast/internal/planserver/protocol"
)

func tooLarge() error {
	return &refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf(
		"the request is larger than %d MiB; ask for plans of fewer manifests at once", protocol.MostBytes>>20)}
}

func malformed(format string, args ...any) error {
	return &refusal{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// decode reads a request within its bounds. It is JSON and nothing else: no YAML, whose aliases multiply, and no compression.
func decode(w http.ResponseWriter, r *http.Request) (protocol.Request, error) {
	var request protocol.Request
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" || r.Header.Get("Content-Encoding") != "" {
		return request, &refusal{http.StatusUnsupportedMediaType, "the request is not application/json without a Content-Encoding"}
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, protocol.MostBytes))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return request, tooLarge()
	case err != nil:
		return request, malformed("the request cannot be read")
	case depth(text) > protocol.DeepestValue:
		return request, malformed("the request has values that are more than %d inside each other", protocol.DeepestValue)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&request); err != nil {
		return request, malformed("the request is no list of manifests in JSON: %v", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return request, malformed("there is something behind the request")
	}
	switch n := max(len(request.Manifests), len(request.Against)); {
	case n == 0:
		return request, malformed("the request has no manifests")
	case n > protocol.MostManifests:
		return request, &refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf(
			"the request has %d manifests; ask for plans of at most %d at once", n, protocol.MostManifests)}
	}
	return request, nil
}

// depth is how many objects and lists of a JSON text are inside each other at most.
func depth(text []byte) int {
	deepest, open, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			open++
			deepest = max(deepest, open)
		case c == '}' || c == ']':
			open--
		}
	}
	return deepest
}
