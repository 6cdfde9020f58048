// Manager is Holdfast's operator: it keeps Google Cloud resources in sync with their manifests.
package main

import (
	"os"

	ctrl "sigs.k8s.io/controller-runtime"
)

func main() {
	tuneMemory()
	os.Exit(run(ctrl.SetupSignalHandler(), os.Args[1:], os.Stdout, os.Stderr))
}
