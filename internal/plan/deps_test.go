package plan

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// client is a library by which somebody is called: the Kubernetes API, or Google Cloud.
var client = regexp.MustCompile(`^(k8s\.io/client-go|sigs\.k8s\.io/controller-runtime|cloud\.google\.com/go|google\.golang\.org/(api|grpc))(/|$)`)

// TestPlanningNeedsNoClient: what would be done to a resource is found out by code that can call nobody, whatever it imports.
func TestPlanningNeedsNoClient(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".", "../inventory").Output()
	if err != nil {
		t.Fatalf("listing what is imported: %v", err)
	}
	packages := strings.Fields(string(out))
	if len(packages) < 10 {
		t.Fatalf("only %q", packages)
	}
	for _, path := range packages {
		if client.MatchString(path) {
			t.Errorf("%s is imported", path)
		}
	}
}
