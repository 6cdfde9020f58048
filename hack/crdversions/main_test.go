package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const one = `spec:
  versions:
  - additionalPrinterColumns:
    - name: Age
    name: v1
    schema:
      properties:
        name: {}
        storage: true
    served: true
    storage: true
`

func TestServe(t *testing.T) {
	got, err := serve("v2", one)
	if err != nil {
		t.Fatal(err)
	}
	want := one + `  - additionalPrinterColumns:
    - name: Age
    name: v2
    schema:
      properties:
        name: {}
        storage: true
    served: true
    storage: false
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestServeRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ definition, says string }{
		"a definition without versions": {"spec: {}\n", "no versions"},
		"one that has two already":      {one + "  - name: v2\n", "exactly one version"},
		"one that is not stored":        {strings.Replace(one, "\n    storage: true", "\n    storage: false", 1), "exactly one version"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := serve("v2", tc.definition); err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("got %v, want %q", err, tc.says)
			}
		})
	}
}
