package transcode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// format is how a reply is to be written.
type format struct {
	enumNumbers bool
	compact     bool
}

// formatOf reads the system parameters "alt" (or "$alt"), such as
// "json;enum-encoding=int", and "prettyPrint".
func formatOf(query url.Values) (format, error) {
	f := format{
		compact: strings.EqualFold(query.Get("prettyPrint"), "false") || strings.EqualFold(query.Get("$prettyPrint"), "false"),
	}
	alt := query.Get("$alt")
	if alt == "" {
		alt = query.Get("alt")
	}
	kind, options, _ := strings.Cut(alt, ";")
	if kind != "" && kind != "json" {
		return f, status.Errorf(codes.InvalidArgument, "Unsupported Output Format: %s", kind)
	}
	f.enumNumbers = strings.Contains(options, "enum-encoding=int")
	return f, nil
}

func (f format) write(w http.ResponseWriter, reply proto.Message) {
	body, err := f.encode(reply)
	if err != nil {
		traffic.WriteRPCError(w, status.Errorf(codes.Internal, "Encoding the reply: %v", err))
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_, _ = w.Write(body) // a client that has gone away needs no answer
}

func (f format) encode(reply proto.Message) ([]byte, error) {
	encoded, err := protojson.MarshalOptions{UseEnumNumbers: f.enumNumbers}.Marshal(reply)
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", proto.MessageName(reply), err)
	}
	return f.space(encoded)
}

// space writes JSON with the white space that was asked for.
func (f format) space(encoded []byte) ([]byte, error) {
	// Spacing is normalised because protojson varies its own on purpose, and
	// "<" is escaped because Google does.
	var spaced, escaped bytes.Buffer
	write := func() error { return json.Indent(&spaced, encoded, "", "  ") }
	if f.compact {
		write = func() error { return json.Compact(&spaced, encoded) }
	}
	if err := write(); err != nil {
		return nil, fmt.Errorf("formatting a reply: %w", err)
	}
	json.HTMLEscape(&escaped, spaced.Bytes())
	escaped.WriteByte('\n')
	return escaped.Bytes(), nil
}

// writeError answers a call that failed, or cuts the connection if that is
// what the error stands for.
func (f *Front) writeError(w http.ResponseWriter, err error) {
	if traffic.IsCut(err) {
		traffic.CutConnection()
	}
	f.fail(w, err)
}

// WriteJSON answers with a value that is no message, as a Front would: in the
// format that the request asks for.
func WriteJSON(w http.ResponseWriter, r *http.Request, value any) {
	f, err := formatOf(r.URL.Query())
	if err != nil {
		traffic.WriteRPCError(w, err)
		return
	}
	encoded, err := json.Marshal(value)
	if err == nil {
		encoded, err = f.space(encoded)
	}
	if err != nil {
		traffic.WriteRPCError(w, status.Errorf(codes.Internal, "Encoding the reply: %v", err))
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_, _ = w.Write(encoded) // a client that has gone away needs no answer
}

// writeNotFound answers a request for which there is no method; Google sends
// a page instead of JSON then.
func writeNotFound(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	w.WriteHeader(http.StatusNotFound)
	_, _ = fmt.Fprintf(w, "<!DOCTYPE html>\n<title>Error 404 (Not Found)</title>\n"+
		"<p><b>404.</b> The requested URL <code>%s</code> was not found on this server.\n",
		html.EscapeString(r.URL.Path))
}
