package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
	"github.com/holdfast-dev/holdfast/test/rig"
)

// cloud is the emulated Google Cloud, reached through its own API: what somebody does in the console is not counted as a
// call.
type cloud struct{ *rig.Cloud }

// document is a resource as Google's API shows it.
type document = map[string]any

// bucketPath is where the console has a bucket.
func bucketPath(name string) string { return "/emulator/storage/b/" + name }

// pathOf is where the console has the resource with a full name, such as //storage.googleapis.com/logs.
func pathOf(externalName string) (string, error) {
	if name, ok := strings.CutPrefix(externalName, "//storage.googleapis.com/"); ok {
		return bucketPath(strings.TrimPrefix(name, "projects/_/buckets/")), nil
	}
	if name, ok := strings.CutPrefix(externalName, "//pubsub.googleapis.com/"); ok {
		return "/emulator/pubsub/" + name, nil
	}
	if name, ok := strings.CutPrefix(externalName, "//iam.googleapis.com/"); ok {
		return "/emulator/iam/" + name, nil
	}
	if name, ok := strings.CutPrefix(externalName, "//cloudresourcemanager.googleapis.com/"); ok {
		return "/emulator/resourcemanager/" + name + "/policy", nil
	}
	return "", fmt.Errorf("no service of the emulator knows %q", externalName)
}

// get reads a resource; nil says that there is none.
func (c *cloud) get(ctx context.Context, path string) (document, error) {
	var doc document
	err := c.Call(ctx, http.MethodGet, path, nil, &doc)
	if rig.IsStatus(err, http.StatusNotFound) {
		return nil, nil
	}
	return doc, err
}

// mark returns the number of the newest call, for callsSince.
func (c *cloud) mark(ctx context.Context) (int64, error) {
	calls, err := c.callsSince(ctx, 0)
	if err != nil || len(calls) == 0 {
		return 0, err
	}
	return calls[len(calls)-1].Seq, nil
}

// callsSince returns the calls that reached Google Cloud after the mark, the console's aside.
func (c *cloud) callsSince(ctx context.Context, mark int64) ([]traffic.Entry, error) {
	var entries []traffic.Entry
	err := c.Call(ctx, http.MethodGet, "/emulator/journal?since="+strconv.FormatInt(mark, 10), nil, &entries)
	return entries, err
}

// describeCall writes a call on one line, as the journal has it.
func describeCall(entry traffic.Entry) string {
	path := entry.Path
	if unescaped, err := url.QueryUnescape(path); err == nil {
		path = unescaped
	}
	line := strings.TrimSpace(entry.HTTPMethod + " " + path)
	if entry.Request != "" {
		line += " " + oneLine(entry.Request)
	}
	return line
}

// oneLine writes JSON without white space between its parts.
func oneLine(text string) string {
	var out bytes.Buffer
	if json.Compact(&out, []byte(text)) != nil {
		return strings.TrimSpace(text)
	}
	return out.String()
}
