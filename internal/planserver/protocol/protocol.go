// Package protocol is what the plan server and its clients say to each other, over HTTPS:
//
//	POST /v1alpha1/plan
//	Authorization: Bearer TOKEN
//	Content-Type: application/json
//
//	{"manifests": [{"apiVersion": "gcp.holdfast.dev/v1alpha1", "kind": "Bucket", "metadata": {…}, "spec": {…}}, …]}
//
// The manifests are rendered, each names its namespace, and of each only that, its name, its labels and its spec count. The answer to a request
// that was understood is 200 with the plan, in the form of `kubectl holdfast plan -o json`. Any other answer is an Error.
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
	// MostManifests is the number of manifests in it, and MostScopes that of different pairs of a kind and a namespace among them.
	MostManifests = 1000
	MostScopes    = 256
	// DeepestValue is how many objects and lists may be inside each other.
	DeepestValue = 64
)

// Request asks what applying manifests would do.
type Request struct {
	// Manifests are as the Kubernetes API takes them, in JSON.
	Manifests []json.RawMessage `json:"manifests"`
}

// Error is why there is no plan.
type Error struct {
	// Message says what is wrong, and what to do, in one sentence.
	Message string `json:"error"`
}
