// Package protocol is what the plan server and its clients say to each other, over HTTPS:
//
//	POST /v1alpha1/plan
//	Authorization: Bearer TOKEN
//	Content-Type: application/json
//
//	{"manifests": [{"apiVersion": "gcp.holdfast.dev/v1alpha1", "kind": "Bucket", "metadata": {…}, "spec": {…}}, …]}
//
// The manifests are rendered, each names its namespace, and of each only that, its name and its spec count. A second list, "against", has those that
// were applied before: the plan then is of what differs, and of what leaves. The answer to a request that was understood is 200 with the plan,
// in the form of `kubectl holdfast plan -o json`. In it the document of an origin is the number of the manifest, from 1, those of against counted on.
// Any other answer is an Error.
package protocol

import "encoding/json"

// Path is where plans are made.
const Path = "/v1alpha1/plan"

// Audience is that of the tokens of Kubernetes service accounts that the server takes, and by default of all others.
const Audience = "holdfast-plan"

// The bounds of a request. Whoever has more sends several.
const (
	// MostBytes is the size of a request's body.
	MostBytes = 4 << 20
	// MostManifests is the number of manifests in each of its lists, and MostScopes that of different pairs of a kind and a namespace in both.
	MostManifests = 1000
	MostScopes    = 256
	// DeepestValue is how many objects and lists may be inside each other.
	DeepestValue = 64
)

// Request asks what applying manifests would do.
type Request struct {
	// Manifests are as the Kubernetes API takes them, in JSON.
	Manifests []json.RawMessage `json:"manifests"`
	// Against are those that were applied before. Of one that leaves, kind, namespace and name count: it goes as the cluster has it. Of one that
	// stays it counts whether it is the same.
	Against []json.RawMessage `json:"against,omitempty"`
}

// Error is why there is no plan.
type Error struct {
	// Message says what is wrong, and what to do, in one sentence.
	Message string `json:"error"`
}
