package doctor

import (
	"maps"
	"slices"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/tenancy"
)

// Bindings are what Namespaces are bound to.
type Bindings struct {
	// Shards counts the Namespaces that are bound to projects, by their shard.
	Shards map[string]int
	// projects are the shards that claim each project, with one Namespace each.
	projects map[string]map[string]string
}

// NewBindings knows of none.
func NewBindings() *Bindings {
	return &Bindings{Shards: map[string]int{}, projects: map[string]map[string]string{}}
}

// Add adds a Namespace.
func (b *Bindings) Add(name string, labels, annotations map[string]string) {
	bound := tenancy.Bindings(annotations)
	if len(bound) == 0 {
		return
	}
	shard := tenancy.Shard(labels)
	b.Shards[shard]++
	for _, binding := range bound {
		if b.projects[binding.Project] == nil {
			b.projects[binding.Project] = map[string]string{}
		}
		if _, known := b.projects[binding.Project][shard]; !known {
			b.projects[binding.Project][shard] = name
		}
	}
}

// Findings say what is wrong with the bindings.
func (b *Bindings) Findings() Findings {
	var out Findings
	namespaces := 0
	for _, n := range b.Shards {
		namespaces += n
	}
	if namespaces == 0 {
		out.Add(Warn, "bindings", "kubectl annotate namespace NAMESPACE "+v1alpha1.ProjectIDAnnotation+"=PROJECT_ID",
			"no Namespace is bound to a project")
		return out
	}
	for _, project := range slices.Sorted(maps.Keys(b.projects)) {
		if claims := b.projects[project]; len(claims) > 1 {
			shards := slices.Sorted(maps.Keys(claims))
			out.Add(Fail, "bindings", "Give all Namespaces of the project one label: kubectl get namespaces -L "+v1alpha1.ShardLabel,
				"project %s is claimed by %s (Namespace %s) and by %s (Namespace %s), so nothing is written in it",
				project, named(shards[0]), claims[shards[0]], named(shards[1]), claims[shards[1]])
		}
	}
	if len(out) == 0 {
		out.Add(OK, "bindings", "", "%s bound to %s", counted(namespaces, "Namespace"), counted(len(b.projects), "project"))
	}
	return out
}
