package admission

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/process"
)

// aggregate fills Kubernetes' own roles view, edit and admin with what config/rbac adds to them, as kube-controller-manager does: by that
// itself if it lies beside kube-apiserver, and otherwise by the same labels here. It returns what ends it.
func aggregate(kube client.Client, folder string, kubeconfig []byte) (func() error, error) {
	stop := func() error { return nil }
	program := filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kube-controller-manager")
	if _, err := os.Stat(program); err != nil {
		fmt.Fprintln(os.Stderr, "KUBEBUILDER_ASSETS has no kube-controller-manager: the roles view, edit and admin are aggregated by the tests themselves")
		return stop, errors.Join(aggregateHere(kube, "view"), aggregateHere(kube, "edit"), aggregateHere(kube, "admin"))
	}
	manager, err := startControllerManager(program, folder, kubeconfig)
	if err != nil {
		return stop, err
	}
	return manager.Stop, poll(func() (bool, error) {
		var role rbacv1.ClusterRole
		err := kube.Get(ctx, client.ObjectKey{Name: "admin"}, &role)
		return slices.ContainsFunc(role.Rules, func(r rbacv1.PolicyRule) bool {
			return slices.Contains(r.APIGroups, v1alpha1.GroupVersion.Group) && slices.Contains(r.Verbs, "grant")
		}), err
	})
}

func startControllerManager(program, folder string, kubeconfig []byte) (*process.Process, error) {
	admin := filepath.Join(folder, "admin")
	if err := os.WriteFile(admin, kubeconfig, 0o600); err != nil {
		return nil, err
	}
	address, err := process.FreeAddress()
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	return process.Start(process.Program{
		Name: "kube-controller-manager", Path: program, Log: filepath.Join(folder, "kube-controller-manager.log"),
		Args: []string{
			"--kubeconfig", admin, "--authentication-kubeconfig", admin, "--authorization-kubeconfig", admin,
			"--controllers=clusterrole-aggregation-controller", "--leader-elect=false",
			"--bind-address=127.0.0.1", "--secure-port", port, "--cert-dir", filepath.Join(folder, "kube-controller-manager"),
		},
	})
}

// aggregateHere adds the rules of the roles that are labelled for it, and of those that are in turn labelled for them.
func aggregateHere(kube client.Client, name string) error {
	var role rbacv1.ClusterRole
	if err := kube.Get(ctx, client.ObjectKey{Name: name}, &role); err != nil {
		return err
	}
	role.Rules = nil
	for _, selector := range role.AggregationRule.ClusterRoleSelectors {
		var parts rbacv1.ClusterRoleList
		if err := kube.List(ctx, &parts, client.MatchingLabels(selector.MatchLabels)); err != nil {
			return err
		}
		for _, part := range parts.Items {
			role.Rules = append(role.Rules, part.Rules...)
		}
	}
	return kube.Update(ctx, &role)
}
