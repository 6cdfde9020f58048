package installed

import (
	"os"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// garbage is how much the heap of a test's API server grows, in percent, before it is collected. An eighth of its processor time is spent on that
// with Go's default, and that time is most of what the tests take; memory is not short.
const garbage = "400"

// Start starts a control plane for the tests of a package whose programs do not have their memory measured meanwhile: they would inherit the setting.
func Start(environment *envtest.Environment) (*rest.Config, error) {
	const setting = "GOGC"
	if _, given := os.LookupEnv(setting); !given {
		if err := os.Setenv(setting, garbage); err != nil {
			return nil, err
		}
		defer func() { _ = os.Unsetenv(setting) }() // it was set
	}
	return environment.Start()
}
