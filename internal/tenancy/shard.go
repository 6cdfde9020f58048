package tenancy

import (
	"fmt"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// Shard is the shard that a Namespace belongs to, by its labels; empty for the default one.
func Shard(labels map[string]string) string { return labels[v1alpha1.ShardLabel] }

// ShardConflict refuses objects in a namespace a project that namespaces of different shards are bound to. The message depends on the
// namespace and the project alone: it tells a tenant nothing of the others.
func ShardConflict(namespace, project string) *Refusal {
	return &Refusal{Reason: v1alpha1.ReasonShardConflict, Message: fmt.Sprintf(
		"namespaces that are bound to project %q belong to different shards, and a project belongs to one; Holdfast will not write or delete. "+
			"An administrator gives all of them the same label: kubectl get namespaces -L %s; kubectl label --overwrite namespace %s %s=SHARD",
		project, v1alpha1.ShardLabel, namespace, v1alpha1.ShardLabel)}
}
