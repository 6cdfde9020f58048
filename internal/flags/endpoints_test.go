package flags

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/holdfast-dev/holdfast/internal/gcp"
)

func TestEndpoints(t *testing.T) {
	emulator := gcp.Endpoint{Address: "emulator:1", Insecure: true}
	cases := map[string]struct {
		endpoints Endpoints
		want      gcp.Options
	}{
		"Google's own": {Endpoints{}, gcp.Options{}},
		"one elsewhere": {
			Endpoints{Storage: "https://private.example.com/storage/v1/"},
			gcp.Options{Storage: gcp.Endpoint{Address: "private.example.com:443", Path: "/storage/v1/"}},
		},
		"emulators by flag": {
			Endpoints{Storage: "http://emulator:1", PubSub: "emulator:1", IAM: "emulator:1", ResourceManager: "emulator:1", Insecure: true},
			gcp.Options{Storage: emulator, PubSub: emulator, IAM: emulator, ResourceManager: emulator},
		},
		"emulators by environment": {
			Endpoints{StorageEmulator: "emulator:1", PubSubEmulator: "http://emulator:1"},
			gcp.Options{Storage: emulator, PubSub: emulator},
		},
		"assets elsewhere": {
			Endpoints{Asset: "emulator:1", Storage: "emulator:1", PubSub: "emulator:1", IAM: "emulator:1", ResourceManager: "emulator:1", Insecure: true},
			gcp.Options{Storage: emulator, PubSub: emulator, IAM: emulator, ResourceManager: emulator, Asset: emulator},
		},
		"the flag wins": {
			Endpoints{Storage: "elsewhere", StorageEmulator: "emulator:1"},
			gcp.Options{Storage: gcp.Endpoint{Address: "elsewhere:443"}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := tc.endpoints.Options(false)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got, cmpopts.IgnoreUnexported(gcp.Options{})); diff != "" {
				t.Errorf("options (-want +got):\n%s", diff)
			}
		})
	}
}
