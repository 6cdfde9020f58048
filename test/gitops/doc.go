// Package gitops tests Holdfast with the real GitOps tools. Flux's kustomize-controller and Argo CD's application controller
// and repo server sync git repositories into a real kube-apiserver, beside kube-controller-manager (garbage collector and
// namespaces) and the operator's own binary. Each scenario asserts both what the tool reports and what is in the emulated
// Google Cloud.
//
// `make e2e` runs it. `go test ./...`, and so `make test`, skips it and says so under -v, since it needs programs that take
// minutes to build the first time. The environment says where they are:
//
//	KUBEBUILDER_ASSETS             the folder of kube-apiserver, etcd, kubectl and kube-controller-manager
//	HOLDFAST_KUSTOMIZE_CONTROLLER  the path of kustomize-controller; without it the suite is skipped
//	HOLDFAST_ARGOCD                the path of the program of hack/argocd
//	HOLDFAST_IDLE                  how long the tools are watched while nothing happens; 90s by default, 10m is the promise
//	HOLDFAST_GITOPS_LOGS           a folder for the logs of all that runs, which are lost otherwise
//
// It also needs git and redis-server (Debian packages of these names) on the PATH.
//
// What is not real: Google Cloud (test/emulator), and Flux's source-controller, which cannot be built from its module here:
// test/gitops/source stands in for it. Everything listens on loopback, with one exception: the metrics of Argo CD's
// application controller, which has no flag for their address and listens on all interfaces, on a free port.
package gitops
