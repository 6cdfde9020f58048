package api

import "testing"

func TestBucketSmoke(t *testing.T) {
	expectRefusal(t, create(t, manifest(t, "Bucket", "smoke", `spec: {location: EU}`)), "")
}
