package gcp

import (
	"errors"
	"net/http"
	"syscall"
	"testing"
)

func TestProbe(t *testing.T) {
	address, calls := storageServer(t, func(http.ResponseWriter, *http.Request) {})
	there, nowhere := insecure(t, address), insecure(t, "127.0.0.1:1")
	cases := map[string]struct {
		opts Options
		want string
	}{
		"all there":                     {opts: Options{Storage: there, PubSub: there, IAM: there, ResourceManager: there}},
		"the first that is not":         {Options{Storage: there, PubSub: nowhere, IAM: nowhere, ResourceManager: nowhere}, "pubsub cannot be reached at 127.0.0.1:1: connect: connection refused"},
		"IAM is gone":                   {Options{Storage: there, PubSub: there, IAM: nowhere, ResourceManager: nowhere}, "iam cannot be reached at 127.0.0.1:1: connect: connection refused"},
		"only Resource Manager is gone": {Options{Storage: there, PubSub: there, IAM: there, ResourceManager: nowhere}, "resourcemanager cannot be reached at 127.0.0.1:1: connect: connection refused"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := newClients(t, tc.opts).Probe(t.Context())
			if tc.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var unreachable *Unreachable
			if !errors.As(err, &unreachable) || err.Error() != tc.want || !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
	if n := calls.Load(); n != 0 {
		t.Errorf("%d calls were made", n)
	}
}
