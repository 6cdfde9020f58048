package sweep

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Assets lists what Cloud Asset Inventory knows of all projects in a scope, page by page; an error ends the list.
type Assets interface {
	ListAssets(ctx context.Context, types []string, content kind.AssetContent, yield func(page []kind.Asset)) error
}

// Resource is the resource of a project, by the names that a kind.Ref has.
type Resource struct {
	// Kind is the kind of its manifests, such as Bucket.
	Kind string
	// Project is the project's ID.
	Project string
	// ID is its name there; empty for the project itself.
	ID string
}

func (r Resource) compare(other Resource) int {
	return cmp.Or(cmp.Compare(r.Kind, other.Kind), cmp.Compare(r.Project, other.Project), cmp.Compare(r.ID, other.ID))
}

// Listing is what Cloud Asset Inventory showed at one time of the resources that manifests may mean. It says what to look at, and nothing of
// what is there: the inventory may be late, and may never show a field.
type Listing struct {
	// found is sorted by resource, without two of the same.
	found []finding
	// projects are those in the scope, by ID, each with a print of what it is like: shut down, for example.
	projects map[string]uint64
}

// finding is what was found of a resource: prints of its fields and its IAM policy, 0 for none.
type finding struct {
	Resource

	fields, policy uint64
}

// List takes a listing, whole or not at all.
func List(ctx context.Context, assets Assets, kinds []kind.Kind) (*Listing, error) {
	l := lister{
		kinds: map[string]kind.Kind{}, projects: map[string]string{}, prints: map[string]uint64{},
		at: map[uint64]int{}, seed: maphash.MakeSeed(),
	}
	var types []string
	for _, k := range kinds {
		if k.AssetType == "" {
			continue
		}
		l.kinds[k.AssetType] = k
		if k.AssetType != kind.ProjectAsset {
			types = append(types, k.AssetType)
		}
	}
	steps := []struct {
		content kind.AssetContent
		types   []string
		add     func([]kind.Asset)
	}{
		{kind.AssetResources, []string{kind.ProjectAsset}, l.addProjects}, // first: others tell only their projects' numbers
		{kind.AssetResources, types, l.addFields},
		{kind.AssetPolicies, append([]string{kind.ProjectAsset}, types...), l.addPolicies},
	}
	for _, step := range steps {
		if len(step.types) == 0 {
			continue
		}
		if err := assets.ListAssets(ctx, step.types, step.content, step.add); err != nil {
			return nil, fmt.Errorf("taking a listing of assets: %w", err)
		}
	}
	return l.listing(), nil
}

// lister makes a listing of pages.
type lister struct {
	kinds    map[string]kind.Kind // by asset type
	projects map[string]string    // IDs by number
	prints   map[string]uint64    // by project ID
	found    []finding
	// at is where in found an asset is, by the hash of its name: policies go by that name alone.
	at   map[uint64]int
	seed maphash.Seed
}

func (l *lister) addProjects(page []kind.Asset) {
	for _, a := range page {
		if a.ProjectID == "" || a.ProjectNumber == "" {
			continue
		}
		l.projects[a.ProjectNumber], l.prints[a.ProjectID] = a.ProjectID, a.Print
		if k, ok := l.kinds[kind.ProjectAsset]; ok {
			a.Print = 0 // which is the project's own
			l.add(a, Resource{Kind: k.Kind, Project: a.ProjectID})
		}
	}
}

func (l *lister) addFields(page []kind.Asset) {
	for _, a := range page {
		k, known := l.kinds[a.Type]
		project, in := l.projects[a.ProjectNumber]
		if !known || !in {
			continue
		}
		if id, ok := k.IDOf(a, project); ok {
			l.add(a, Resource{Kind: k.Kind, Project: project, ID: strings.Clone(id)}) // not the whole name
		}
	}
}

func (l *lister) add(a kind.Asset, r Resource) {
	l.at[maphash.String(l.seed, a.Name)] = len(l.found)
	l.found = append(l.found, finding{Resource: r, fields: a.Print})
}

// addPolicies leaves out the policies of what was not there a moment ago: they are new in the next listing.
func (l *lister) addPolicies(page []kind.Asset) {
	for _, a := range page {
		if i, ok := l.at[maphash.String(l.seed, a.Name)]; ok {
			l.found[i].policy = a.Print
		}
	}
}

func (l *lister) listing() *Listing {
	slices.SortFunc(l.found, func(a, b finding) int {
		return cmp.Or(a.compare(b.Resource), cmp.Compare(a.fields, b.fields), cmp.Compare(a.policy, b.policy))
	})
	// A late inventory may show what was deleted beside what has its name now: one of them counts, and always the same one.
	found := slices.CompactFunc(l.found, func(a, b finding) bool { return a.Resource == b.Resource })
	return &Listing{found: slices.Clip(slices.Clone(found)), projects: l.prints}
}

// Changes are the resources that differ between two listings, that are new, or that are gone: what to look at. Nothing is known without a
// listing before.
func Changes(before, now *Listing) []Resource {
	if before == nil || now == nil {
		return nil
	}
	var changed []Resource
	for i, j := 0, 0; i < len(before.found) || j < len(now.found); {
		switch order := order(before.found[i:], now.found[j:]); {
		case order < 0:
			changed = append(changed, before.found[i].Resource)
			i++
		case order > 0:
			changed = append(changed, now.found[j].Resource)
			j++
		default:
			if before.found[i] != now.found[j] {
				changed = append(changed, now.found[j].Resource)
			}
			i++
			j++
		}
	}
	return changed
}

// order compares the first of two lists; nothing comes after everything.
func order(a, b []finding) int {
	switch {
	case len(a) == 0:
		return 1
	case len(b) == 0:
		return -1
	}
	return a[0].compare(b[0].Resource)
}

// Undeclared counts the resources of a kind that are not declared, in each project of the scope.
func (l *Listing) Undeclared(k kind.Kind, declared func(Resource) bool) map[string]int {
	counts := make(map[string]int, len(l.projects))
	for project := range l.projects {
		counts[project] = 0
	}
	for _, f := range l.found {
		if f.Kind == k.Kind && !declared(f.Resource) {
			counts[f.Project]++
		}
	}
	return counts
}
