package engine

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/holdfast-dev/holdfast/config/admission"
)

// TestThePolicyIsKnownForAnOperatorOfAnotherName: what is installed for it names it where the policy that is built in has the usual name.
func TestThePolicyIsKnownForAnOperatorOfAnotherName(t *testing.T) {
	const other = "system:serviceaccount:platform:operator"
	text := func(operator string) string {
		t.Helper()
		known, err := installedFor(operator)
		if err != nil {
			t.Fatal(err)
		}
		out, err := json.Marshal(known.policy.Spec)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	usual := text(admission.Operator)
	if n := strings.Count(usual, admission.Operator); n != 1 {
		t.Errorf("the policy names the operator %d times", n)
	}
	if got, want := text(other), strings.ReplaceAll(usual, admission.Operator, other); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
