package rig

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCommandLine(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"plain words":       {[]string{"get", "gcp", "-A"}, "kubectl get gcp -A"},
		"words with spaces": {[]string{"annotate", "x=it's so"}, `kubectl annotate 'x=it'\''s so'`},
		"JSON paths":        {[]string{"-o", "jsonpath={.status.plan}"}, "kubectl -o 'jsonpath={.status.plan}'"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, CommandLine(c.args)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
