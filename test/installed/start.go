package installed

import (
	"cmp"
	"os"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// garbage is how much the heap of a test's API server grows, in percent, before it is collected. An eighth of its processor time is spent on that
// with Go's default, and that time is most of what the tests take; memory is not short.
const garbage = "400"

// startBound is how long etcd and kube-apiserver may take to answer where an environment says nothing else: several are started side by side, on
// a machine that has enough to do without them. What did not start in time is started anew, which takes as long again.
const startBound = 2 * time.Minute

// Start starts a control plane for the tests of a package whose programs do not have their memory measured meanwhile: they would inherit the setting.
func Start(environment *envtest.Environment) (*rest.Config, error) {
	const setting = "GOGC"
	if _, given := os.LookupEnv(setting); !given {
		if err := os.Setenv(setting, garbage); err != nil {
			return nil, err
		}
		defer func() { _ = os.Unsetenv(setting) }() // it was set
	}
	environment.ControlPlaneStartTimeout = cmp.Or(environment.ControlPlaneStartTimeout, startBound)
	return environment.Start()
}
